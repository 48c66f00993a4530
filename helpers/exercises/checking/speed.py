"""Exercises of 05b_speed: a cache that grows, a cache with a bug, int8, keeping drafts, how many to draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking import speed_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.quantization.weights import quantize_rows_absmax
from helpers.transformer.kv_cache import append_kv, write_kv


def planted_write_kv(store: Tensor, length: int, new: Tensor) -> Tensor:
    """The version that stands in the notebook: what is handed out includes room that nothing was written to."""
    T = new.shape[2]
    store[:, :, length : length + T] = new
    return store


def acceptance(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    """With which probability each drafted token is kept, and what to draw from after a refusal.

    p, q: (V,), the model's and the draft's probabilities  →  keep (V,), each in 0 … 1, and rest (V,), which sums to 1
    """
    keep = (p / q).clamp(max=1)  # where q is 0 nothing is drafted, so nothing is kept or refused
    excess = (p - q).clamp(min=0)  # what drafts bring too rarely
    return keep, excess / excess.sum() if excess.sum() > 0 else p


def choose_n_draft(acceptance: float, seconds: Sequence[float]) -> int:
    """How many tokens to draft for each pass, so that the most tokens a second are expected.

    acceptance: the chance that a draft is kept, given that all before it were. seconds[k]: time of a pass with k
    drafts, which writes one token more than it keeps. Of equally fast numbers, the smallest.
    """
    expected, best, fastest = 0.0, 0, 0.0
    for k, time in enumerate(seconds):
        expected += acceptance**k
        if expected / time > fastest:
            best, fastest = k, expected / time
    return best


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _normal(rng: Generator, *shape: int) -> Tensor:
    return torch.tensor(rng.normal(size=shape), dtype=torch.float32)


def _append_cases(rng: Generator) -> list[tuple]:
    return [
        (_normal(rng, 1, 3, 5, 4), _normal(rng, 1, 3, 1, 4)),
        (_normal(rng, 2, 3, 4, 2), _normal(rng, 2, 3, 4, 2)),  # here every axis fits
        (None, _normal(rng, 1, 2, 6, 4)),
        (_normal(rng, 1, 1, 1, 8), _normal(rng, 1, 1, 3, 8)),
        (_normal(rng, 3, 2, 7, 4), _normal(rng, 3, 2, 2, 4)),
    ]


def drive_write(write: Callable, store: Tensor, length: int, new: Tensor) -> dict[str, Tensor | bool]:
    """What `write` hands out, and the store behind it."""
    own = store.clone()
    used = write(own, length, new)
    same = isinstance(used, Tensor) and used.untyped_storage().data_ptr() == own.untyped_storage().data_ptr()
    found = used.clone() if isinstance(used, Tensor) else used
    return {"in use": found, "the store afterwards": own, "it is a view of the store": same}


def _write_cases(rng: Generator) -> list[tuple]:
    return [
        (_normal(rng, 1, 3, 9, 4), 5, _normal(rng, 1, 3, 1, 4)),  # one token
        (_normal(rng, 1, 3, 9, 4), 0, _normal(rng, 1, 3, 4, 4)),  # a prompt
        (_normal(rng, 2, 2, 8, 2), 3, _normal(rng, 2, 2, 3, 2)),  # a few drafts
        (_normal(rng, 1, 2, 6, 4), 4, _normal(rng, 1, 2, 2, 4)),  # to the last place
        (_normal(rng, 2, 4, 5, 2), 0, _normal(rng, 2, 4, 1, 2)),  # here a slice of each axis is another
    ]


def _matrix_cases(rng: Generator) -> list[tuple]:
    sizes = torch.tensor([[1e-3], [1.0], [50.0]])
    lopsided = -_normal(rng, 4, 6).abs()  # all below zero: the largest is not the farthest
    lonely = _normal(rng, 3, 5)
    lonely[1] = 0  # a row of zeros
    return [
        (_normal(rng, 3, 8) * sizes,),
        (_normal(rng, 5, 5),),  # here a wrong axis keeps the shape
        (lopsided,),
        (lonely,),
        (_normal(rng, 1, 7),),
        (_normal(rng, 6, 2) * 100,),
    ]


def drive_acceptance(rule: Callable, p: Tensor, q: Tensor) -> dict[str, Tensor] | object:
    """What `rule` gives, where it matters: keep where something is drafted.

    Where nothing is refused, every rest that sums to 1 is as good as p.
    """
    result = rule(p, q)
    if not (isinstance(result, tuple | list) and len(result) == 2 and all(isinstance(r, Tensor) for r in result)):
        return result
    keep, rest = result
    if keep.shape != q.shape or rest.shape != p.shape:
        return {"keep": keep, "rest": rest}
    keep = torch.where(q > 0, keep.float(), 0.0)
    refused = 1 - float((q * (p / q).clamp(max=1).nan_to_num()).sum())
    as_good = refused < 1e-6 and bool((rest >= 0).all()) and _sums_to_one(rest)
    return {"keep": keep, "rest": p.clone() if as_good else rest.float()}


def _sums_to_one(chances: Tensor) -> bool:
    return abs(float(chances.sum()) - 1) < 1e-4  # False for NaN


def _chances(rng: Generator, n: int, spread: float = 1.0) -> Tensor:
    return (_normal(rng, n) * spread).softmax(0)


def _acceptance_cases(rng: Generator) -> list[tuple]:
    certain = torch.zeros(6)
    certain[2] = 1  # prompt lookup: one token, without doubt
    cut = _chances(rng, 6)
    cut[3:] = 0  # top-p took these away from the model
    even = _chances(rng, 5)
    return [
        (_chances(rng, 8), _chances(rng, 8)),
        (_chances(rng, 6, 2.0), certain),
        (cut / cut.sum(), _chances(rng, 6)),
        (torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.2, 0.2, 0.2, 0.4])),
        (even, even),
        (_chances(rng, 12, 3.0), _chances(rng, 12, 0.3)),
    ]


def comes_out(result: dict[str, Tensor], p: Tensor, q: Tensor) -> Tensor:
    """The distribution of what is written: kept drafts, and draws after refusals."""
    kept = q * result["keep"]
    return kept + (1 - kept.sum()) * result["rest"]


def _unchanged(result: object, p: Tensor, q: Tensor) -> bool:
    if not isinstance(result, dict) or result["keep"].shape != q.shape or result["rest"].shape != p.shape:
        return True  # the shape is told elsewhere
    kept = q * result["keep"]
    return bool((comes_out(result, p, q) - p).abs().max() < 1e-4) or float(1 - kept.sum()) < 1e-5


def _rest_sums_to_one(result: object, p: Tensor, q: Tensor) -> bool:
    return not isinstance(result, dict) or result["rest"].shape != p.shape or _sums_to_one(result["rest"])


def _show_sum(result: dict[str, Tensor], p: Tensor, q: Tensor) -> str:
    equal = "p and q are equal, and " if torch.equal(p, q) else ""
    return f"There, {equal}`rest` sums to {float(result['rest'].sum()):g}."


def _show_change(result: dict[str, Tensor], p: Tensor, q: Tensor) -> str:
    i = int((comes_out(result, p, q) - p).abs().argmax())
    return f"Token {i} would be written with probability {comes_out(result, p, q)[i]:.3f}, the model says {p[i]:.3f}."


def _choose_cases(rng: Generator) -> list[tuple]:
    def times(n: int, base: float, each: float) -> list[float]:
        return [round(float(base + each * k + rng.uniform(0, each / 4)), 4) for k in range(n)]

    return [
        (0.8, times(9, 20.0, 1.0)),
        (0.5, times(9, 7.0, 2.0)),
        (0.9, [10.0, 10.5, 10.9, 11.5, 19.0, 20.0, 21.0]),  # a step in the cost
        (0.0, times(5, 10.0, 0.5)),
        (1.0, times(12, 15.0, 0.7)),
        (0.3, times(8, 30.0, 0.2)),
        (0.7, times(16, 8.0, 0.8)),
        (0.9, [10.0, 10.5, 16.0, 16.5, 17.0, 17.5]),  # slower at 2 than at 1, and then faster than both
        (1.0, [20.0, 32.0, 64.0, 64.0]),  # 1 and 3 are equally fast, to the last bit
    ]


def _refusing(cause: str, **how: str | bool) -> list[Mistake]:
    """A mistake in the rule, made by those who think of equal p and q and by those who do not."""
    return [Mistake(known.accepting(**how, even=even), cause) for even in ("p", "0 / 0")]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="append_kv",
        notebook="05b_speed",
        minutes=2,
        difficulty=1,
        reference=append_kv,
        cases=_append_cases,
        hints=(
            "Which of the four axes counts tokens?",
            "Join the two tensors along the axis of positions, the past first. At the very first call there is none.",
            "`torch.cat` takes a tuple of tensors and `dim`. The shape is (batch, heads, positions, head_dim), so "
            "positions are axis 2. If `past` is None, hand `new` back as it is.",
        ),
        proves="the past comes first, along the positions, and an empty past is none",
        mistakes=[
            Mistake(known.appended(new_first=True), "the new ones stand before the past; they belong behind it."),
            Mistake(known.appended(only="new"), "the past is thrown away."),
            Mistake(known.appended(only="past"), "the new ones are missing."),
            Mistake(known.appended(dim=1), "you join along the heads; positions are axis 2."),
            Mistake(known.appended(dim=0), "you join along the batch; positions are axis 2."),
            Mistake(known.appended(dim=3), "you join along head_dim; positions are axis 2."),
            Mistake(known.unguarded, "at the very first call `past` is None: hand `new` back."),
            Mistake(known.by_truth, "a tensor is neither true nor false; ask for `past is None`."),
            Mistake(known.stacked, "`torch.stack` makes a new axis; `torch.cat` joins along one that is there."),
            Mistake(known.added, "`+` adds the numbers; put the tensors one behind the other."),
        ],
    ),
    Exercise(
        name="write_kv",
        notebook="05b_speed",
        minutes=3,
        difficulty=2,
        reference=write_kv,
        planted=planted_write_kv,
        drive=drive_write,
        cases=_write_cases,
        hints=(
            "The store has room for 100 positions, 12 are written. How many does attention get to see?",
            "`return store` hands out everything, also what was never written. A key of zeros has the score 0, and "
            "exp(0) is not 0: it takes a share of the attention.",
            "The line that writes is right. What is handed out must be a slice of `store` along axis 2 (positions), "
            "from the first one to where the new tokens end, which is `length` plus the number of new tokens, `T`.",
        ),
        proves="tokens go behind those in use, and exactly the positions in use are handed out, without a copy",
        mistakes=[
            Mistake(planted_write_kv, "the whole store is handed out, also what was never written."),
            Mistake(
                known.written(end="length + 1"), "this is right for one new token, and cuts a prompt or drafts off."
            ),
            Mistake(known.written(end="length"), "what was just written is not handed out."),
            Mistake(known.written(start="0"), "you write over the first positions; write behind `length`."),
            Mistake(known.written(start="end"), "you write at the end of the room; write right behind `length`."),
            Mistake(known.written(first=True), "only the new ones are handed out; the past belongs to it."),
            Mistake(known.only_new, "only the new ones are handed out; the past belongs to it."),
            Mistake(known.written(write=False), "nothing is written."),
            Mistake(known.joined, "nothing is written to the store itself: `torch.cat` and `.clone()` make a copy."),
            Mistake(known.written(copied=True), "a copy is handed out; a slice of `store` is a view, without a copy."),
            Mistake(known.written(end="length + T + 1"), "one too many: the end of a slice is not part of it."),
            Mistake(known.written(axis=1), "your slice counts heads; positions are axis 2."),
            Mistake(known.written(axis=3), "your slice cuts head_dim; positions are axis 2."),
            Mistake(known.written(axis=0), "your slice counts texts of the batch; positions are axis 2."),
            *(
                Mistake(
                    known.written(end="room", behind=value),
                    "attention sees whatever stands in the room behind, zeros too: hand out a slice without it.",
                )
                for value in (0.0, float("-inf"))
            ),
            Mistake(known.last_only, "only the last of the new tokens is written."),
        ],
    ),
    Exercise(
        name="quantize_rows_absmax",
        notebook="05b_speed",
        minutes=5,
        difficulty=2,
        reference=quantize_rows_absmax,
        cases=_matrix_cases,
        hints=(
            "int8 reaches from −127 to 127. By what do you divide a row so that it just fits?",
            "A row's scale is its largest absolute value / 127. Divide, round, convert to int8. A row of zeros needs "
            "some scale that is not zero.",
            "`weight.abs().amax(dim=1)` gives one number a row, (N,). To divide the rows by it, it needs a second "
            "axis: `[:, None]`. `.round()` comes before `.to(torch.int8)`, which would cut. Use 1 where it is 0.",
        ),
        proves="each row reaches 127 with a scale of its own, small rows, negative rows and rows of zeros included",
        mistakes=[
            Mistake(known.absmax(over=None), "one scale for the whole matrix; each row gets its own."),
            Mistake(known.absmax(over=0), "the largest of each column; it must be that of each row, `dim=1`."),
            Mistake(
                known.absmax(over=None, scale_shape="()"), "one scale for the whole matrix; each row gets its own."
            ),
            Mistake(known.absmax(levels=128, limit=127), "you divide by 128; the largest size becomes 127."),
            Mistake(known.absmax(levels=128), "128 does not fit into int8, whose largest number is 127."),
            Mistake(known.absmax(levels=255), "255 levels on one side; int8 has 127."),
            *(
                Mistake(
                    known.absmax(absolute=False, zeros=zeros),
                    "you take the largest value; take the largest *absolute* value.",
                )
                for zeros in ("scale 1", "scale 1 where it is 0", "forgotten")
            ),
            Mistake(known.absmax(rounding="trunc"), "`.to(torch.int8)` cuts towards zero; round first."),
            Mistake(known.absmax(convert=False), "the codes are still float32: convert them, `.to(torch.int8)`."),
            Mistake(known.absmax(rounding="floor"), "you round down; round to the nearest."),
            Mistake(known.absmax(zeros="forgotten"), "a row of zeros has nothing to divide by: give it the scale 1."),
            Mistake(known.absmax(zeros="largest 1"), "a row of zeros gets 1 / 127; it is the *scale* that becomes 1."),
            Mistake(known.absmax(column=False), "to divide the rows, the scales stand in a column: `scale[:, None]`."),
            Mistake(known.absmax(swapped=True), "the codes come first, then the scales."),
            Mistake(known.absmax(scale_shape="(N, 1)"), "the scale has the shape (N, 1); it should be (N,)."),
            *(
                Mistake(
                    known.absmax(inverse=True, zeros=zeros),
                    "you return 127 / largest; codes · scale should give the weights.",
                )
                for zeros in ("scale 1", "forgotten")
            ),
        ],
    ),
    Exercise(
        name="acceptance",
        notebook="05b_speed",
        minutes=5,
        difficulty=3,
        reference=acceptance,
        drive=drive_acceptance,
        cases=_acceptance_cases,
        hints=(
            "The draft proposes a token with probability 0.4, the model would write it with 0.2. How often may you "
            "keep it?",
            "Keep what is drafted too often only with the chance p/q, and the rest always. After a refusal, draw only "
            "from tokens that are drafted too rarely, by as much as they are short.",
            "The first is `p / q`, but never above 1. The second is what p has more than q: the difference, negative "
            "ones set to 0 (`.clamp`), divided by its sum. If nothing is left, p and q are equal: give p.",
        ),
        proves="what comes out is distributed as the model says, whatever the draft believes",
        properties=[
            Property(
                "what is kept and what is drawn anew add up to the model's probabilities",
                _unchanged,
                evidence=_show_change,
            ),
            Property(
                "`rest` sums to 1, also where no draft is ever refused",
                _rest_sums_to_one,
                cause="where p and q are equal nothing is left that a sum could divide: give p there.",
                evidence=_show_sum,
            ),
        ],
        mistakes=[
            *_refusing("you keep with the chance p; q has drawn already: divide by it.", keep="p"),
            *_refusing("that is how often a token is drafted *and* kept; q has drawn: divide by it.", keep="min(p, q)"),
            *_refusing("the fraction is upside down: p / q.", keep="q / p"),
            *_refusing("a chance above 1: at most 1.", keep="unclamped"),
            *_refusing("you never keep what is drafted too often; keep it now and then.", keep="p >= q"),
            *_refusing("the chance to keep has to know what the model wants.", keep="1 - q"),
            *_refusing("that is one half where p and q are equal; such a draft is always kept.", keep="p / (p + q)"),
            *_refusing("after a refusal you draw from p, so likely tokens come twice as often.", rest="p"),
            *_refusing("what is drafted too often is drawn again; set negatives to 0.", rest="|p - q|"),
            *_refusing("the difference is upside down: p − q.", rest="max(q - p, 0)"),
            *_refusing("there are negative probabilities: set them to 0.", rest="p - q"),
            *_refusing("a softmax gives every token a share; set negatives to 0, divide by the sum.", rest="softmax"),
            *_refusing("you draw what is drafted too often; draw what is drafted too rarely.", rest="1 - keep"),
            *_refusing("you draw what is drafted too often; draw what is drafted too rarely.", rest="p · (1 - keep)"),
            *_refusing("`rest` does not sum to 1: divide by its sum.", normalized=False),
        ],
    ),
    Exercise(
        name="choose_n_draft",
        notebook="05b_speed",
        minutes=3,
        difficulty=2,
        reference=choose_n_draft,
        cases=_choose_cases,
        hints=(
            "With no drafts a pass writes one token. How many on average with one draft that is kept half of the time?",
            "A pass with k drafts writes 1 + a + a² + … + a^k tokens on average: the i-th draft counts only if all "
            "before it were kept. Divide by its seconds, and take the best k.",
            "For each `k, time in enumerate(seconds)`: sum `acceptance ** i` for i from 0 to k, divide by `time`. "
            "Remember the k with the largest value; a later one must be *faster* to replace it.",
        ),
        proves="the best trade between tokens and seconds, from no acceptance to full, the smallest of equals",
        mistakes=[
            Mistake(known.chosen(cost=False), "longer passes cost more: divide by `seconds[k]`."),
            Mistake(known.chosen(tokens="drafts only"), "a pass writes one token even if no draft is kept."),
            Mistake(known.chosen(tokens="k · a"), "a draft counts only if all before it were kept: a, a², a³ …"),
            Mistake(known.chosen(tokens="all or nothing"), "some of the drafts may be kept, not only all of them."),
            Mistake(
                known.chosen(tokens="all or nothing at all"),
                "where a draft is refused, those before it and one token more are written all the same.",
            ),
            Mistake(known.chosen(tokens="one too few"), "k drafts write up to k + 1 tokens: your sum ends too early."),
            Mistake(
                known.chosen(tokens="closed form"), "where every draft is kept, 1 − a is 0: add up, or treat it apart."
            ),
            Mistake(known.chosen(last=True), "of equally fast numbers you take the largest; take the smallest."),
            Mistake(known.chosen(until="the first dip"), "you stop where it gets slower; further on it may be faster."),
            Mistake(known.chosen(start=1), "no draft at all may be the fastest: begin with k = 0."),
            Mistake(known.chosen(off=1), "you count the token that comes anyway as a draft: one too many."),
            Mistake(known.chosen(least=True), "you take the slowest."),
        ],
    ),
]
