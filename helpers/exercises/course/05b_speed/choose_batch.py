"""choose_batch: the batch size with the highest throughput that still keeps a promise on latency."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def choose_batch(seconds: dict[int, float], limit: float) -> int:
    """The batch size with the most tokens per second among those whose pass takes at most `limit` seconds.

    seconds: batch size → seconds per forward pass, in which each text of the batch gets one token. 0 where no size
    fits; of equally good sizes, the smallest.
    """
    best, most = 0, 0.0
    for batch, time in sorted(seconds.items()):
        throughput = batch / time
        if time <= limit and throughput > most:
            best, most = batch, throughput
    return best


SLIPS = [
    ("time <= limit and ", "", "you ignore the limit: some of your batches make each user wait too long."),
    ("time <= limit", "time < limit", "a pass that takes exactly `limit` seconds is still allowed."),
    ("time <= limit", "time / batch <= limit", "each user waits for the whole pass, not for a share of it."),
    ("time <= limit", "time >= limit", "the limit is the longest wait that is allowed; yours are longer."),
    ("throughput > most", "throughput >= most", "of equally good sizes you take the largest; take the smallest."),
    (
        " and throughput > most",
        "",
        "the largest batch that fits is not always the fastest: compare tokens per second.",
    ),
    ("batch / time", "1 / time", "a pass writes one token for each text, so the throughput is `batch / time`."),
    ("batch / time", "time", "you look for the slowest pass; look for the most tokens per second."),
    (
        "sorted(seconds.items())",
        "seconds.items()",
        "of equally good sizes take the smallest; `seconds` may have any order.",
    ),
    ("best, most = 0, 0.0", "best, most = 1, 0.0", "where no size fits, the answer is 0."),
    (
        "        if time <= limit and throughput > most:",
        "        if time > limit:\n            break\n        if throughput > most:",
        "you stop at the first size that misses the limit; a larger one can still keep it, so go on.",
    ),
    ("time <= limit", "1000 * time <= limit", "both the times and the limit are in seconds: compare them as they are."),
    ("return best", "return most", "that is the tokens per second; return the size."),
    (
        """
def choose_batch(seconds, limit):
    fitting = [batch for batch in seconds if seconds[batch] <= limit]
    return max(fitting, key=lambda batch: (batch / seconds[batch], -batch))
""",
        "where no size fits, `max` has nothing to choose from: answer 0 (`default=0`).",
    ),
]
RIGHT = [
    """
def choose_batch(seconds, limit):
    fitting = [batch for batch in seconds if seconds[batch] <= limit]
    return max(fitting, key=lambda batch: (batch / seconds[batch], -batch), default=0)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def measured(first: float, each: float) -> dict[int, float]:
        return {n: round(first + each * n + float(rng.uniform(0, each / 4)), 4) for n in (1, 2, 4, 8, 16, 32)}

    fast, slow = measured(0.02, 0.001), measured(0.02, 0.02)
    return [
        (fast, 0.03),
        (slow, 0.2),
        ({1: 0.02, 2: 0.025, 4: 0.03, 8: 0.09}, 1.0),  # the largest one is not the fastest
        ({1: 0.02, 2: 0.03, 4: 0.05}, 0.03),  # exactly at the limit
        ({1: 0.5, 2: 0.75}, 0.1),  # none fits
        ({8: 0.5, 4: 0.25, 2: 0.2}, 1.0),  # 4 and 8 are equally good, and the order is another one
        ({1: 0.02, 2: 0.03, 4: 0.05, 8: 0.13, 16: 0.12}, 0.125),  # a noisy 8 misses the limit, and 16 keeps it
        ({1: 0.02, 2: 0.05, 4: 0.04}, 1.0),  # the slowest is not the largest
        ({1: 0.25, 2: 0.5, 4: 1.0}, 2.0),  # a batch gains nothing
    ]


EXERCISE = Exercise(
    reference=choose_batch,
    minutes=4,
    difficulty=2,
    hints=(
        "How many tokens does one pass over a batch of 8 write, and how long does each of the 8 users wait for theirs?",
        "Keep the sizes whose pass takes at most `limit` seconds. Among them, `batch / time` is what you want the most "
        "of.",
        "Go through `sorted(seconds.items())`, remember the best size and its tokens per second, and replace them only "
        "where a later size fits the limit and is *faster*. Begin with size 0.",
    ),
    proves="the limit is kept, the most tokens per second win, ties go to the smaller batch, and 0 says that none fits",
)
