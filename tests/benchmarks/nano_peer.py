"""nanoGPT's own code on the course's text: its train.py runs in a process of its own, its model judges what it learned.

    peer = NanoGPT.found()                              # from the folder that NANOGPT names; raises NotHere
    found = peer.train(data, steps=2000, seed=0)        # {"seconds": …, "nats": …, "parameters": …}

    git clone https://github.com/karpathy/nanoGPT build/nanoGPT
    NANOGPT=build/nanoGPT python -m tests.benchmarks.sweeps 03_race

Of its code one number is changed, in a copy: the seed, which its command line does not offer. Everything else is what
its README says for a run on a CPU. What it does not do: clone it.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from helpers.old.pretraining import TokenData, Tokens

CLONE = "git clone https://github.com/karpathy/nanoGPT build/nanoGPT"
OPTIONS = {  # README, "I only have a macbook": everything but the dataset and when it evaluates
    "device": "cpu", "compile": False, "eval_iters": 20, "log_interval": 1, "block_size": 64, "batch_size": 12,
    "n_layer": 4, "n_head": 4, "n_embd": 128, "dropout": 0.0,
}  # fmt: skip
STEP = re.compile(r"^iter (\d+): loss [\d.]+, time ([\d.]+)ms", re.MULTILINE)


class NotHere(Exception):
    """There is no clone of nanoGPT; the message is one sentence with the command."""


class NanoGPT:
    """A clone of the repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        self.commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    @classmethod
    def found(cls) -> NanoGPT:
        """The clone that the environment names."""
        folder = Path(os.environ.get("NANOGPT", ""))
        if not os.environ.get("NANOGPT") or not (folder / "train.py").is_file():
            raise NotHere(f"This measurement needs nanoGPT's code: {CLONE}, and name that folder in NANOGPT.")
        return cls(folder.resolve())

    def train(self, data: TokenData, steps: int, seed: int) -> dict:
        """Train by its own loop; what it took, and its model's surprise at all held-out windows of 64 tokens.

        seconds: of the steps alone, as its own log has them; the two in which it also evaluates count as the median.
        """
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            self._prepare(place, data, seed)
            options = OPTIONS | {
                "dataset": "course", "max_iters": steps, "lr_decay_iters": steps, "eval_interval": steps,
                "always_save_checkpoint": True, "out_dir": "out",
            }  # fmt: skip
            arguments = [f"--{name}={value}" for name, value in options.items()]
            command = [sys.executable, "train.py", "config/train_shakespeare_char.py", *arguments]
            done = subprocess.run(command, cwd=place, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"nanoGPT ended with {done.returncode}: {done.stderr[-500:]}")
            model = self._model(place / "out" / "ckpt.pt")
        times = {int(step): float(ms) / 1000 for step, ms in STEP.findall(done.stdout)}
        plain = [seconds for step, seconds in times.items() if 0 < step < steps]
        return {
            "steps": steps,
            "seconds of training": round(sum(plain) + statistics.median(plain), 2),
            "seconds per step": round(statistics.median(plain), 5),
            "nats": round(held_out_nats(lambda x, y: model(x, y)[1], data.held_out), 4),
            "parameters": sum(p.numel() for p in model.parameters()),
        }

    def _prepare(self, place: Path, data: TokenData, seed: int) -> None:
        (place / "data" / "course").mkdir(parents=True)
        shutil.copytree(self.folder / "config", place / "config")
        for name in ("model.py", "configurator.py", "train.py"):
            shutil.copy(self.folder / name, place)
        script = (place / "train.py").read_text(encoding="utf-8")
        if script.count("manual_seed(1337") != 1:
            raise RuntimeError(f"nanoGPT at {self.commit[:8]} sets its seed elsewhere than expected.")
        (place / "train.py").write_text(
            script.replace("manual_seed(1337", f"manual_seed({1337 + seed}"), encoding="utf-8"
        )
        for name, part in (("train", data.train), ("val", data.held_out)):
            (place / "data" / "course" / f"{name}.bin").write_bytes(part.ids.astype("<u2").tobytes())
        with (place / "data" / "course" / "meta.pkl").open("wb") as file:  # the form in which its train.py reads it
            pickle.dump({"vocab_size": data.vocab_size}, file)

    def _model(self, checkpoint: Path):
        spec = importlib.util.spec_from_file_location("nanogpt_model", self.folder / "model.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["nanogpt_model"] = module  # its dataclass looks itself up there
        spec.loader.exec_module(module)
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model = module.GPT(module.GPTConfig(**saved["model_args"]))
        model.load_state_dict(saved["model"])
        return model.eval()


def held_out_nats(loss_of, tokens: Tokens, length: int = 64) -> float:
    """Mean surprise at all whole windows of a text; loss_of: ids and what follows each, (B, T) → their mean loss."""
    total = n = 0
    with torch.no_grad():
        for rows in tokens.windows(length).split(64):
            total += float(loss_of(rows[:, :-1].contiguous(), rows[:, 1:].contiguous())) * len(rows)
            n += len(rows)
    return total / n
