"""Exercises of 00_welcome: bytes of a model, cosine similarity, tokens a second, the largest model that fits."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking import welcome_mistakes as known
from helpers.exercises.checking.spec import BadInput, Exercise, Mistake, Property
from helpers.memory import BITS, weights_bytes

DTYPES = ("fp32", "bf16", "fp16", "int8", "int4")


def cosine_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of the angle between every row of `a` and every row of `b`; 0 where a row is all zeros.

    a: (N, d), b: (M, d)  →  (N, M), each value in [−1, 1]
    """
    a_length = a.norm(dim=-1, keepdim=True)  # (N, 1)
    b_length = b.norm(dim=-1, keepdim=True)  # (M, 1)
    # A zero vector has no direction; dividing it by 1 leaves zeros, where dividing by its length gives NaN.
    a_unit = a / torch.where(a_length == 0, torch.ones_like(a_length), a_length)
    b_unit = b / torch.where(b_length == 0, torch.ones_like(b_length), b_length)
    return a_unit @ b_unit.T


def generation_speed(prompt_tokens: int, total_tokens: int, seconds: float) -> float:
    """New tokens a second. `total_tokens` counts the prompt too, as `generate` returns it.

    Raises ValueError if `seconds` is not positive, or with fewer tokens in all than in the prompt.
    """
    if seconds <= 0:
        raise ValueError(f"seconds must be positive, not {seconds}")
    if total_tokens < prompt_tokens:
        raise ValueError(f"{total_tokens} tokens in all cannot hold a prompt of {prompt_tokens}")
    new_tokens = total_tokens - prompt_tokens
    return new_tokens / seconds


def planted_generation_speed(prompt_tokens: int, total_tokens: int, seconds: float) -> float:
    """The version that stands in the notebook: it counts the prompt as if the model had written it."""
    if seconds <= 0:
        raise ValueError(f"seconds must be positive, not {seconds}")
    if total_tokens < prompt_tokens:
        raise ValueError(f"{total_tokens} tokens in all cannot hold a prompt of {prompt_tokens}")
    return total_tokens / seconds


def largest_that_fits(budget_gb: float, candidates: list[tuple[str, float, str]]) -> str | None:
    """Name of the candidate with the most parameters that fits, or None where nothing does.

    budget_gb: memory in GB of 10⁹ bytes. candidates: (name, billions of parameters, dtype).
    It fits if 1.2 times its weights is at most the budget: 20 % are headroom.
    Of equally many parameters, the one that takes fewer bytes wins.
    """
    fitting = []
    for name, billions, dtype in candidates:
        gigabytes = billions * BITS[dtype] / 8
        if 1.2 * gigabytes <= budget_gb:
            fitting.append((billions, -gigabytes, name))
    if not fitting:
        return None
    return max(fitting, key=lambda entry: entry[:2])[2]


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _memory_cases(rng: Generator) -> list[tuple]:
    drawn = [int(n) for n in rng.integers(2, 10**10, size=5)]
    return [
        (1000, "fp32"),
        (8, "int4"),
        (7, "int4"),
        (10, "bf16"),
        *zip(drawn, DTYPES, strict=True),
        (7_000_000_000, "bf16"),
        (1, "int4"),
        (0, "fp16"),
    ]


def _vectors(rng: Generator, rows: int, width: int) -> Tensor:
    return torch.tensor(rng.normal(size=(rows, width)) * rng.uniform(0.5, 4.0, size=(rows, 1)), dtype=torch.float32)


def _similarity_cases(rng: Generator) -> list[tuple]:
    square = _vectors(rng, 3, 3)  # with N = M = d, a wrong dimension or order keeps the shape and must still be seen
    zeros = _vectors(rng, 4, 3)
    zeros[1] = 0.0
    return [
        (_vectors(rng, 2, 5), _vectors(rng, 3, 5)),
        (square, _vectors(rng, 3, 3)),
        (_vectors(rng, 1, 7), _vectors(rng, 1, 7)),
        (_vectors(rng, 4, 1), _vectors(rng, 2, 1)),
        (zeros, _vectors(rng, 2, 3)),
        (_vectors(rng, 2, 3), zeros),
    ]


