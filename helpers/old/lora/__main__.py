"""`python -m helpers.old.lora plan`: what a fine-tuning needs of a GPU's memory, and a script for exactly that plan.

python -m helpers.old.lora plan --model meta-llama/Llama-3.1-8B --gpu-memory 24
python -m helpers.old.lora plan --model meta-llama/Llama-3.1-8B              every card from 8 to 80 GB
"""

from __future__ import annotations

import argparse
import sys

from helpers.old.lora.plan import ALL_LINEAR, EFFECTIVE_BATCH, METHODS, cards_table, plan_training
from helpers.old.lora.train_script import write_script


def main(arguments: list[str] | None = None) -> int:
    """Print a plan; returns the exit status: 1 where nothing fits, 2 where something asked for does not exist."""
    options = _parser().parse_args(arguments)
    targets = () if options.targets == ALL_LINEAR else tuple(options.targets.split(","))
    rest = {"seq_len": options.seq_len, "method": options.method, "rank": options.rank, "targets": targets}
    try:
        if options.gpu_memory is None and options.write:
            raise ValueError("--write needs --gpu-memory: the script is written for one card.")
        if options.gpu_memory is None:
            print(cards_table(options.model, **rest))
            return 0
        plan = plan_training(options.model, options.gpu_memory, effective_batch=options.effective_batch, **rest)
        print(plan.table())
        if options.write and plan.fits:
            write_script(plan, options.write)
            print(f"\nWrote {options.write}. Start it, and start it again after it was stopped, with")
            print(f"    python {options.write} data.jsonl")
    except (ValueError, RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if plan.fits else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers.old.lora", description="Plan a fine-tuning with LoRA.")
    plan = parser.add_subparsers(dest="action", required=True).add_parser("plan", help="what fits on a GPU")
    plan.add_argument("--model", required=True, help="a name on the hub, a folder with a config.json, or chat")
    plan.add_argument("--gpu-memory", type=float, metavar="GB", help="as printed on the card (default: 8 to 80)")
    plan.add_argument("--seq-len", type=int, default=1024, help="tokens of the longest row (1024)")
    plan.add_argument("--method", choices=METHODS, help="default: lora, and qlora where that does not fit")
    plan.add_argument("--rank", type=int, default=8, help="of the adapters (8)")
    plan.add_argument("--targets", default=ALL_LINEAR, help="all-linear, attention, or names: q_proj,v_proj")
    plan.add_argument("--effective-batch", type=int, default=EFFECTIVE_BATCH, help="rows a step (16)")
    plan.add_argument("--write", metavar="FILE", help="a training script for exactly this plan")
    return parser


if __name__ == "__main__":
    sys.exit(main())
