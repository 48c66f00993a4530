"""training_bytes: what QLoRA keeps for the whole of a training, before a single activation."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def training_bytes(n_linear: int, n_rest: int, n_adapter: int, bits: float = 4.127) -> float:
    """Bytes that QLoRA holds for the whole training: frozen weights, adapters, their gradients, Adam's state.

    n_linear: weights in the linear layers, `bits` bits each with their share of the block sizes. n_rest: the other
    weights (embedding, norms), in bfloat16. n_adapter: weights of the adapters, float32 like all that belongs to them.
    """
    frozen = n_linear * bits / 8 + n_rest * 2
    trained = n_adapter * (4 + 4 + 2 * 4)
    return frozen + trained


TRAINED = "n_adapter * (4 + 4 + 2 * 4)"
FOUR = "a trained weight takes four numbers of four bytes: itself, its gradient, and two of Adam."
SLIPS = [
    ("* bits / 8", "* bits", "`bits` are bits: a byte has eight of them."),
    ("n_linear * bits / 8", "n_linear * 4 / 8", "block sizes take room, too: use `bits`."),
    ("n_rest * 2", "n_rest * bits / 8", "the embedding and the norms are not quantized: two bytes each."),
    (" + n_rest * 2", "", "the embedding and the norms are there, too, in bfloat16."),
    ("n_rest * 2", "n_rest * 4", "bfloat16 takes two bytes."),
    *(
        (TRAINED, f"n_adapter * {wrong}", FOUR)
        for wrong in ("(4 + 4 + 4)", "(4 + 2 * 4)", "(4 + 4)", "(2 + 2 + 2 * 2)")
    ),
    (TRAINED, "n_adapter * 4", "each trained weight has a gradient and two numbers of Adam, too."),
    (TRAINED, "(n_adapter + n_linear) * 4 * 4", "frozen weights have no gradient and no state: that is the point."),
]
RIGHT = [
    """
def training_bytes(n_linear, n_rest, n_adapter, bits=4.127):
    sizes = {"codes": n_linear * bits / 8, "rest": 2 * n_rest, "adapters": 4 * n_adapter,
             "gradients": 4 * n_adapter, "Adam": 8 * n_adapter}
    return sum(sizes.values())
""",
]


def cases(rng: Generator) -> list[tuple]:
    return [
        (800, 0, 0, 4.5),
        (0, 100, 0),
        (0, 0, 10),
        (106_168_320, 28_346_688, 2_442_240),
        (1000, 200, 30, 8.25),
        tuple(int(n) for n in rng.integers(1, 10_000, size=3)),
    ]


EXERCISE = Exercise(
    reference=training_bytes,
    minutes=2,
    difficulty=1,
    hints=(
        "Which weights have a gradient? Only those need anything besides themselves.",
        "A frozen weight takes its own bytes. A trained one takes four numbers: itself, its gradient, and Adam's two "
        "moving averages.",
        "Frozen: n_linear weights of `bits` bits, and two bytes for each of n_rest. Trained: four numbers of four "
        "bytes for each of n_adapter. Add the two.",
    ),
    proves="each part counts with its own number of bytes",
)
