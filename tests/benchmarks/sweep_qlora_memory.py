"""Peak memory and processor seconds of a training step, each in a process of its own: LoRA beside bfloat16 weights and
beside the course's 4-bit layers, bitsandbytes with PEFT, and full fine-tuning in float32."""

from __future__ import annotations

import json
import subprocess
import sys

NAME = "08b_memory"
BATCH, LENGTH = 4, 128  # of the steps whose memory is watched
CASES = [{"case": "memory", "method": method} for method in ("qlora", "lora", "library", "full")]


def run(case: dict) -> dict:
    """What other models left behind would count otherwise."""
    command = [sys.executable, "-m", "tests.benchmarks.sweep_qlora_memory", case["method"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


if __name__ == "__main__":
    from helpers.old.trials.qlora import measure_memory

    print(json.dumps(measure_memory(sys.argv[1], BATCH, LENGTH)))
