"""The training loop of the course: accumulation, clipping, a schedule, evaluation, checkpoints that go on exactly.

    for each step:
        the rate   = peak · cosine_with_warmup(step)
        the batch  = the next examples of a shuffled order, in micro-batches that fit into memory
        the loss   = sum over all labels of the batch / their number; each micro-batch adds its part to the gradient
        the update = AdamW, with the gradient cut to length `clip`

Order and rate are functions of the step alone, so a training that is killed goes on from its checkpoint and ends with
the same bits. What it does not do: several devices, loss scaling for float16, early stopping.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from helpers.old.training.collation import Batch, collate
from helpers.old.training.losses import loss_at_labels
from helpers.old.training.schedules import cosine_with_warmup
from helpers.old.training.state import load_checkpoint, random_states, read_progress, save_checkpoint, set_random_states
from helpers.plots.live_loss import LiveLoss
from helpers.transformer.checkpoints import CheckpointError


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a training, besides model, examples and machine. Raises ValueError."""

    steps: int
    rate: float  # the peak learning rate
    batch: int = 8  # examples a step
    micro_batch: int | None = None  # examples in memory at once; all of the batch by default
    warmup: int = 0  # steps
    floor: float = 0.0  # share of the peak rate at the end
    clip: float = 1.0  # length to which gradients are cut
    weight_decay: float = 0.0
    seed: int = 0  # of the examples' order
    autocast: bool = False  # matrix products in bfloat16, for weights in float32

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or not 1 <= (self.micro_batch or 1) <= self.batch:
            raise ValueError("A training has at least 1 step of at least 1 example, and 1 ≤ micro_batch ≤ batch.")
        if not self.rate > 0 or not self.clip > 0:
            raise ValueError("The learning rate and the clipping length are above 0.")
        cosine_with_warmup(0, self.warmup, self.steps, self.floor)  # raises for what makes no schedule


@dataclass
class History:
    """What happened: one loss (nats a label) and one gradient length a step, and what `evaluate` gave, by step."""

    losses: list[float] = field(default_factory=list)
    gradient_norms: list[float] = field(default_factory=list)
    evaluations: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> History:
        """The history in a checkpoint, whose steps JSON has made into texts."""
        return cls(**saved | {"evaluations": {int(step): found for step, found in saved["evaluations"].items()}})


class TrainingDiverged(ArithmeticError):
    """The loss or its gradient is no longer a finite number; `history` holds what came before."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def train(
    model: nn.Module,
    examples: Sequence[Any],
    recipe: Recipe,
    *,
    collate: Callable[[Sequence[Any]], Batch] = collate,
    loss: Callable[[nn.Module, Batch], Tensor] = loss_at_labels,
    evaluate: Callable[[nn.Module, int], Any] | None = None,
    evaluate_every: int | None = None,
    folder: str | os.PathLike | None = None,
    save_every: int | None = None,
    title: str | None = None,
) -> History:
    """Train the parameters of `model` that require gradients, on the device where they are; the model ends in `eval()`.

    collate: examples → a batch with `n_labels` and `to(device)`; loss: model, batch → the *sum* over its labels.
    evaluate: called with the model and the number of steps done, before the first step, every `evaluate_every` and at
    the end; what it gives is kept (as JSON can hold it; a float is drawn), and its random numbers disturb nothing.
    folder: where a checkpoint is written every `save_every` steps and at the end, and from where a training of the
    same recipe goes on. title: of the live figure; without one nothing is drawn.
    Raises ValueError where there is nothing to train, TrainingDiverged, CheckpointError for a folder of another
    training, and OSError in one sentence for a full disk, with the last checkpoint intact.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters or not len(examples):
        raise ValueError("There is nothing to train: no parameter requires a gradient, or there are no examples.")
    optimizer = torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=recipe.weight_decay)
    described = asdict(recipe) | {"examples": len(examples)}
    history = _resume(folder, model, optimizer, described)

    def look(step: int) -> None:
        due = evaluate_every and step % evaluate_every == 0 or step in (0, recipe.steps)
        if evaluate is not None and due and step not in history.evaluations:
            with undisturbed(model):
                found = history.evaluations[step] = evaluate(model, step)
            if live and isinstance(found, float):
                live.mark(step, found)

    with LiveLoss(recipe.steps, title, ylabel="loss (nats)") if title else nullcontext() as live:
        if live:
            live.resume(history.losses, {step: x for step, x in history.evaluations.items() if isinstance(x, float)})
        look(len(history.losses))
        for step in range(len(history.losses), recipe.steps):
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * cosine_with_warmup(step, recipe.warmup, recipe.steps, recipe.floor)
            chosen = [examples[i] for i in batch_order(len(examples), recipe.batch, step, recipe.seed)]
            size = recipe.micro_batch or recipe.batch
            batches = [collate(chosen[start : start + size]) for start in range(0, len(chosen), size)]
            model.train()
            try:
                step_loss, norm = training_step(model, batches, optimizer, recipe.clip, loss, recipe.autocast)
            except ArithmeticError as error:
                raise TrainingDiverged(f"Step {step}: {error}", history) from None
            history.losses.append(step_loss)
            history.gradient_norms.append(norm)
            if live:
                live.add(step_loss)
            look(done := step + 1)
            if folder is not None and (done == recipe.steps or save_every and done % save_every == 0):
                save_checkpoint(folder, model, optimizer, {"recipe": described, "history": asdict(history)})
    model.eval()
    return history


