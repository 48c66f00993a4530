"""roofline_limit: the most tokens per second that memory and cores allow, for a batch of any size."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property


def roofline_limit(batch: int, weight_bytes: float, operations: float, bandwidth: float, peak: float) -> float:
    """The most tokens per second, all texts of the batch together, that memory and cores allow.

    One forward pass reads `weight_bytes` once and writes one token of each of `batch` texts; each token costs
    `operations`. bandwidth: bytes per second; peak: operations per second.
    """
    seconds = max(weight_bytes / bandwidth, batch * operations / peak)
    return batch / seconds


SECONDS = "max(weight_bytes / bandwidth, batch * operations / peak)"
SLIPS = [
    (
        "max(",
        "min(",
        "memory and cores work at the same time, and the slower of the two decides: of two times take the longer "
        "(`max`), of two rates the smaller (`min`).",
    ),
    (
        SECONDS,
        "weight_bytes / bandwidth + batch * operations / peak",
        "you add the two times; reading and computing overlap, so the longer one is the limit.",
    ),
    ("batch * operations", "operations", "every text of the batch needs its own operations: multiply by `batch`."),
    ("max(weight_bytes", "max(batch * weight_bytes", "the weights are read once per pass, not once per text."),
    ("return batch / seconds", "return 1 / seconds", "a pass writes one token for *each* text: `batch` tokens."),
    ("return batch / seconds", "return seconds / batch", "that is seconds per token; return tokens per second."),
    ("return batch / seconds", "return seconds", "that is the time of one pass; return tokens per second."),
    (
        "weight_bytes / bandwidth,",
        "bandwidth / weight_bytes,",
        "bytes divided by bytes per second give seconds: `weight_bytes / bandwidth`.",
    ),
    (
        """
def roofline_limit(batch, weight_bytes, operations, bandwidth, peak):
    return min(peak, bandwidth * batch * operations / weight_bytes)
""",
        "that is operations per second; divide by `operations` to have tokens per second.",
    ),
    (SECONDS, "weight_bytes / bandwidth", "a large batch is limited by the cores, which your answer leaves out."),
    (SECONDS, "batch * operations / peak", "a small batch is limited by memory, which your answer leaves out."),
]
RIGHT = [
    """
def roofline_limit(batch, weight_bytes, operations, bandwidth, peak):
    by_memory = batch * bandwidth / weight_bytes
    by_cores = peak / operations
    return min(by_memory, by_cores)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def some(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    return [
        (1, 538e6, 269e6, 20e9, 200e9),  # memory decides
        (64, 538e6, 269e6, 20e9, 200e9),  # the cores decide
        (8, some(1e8, 2e8), some(2e8, 3e8), 20e9, 900e9),
        (32, some(1e8, 2e8), some(2e8, 3e8), 30e9, 300e9),
        (1, 1e9, 1e12, 50e9, 100e9),  # already at batch 1 the cores decide
        (3, 6.0, 2.0, 2.0, 2.0),  # both take three seconds
    ]


def never_more_than_the_cores(
    result: object, batch: int, size: float, ops: float, bandwidth: float, peak: float
) -> bool:
    return not isinstance(result, float) or result <= peak / ops * (1 + 1e-9)


EXERCISE = Exercise(
    reference=roofline_limit,
    minutes=4,
    difficulty=2,
    hints=(
        "How long does it take to read the weights once? How long do the operations of the whole batch take?",
        "Reading and computing overlap, so a pass takes as long as the slower of the two. In that time it writes one "
        "token for each text.",
        "Memory takes `weight_bytes` divided by `bandwidth`, the cores `batch` times `operations` divided by `peak`. "
        "The larger of the two is the time of a pass. Divide `batch` by it.",
    ),
    proves="memory limits small batches, the cores limit large ones, and the slower of the two always decides",
    properties=[
        Property("no batch writes more tokens than the cores can compute", never_more_than_the_cores),
    ],
)
