"""A run: a recipe, the loop that follows it, a prompt continued now and then, and checkpoints to go on from.

    torch.manual_seed(0)
    model = GPT(GPTConfig(data.vocab_size, max_len=64))
    run = pretrain(model, data, Recipe(steps=300), evaluate_every=50, prompt="The ", folder="build/gpt")
    run.validation[300], run.samples[300]

    for each step:
        the rate   = its peak · what the schedule says
        the batch  = windows of the text, in an order that depends on the seed and the step alone
        the loss   = mean surprise at the next token, over all tokens of the batch
        the update = Muon for the matrices inside the network, AdamW for the rest, the gradient cut to length `clip`

A run that is killed goes on from its last checkpoint and ends with the same weights. What it does not do: several
devices, gradient accumulation (`helpers.old.training.loop` does), loss scaling for float16.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

import torch
from torch import nn

from helpers.generation.sampling import Sampler, sample, temperature
from helpers.old.pretraining.bits import device_of, surprise, token_losses
from helpers.old.pretraining.data import TokenData, Tokenizer
from helpers.old.pretraining.muon import Muon, Optimizers
from helpers.old.pretraining.schedules import SCHEDULES, share_of_peak
from helpers.old.training.loop import TrainingDiverged, undisturbed
from helpers.old.training.state import load_checkpoint, read_progress, save_checkpoint
from helpers.plots.live_loss import LiveLoss
from helpers.transformer.checkpoints import CheckpointError

OPTIMIZERS = ("muon", "adamw")


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a run, besides model, text and machine. Raises ValueError for what makes no run."""

    steps: int
    batch: int = 24  # windows per step
    length: int = 64  # tokens per window
    optimizer: str = "muon"  # for the matrices inside the network; or "adamw" for everything
    rate: float = 5e-3  # peak learning rate of AdamW
    muon_rate: float = 0.02  # peak learning rate of Muon
    betas: tuple[float, float] = (0.9, 0.95)  # of AdamW
    weight_decay: float = 0.0  # on matrices and embeddings
    schedule: str = "linear"  # "constant", "linear" or "cosine"
    warmup: int = 30  # steps
    decay: float = 0.6  # share of the steps that go down, where the schedule is "linear"
    floor: float = 0.0  # share of the peak rate at the end
    clip: float | None = 1.0  # length to which gradients are cut
    autocast: bool = False  # matrix products in bfloat16, for weights in float32
    seed: int = 0  # of the windows' order

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.length) < 1:
            raise ValueError("A run has at least 1 step of at least 1 window of at least 1 token.")
        if self.optimizer not in OPTIMIZERS or self.schedule not in SCHEDULES:
            raise ValueError(
                f"optimizer is one of {', '.join(OPTIMIZERS)} and schedule one of {', '.join(SCHEDULES)}, not "
                f"{self.optimizer!r} and {self.schedule!r}."
            )
        if not (self.rate > 0 and self.muon_rate > 0) or (self.clip is not None and not self.clip > 0):
            raise ValueError("The learning rates and the length to which gradients are cut are above 0.")
        object.__setattr__(self, "betas", tuple(self.betas))
        self.share(0)  # raises for what makes no schedule

    def share(self, step: int) -> float:
        """The learning rate at a step, as a share of its peak."""
        return share_of_peak(self.schedule, step, self.warmup, self.steps, self.decay, self.floor)

    @property
    def tokens(self) -> int:
        """Tokens that the run trains on, repetitions counted."""
        return self.steps * self.batch * self.length


