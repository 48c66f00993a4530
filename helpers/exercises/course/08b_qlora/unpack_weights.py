"""unpack_weights: from bytes with two codes each, and a largest size for each block, back to weights."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise


def unpack_weights(packed: Tensor, absmax: Tensor, codebook: Tensor, block: int) -> Tensor:
    """The weights that packed codes stand for: (n,) uint8 → (2 · n,) float32.

    packed: two codes per byte, the first in the high four bits. codebook: (16,). absmax: (2 · n / block,), each block's
    largest absolute value; a code's value is multiplied by that of its block.
    """
    codes = torch.stack((packed >> 4, packed & 15), dim=1)
    values = codebook[codes.int()].view(-1, block)
    return (values * absmax[:, None]).flatten()


MASK = "PyTorch reads uint8 in brackets as a mask, not as positions: convert the codes first, for example to int."
ROWS = "the sizes are laid end to end; each belongs to `block` neighbors: rows of length `block`, sizes as a column."
CODES = "torch.stack((packed >> 4, packed & 15), dim=1)"
SLIPS = [
    ("(packed >> 4, packed & 15)", "(packed & 15, packed >> 4)", "the first code stands in the *high* four bits."),
    (CODES, "torch.cat((packed >> 4, packed & 15))", "the two codes of a byte are neighbors: stack them, dim=1."),
    ("dim=1", "dim=0", "the two codes of a byte are neighbors: stack them, dim=1."),
    (" * absmax[:, None]", "", "the values still lie between −1 and 1: multiply by each block's largest size."),
    ("* absmax[:, None]", "/ absmax[:, None]", "you divide; quantizing divided, so this has to multiply."),
    (
        "(values * absmax[:, None]).flatten()",
        "values.flatten() * absmax.repeat(block)",
        ROWS,
    ),
    ("view(-1, block)\n    return (values * absmax[:, None])", "view(block, -1)\n    return (values * absmax)", ROWS),
    ("codes.int()", "codes", MASK),
    ("codes.int()", "codes.flatten()", MASK),
    (
        """
def unpack_weights(packed, absmax, codebook, block):
    weights = torch.empty(2 * len(packed))
    weights[0::2] = codebook[packed >> 4]
    weights[1::2] = codebook[packed & 15]
    return weights * absmax.repeat_interleave(block)
""",
        MASK,
    ),
    ("codebook[codes.int()]", "codes.float()", "these are codes; `codebook` says which value each stands for."),
    ("codebook[codes.int()]", "((codes.float() - 8) / 7)", "these steps are even; look the values up in `codebook`."),
    (".view(-1, block)", ".view(block, -1).T", "the first `block` weights are the first block: view(-1, block)."),
    ("* absmax[:, None]", "* absmax.max()", "each block has a size of its own."),
    ("packed & 15", "packed & 7", "the low four bits are `& 15`; 7 keeps three of them."),
]
REFUSED = [(".flatten()", "", "shape")]
RIGHT = [
    """
def unpack_weights(packed, absmax, codebook, block):
    weights = torch.empty(2 * len(packed))
    weights[0::2] = codebook[(packed // 16).long()]
    weights[1::2] = codebook[(packed % 16).long()]
    return weights * absmax.repeat_interleave(block)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(n_blocks: int, block: int) -> tuple[Tensor, Tensor, Tensor, int]:
        packed = torch.tensor(rng.integers(256, size=n_blocks * block // 2), dtype=torch.uint8)
        absmax = torch.tensor(rng.uniform(0.1, 3, size=n_blocks), dtype=torch.float32)
        levels = torch.tensor(rng.uniform(-1, 1, size=16), dtype=torch.float32).sort().values
        return packed, absmax, levels, block

    return [case(2, 4), case(4, 4), case(1, 64), case(3, 32), case(5, 2), case(6, 10)]


EXERCISE = Exercise(
    reference=unpack_weights,
    minutes=5,
    difficulty=2,
    hints=(
        "A byte holds 16 · (first code) + (second code). How do you get each of them back?",
        "`packed >> 4` gives all first codes, `packed & 15` all second ones. They alternate in the weights. Look the "
        "codes up, then cut the row of values into blocks.",
        "Put the two side by side with `torch.stack`, so that each byte becomes a row of two codes. Index the codebook "
        "with whole numbers (`.int()`), give it the shape (number of blocks, block), multiply by the sizes as a "
        "column, and flatten.",
    ),
    proves="codes come out in order, each with the size of its own block, for blocks of any length",
)
