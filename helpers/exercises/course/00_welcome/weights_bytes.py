"""weights_bytes: what the weights of a model take, half bytes rounded up."""

from __future__ import annotations

import math

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise, Property
from helpers.old.memory import weights_bytes

ANSWER = """
def weights_bytes(n_parameters, dtype):
    bits = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "int4": 4}
    if dtype not in bits:
        raise ValueError(f"no dtype is called {dtype}")
    return (n_parameters * bits[dtype] + 7) // 8
"""
BYTES = "(n_parameters * bits[dtype] + 7) // 8"
GUARD = '    if dtype not in bits:\n        raise ValueError(f"no dtype is called {dtype}")\n'
BF16, FP16, INT4 = ('"bf16": 16', '"bf16": 32'), ('"fp16": 16', '"fp16": 32'), ('"int4": 4', '"int4": 8')
NO_FP16 = "fp16 is missing from your table; like bf16 it has 16 bits."
THOUSAND = "off by a thousand: the answer is in bytes, not kB."
SLIPS = [
    (BYTES, "n_parameters * bits[dtype]", "these are bits; 8 bits make one byte."),
    (*BF16, "you count 4 bytes for bf16; it is 16 bits long, so 2 bytes."),
    ([BF16, FP16], "you count 4 bytes for the 16-bit formats; 16 bits are 2 bytes."),
    (', "fp16": 16', "", NO_FP16),
    ([(', "fp16": 16', ""), (GUARD, "")], NO_FP16),
    (*INT4, "you count a whole byte for int4; two 4-bit weights share one byte."),
    (BYTES, "n_parameters * bits[dtype] / 8", "dividing with `/` gives a float; bytes are whole: round up."),
    (" + 7", "", "you round down; half a byte still takes a whole one."),
    (
        BYTES,
        "round(n_parameters * bits[dtype] / 8)",
        "`round` takes half a byte to the nearest even number, which may be too few; always round up.",
    ),
    (
        BYTES,
        "n_parameters * bits[dtype] // 8 + (dtype == 'int4')",
        "an even number of int4 weights fills its bytes; only an odd one needs a byte more.",
    ),
    (BYTES, "n_parameters * (bits[dtype] // 8)", "`4 // 8` is 0, so int4 costs nothing; multiply before dividing."),
    ("// 8", "// 8 // 1000", THOUSAND),
    ("// 8", "// 8 / 1000", THOUSAND),
]
REFUSED = [
    ([BF16, (BYTES, "n_parameters * bits[dtype] / 8")], "yours is a float"),
    ([BF16, FP16, INT4], "The result is wrong for `weights_bytes("),
    ('f"no dtype is called {dtype}"', '"unknown dtype"', "should name 'fp7'; yours is 'unknown dtype'"),
    (
        [(GUARD, ""), ("bits[dtype]", "bits.get(dtype, 32)")],
        "should raise ValueError, because no dtype is called fp7; it returns 40",
    ),
    ("n_parameters, dtype", "n_parameters", "must take (n_parameters, dtype)"),
    ("return ", "", "Did you forget `return`?"),
]
RIGHT = [
    (BYTES, "-(-n_parameters * bits[dtype] // 8)"),
    (BYTES, "math.ceil(n_parameters * bits[dtype] / 8)"),
]


def cases(rng: Generator) -> list[tuple]:
    drawn = [int(n) for n in rng.integers(2, 10**10, size=5)]
    return [
        (1000, "fp32"),
        (8, "int4"),
        (7, "int4"),
        (10, "bf16"),
        (1000, "fp16"),
        *zip(drawn, ("fp32", "bf16", "fp16", "int8", "int4"), strict=True),
        (7_000_000_000, "bf16"),
        (1, "int4"),
        (0, "fp16"),
    ]


EXERCISE = Exercise(
    reference=weights_bytes,
    minutes=2,
    difficulty=1,
    hints=(
        "How many bits does one number take in each of the five dtypes? The text above the exercise lists them; write "
        "them down as a dictionary.",
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
    raises=[BadInput((10, "fp7"), ValueError, "no dtype is called fp7", mentions="fp7")],
)
