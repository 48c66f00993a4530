"""NF4: each weight becomes the number of the nearest of 16 levels, and two of these share a byte."""

import torch

MINUTES, DOTS = 8, 2
PROVES = "each block of 64 has its own size, the nearest level is taken, and two codes lie in a byte"


def quantize_nf4(weight, levels):
    blocks = weight.float().reshape(-1, 64)
    absmax = blocks.abs().amax(dim=1)
    shares = blocks * (1 / absmax.clamp(min=1e-38))[:, None]
    middles = (levels[1:] + levels[:-1]) / 2
    codes = torch.bucketize(shares.flatten(), middles).to(torch.uint8)
    return codes[0::2] << 4 | codes[1::2], absmax


HINTS = """
Three steps: divide each block by its largest absolute value, find the nearest level of each weight, put two codes into
    a byte. Which number of a block of zeros may you not divide by?
Between two neighboring levels lies a middle. A weight's code is the number of middles below it:
    `torch.bucketize(values, middles)` counts them. `absmax.clamp(min=1e-38)` leaves all but zeros as they are.
`codes[0::2]` are the first, third, fifth, …; as uint8, `<< 4` moves them into the high four bits, and `|` puts the
    others beside them.
"""
SLIPS = """
blocks.abs().amax(dim=1) => blocks.amax(dim=1)
    the largest size may belong to a negative weight: take `abs()` first.
blocks.abs().amax(dim=1) => blocks.abs().amax(dim=0)
    a block is a row here, so its largest size is taken over `dim=1`.
blocks.abs().amax(dim=1) => blocks.abs().amax().expand(len(blocks))
    each block of 64 has its own largest size.
absmax.clamp(min=1e-38) => absmax
    a block of zeros is divided by zero: keep the divisor above it, as with `clamp(min=1e-38)`.
absmax = blocks.abs().amax(dim=1) => absmax = weight.float().abs().amax(dim=1).repeat_interleave(weight.shape[1] // 64)
    a row may hold several blocks, and each block of 64 has its own largest size.
reshape(-1, 64) => reshape(-1, 32)
    64 weights share a size, and yours are 32.
weight.float() => weight.T.float()
    blocks run along the rows: take the weights as they lie.
middles = (levels[1:] + levels[:-1]) / 2 => middles = levels
    compare with the middles between neighboring levels, or every weight is rounded up.
middles = (levels[1:] + levels[:-1]) / 2 => middles = levels[1:]
    compare with the middles between neighboring levels, or every weight is rounded down.
codes[0::2] << 4 | codes[1::2] => codes[1::2] << 4 | codes[0::2]
    the first of the two codes belongs into the high four bits.
codes[0::2] << 4 | codes[1::2] => codes
    two codes share a byte: move the first four bits up, and put the second beside it.
codes[0::2] << 4 | codes[1::2] => codes[: len(codes) // 2] << 4 | codes[len(codes) // 2 :]
    neighbors share a byte: the first code with the second, the third with the fourth.
codes[0::2] << 4 | codes[1::2] => codes[0::2] << 4 + codes[1::2]
    `+` is done before `<<`: join the two codes with `|`, or put brackets.
torch.bucketize(shares.flatten(), middles) => (shares.flatten()[:, None] - levels).argmin(dim=1)
    a level far above gives the smallest difference: take its absolute value.
torch.bucketize(shares.flatten(), middles) => ((shares.flatten() + 1) * 7.5).round()
    these are sixteen even steps: take the nearest of the levels that you are given.
codes[0::2] << 4 => codes[0::2] << 8
    a byte has eight bits: move the first code up by four.
.to(torch.uint8) => .long()
    a code as a 64-bit number takes 16 times the room: make it `torch.uint8`.
shares.flatten() => blocks.flatten()
    the levels reach from −1 to 1, so divide each block by its largest size first.
"""


def cases(rng):
    levels = [-1.0, -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.0911, 0.0]
    levels += [0.0796, 0.1609, 0.2461, 0.3379, 0.4407, 0.5626, 0.723, 1.0]
    nf4, even = torch.tensor(levels), torch.arange(-7.5, 8) / 7.5

    def drawn(rows, columns, dtype=torch.float32):
        sizes = torch.tensor(rng.uniform(0.1, 3.0, size=(rows, 1)))
        return (torch.tensor(rng.normal(size=(rows, columns))) * sizes).to(dtype)

    pruned = drawn(2, 128)
    pruned[1, :64] = 0
    negative = drawn(1, 64)
    negative[0, 5] = -9.0
    return [
        (drawn(1, 64), nf4),
        (drawn(4, 64), nf4),
        (drawn(3, 192), nf4),
        (negative, nf4),
        (pruned, nf4),
        (drawn(128, 64, torch.bfloat16), nf4),
        (drawn(2, 128), even),
    ]
