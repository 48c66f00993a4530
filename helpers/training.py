"""The course's training loop, and what stands around it: labels of a chat, a batch, the rates, a curve on dev.

    rows = [chat_labels(render, messages) for messages in chats]     # (ids, labels), −100 where nothing is learned
    batches = [collate(rows[i : i + 4]) for i in range(0, len(rows), 4)]
    losses = train(model, batches, warm_then_fall(2e-3, len(batches)), after=watch)
    mean_loss, right = evaluate(model, dev_batches)                  # nats a label, and which rows it would write

`train` changes the parameters that require gradients and leaves the others: all of a GPT, or the LoRA matrices of a
PEFT model. What it does not do: several devices, loss scaling for float16, early stopping.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.files.safe_files import write_safetensors

IGNORED = -100  # the label that PyTorch's cross-entropy passes over
Row = tuple[list[int], list[int]]  # ids, labels
Batch = tuple[Tensor, Tensor]  # ids, labels: both (B, T)
STATE = "training.safetensors"


def renderer(tokenizer: Any) -> Callable[..., list[int]]:
    """render(messages, open=False): the ids of a conversation; open: up to where the assistant is to write."""

    def render(messages: Sequence[Mapping[str, str]], open: bool = False) -> list[int]:
        return list(tokenizer.apply_chat_template(messages, add_generation_prompt=open, return_dict=False))

    return render


def chat_labels(render: Callable[..., list[int]], messages: Sequence[Mapping[str, str]]) -> Row:
    """The ids of a conversation, and labels: what the assistant writes, its end included, and −100 elsewhere."""
    ids = render(messages)
    labels = [IGNORED] * len(ids)
    for k, message in enumerate(messages):
        if message["role"] == "assistant":
            answer = slice(len(render(messages[:k], open=True)), len(render(messages[: k + 1])))
            labels[answer] = ids[answer]
    return ids, labels


def collate(rows: Sequence[Row], pad: int = 0) -> Batch:
    """Rows as two tensors (B, T), filled up on the right, where no earlier position looks: padding is not learned."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [pad] * (length - len(row)) for row, _ in rows])
    labels = torch.tensor([row + [IGNORED] * (length - len(row)) for _, row in rows])
    return ids, labels


def warm_then_fall(peak: float, steps: int, warmup: int = 5) -> list[float]:
    """A rate for each step: it rises in `warmup` steps to its peak, then falls in a straight line towards 0."""
    return [peak * min((step + 1) / warmup, (steps - step) / max(1, steps - warmup + 1), 1.0) for step in range(steps)]


def label_loss(model: Any, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Mean loss in nats a label; what the model would write where a label stands; which row each label belongs to."""
    device = next(model.parameters()).device
    ids, labels = (part.to(device) for part in batch)
    learned = labels[:, 1:] != IGNORED  # the output at position t predicts token t + 1
    logits = model(ids).logits[:, :-1][learned].float()  # (labels, V)
    wanted = labels[:, 1:][learned]
    return F.cross_entropy(logits, wanted), logits.argmax(-1) == wanted, learned.nonzero()[:, 0]


def train(
    model: nn.Module,
    batches: Sequence[Batch],
    rates: Sequence[float],
    after: Callable[[int, float], Any] | None = None,
    *,
    clip: float = 1.0,
    folder: str | os.PathLike | None = None,
    save_every: int = 50,
) -> list[float]:
    """The loss of each step, in nats a label: one step a batch, with the rate of that step.

    after: called with the number of steps done and the loss. clip: the length to which gradients are cut. folder: a
    state is written there every `save_every` steps, and a training that was stopped goes on from it to the same end.
    Raises ArithmeticError where the loss is no longer a finite number.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.0, weight_decay=0.0)
    losses = _resume(folder, model, optimizer)
    for step in range(len(losses), len(batches)):
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        loss, _, _ = label_loss(model, batches[step])
        if not loss.isfinite():
            raise ArithmeticError(f"The loss of step {step} is no finite number: lower the rate.")
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, clip)
        optimizer.step()
        losses.append(loss.item())
        if after:
            after(step + 1, losses[-1])
        if folder is not None and (step + 1) % save_every == 0:
            _save(folder, model, optimizer, losses)
    model.eval()
    return losses


def evaluate(model: nn.Module, batches: Sequence[Batch]) -> tuple[float, list[bool]]:
    """Mean loss in nats a label, and for each row: does greedy decoding write all of its labels?

    It does where each label has the highest logit after the labels before it, so one pass tells, without generating.
    """
    total, n_labels, rows = 0.0, 0, []
    with undisturbed(model):
        for batch in batches:
            loss, right, row = label_loss(model, batch)
            total, n_labels = total + loss.item() * len(right), n_labels + len(right)
            rows += [bool(right[row == i].all()) for i in range(len(batch[0]))]
    return total / n_labels, rows


@contextmanager
def undisturbed(model: nn.Module):
    """Inside the `with`, no gradients and `eval()`; afterwards mode and random generators are as before."""
    was_training, state, python = model.training, torch.get_rng_state(), random.getstate()
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)
        torch.set_rng_state(state)
        random.setstate(python)


def free_memory() -> None:
    """Give back to the system what deleted models held; PEFT's refer to themselves, so `del` alone frees little."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a libc without it
            ctypes.CDLL("libc.so.6").malloc_trim(0)


# A training that is stopped goes on --------------------------------------------------------------------------------


def _trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def _save(folder: str | os.PathLike, model: nn.Module, optimizer: torch.optim.Optimizer, losses: list[float]) -> None:
    """Weights, AdamW's two means, the random state and the losses, in one file that replaces the one before."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": parameter.detach() for name, parameter in _trained(model).items()}
    for number, means in optimizer.state_dict()["state"].items():
        tensors |= {f"adamw.{number}.{name}": value for name, value in means.items()}
    tensors |= {"losses": torch.tensor(losses, dtype=torch.float64), "random": torch.get_rng_state()}
    write_safetensors(Path(folder) / STATE, {name: tensor.contiguous() for name, tensor in tensors.items()}, {})


def _resume(folder: str | os.PathLike | None, model: nn.Module, optimizer: torch.optim.Optimizer) -> list[float]:
    if folder is None or not (Path(folder) / STATE).is_file():
        return []
    from safetensors.torch import load_file

    tensors, ours = load_file(Path(folder) / STATE), _trained(model)
    theirs = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    if {n: p.shape for n, p in ours.items()} != {n: p.shape for n, p in theirs.items()}:
        raise ValueError(f"The training in {folder} has other weights: name another folder.")
    with torch.no_grad():
        for name, parameter in ours.items():
            parameter.copy_(theirs[name])
    means: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("adamw."):
            _, number, part = name.split(".")
            means.setdefault(int(number), {})[part] = value
    optimizer.load_state_dict({"state": means, "param_groups": optimizer.state_dict()["param_groups"]})
    torch.set_rng_state(tensors["random"])
    return tensors["losses"].tolist()
