"""apply_rope: pairs of channels are rotated by their position's angle, in both conventions of what a pair is."""

from __future__ import annotations

import torch
from numpy.random import Generator

from helpers.attention import apply_rope, rope_cos_sin, rope_frequencies
from helpers.exercises.checking.spec import Exercise, Property

ANSWER = """
def apply_rope(x, cos, sin, interleaved=False):
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    if interleaved:
        a, b = x[..., 0::2], x[..., 1::2]
    else:
        a, b = x.chunk(2, dim=-1)  # (B, H, T, head_dim/2) each
    turned = a * cos - b * sin, a * sin + b * cos
    return torch.stack(turned, dim=-1).flatten(-2) if interleaved else torch.cat(turned, dim=-1)
"""
TURNED = "a * cos - b * sin, a * sin + b * cos"
SLIPS = [
    (
        [("if interleaved:", "if False:"), ("interleaved else", "False else")],
        "you wrote the convention of halves, (0, d/2), for both; interleaved=True pairs neighbors, (0, 1).",
    ),
    (
        [("if interleaved:", "if True:"), ("interleaved else", "True else")],
        "you wrote the convention of neighbors, (0, 1), for both; interleaved=False pairs halves, (0, d/2).",
    ),
    (
        [("if interleaved:", "if not interleaved:"), ("interleaved else", "not interleaved else")],
        "the two conventions are swapped: interleaved=True pairs neighbors, (0, 1).",
    ),
    (
        TURNED,
        "a * cos + b * sin, b * cos - a * sin",
        "you rotate in the other direction: the first part is a·cos − b·sin.",
    ),
    ("interleaved else", "False else", "you take neighbors apart, but put them back as halves."),
    ("interleaved else", "True else", "you take halves apart, but put them back as neighbors."),
    ("cos, sin =", "sin, cos =", "cos and sin are swapped."),
    (
        "turned = " + TURNED,
        "a = a * cos - b * sin\n    b = a * sin + b * cos\n    turned = a, b",
        "you overwrite a before b is rotated: both new parts come from the old a and b.",
    ),
    (
        """
def apply_rope(x, cos, sin, interleaved=False):
    cos, sin = torch.cat((cos, cos), dim=-1), torch.cat((sin, sin), dim=-1)
    if interleaved:
        other = torch.stack((-x[..., 1::2], x[..., 0::2]), dim=-1).flatten(-2)
    else:
        a, b = x.chunk(2, dim=-1)
        other = torch.cat((-b, a), dim=-1)
    return (x * cos + other * sin).to(x.dtype)
""",
        "each pair has one angle; for neighbors repeat it side by side (c₀, c₀, c₁, c₁, …), not in halves.",
    ),
    (
        """
def apply_rope(x, cos, sin, interleaved=False):
    cos, sin = cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)
    if interleaved:
        other = torch.stack((-x[..., 1::2], x[..., 0::2]), -1).flatten(-2)
    else:
        a, b = x.chunk(2, -1)
        other = torch.cat((-b, a), -1)
    return (x * cos + other * sin).to(x.dtype)
""",
        "for halves, repeat the angles as halves, too: (c₀, c₁, …, c₀, c₁, …), not side by side.",
    ),
    (
        "cos.to(x.dtype), sin.to(x.dtype)",
        "cos, sin",
        "cos and sin are float32 and make the result float32: convert it back to x.dtype.",
    ),
]
REFUSED = [
    ("a * cos - b * sin", "a * cos + b * sin", "exactly one sign is a minus"),
    (TURNED, "a * cos, b * sin", "each has both a and b"),
    (
        """
def apply_rope(x, cos, sin, interleaved=False):
    a, b = x.chunk(2, dim=-1)
    if not interleaved:
        return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).to(x.dtype)
""",
        "and a value for other calls",
    ),
    (
        """
def apply_rope(x, cos, sin, interleaved=False):
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    a, b = (x[..., 0::2], x[..., 1::2]) if interleaved else x.chunk(2, dim=-1)
    turned = a * cos - b * sin
    b.mul_(cos).add_(a * sin)
    a.copy_(turned)
    return x.clone()
""",
        "It changes its input `x`",
    ),
]
RIGHT = [
    """
def apply_rope(x, cos, sin, interleaved=False):
    wide = x.float()
    if interleaved:
        pairs = wide.unflatten(-1, (-1, 2))
    else:
        pairs = wide.unflatten(-1, (2, -1)).transpose(-1, -2)
    turned = torch.view_as_complex(pairs.contiguous()) * torch.complex(cos, sin)
    pairs = torch.view_as_real(turned)
    return (pairs if interleaved else pairs.transpose(-1, -2)).flatten(-2).to(x.dtype)
""",
    """
def apply_rope(x, cos, sin, interleaved=False):
    if interleaved:
        cos, sin = cos.repeat_interleave(2, -1), sin.repeat_interleave(2, -1)
        other = torch.stack((-x[..., 1::2], x[..., 0::2]), -1).flatten(-2)
    else:
        cos, sin = torch.cat((cos, cos), -1), torch.cat((sin, sin), -1)
        a, b = x.chunk(2, -1)
        other = torch.cat((-b, a), -1)
    return (x * cos + other * sin).to(x.dtype)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def case(B: int, H: int, T: int, head_dim: int, interleaved: bool, start: int = 0, padded: bool = False) -> tuple:
        places = torch.arange(start, start + T)
        if padded:  # positions that differ from text to text: cos is (B, 1, T, head_dim/2)
            places = (places - torch.arange(B)[:, None]).clamp(min=0)
        cos, sin = rope_cos_sin(places, rope_frequencies(head_dim, 100.0))
        x = torch.tensor(rng.normal(size=(B, H, T, head_dim)), dtype=torch.float32)
        return x, cos, sin, interleaved

    half, cos, sin, _ = case(1, 2, 3, 8, False, start=2)
    return [
        case(1, 1, 4, 6, False),
        case(2, 3, 5, 8, False, start=7),
        case(2, 2, 4, 8, False, padded=True),
        case(1, 2, 3, 2, False),  # one pair: both conventions agree
        (half.bfloat16() / 2, cos, sin, False),
        case(1, 1, 4, 6, True),
        case(2, 3, 5, 8, True, start=7),
        case(3, 2, 4, 12, True, padded=True),
    ]


EXERCISE = Exercise(
    reference=apply_rope,
    minutes=5,
    difficulty=3,
    tolerance=0.01,  # one case is in bfloat16, where another order of rounding is as good an answer
    hints=(
        "Take one pair (a, b) out of a vector. What are its coordinates after a rotation by the angle θ?",
        "(a·cos θ − b·sin θ, a·sin θ + b·cos θ), where a and b are whole tensors, (B, H, T, d/2). Both parts need the "
        "old a and the old b, so compute both before you put anything back.",
        "Convert cos and sin to `x.dtype`. Split x into a and b as `interleaved` says, compute both rotated parts, "
        "then `torch.cat` them along the last axis for halves; for neighbors `torch.stack` them along a new last "
        "axis and flatten the last two.",
    ),
    proves="both conventions, several heads and texts, padded positions, bfloat16, lengths kept",
    properties=[
        Property(
            "a rotation keeps the length of every vector",
            lambda result, x, *_: torch.allclose(
                result.float().norm(dim=-1), x.float().norm(dim=-1), rtol=0.02, atol=1e-4
            ),
            "in a·cos θ − b·sin θ and a·sin θ + b·cos θ exactly one sign is a minus, and each has both a and b, "
            "with the same angle.",
        ),
    ],
)
