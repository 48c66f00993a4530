"""Wrong versions of the exercises of 07_sft, each of which learners write; `fine_tuning` names the cause."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.foundations.probability import IGNORED

Pieces = Sequence[tuple[str, Sequence[int]]]

# exact_match ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Fields = Mapping[str, str | None]


def matched(compare: Callable[[Fields, Fields], bool], *, guarded: bool = True) -> Callable[..., bool]:
    """Another comparison of the two, with or without asking whether there is an answer at all."""

    def variant(predicted: Fields | None, label: Fields) -> bool:
        return bool(compare(predicted, label)) if predicted is not None or not guarded else False

    return variant


def as_texts(predicted: Fields, label: Fields) -> bool:
    return json.dumps(predicted) == json.dumps(label)


def by_get(predicted: Fields, label: Fields) -> bool:
    return all(predicted.get(field) == value for field, value in label.items())


def by_key(predicted: Fields, label: Fields) -> bool:
    return all(predicted[field] == value for field, value in label.items())


def by_field(predicted: Fields, label: Fields) -> bool:
    return all(field in predicted and predicted[field] == value for field, value in label.items())


def by_identity(predicted: Fields, label: Fields) -> bool:
    return all(field in predicted and predicted[field] is value for field, value in label.items())


def null_passes(predicted: Fields, label: Fields) -> bool:
    return all(value is None or predicted.get(field) == value for field, value in label.items())


def folded_words(predicted: Fields, label: Fields) -> bool:
    return all(field in predicted and str(predicted[field]).lower() == str(label[field]).lower() for field in label)


def written_fields(predicted: Fields, label: Fields) -> bool:
    return all(label[field] == value for field, value in predicted.items())


def values_alone(predicted: Fields, label: Fields) -> bool:
    return set(predicted.values()) == set(label.values())


def values_in_order(predicted: Fields, label: Fields) -> bool:
    return list(predicted.values()) == list(label.values())


def keys_alone(predicted: Fields, label: Fields) -> bool:
    return predicted.keys() == label.keys()


def one_is_enough(predicted: Fields, label: Fields) -> bool:
    return any(predicted.get(field, ...) == value for field, value in label.items())


def as_words(predicted: Fields, label: Fields) -> bool:
    return {k: str(v) for k, v in predicted.items()} == {k: str(v) for k, v in label.items()}


def sorted_values(predicted: Fields, label: Fields) -> bool:
    return sorted(map(str, predicted.values())) == sorted(map(str, label.values()))


def folded(predicted: Fields, label: Fields) -> bool:
    return json.dumps(predicted, sort_keys=True).lower() == json.dumps(label, sort_keys=True).lower()


# build_labels ────────────────────────────────────────────────────────────────────────────────────────────────────────


def labeled(
    train: Callable[[str, int, int], bool] = lambda who, token, pad: who == "answer",
    *,
    blank: int = IGNORED,
    padding: str = "blank",
    side: str = "right",
    moved: int = 0,
    swapped: bool = False,
) -> Callable[..., tuple]:
    """Rows with another rule for what is trained, other padding, or labels moved away from their tokens.

    train: (who, token, pad) → is it trained on; padding: labels of padding, "blank", "pad" or "none".
    """

    def variant(pieces: Pieces, length: int, pad: int) -> tuple[list[int], list[int]]:
        ids = [token for _, tokens in pieces for token in tokens]
        labels = [token if train(who, token, pad) else blank for who, tokens in pieces for token in tokens]
        if moved:
            labels = labels[moved:] + [IGNORED] * moved if moved > 0 else [IGNORED] * -moved + labels[:moved]
        room = 0 if padding == "none" else length - len(ids)
        behind, ignored = [pad] * room, [{"blank": blank, "pad": pad, "none": blank}[padding]] * room
        rows = (ids + behind, labels + ignored) if side == "right" else (behind + ids, ignored + labels)
        return rows[::-1] if swapped else rows

    return variant


def one_answer(which: int) -> Callable[..., tuple]:
    """Only the first answer is trained on, or only the last."""

    def variant(pieces: Pieces, length: int, pad: int) -> tuple[list[int], list[int]]:
        answers = [n for n, (who, _) in enumerate(pieces) if who == "answer"]
        named = [("answer" if n == answers[which] else "prompt", ids) for n, (_, ids) in enumerate(pieces)]
        return labeled()(named, length, pad)

    return variant


def end_left_out(ids_too: bool) -> Callable[..., tuple]:
    """What an answer ends with is no label, or does not even stand in the row."""

    def variant(pieces: Pieces, length: int, pad: int) -> tuple[list[int], list[int]]:
        parts: list[tuple[str, Sequence[int]]] = []
        for who, ids in pieces:
            parts.append((who, ids[:-1] if who == "answer" else ids))
            if who == "answer" and not ids_too:
                parts.append(("prompt", ids[-1:]))
        return labeled()(parts, length, pad)

    return variant


def last_piece(pieces: Pieces, length: int, pad: int) -> tuple[list[int], list[int]]:
    """Only what stands last is trained on, be it a prompt."""
    named = [("answer" if n == len(pieces) - 1 else "prompt", ids) for n, (_, ids) in enumerate(pieces)]
    return labeled()(named, length, pad)


def behind_the_first_answer(pieces: Pieces, length: int, pad: int) -> tuple[list[int], list[int]]:
    """From where the first answer begins, everything is trained on."""
    first = next(n for n, (who, _) in enumerate(pieces) if who == "answer")
    named = [("answer" if n >= first else "prompt", ids) for n, (_, ids) in enumerate(pieces)]
    return labeled()(named, length, pad)


# shift_labels ────────────────────────────────────────────────────────────────────────────────────────────────────────


def shifted(*, by: int = 1, last: str = "ignored", axis: int = 1) -> Callable[[Tensor], Tensor]:
    """Moving the other way, too far, along the batch, or with another label at the free place."""

    def variant(labels: Tensor) -> Tensor:
        moved = labels.roll(-by, axis)
        if last == "around":
            return moved
        size = labels.shape[axis]
        free = slice(max(0, size - by), None) if by > 0 else slice(None, -by)
        at = (slice(None),) * axis + (free,)
        moved[at] = {"ignored": IGNORED, "zero": 0, "minus one": -1, "own": labels[at]}[last]
        return moved

    return variant


def cut(labels: Tensor) -> Tensor:
    return labels[:, 1:]


def unmoved(labels: Tensor) -> Tensor:
    return labels


def in_place(labels: Tensor) -> Tensor:
    labels[:, :-1] = labels[:, 1:].clone()
    labels[:, -1] = IGNORED
    return labels


# answer_loss ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def judged(
    *, kept: str = "[:, 1:]", over: str = "kept", sign: int = -1, targets: str = "[:, 1:]", read: str = "[:, :-1]"
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The mean surprise with another slice of the mask, the targets or the logits, or another number below the line."""
    slices = {"[:, 1:]": slice(1, None), "[:, :-1]": slice(None, -1), "[:, :]": slice(None)}

    def variant(logits: Tensor, ids: Tensor, trained: Tensor) -> Tensor:
        wanted = ids[:, slices[targets]]
        log_probs = logits[:, slices[read]].log_softmax(-1).gather(-1, wanted[..., None])[..., 0]
        mask = (trained[:, :-1] & trained[:, 1:]) if kept == "both" else trained[:, slices[kept]]
        mask = torch.ones_like(mask) if kept == "all" else mask
        total = sign * (log_probs * mask).sum()
        if over.startswith("rows"):
            means = sign * (log_probs * mask).sum(1) / mask.sum(1)
            return means.mean() if over == "rows, bare" else means.nan_to_num().mean()
        return total / {"kept": mask.sum(), "trained": trained.sum(), "places": mask.numel(), "one": 1}[over]

    return variant


