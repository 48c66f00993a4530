"""bits_per_weight: what a quantized weight really takes, with its share of the scales."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def bits_per_weight(bits: int, group: int, n_constants: int, constant_bits: int = 16) -> float:
    """Bits that one weight takes on average, its share of the group's constants included.

    bits: of a code; group: weights that share `n_constants` constants (a scale, a zero) of `constant_bits` each.
    """
    return bits + n_constants * constant_bits / group


SLIPS = [
    (" / group", "", "a whole group shares the constants: divide them by `group`."),
    ("n_constants * ", "", "there may be more than one constant per group: multiply by `n_constants`."),
    ("bits + n_constants * constant_bits / group", "bits", "the constants take memory, too."),
    ("constant_bits / group", "group / constant_bits", "the fraction is upside down: larger groups cost *less*."),
    (
        "bits + n_constants * constant_bits / group",
        "(bits + n_constants * constant_bits) / group",
        "each weight has a code of its own: only the constants are shared.",
    ),
    (" / group", " // group", "`//` rounds down: row-wise scales would then cost nothing."),
    (
        "bits + n_constants * constant_bits / group",
        "bits * group + n_constants * constant_bits",
        "that is the whole group: divide by `group`.",
    ),
]
RIGHT = [
    """
def bits_per_weight(bits, group, n_constants, constant_bits=16):
    whole_group = group * bits + n_constants * constant_bits
    return whole_group / group
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (8, 576, 1),
        (4, 32, 2),
        (4, 128, 2, 16),
        (3, int(rng.integers(16, 100)), 2, 8),
        (4, 64, 1, 32),
        (2, 16, 2),
    ]


EXERCISE = Exercise(
    reference=bits_per_weight,
    minutes=2,
    difficulty=1,
    hints=(
        "Take a whole group: how many bits go into its codes, and how many into what the group shares?",
        "Every weight has its own code, so those bits count in full. What the group shares is divided by its size.",
        "Take 32 weights of 4 bits that share a scale and a zero of 16 bits each: 32 · 4 bits for codes, 2 · 16 bits "
        "for the constants. Divide the sum, 160 bits, by the 32 weights. Now write it for any numbers.",
    ),
    proves="codes count in full, and constants count by their share",
)