def training_step(
    model: nn.Module,
    batches: Sequence[Batch],
    optimizer: torch.optim.Optimizer,
    clip: float,
    loss: Callable[[nn.Module, Batch], Tensor] = loss_at_labels,
    autocast: bool = False,
) -> tuple[float, float]:
    """One update from several micro-batches, equal to one from all of them at once: loss (nats a label), gradient norm.

    Raises ValueError without labels, ArithmeticError where the loss or the gradient is no finite number; then nothing
    is updated.
    """
    device = next(model.parameters()).device
    optimizer.zero_grad()

    def loss_of(model: nn.Module, batch: Batch) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            return loss(model, batch)

    mean = accumulate(model, [batch.to(device) for batch in batches], loss_of)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    norm = nn.utils.clip_grad_norm_(parameters, clip).item()
    if not (math.isfinite(mean) and math.isfinite(norm)):
        raise ArithmeticError("The loss is no longer a finite number: lower the learning rate.")
    optimizer.step()
    return mean, norm


def accumulate(model: nn.Module, batches: Sequence[Batch], loss: Callable[[nn.Module, Batch], Tensor]) -> float:
    """Add to every parameter's gradient that of the mean loss over all labels of all batches; return that mean.

    loss: model, batch → the *sum* over the batch's labels. Each part is divided by the labels of *all* batches: the
    mean of the batches' means would count a label in a short answer more than one in a long answer.
    Raises ValueError where there are no labels.
    """
    n_labels = sum(batch.n_labels for batch in batches)
    if n_labels == 0:
        raise ValueError("This batch has no labels: nothing in it is trained on.")
    mean = 0.0
    for batch in batches:
        part = loss(model, batch) / n_labels
        part.backward()  # adds to the gradients that are there
        mean += part.item()
    return mean


def batch_order(n: int, batch: int, step: int, seed: int) -> list[int]:
    """Which of n examples make up the batch of a step: shuffled anew each time all have been seen once.

    Batches run across that border, so each example is seen equally often, ± 1. A function of its arguments alone.
    """
    places = range(step * batch, (step + 1) * batch)
    return [_shuffled(n, place // n, seed)[place % n] for place in places]


@lru_cache(maxsize=4)
def _shuffled(n: int, epoch: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    return torch.randperm(n, generator=generator).tolist()


@contextmanager
def undisturbed(model: nn.Module):
    """Inside the `with`, the model is in `eval()` without gradients; afterwards the random generators are as before."""
    states, was_training = random_states(), model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)
        set_random_states(*states)


def _resume(
    folder: str | os.PathLike | None, model: nn.Module, optimizer: torch.optim.Optimizer, described: dict[str, Any]
) -> History:
    saved = None if folder is None else read_progress(folder)
    if saved is None:
        return History()
    different = [name for name, value in described.items() if saved["recipe"].get(name) != value]
    if different:
        name = different[0]
        raise CheckpointError(
            f"The checkpoint in {folder} was made with {name}={saved['recipe'].get(name)} and this training has "
            f"{name}={described[name]}: name another folder or delete it."
        )
    return History.from_json(load_checkpoint(folder, model, optimizer)["history"])