def everything(logits: Tensor, ids: Tensor, trained: Tensor) -> Tensor:
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())


# cosine_with_warmup ──────────────────────────────────────────────────────────────────────────────────────────────────


def scheduled(
    *,
    start: str = "after warm-up",
    shape: str = "cosine",
    warm: str = "line",
    floored: str = "mixed",
    end: str = "stays",
) -> Callable[..., float]:
    """A schedule whose decay, warm-up, floor or end is another."""

    def variant(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
        rise = {"line": step / max(1, warmup), "early": (step + 1) / max(1, warmup + 1), "none": 1.0}.get(warm, 1.0)
        if step < warmup and warm == "from the floor":
            return floor + (1 - floor) * step / warmup
        if step < warmup and warm == "one early":
            return (step + 1) / warmup
        if step < warmup and warm in ("line", "early", "zero"):
            return 0.0 if warm == "zero" else rise
        past, span = (step - warmup, total - warmup) if start == "after warm-up" else (step, total)
        if start == "after warm-up, over all steps":
            past, span = step - warmup, total
        done = past / max(1, span)
        if end == "stays":
            done = min(1.0, done)
        elif done > 1:
            return 0.0 if end == "zero" else 1.0
        decay = {
            "cosine": 0.5 * (1 + math.cos(math.pi * done)),
            "whole cosine": 0.5 * (1 + math.cos(2 * math.pi * done)),
            "quarter cosine": math.cos(0.5 * math.pi * done),
            "bare cosine": math.cos(math.pi * done),
            "line": 1 - done,
            "rising": 0.5 * (1 - math.cos(math.pi * done)),
            "degrees": 0.5 * (1 + math.cos(180 * done)),
        }[shape]
        floors = {
            "mixed": floor + (1 - floor) * decay,
            "forgotten": decay,
            "at least": max(floor, decay),
            "added": floor + decay,
            "scaled": (1 - floor) * decay,
        }
        return floors[floored]

    return variant


def turning_up_again(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
    """Nothing stops the cosine behind the last step."""
    if step < warmup:
        return step / warmup
    done = (step - warmup) / max(1, total - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def dividing_by_nothing(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
    """Where the warm-up is the whole training, the decay has no steps."""
    if step < warmup:
        return step / warmup
    done = min(1.0, (step - warmup) / (total - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def floor_before_peak(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
    """Whether the training is over is asked before whether the peak is reached."""
    if step < warmup:
        return step / warmup
    if step >= total:
        return floor
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


# accumulate ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def accumulated(
    *,
    below: str = "all labels",
    backward: bool = True,
    clear: str = "never",
    result: str = "mean",
) -> Callable[..., float]:
    """Each part divided by another number, gradients cleared or not computed, another number returned."""

    def variant(model: nn.Module, batches: Sequence[Any], loss: Callable[[nn.Module, Any], Tensor]) -> float:
        numbers = {
            "all labels": sum(batch.n_labels for batch in batches),
            "one": 1,
            "last labels": batches[-1].n_labels,
            "batches": len(batches),
            "rows": sum(len(batch.ids) for batch in batches),
            "tokens": sum(batch.ids.numel() for batch in batches),
            "first labels too": sum(int((batch.labels != IGNORED).sum()) for batch in batches),
        }
        if clear == "before":
            model.zero_grad()
        parts, seen = [], 0
        for batch in batches:
            if clear == "between":
                model.zero_grad()
            seen += batch.n_labels
            own = {"own labels": batch.n_labels, "own labels, batches": batch.n_labels * len(batches), "so far": seen}
            part = loss(model, batch) / own.get(below, numbers.get(below, 1))
            if backward:
                part.backward()
            parts.append(part.item())
        return {"mean": sum(parts), "last": parts[-1], "mean of parts": sum(parts) / len(parts)}[result]

    return variant


def undivided_gradient(model: nn.Module, batches: Sequence[Any], loss: Callable[[nn.Module, Any], Tensor]) -> float:
    """The number is right, and the gradient is that of the sum."""
    total = sum(batch.n_labels for batch in batches)
    mean = 0.0
    for batch in batches:
        part = loss(model, batch)
        part.backward()
        mean += part.item() / total
    return mean


def growing_sum(model: nn.Module, batches: Sequence[Any], loss: Callable[[nn.Module, Any], Tensor]) -> float:
    """Backward through everything so far, at every batch."""
    total, so_far = sum(batch.n_labels for batch in batches), torch.zeros(())
    for batch in batches:
        so_far = so_far + loss(model, batch) / total
        so_far.backward(retain_graph=True)
    return so_far.item()


def divided_afterwards(model: nn.Module, batches: Sequence[Any], loss: Callable[[nn.Module, Any], Tensor]) -> float:
    """The gradients of the sums are divided at the end, and with them what stood there before."""
    total, added = sum(batch.n_labels for batch in batches), 0.0
    for batch in batches:
        part = loss(model, batch)
        part.backward()
        added += part.item()
    for parameter in model.parameters():
        parameter.grad /= total
    return added / total


# choose_checkpoint ───────────────────────────────────────────────────────────────────────────────────────────────────


def checkpoint(key: Callable[[dict[str, float], int], Any], *, out: str = "step") -> Callable[..., Any]:
    """The checkpoint that is best by another key; ties go to the earliest unless the key says otherwise."""

    def variant(scores: Mapping[int, dict[str, float]]) -> Any:
        best = max(scores, key=lambda step: key(scores[step], step))
        return {"step": best, "score": scores[best]["dev"], "place": list(scores).index(best)}[out]

    return variant


def until_it_falls(scores: Mapping[int, dict[str, float]]) -> int:
    """The last step before dev gets worse for the first time."""
    steps = list(scores)
    for this, following in zip(steps, steps[1:], strict=False):
        if scores[following]["dev"] < scores[this]["dev"]:
            return this
    return steps[-1]


# next_to_label ───────────────────────────────────────────────────────────────────────────────────────────────────────


def picked(
    *, by: str = "least sure", apart: str = "groups", out: str = "order", room: int = 0
) -> Callable[..., list[int]]:
    """Another order, groups that do not count, or a list in another form."""

    def variant(confidence: Sequence[float], group: Sequence[str], n: int) -> list[Any]:
        everyone = range(len(confidence))
        keys = {
            "least sure": lambda i: confidence[i],
            "least sure, then last": lambda i: (confidence[i], -i),
            "surest": lambda i: -confidence[i],
            "nearest one half": lambda i: abs(confidence[i] - 0.5),
            "place": lambda i: i,
        }
        order = sorted(everyone, key=keys[by])
        if apart == "neighbors":
            order = [i for k, i in enumerate(order) if not k or group[i] != group[order[k - 1]]]
        elif apart == "cut first":
            order = order[:n]
        chosen: list[int] = []
        for i in order:
            fresh = apart in ("nothing", "neighbors") or all(group[i] != group[j] for j in chosen)
            if fresh and len(chosen) < n + room:
                chosen.append(i)
        if apart == "filled up":
            chosen += [i for i in order if i not in chosen][: n - len(chosen)]
        if out == "values":
            return [confidence[i] for i in chosen]
        return sorted(chosen) if out == "sorted" else chosen

    return variant


def surest_of_each(confidence: Sequence[float], group: Sequence[str], n: int) -> list[int]:
    """The first ticket of each group stands for it, whatever the model makes of it."""
    firsts = {name: i for i, name in reversed(list(enumerate(group)))}
    return sorted(firsts.values(), key=lambda i: confidence[i])[:n]


def by_value(confidence: Sequence[float], group: Sequence[str], n: int) -> list[int]:
    """The values are sorted and looked up again, which always finds the first of equals."""
    chosen: list[int] = []
    for i in (list(confidence).index(sure) for sure in sorted(confidence)):
        if len(chosen) < n and all(group[i] != group[j] for j in chosen):
            chosen.append(i)
    return chosen


def best_in_order(confidence: Sequence[float], group: Sequence[str], n: int) -> list[int]:
    """The least sure of each group, as they stand."""
    best: dict[str, int] = {}
    for i, name in enumerate(group):
        if name not in best or confidence[i] < confidence[best[name]]:
            best[name] = i
    return sorted(best.values())[:n]