def _speed_cases(rng: Generator) -> list[tuple]:
    cases: list[tuple] = [(20, 60, 2.0), (10, 25, 4.0)]
    for _ in range(4):
        prompt, new = int(rng.integers(1, 200)), int(rng.integers(1, 300))
        cases.append((prompt, prompt + new, round(float(rng.uniform(0.3, 20)), 2)))
    return [*cases, (0, 12, 0.5), (30, 30, 1.5)]


def _fitting_cases(rng: Generator) -> list[tuple]:
    zoo = [
        ("tiny", 0.135, "bf16"),
        ("small", 1.7, "bf16"),
        ("medium", 8.0, "int4"),
        ("large", 8.0, "bf16"),
        ("huge", 70.0, "int4"),
    ]
    shuffled = [zoo[i] for i in rng.permutation(len(zoo))]
    return [
        (8.0, zoo),
        (24.0, shuffled),
        (24.0, [("wide", 3.0, "fp32"), ("narrow", 7.0, "int8")]),  # most parameters, not most bytes
        (17.0, [("tempting", 8.0, "fp16"), ("modest", 7.0, "int8")]),  # fits only without the headroom
        (10.0, [("tight", 8.2, "int8"), ("loose", 2.0, "int8")]),  # 20 % of the weights, not of the budget
        (16.0, [("in GiB only", 7.0, "bf16"), ("in GB", 1.0, "bf16")]),  # 16.8 GB: a GiB is larger than a GB
        (50.0, [("as stored", 8.0, "bf16"), ("squeezed", 8.0, "int4"), ("other", 1.0, "int8")]),
        (50.0, [("squeezed", 8.0, "int4"), ("as stored", 8.0, "bf16")]),
        (0.1, zoo),
        (16.0, []),
        (6.0, [("exactly", 5.0, "int8"), ("smaller", 2.0, "int8")]),
    ]


