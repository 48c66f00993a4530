"""From nanoGPT's recipe to the course's, one change at a time, and what was tried and helped nothing.

    model, recipe = RUNGS["Muon"].make(vocab_size=103, steps=400)
    run = pretrain(model, python_reference(), recipe)

`LADDER` names the rungs in order; each has what the one before it has, and its own change. `BRANCHES` leave from the
last rung. All models have the same number of layers, channels and heads, and read windows of 64 tokens.
What was recorded: `LADDER_RECORD`, `HISTORY`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from helpers.old.pretraining.recurrent import BagOfVectors, Recurrent
from helpers.old.pretraining.run import Recipe
from helpers.old.transformer.gpt import GPT, GPTConfig
from helpers.old.trials.records import Record

LADDER_RECORD, HISTORY = Record("03c_ladder"), Record("03_history")
SIZES = {"d_model": 128, "n_layers": 4, "n_heads": 4, "max_len": 64}
NANO_MODEL = {"positions": "learned", "norm": "layer", "activation": "gelu", "gated": False}
NANO_RECIPE = {
    "batch": 12, "optimizer": "adamw", "rate": 1e-3, "betas": (0.9, 0.99), "weight_decay": 0.1,
    "schedule": "cosine", "warmup": 100, "floor": 0.1,
}  # fmt: skip


@dataclass(frozen=True)
class Rung:
    """Parts of the model and of the recipe that differ from the course's defaults."""

    model: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)

    def but(self, model: dict[str, Any] | None = None, **recipe: Any) -> Rung:
        """The rung with something changed."""
        return replace(self, model=self.model | (model or {}), recipe=self.recipe | recipe)

    def make(self, vocab_size: int, steps: int, seed: int = 0) -> tuple[GPT, Recipe]:
        """A fresh model and the recipe for so many steps. A warm-up longer than a third of them is cut to that."""
        torch.manual_seed(seed)
        recipe = Recipe(steps=steps, seed=seed, **self.recipe | {"warmup": min(self.recipe["warmup"], steps // 3)})
        return GPT(GPTConfig(vocab_size, **SIZES | self.model)), recipe


def _ladder() -> dict[str, Rung]:
    rungs = {"nanoGPT's recipe": Rung(NANO_MODEL, NANO_RECIPE)}
    for name, model, recipe in (
        ("learning rate × 4", {}, {"rate": 4e-3}),
        ("RoPE", {"positions": "rope"}, {}),
        ("RMSNorm", {"norm": "rms"}, {}),
        ("SwiGLU", {"activation": "silu", "gated": True}, {}),
        ("batch × 2", {}, {"batch": 24}),
        ("Muon", {}, {"optimizer": "muon", "rate": 5e-3, "betas": (0.9, 0.95), "weight_decay": 0.0, "warmup": 30}),
        ("linear decay to 0", {}, {"schedule": "linear", "decay": 0.6, "floor": 0.0}),
    ):
        rungs[name] = list(rungs.values())[-1].but(model, **recipe)
    return rungs


LADDER = _ladder()
COURSE = list(LADDER.values())[-1]
BRANCHES = {
    "half the batch": COURSE.but(batch=12),
    "twice the batch": COURSE.but(batch=48),
    "half the Muon rate": COURSE.but(muon_rate=0.01),
    "twice the Muon rate": COURSE.but(muon_rate=0.04),
    "weight decay 0.1": COURSE.but(weight_decay=0.1),
    "dropout 0.1": COURSE.but({"dropout": 0.1}),
    "untied embeddings": COURSE.but({"tied": False}),
    "no clipping": COURSE.but(clip=None),
}
RUNGS = LADDER | BRANCHES


def make_historical(name: str, vocab_size: int, steps: int, seed: int = 0) -> tuple[nn.Module, Recipe]:
    """A fresh "bag of vectors", "LSTM" or "GPT" of about equally many weights, and a recipe for so many steps."""
    if name == "GPT":
        return COURSE.make(vocab_size, steps, seed)
    torch.manual_seed(seed)
    recipe = Recipe(steps=steps, optimizer="adamw", rate=4e-3, warmup=min(30, steps // 3), seed=seed)
    if name == "LSTM":
        return Recurrent(vocab_size, d_model=128, d_hidden=376), replace(recipe, rate=1e-2)
    return BagOfVectors(vocab_size, context=4, d_model=256, d_hidden=2160), replace(recipe, rate=1e-2)