@dataclass
class Run:
    """What happened: for each step its loss (nats per token), the length of its gradient, and the seconds of training
    so far; by steps done, the surprise at the held-out text (nats per token) and how the prompt was continued."""

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # without evaluation, samples and checkpoints
    validation: dict[int, float] = field(default_factory=dict)
    samples: dict[int, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Run:
        """The run in a checkpoint, whose steps JSON has made into texts."""
        numbered = {name: {int(k): v for k, v in saved[name].items()} for name in ("validation", "samples")}
        return cls(**saved | numbered)


def pretrain(
    model: nn.Module,
    data: TokenData,
    recipe: Recipe,
    *,
    evaluate_every: int | None = None,
    evaluate_windows: int | None = None,
    prompt: str | None = None,
    sample_tokens: int = 120,
    on_look: Callable[[int, Run], None] | None = None,
    folder: str | os.PathLike | None = None,
    save_every: int | None = None,
    title: str | None = None,
) -> Run:
    """Train a model to predict the next token of a text, on the device where it is; it ends in `eval()`.

    evaluate_every: steps after which the held-out text is read (its first `evaluate_windows` windows, or all) and the
    prompt, if there is one, continued by `sample_tokens`; also at the end. on_look: called after it with the number of
    steps done. None of this disturbs the run's random numbers. folder: where a checkpoint is written every
    `save_every` steps and at the end, and from where a run of the same recipe, model and text goes on. title: of a live
    figure. Raises TrainingDiverged, which names the step, where loss or gradient is no finite number (the last
    checkpoint is kept), CheckpointError for a folder of another run, ValueError for a text shorter than a window, and
    OSError in one sentence for a full disk, with the last checkpoint intact.
    """
    optimizer = make_optimizer(model, recipe)
    described = _described(model, data, recipe)
    run = _resume(folder, model, optimizer, described)
    device = next(model.parameters()).device

    def look(done: int) -> None:
        due = evaluate_every and done % evaluate_every == 0 or done == recipe.steps
        if not due or done in run.validation:
            return
        with undisturbed(model):
            run.validation[done] = surprise(model, data.held_out, recipe.length, limit=evaluate_windows).nats
            if prompt is not None:
                run.samples[done] = continue_text(model, data.tokenizer, prompt, sample_tokens, recipe.length)
        if live:
            live.mark(done, run.validation[done])
        if on_look is not None:
            on_look(done, run)

    with LiveLoss(recipe.steps, title, ylabel="loss (nats per token)") if title else nullcontext() as live:
        if live:
            live.resume(run.losses, run.validation)
        look(len(run.losses))
        for step in range(len(run.losses), recipe.steps):
            start = time.perf_counter()
            rows = data.train.batch(step, recipe.batch, recipe.length, recipe.seed).to(device)  # (B, T + 1)
            optimizer.scale(recipe.share(step))
            try:
                loss, norm = training_step(model, rows, optimizer, recipe)
            except ArithmeticError as error:
                raise TrainingDiverged(f"Step {step}: {error}", run) from None
            run.losses.append(loss)
            run.gradient_norms.append(norm)
            run.seconds.append((run.seconds[-1] if run.seconds else 0.0) + time.perf_counter() - start)
            if live:
                live.add(loss)
            look(done := step + 1)
            if folder is not None and (done == recipe.steps or save_every and done % save_every == 0):
                if not all(parameter.isfinite().all() for parameter in model.parameters()):
                    raise TrainingDiverged(f"Step {step}: a weight is no longer a finite number.", run)
                save_checkpoint(folder, model, optimizer, {"described": described, "run": asdict(run)})
    model.eval()
    return run


def training_step(model: nn.Module, rows: torch.Tensor, optimizer: Optimizers, recipe: Recipe) -> tuple[float, float]:
    """One update from a batch (B, T + 1): the loss (nats per token) and the gradient's length before it is cut.

    Raises ArithmeticError where either is no finite number; then nothing is updated.
    """
    model.train()
    optimizer.zero_grad()
    with torch.autocast(rows.device.type, torch.bfloat16, enabled=recipe.autocast):
        loss = token_losses(model, rows).mean()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), recipe.clip or math.inf).item()
    value = loss.item()
    if not (math.isfinite(value) and math.isfinite(norm)):
        raise ArithmeticError(
            "The loss or its gradient is no longer a finite number: lower the learning rate or warm up longer."
        )
    optimizer.step()
    return value, norm


def make_optimizer(model: nn.Module, recipe: Recipe) -> Optimizers:
    """AdamW for everything, or Muon for the matrices inside the network and AdamW for embeddings, head and vectors."""
    inside, tables, vectors = [], [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.dim() < 2:
            vectors.append(parameter)
        elif "embedding" in name or name.startswith("head."):
            tables.append(parameter)
        else:
            inside.append(parameter)
    if not inside + tables + vectors:
        raise ValueError("There is nothing to train: no parameter requires a gradient.")
    by_muon = inside if recipe.optimizer == "muon" else []
    decayed = tables + (inside if recipe.optimizer == "adamw" else [])
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    parts = []
    if decayed or vectors:
        groups = [group for group in groups if group["params"]]
        parts.append(torch.optim.AdamW(groups, lr=recipe.rate, betas=recipe.betas, fused=True))
    if by_muon:
        parts.append(Muon(by_muon, lr=recipe.muon_rate, weight_decay=recipe.weight_decay))
    return Optimizers(*parts)


def continue_text(
    model: nn.Module,
    tokenizer: Tokenizer,
    prompt: str,
    n_tokens: int,
    length: int,
    sampler: Sampler | None = None,
    seed: int = 0,
) -> str:
    """How the model continues a prompt by `n_tokens` tokens, of which it sees the last `length` at a time.

    sampler: a draw at temperature 0.8 with this seed by default. Returns the new text alone. Raises ValueError for an
    empty prompt.
    """
    ids = tokenizer.encode(prompt)
    if not ids:
        raise ValueError("A prompt has at least one token.")
    sampler = sampler or sample(temperature(0.8), generator=torch.Generator().manual_seed(seed))
    device = device_of(model)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for _ in range(n_tokens):
            seen = torch.tensor([ids[-length:]], device=device)
            ids.append(int(sampler(model(seen)[:, -1].cpu())))
    model.train(was_training)
    return tokenizer.decode(ids[len(ids) - n_tokens :])


def _described(model: nn.Module, data: TokenData, recipe: Recipe) -> dict[str, Any]:
    """What has to be the same for a run to go on."""
    config = getattr(model, "config", None)
    parts = asdict(config) if is_dataclass(config) else {}
    texts = {"tokens to train on": len(data.train), "tokens held out": len(data.held_out)}
    described = asdict(recipe) | {f"model's {name}": value for name, value in parts.items()} | texts
    return described | {"betas": list(recipe.betas)}


def _resume(
    folder: str | os.PathLike | None, model: nn.Module, optimizer: Optimizers, described: dict[str, Any]
) -> Run:
    saved = None if folder is None else read_progress(folder)
    if saved is None:
        return Run()
    theirs = saved.get("described", {})
    different = [name for name in described if theirs.get(name) != described[name]]
    if different:
        name = different[0]
        raise CheckpointError(
            f"The checkpoint in {folder} was made with {name} = {theirs.get(name)} and this run has {described[name]}: "
            "name another folder or delete it."
        )
    return Run.from_json(load_checkpoint(folder, model, optimizer)["run"])
