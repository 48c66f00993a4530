"""unpack_pairs: two 4-bit codes out of each byte, in the order in which they were packed."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise
from helpers.quantization.weights import pack_pairs, unpack_pairs

ANSWER = """
def unpack_pairs(packed):
    low = packed & 15
    high = packed >> 4
    return torch.stack((low, high), dim=-1).flatten(1)
"""
JOIN = "torch.stack((low, high), dim=-1).flatten(1)"
SLIPS = [
    (
        JOIN,
        "torch.cat((low, high), dim=1)",
        "all first codes stand before all second ones; a byte's two codes are *neighbors*.",
    ),
    ("(low, high), dim", "(high, low), dim", "the first code of each pair is in the low four bits: `low` comes first."),
    ("packed & 15", "packed", "the low half still holds the high one: `packed & 15`."),
    ("packed >> 4", "packed & 240", "the high half still stands 4 bits too far left: shift it, `>> 4`."),
    ("& 15", "& 16", "16 is one bit alone; 15 is four bits, 1111."),
    (">> 4", ">> 3", "a code has four bits: shift by 4."),
    ("& 15", "% 15", "the remainder of 16 is what remains of four bits: `& 15`, or `% 16`."),
    (JOIN, "torch.stack((low, high), dim=-1)", "the pairs are still an axis of their own: flatten them into (N, K)."),
    (".flatten(1)", ".flatten()", "rows are joined, too: flatten from axis 1 on."),
]
PLANTED = SLIPS[0]
REFUSED = [("return torch", "torch", "It returns None")]
RIGHT = [
    """
def unpack_pairs(packed):
    codes = packed.new_empty(packed.shape[0], 2 * packed.shape[1])
    codes[:, 0::2] = packed % 16
    codes[:, 1::2] = packed // 16
    return codes
""",
]


def cases(rng: Generator) -> list[tuple]:
    def packed(rows: int, columns: int) -> tuple[Tensor]:
        return (pack_pairs(torch.tensor(rng.integers(0, 16, (rows, columns)), dtype=torch.uint8)),)

    ends = torch.tensor([[0, 15, 15, 0], [15, 15, 0, 0]], dtype=torch.uint8)
    return [packed(1, 8), packed(3, 4), packed(4, 32), (pack_pairs(ends),), packed(2, 2)]


EXERCISE = Exercise(
    reference=unpack_pairs,
    minutes=3,
    difficulty=2,
    hints=(
        "Pack the codes 1, 2, 3, 4 by hand: which two bytes come out, and in which order do you get the codes back?",
        "The byte of the codes 1 and 2 holds both. After unpacking they must stand next to each other again, before 3 "
        "and 4.",
        "`torch.cat` along axis 1 gives 1, 3, 2, 4. Stack the two halves along a new last axis, which makes pairs, and "
        "flatten that axis: `torch.stack(…, dim=-1).flatten(1)`.",
    ),
    proves="every code comes back in its place, from bytes of any value",
)
