"""Wrong versions of the exercises of 05b_speed, each of which learners write; `speed` names the cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# append_kv ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def appended(*, dim: int = 2, new_first: bool = False, only: str = "") -> Callable[..., Tensor]:
    """Appending with one thing done wrong."""

    def variant(past: Tensor | None, new: Tensor) -> Tensor:
        if past is None or only == "new":
            return new
        if only == "past":
            return past
        return torch.cat((new, past) if new_first else (past, new), dim=dim)

    return variant


def unguarded(past: Tensor | None, new: Tensor) -> Tensor:
    return torch.cat((past, new), dim=2)


def by_truth(past: Tensor | None, new: Tensor) -> Tensor:
    return torch.cat((past, new), dim=2) if past else new


def stacked(past: Tensor | None, new: Tensor) -> Tensor:
    return new if past is None else torch.stack((past, new), dim=2)


def added(past: Tensor | None, new: Tensor) -> Tensor:
    return new if past is None else past + new


# write_kv ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def written(
    *,
    start: str = "length",
    end: str = "length + T",
    write: bool = True,
    first: bool = False,
    axis: int = 2,
    copied: bool = False,
    behind: float | None = None,
) -> Callable[..., Tensor]:
    """Writing to another place, or handing out another part, or nothing written."""

    def variant(store: Tensor, length: int, new: Tensor) -> Tensor:
        T, room = new.shape[2], store.shape[2]
        at = {"length": length, "0": 0, "end": room - T}[start]
        upto = {"length + T": length + T, "length + 1": length + 1, "length": length, "room": room}
        upto = (upto | {"length + T + 1": length + T + 1})[end]
        if write:
            store[:, :, at : at + T] = new
        if behind is not None:
            store[:, :, length + T :] = behind
        low = length if first else 0
        used = store[(slice(None),) * axis + (slice(low, upto),)]
        return used.clone() if copied else used

    return variant


def joined(store: Tensor, length: int, new: Tensor) -> Tensor:
    return torch.cat((store[:, :, :length], new), dim=2)


def only_new(store: Tensor, length: int, new: Tensor) -> Tensor:
    store[:, :, length : length + new.shape[2]] = new
    return new


def last_only(store: Tensor, length: int, new: Tensor) -> Tensor:
    store[:, :, length] = new[:, :, -1]
    return store[:, :, : length + new.shape[2]]


# quantize_rows_absmax ────────────────────────────────────────────────────────────────────────────────────────────────


def absmax(
    *,
    over: int | None = 1,
    levels: int = 127,
    absolute: bool = True,
    rounding: str = "round",
    zeros: str = "scale 1",
    limit: int | None = None,
    column: bool = True,
    swapped: bool = False,
    scale_shape: str = "(N,)",
    inverse: bool = False,
    convert: bool = True,
) -> Callable[..., tuple[Tensor, Tensor]]:
    """Quantization with one thing done wrong."""

    def variant(weight: Tensor) -> tuple[Tensor, Tensor]:
        sizes = weight.abs() if absolute else weight
        largest = sizes.amax(dim=over, keepdim=True) if over is not None else sizes.amax().view(1, 1)
        if zeros == "largest 1":
            largest = torch.where(largest > 0, largest, 1.0)
        scale = largest / levels
        if zeros == "scale 1":
            scale = torch.where(largest > 0, scale, 1.0)
        elif zeros == "scale 1 where it is 0":  # differs where the largest is negative
            scale = torch.where(largest == 0, 1.0, scale)
        codes = weight / (scale if column else scale[:, 0])
        codes = {"round": codes.round(), "floor": codes.floor(), "trunc": codes.trunc()}[rounding]
        codes = codes if limit is None else codes.clamp(-limit - 1, limit)
        codes = codes.to(torch.int8) if convert else codes
        if scale_shape == "()":
            return codes, scale[0, 0]
        scale = (1 / scale if inverse else scale).expand(len(weight), 1) if over != 0 else scale.flatten()
        scale = scale if scale_shape == "(N, 1)" or over == 0 else scale[:, 0]
        return (scale, codes) if swapped else (codes, scale)

    return variant


# acceptance ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def accepting(
    keep: str = "p / q", rest: str = "max(p - q, 0)", normalized: bool = True, even: str = "p"
) -> Callable[..., tuple]:
    """The rule with another way to keep, or to draw anew, or with 0 / 0 where p and q are equal."""

    def variant(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        kept = {
            "p / q": (p / q).clamp(max=1),
            "p": p,
            "q / p": (q / p).clamp(max=1),
            "p >= q": (p >= q).float(),
            "unclamped": p / q,
            "1 - q": 1 - q,
            "min(p, q)": torch.minimum(p, q),
            "p / (p + q)": p / (p + q),
        }[keep]
        again = {
            "max(p - q, 0)": (p - q).clamp(min=0),
            "p": p,
            "|p - q|": (p - q).abs(),
            "max(q - p, 0)": (q - p).clamp(min=0),
            "p - q": p - q,
            "softmax": (p - q).softmax(0),
            "1 - keep": 1 - kept,
            "p · (1 - keep)": p * (1 - kept),
        }[rest]
        if even == "p" and not again.any():
            return kept, p
        return kept, again / again.sum() if normalized else again

    return variant


# choose_n_draft ──────────────────────────────────────────────────────────────────────────────────────────────────────


def chosen(
    *,
    tokens: str = "geometric",
    cost: bool = True,
    off: int = 0,
    least: bool = False,
    last: bool = False,
    start: int = 0,
    until: str = "the end",
) -> Callable[..., int]:
    """Choosing with other expectations, without costs, or not from all."""

    def variant(acceptance: float, seconds: Sequence[float]) -> int:
        def expected(k: int) -> float:
            if tokens == "drafts only":
                return sum(acceptance**i for i in range(1, k + 1))
            if tokens == "k · a":
                return 1 + k * acceptance
            if tokens == "all or nothing":
                return 1 + k * acceptance**k
            if tokens == "all or nothing at all":
                return (k + 1) * acceptance**k
            if tokens == "one too few":
                return sum(acceptance**i for i in range(k))
            if tokens == "closed form":
                return (1 - acceptance ** (k + 1)) / (1 - acceptance)
            return sum(acceptance**i for i in range(k + 1))

        speeds = [expected(k) / (s if cost else 1.0) for k, s in enumerate(seconds)]
        if until == "the first dip":
            return next((k for k in range(len(speeds) - 1) if speeds[k + 1] <= speeds[k]), len(speeds) - 1)
        if last:
            return max(range(len(speeds)), key=lambda k: (speeds[k], k))
        best = min(speeds) if least else max(speeds[start:])
        return speeds.index(best, start) + off

    return variant