EXERCISES = [
    Exercise(
        name="weights_bytes",
        notebook="00_welcome",
        minutes=2,
        difficulty=1,
        reference=weights_bytes,
        cases=_memory_cases,
        hints=(
            "How many bits does one number take in each dtype? The digits in the name tell you.",
            "Look up the bits for the dtype, multiply by the number of parameters, and remember how many bits a byte "
            "has. Two int4 weights share a byte; an odd one out still needs a whole byte.",
            'Keep a dictionary such as `{"fp32": 32, "bf16": 16, ...}`; raise ValueError where the dtype is not in it. '
            "Then take count times bits, and divide by 8 with whole numbers, rounding up: `(bits_in_all + 7) // 8`.",
        ),
        proves="right for five dtypes, for odd counts in int4, for zero parameters, and an unknown dtype is refused",
        properties=[
            Property(
                "bytes are a whole number that is not negative",
                lambda result, *_: result >= 0 and result == int(result),
            ),
        ],
        mistakes=[
            Mistake(known.changed_bytes(lambda n, bits: n * bits), "these are bits; 8 bits make one byte."),
            Mistake(
                known.per_weight(bf16=4),
                "you count 4 bytes for bf16; it is 16 bits long, so 2 bytes.",
            ),
            Mistake(known.per_weight(bf16=4, fp16=4), "you count 4 bytes for the 16-bit formats; 16 bits are 2 bytes."),
            Mistake(known.per_weight(int4=1), "you count a whole byte for int4; two 4-bit weights share one byte."),
            Mistake(
                known.changed_bytes(lambda n, bits: n * bits / 8),
                "dividing with `/` gives a float; bytes are whole: round up.",
            ),
            Mistake(
                known.changed_bytes(lambda n, bits: n * bits // 8),
                "you round down; half a byte still takes a whole one.",
            ),
            Mistake(
                known.changed_bytes(lambda n, bits: round(n * bits / 8)),
                "`round` takes half a byte to the nearest even number, which may be too few; always round up.",
            ),
            Mistake(
                known.changed_bytes(lambda n, bits: n * bits // 8 + (bits == 4)),
                "an even number of int4 weights fills its bytes; only an odd one needs a byte more.",
            ),
            Mistake(
                known.changed_bytes(lambda n, bits: n * (bits // 8)),
                "`4 // 8` is 0, so int4 costs nothing; multiply before dividing.",
            ),
            Mistake(
                known.changed_bytes(lambda n, bits: -(-n * bits // 8) // 1000),
                "off by a thousand: the answer is in bytes, not kB.",
            ),
            Mistake(
                known.changed_bytes(lambda n, bits: -(-n * bits // 8) / 1000),
                "off by a thousand: the answer is in bytes, not kB.",
            ),
        ],
        raises=[BadInput((10, "fp7"), ValueError, "no dtype is called fp7", mentions="fp7")],
    ),
    Exercise(
        name="cosine_similarity",
        notebook="00_welcome",
        minutes=3,
        difficulty=2,
        reference=cosine_similarity,
        cases=_similarity_cases,
        hints=(
            "If every row had length 1, what would the product of two rows tell you?",
            "Divide each row of `a` and of `b` by its own length, then multiply: rows of `a` against rows of `b`. "
            "Mind the row whose length is zero.",
            "`torch.nn.functional.normalize(x, dim=-1)` gives every row length 1 and leaves a row of zeros alone. "
            "Do it to both, then matrix-multiply the first with the transpose of the second: "
            "(N, d) @ (d, M) gives (N, M).",
        ),
        proves="rows against rows in the right order, independent of length, within [−1, 1], zeros stay zeros",
        properties=[
            Property(
                "no value is NaN",
                lambda result, *_: not bool(result.isnan().any()),
                "a row of zeros has length 0, and 0 / 0 is NaN; such a row should give 0.",
            ),
            Property(
                "every value lies between −1 and 1",
                lambda result, *_: bool((result.abs() <= 1 + 1e-5).all()),
                "the lengths are still in it; divide every row by its own length.",
                lambda result, *_: f"The largest of yours is {result.abs().max().item():.3g}, its sign left out.",
            ),
        ],
        mistakes=[
            Mistake(lambda a, b: a @ b.T, "this is the plain dot product; divide every row by its length first."),
            Mistake(
                known.normalized_over_wrong_dim,
                "you normalize columns (dim=0); each row is a vector, so normalize over dim=-1.",
            ),
            Mistake(
                lambda a, b: cosine_similarity(b, a),
                "rows and columns are swapped: `a` runs down the rows, `b` along the columns.",
            ),
            Mistake(known.nan_on_zero, "a row of zeros has length 0, and 0 / 0 is NaN; such a row should give 0."),
            Mistake(known.whole_matrix_length, "`a.norm()` is one length for the whole matrix; each row has its own."),
            Mistake(known.only_one_normalized, "only `a` is normalized; `b` needs it too."),
            Mistake(
                known.squared_lengths,
                "you divide by the squared lengths; take the square root, or use `.norm(dim=-1)`.",
            ),
            Mistake(
                lambda a, b: torch.nn.functional.cosine_similarity(a, b),
                "this pairs row 1 with row 1, row 2 with row 2; every row of `a` must meet every row of `b`.",
            ),
            Mistake(lambda a, b: a * b, "`*` multiplies element by element; a matrix product is `@`."),
        ],
    ),
    Exercise(
        name="generation_speed",
        notebook="00_welcome",
        minutes=2,
        difficulty=1,
        reference=generation_speed,
        planted=planted_generation_speed,
        cases=_speed_cases,
        hints=(
            "A longer prompt makes this version look faster. Did the model write the prompt?",
            "Speed counts what was generated. `total_tokens` holds the prompt and the reply: which of the two is new?",
            "Only one line is wrong, the last. Take the prompt's tokens away from the total before you divide by "
            "the seconds.",
        ),
        proves="only new tokens count, whatever the prompt's length, and impossible input is refused",
        properties=[
            Property(
                "a reply of no tokens has speed 0",
                lambda result, prompt, total, seconds: total > prompt or result == 0,
                "",
            ),
        ],
        mistakes=[
            Mistake(planted_generation_speed, "the prompt is still counted, as if the model had written it."),
            Mistake(
                known.speed(lambda p, t, s: (t + p) / s), "the prompt is counted twice now; it should not count at all."
            ),
            Mistake(
                known.speed(lambda p, t, s: p / s), "this is the speed of the prompt; the reply is what was generated."
            ),
            Mistake(known.speed(lambda p, t, s: s / (t - p)), "the ratio is upside down: this is seconds a token."),
            Mistake(
                known.speed(lambda p, t, s: s / (t - p) if t > p else 0.0),
                "the ratio is upside down: this is seconds a token.",
            ),
            Mistake(known.speed(lambda p, t, s: t - p / s), "`/` binds before `-`: put the subtraction in brackets."),
            Mistake(known.speed(lambda p, t, s: (t - p) // s), "`//` drops the fraction; use `/`."),
            Mistake(known.speed(lambda p, t, s: int((t - p) / s)), "`int` drops the fraction; keep it."),
            Mistake(
                known.speed(lambda p, t, s: (p - t) / s), "the subtraction is the wrong way round: total minus prompt."
            ),
            Mistake(known.speed(lambda p, t, s: t - p), "these are the new tokens; divide by the seconds too."),
        ],
        raises=[
            BadInput((5, 10, 0.0), ValueError, "no time has passed"),
            BadInput((5, 10, -1.0), ValueError, "time cannot be negative"),
            BadInput((10, 5, 1.0), ValueError, "the total includes the prompt and cannot be smaller"),
        ],
    ),
    Exercise(
        name="largest_that_fits",
        notebook="00_welcome",
        minutes=3,
        difficulty=2,
        reference=largest_that_fits,
        cases=_fitting_cases,
        hints=(
            "Two questions, one after the other: which candidates fit at all, and which of those is the largest?",
            "A billion parameters at 8 bits is 1 GB, so GB = billions × bits / 8. Keep those for which "
            "that times 1.2 is at most the budget; then compare parameters, not bytes. And if none is left?",
            "Collect the fitting candidates in a list; `if` it is empty return None. Otherwise take "
            "`max(..., key=...)` with a key of two parts: the billions, then minus the GB, so that of two "
            "equally large models the smaller file wins.",
        ),
        proves="headroom counts, parameters decide, ties go to fewer bytes, and None where nothing fits",
        properties=[
            Property(
                "the answer is one of the candidates, or None",
                lambda result, budget, candidates: result is None or result in [c[0] for c in candidates],
                "",
            ),
        ],
        mistakes=[
            Mistake(
                known.choose(headroom=1.0), "the 20 % headroom is missing: multiply the bytes by 1.2 before comparing."
            ),
            Mistake(
                known.choose(pick=lambda fitting, key: fitting[0]),
                "you take the first that fits; another one may be larger.",
            ),
            Mistake(known.choose(key=lambda c: c[1] * BITS[c[2]]), "you compare bytes; the most parameters win."),
            Mistake(
                known.choose(key=lambda c: c[1]),
                "of two with equally many parameters the one with fewer bytes should win.",
            ),
            Mistake(
                known.choose(key=lambda c: (c[1], c[1] * BITS[c[2]])),
                "of two with equally many parameters the one with fewer bytes should win.",
            ),
            Mistake(
                known.choose(pick=lambda fitting, key: sorted(fitting, key=lambda c: c[1])[-1]),
                "of two with equally many parameters the one with fewer bytes should win.",
            ),
            Mistake(
                known.choose(pick=lambda fitting, key: max(fitting)),
                "tuples are compared from the left, so the name decides; give `max` a `key`.",
            ),
            Mistake(
                known.choose(fits=lambda need, budget: need < budget),
                "a model that needs exactly the budget still fits: `<=`, not `<`.",
            ),
            Mistake(
                known.choose(fits=lambda need, budget: need / 1.2 <= 0.8 * budget),
                "add 20 % to the weights instead of taking 20 % off the budget.",
            ),
            Mistake(
                known.choose(fits=lambda need, budget: need <= budget * 1.073741824),
                "the budget is in GB of 10⁹ bytes, not in GiB of 2³⁰.",
            ),
            Mistake(known.choose(pick=min), "you return the smallest that fits; the largest is asked for."),
            Mistake(
                known.choose(bytes_each=lambda c: c[1] * 2), "you count 2 bytes for every dtype; each has its own."
            ),
            Mistake(known.choose(bytes_each=lambda c: c[1] * BITS[c[2]]), "you compare bits with bytes; divide by 8."),
            Mistake(
                known.crashing(lambda fitting: max(fitting, key=lambda c: (c[1], -BITS[c[2]]))[0]), known.NOTHING_FITS
            ),
            Mistake(
                known.crashing(lambda fitting: sorted(fitting, key=lambda c: (-c[1], BITS[c[2]]))[0][0]),
                known.NOTHING_FITS,
            ),
            Mistake(
                known.crashing(lambda fitting: sorted(fitting, key=lambda c: (c[1], -BITS[c[2]]))[-1][0]),
                known.NOTHING_FITS,
            ),
        ],
    ),
]
