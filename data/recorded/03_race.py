"""The course's recipe against nanoGPT's own code: the same text, size, machine and held-out windows.

nanoGPT trains for 2,000 steps as its README says for a CPU; the course's recipe gets 15, 20, 25, 35 and 50 % of the
time that this takes, as steps times seconds per step, both measured in turns before the race.

    git clone https://github.com/karpathy/nanoGPT build/nanoGPT
    NANOGPT=build/nanoGPT python data/recorded/03_race.py

Of nanoGPT's code one number is changed, in a copy: the seed, which its command line does not offer.
"""

import os
import pickle
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from helpers.old.pretraining import make_optimizer, pretrain, python_reference
from helpers.old.pretraining.run import training_step
from helpers.old.trials.recipes import COURSE
from helpers.records import record

STEPS, SEEDS, SHARES = 2000, range(5), (0.15, 0.2, 0.25, 0.35, 0.5)
OPTIONS = {  # nanoGPT's README, "I only have a macbook": everything but the dataset and when it evaluates
    "device": "cpu", "compile": False, "eval_iters": 20, "log_interval": 1, "block_size": 64, "batch_size": 12,
    "n_layer": 4, "n_head": 4, "n_embd": 128, "dropout": 0.0, "dataset": "course",
    "always_save_checkpoint": True, "out_dir": "out",
}  # fmt: skip
STEP = re.compile(r"^iter (\d+): loss [\d.]+, time ([\d.]+)ms", re.MULTILINE)
PACE = [{"what": "pace", "recipe": recipe, "round": i} for i in range(3) for recipe in ("nanoGPT", "course")]
RACE = [
    run
    for seed in SEEDS
    for run in (
        {"what": "race", "recipe": "nanoGPT", "seed": seed},
        *({"what": "race", "recipe": "course", "share": share, "seed": seed} for share in SHARES),
    )
]


def measure(run: dict, rows: list[dict]) -> dict:
    """One round of seconds per step, or one training with its loss on all held-out windows."""
    data = python_reference()
    if run["what"] == "pace":
        train = {
            "nanoGPT": lambda: train_nano(data, 150, 0)["seconds_per_step"],
            "course": lambda: pace_of_course(data),
        }
        return {"seconds_per_step": round(train[run["recipe"]](), 5)}
    if run["recipe"] == "nanoGPT":
        return train_nano(data, STEPS, run["seed"])
    nano, course = (
        statistics.median(row["seconds_per_step"] for row in rows if (row["what"], row["recipe"]) == ("pace", recipe))
        for recipe in ("nanoGPT", "course")
    )
    return train_course(data, max(1, round(run["share"] * STEPS * nano / course)), run["seed"])


# The course's recipe


def train_course(data, steps: int, seed: int) -> dict:
    model, recipe = COURSE.make(data.vocab_size, steps, seed)
    run = pretrain(model, data, recipe, evaluate_every=max(1, steps // 8))

    def loss_of(ids, following):
        return torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), following.flatten())

    taken = [later - sooner for sooner, later in zip(run.seconds, run.seconds[1:], strict=False)]
    return row_of(steps, run.seconds[-1], statistics.median(taken), model, held_out_nats(loss_of, data.held_out))


def pace_of_course(data) -> float:
    model, recipe = COURSE.make(data.vocab_size, 100)
    optimizer, taken = make_optimizer(model, recipe), []
    for step in range(60):
        start = time.perf_counter()
        optimizer.scale(recipe.share(step))
        training_step(model, data.train.batch(step, recipe.batch, recipe.length), optimizer, recipe)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


# nanoGPT's own code, in a process of its own


def train_nano(data, steps: int, seed: int) -> dict:
    """Seconds are those of the steps alone, as its log has them; the two in which it evaluates count as the median."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        copy_nano(place, data, seed)
        options = OPTIONS | {"max_iters": steps, "lr_decay_iters": steps, "eval_interval": steps}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        command = [sys.executable, "train.py", "config/train_shakespeare_char.py", *arguments]
        log = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True).stdout
        sys.path.insert(0, str(NANOGPT))
        from model import GPT, GPTConfig

        saved = torch.load(place / "out" / "ckpt.pt", map_location="cpu", weights_only=True)
        model = GPT(GPTConfig(**saved["model_args"]))
        model.load_state_dict(saved["model"])
    plain = [float(ms) / 1000 for step, ms in STEP.findall(log) if 0 < int(step) < steps]
    nats = held_out_nats(lambda x, y: model.eval()(x, y)[1], data.held_out)
    return row_of(steps, sum(plain) + statistics.median(plain), statistics.median(plain), model, nats)


def copy_nano(place: Path, data, seed: int) -> None:
    (place / "data" / "course").mkdir(parents=True)
    shutil.copytree(NANOGPT / "config", place / "config")
    for name in ("model.py", "configurator.py", "train.py"):
        shutil.copy(NANOGPT / name, place)
    script = (place / "train.py").read_text(encoding="utf-8")
    if script.count("manual_seed(1337") != 1:
        raise SystemExit("This version of nanoGPT sets its seed elsewhere: check out commit 3adf61e of it.")
    (place / "train.py").write_text(script.replace("manual_seed(1337", f"manual_seed({1337 + seed}"), encoding="utf-8")
    for name, part in (("train", data.train), ("val", data.held_out)):
        (place / "data" / "course" / f"{name}.bin").write_bytes(part.ids.astype("<u2").tobytes())
    with (place / "data" / "course" / "meta.pkl").open("wb") as file:  # the form in which its train.py reads it
        pickle.dump({"vocab_size": data.vocab_size}, file)


# What both are judged by


@torch.no_grad()
def held_out_nats(loss_of, tokens, length: int = 64) -> float:
    """Mean surprise at all whole windows of a text."""
    parts = tokens.windows(length).split(64)
    total = sum(float(loss_of(rows[:, :-1].contiguous(), rows[:, 1:].contiguous())) * len(rows) for rows in parts)
    return total / sum(map(len, parts))


def row_of(steps, seconds, per_step, model, nats) -> dict:
    found = {"steps": steps, "seconds_of_training": round(seconds, 2), "seconds_per_step": round(per_step, 5)}
    return found | {"nats": round(nats, 4), "parameters": sum(p.numel() for p in model.parameters())}


if __name__ == "__main__":
    NANOGPT = Path(os.environ.get("NANOGPT", "build/nanoGPT")).resolve()
    if not (NANOGPT / "train.py").is_file():
        sys.exit("This needs nanoGPT: git clone https://github.com/karpathy/nanoGPT build/nanoGPT")
    record("03_race", PACE + RACE, measure)
