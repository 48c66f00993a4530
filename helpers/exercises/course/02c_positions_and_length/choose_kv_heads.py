"""choose_kv_heads: the most key/value heads that divide the heads, and whose cache fits to the byte."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.memory import kv_cache_bytes


def choose_kv_heads(n_heads: int, n_layers: int, head_dim: int, tokens: int, budget: int) -> int | None:
    """The most key/value heads whose 16-bit cache for one text of `tokens` fits into `budget` bytes, or None.

    They must divide n_heads, so that groups are of equal size: n_heads of them is MHA, 1 is MQA, GQA lies between.
    """
    one = 2 * n_layers * head_dim * tokens * 2  # keys and values, two bytes a number
    fitting = [n for n in range(1, n_heads + 1) if n_heads % n == 0 and n * one <= budget]
    return max(fitting, default=None)


DIVIDES = "n_heads % n == 0"
NONE_FITS = "where not even one head fits, the answer is None."
SLIPS = [
    ("tokens * 2", "tokens", "keys *and* values are stored: the cache is twice as large."),
    ("tokens * 2", "tokens * 4", "this counts four bytes per number; 16 bits are two."),
    (DIVIDES + " and ", "", "the heads must divide n_heads."),
    ("<= budget", "< budget", "a cache of exactly the budget fits."),
    ("max(fitting", "min(fitting", "this is the fewest; more heads are better, as long as they fit."),
    ("default=None", "default=1", NONE_FITS),
    ("default=None", "default=0", NONE_FITS),
    (", default=None", "", NONE_FITS),
    (DIVIDES, DIVIDES + " and n & (n - 1) == 0", "you try powers of two only; any divisor of n_heads will do."),
    (
        """
def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):
    n = n_heads
    while n and 4 * n * n_layers * head_dim * tokens > budget:
        n //= 2
    return n or None
""",
        "you halve again and again; any divisor of n_heads will do.",
    ),
    (
        "max(fitting, default=None)",
        "budget // one",
        "the heads must divide n_heads, and there are no more than that.",
    ),
    ("tokens * 2", "tokens * 16", "this counts 16 bytes per number; 16 bits are two."),
    (
        [("2 * n_layers", "n_layers"), ("tokens * 2", "tokens")],
        "each number takes two bytes, and keys *and* values count.",
    ),
    ("tokens * 2", "2", "every token of the text has keys and values of its own."),
    ("2 * n_layers", "2", "every layer has a cache of its own."),
    ("range(1, n_heads + 1)", "range(1, n_heads)", "n_heads itself is never tried; if all fit, take all."),
]
RIGHT = [
    """
def choose_kv_heads(n_heads, n_layers, head_dim, tokens, budget):
    for n in range(n_heads, 0, -1):
        if n_heads % n == 0 and 4 * n * n_layers * head_dim * tokens <= budget:
            return n
""",
    ("n * one <=", "kv_cache_bytes(n_layers, n, head_dim, tokens) <="),
]


def cases(rng: Generator) -> list[tuple]:
    GIB = 2**30
    layers = int(rng.integers(10, 60))
    exact = 2 * 20 * 64 * 4096 * 2
    return [
        (32, 32, 128, 131_072, 20 * GIB),
        (9, 30, 64, 8_192, 10**8),
        (24, 28, 128, 8_192, 2 * GIB),
        (12, 20, 64, 4_096, 6 * exact),  # fits to the byte
        (12, 20, 64, 4_096, 6 * exact - 1),
        (12, 20, 64, 4_096, 5 * exact),  # 5 does not divide 12
        (8, layers, 64, 2_048, GIB),
        (40, 40, 128, 131_072, GIB),  # not even one
        (16, 4, 32, 100, GIB),  # all of them
        (64, 2, 128, 8_192, 8 * (4 * 2 * 128 * 8_192)),  # few layers: without them, two times the heads
        (32, 30, 64, 3, 4 * (4 * 30 * 64 * 3)),  # a short text
    ]


EXERCISE = Exercise(
    reference=choose_kv_heads,
    minutes=3,
    difficulty=2,
    hints=(
        "How many bytes does one key/value head need for one token in one layer?",
        "2 (keys and values) · n_layers · head_dim · tokens numbers of 2 bytes each, for one head. Then try the "
        "divisors of n_heads.",
        "Compute the bytes of one head. Collect every n from 1 to n_heads that divides n_heads and for which n "
        "times those bytes is at most the budget; return the largest, or None for an empty list.",
    ),
    proves="the most heads that divide and fit, to the byte, and None where not even one does",
)
