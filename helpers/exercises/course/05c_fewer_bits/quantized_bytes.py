"""quantized_bytes: what quantized weights really take, their scales and offsets included."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def quantized_bytes(n_weights: int, bits: int, group: int, n_constants: int, constant_bits: int = 16) -> float:
    """Bytes that quantized weights take: their codes, and the constants (scales, offsets) of their groups.

    bits: of a code; group: weights that share `n_constants` constants of `constant_bits` bits each.
    """
    bits_per_weight = bits + n_constants * constant_bits / group
    return n_weights * bits_per_weight / 8


CODES_AND_CONSTANTS = "bits + n_constants * constant_bits"
PER_WEIGHT = f"{CODES_AND_CONSTANTS} / group"
WRONG_RULES = [
    (" / group", "", "a whole group shares the constants: divide them by `group`."),
    ("n_constants * constant_bits", "constant_bits", "there may be more than one constant per group: `n_constants`."),
    (PER_WEIGHT, "bits", "the constants take memory, too."),
    ("constant_bits / group", "group / constant_bits", "the fraction is upside down: larger groups cost *less*."),
    (PER_WEIGHT, f"({CODES_AND_CONSTANTS}) / group", "each weight has a code of its own: only constants are shared."),
    ("constant_bits / group", "constant_bits // group", "`//` rounds down: row-wise scales would then cost nothing."),
    ("* constant_bits", "* 16", "the constants may have other than 16 bits: use `constant_bits`."),
]
IN_BITS = (" / 8", "")
SLIPS = [
    *WRONG_RULES,
    *(([(old, new), IN_BITS], cause) for old, new, cause in WRONG_RULES),  # two slips at once
    (*IN_BITS, "that counts bits: a byte has eight of them."),
    ("n_weights * ", "", "that is one weight: there are `n_weights` of them."),
]
RIGHT = [
    """
def quantized_bytes(n_weights, bits, group, n_constants, constant_bits=16):
    codes = n_weights * bits
    constants = n_weights / group * n_constants * constant_bits
    return (codes + constants) / 8
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (576, 8, 576, 1),
        (3200, 4, 32, 2),
        (1280, 4, 128, 2, 16),
        (9000, 3, int(rng.integers(16, 100)), 2, 8),
        (640, 4, 64, 1, 32),
        (16, 2, 16, 2),
    ]


EXERCISE = Exercise(
    reference=quantized_bytes,
    minutes=2,
    difficulty=1,
    hints=(
        "Take a whole group: how many bits go into its codes, and how many into what the group shares?",
        "Every weight has its own code, so those bits count in full. What the group shares is divided by its size. "
        "Eight bits are a byte.",
        "Take 32 weights of 4 bits that share a scale and an offset of 16 bits each: 32 · 4 bits for codes, 2 · 16 "
        "bits for the constants, 160 bits together, so 5 bits per weight. Now write it for any numbers, times the "
        "number of weights, in bytes.",
    ),
    proves="codes count in full, constants count by their share, and the result is in bytes",
)
