"""Exercises of 02b_transformer: RMSNorm, a block with a bug, greedy writing, a swapped residual, where to swap."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor, nn

from helpers.exercises.checking import transformer_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.transformer.layers import RMSNorm
from helpers.transformer.residuals import swap_residual

_shared = importlib.import_module("helpers.exercises.course.02b_transformer._shared")
MODELS, _ids, _normal, tiny_llama = _shared.MODELS, _shared.drawn_ids, _shared.normal, _shared.tiny_llama


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Divide each vector by the root of (the mean of its squares + eps), then multiply by `weight`.

    x: (…, C), weight: (C,)  →  (…, C)
    """
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight


def pre_norm_block(
    x: Tensor, attention: Callable, feed_forward: Callable, attention_norm: Callable, feed_forward_norm: Callable
) -> Tensor:
    """One block: each sublayer reads a normalized copy of the stream and adds to the stream itself.

    x: (B, T, C)  →  (B, T, C). The four others take (B, T, C) and give (B, T, C).
    """
    x = x + attention(attention_norm(x))
    return x + feed_forward(feed_forward_norm(x))


def planted_pre_norm_block(
    x: Tensor, attention: Callable, feed_forward: Callable, attention_norm: Callable, feed_forward_norm: Callable
) -> Tensor:
    """The version that stands in the notebook: the stream is overwritten by its normalized copy."""
    x = attention_norm(x)
    x = x + attention(x)
    x = feed_forward_norm(x)
    return x + feed_forward(x)


def choose_layer(differences: Tensor, share: float) -> int | None:
    """First layer at which a swap turns at least `share` of the pairs, or None where no layer does.

    differences: (pairs, layers), a pair's logit difference after the swap at that layer; below 0 means turned.
    """
    turned = (differences < 0).float().mean(0)  # (layers,)
    good = (turned >= share).nonzero()
    return int(good[0]) if len(good) else None


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _norm_cases(rng: Generator) -> list[tuple]:
    shifted = _normal(rng, 4, 5) + 3  # here the root mean square is far from the standard deviation
    return [
        (_normal(rng, 2, 3, 8), _normal(rng, 8), 1e-6),
        (shifted, _normal(rng, 5), 1e-5),
        (_normal(rng, 3, 3, scale=50), _normal(rng, 3), 1e-6),  # here a wrong axis keeps the shape
        (_normal(rng, 6, scale=1e-3), torch.ones(6), 1e-6),  # eps is as large as the mean square
        (torch.zeros(2, 4), _normal(rng, 4), 1e-5),
        (_normal(rng, 2, 1, 7), torch.zeros(7), 0.1),
        (_normal(rng, 3, 2, 5), _normal(rng, 5), 0.1),  # large enough that a constant in its place shows
    ]


SUBLAYERS: dict[str, Callable[[Tensor], Tensor]] = {
    "says nothing": torch.zeros_like,
    "mean of the past": lambda x: x.cumsum(1) / torch.arange(1.0, x.shape[1] + 1)[:, None],
    "tanh": torch.tanh,
    "a third of it": lambda x: x / 3,
}


def _norms(width: int) -> tuple[nn.Module, nn.Module]:
    """Two RMSNorms with different weights."""
    norms = RMSNorm(width), RMSNorm(width)
    with torch.no_grad():
        norms[0].weight.copy_(torch.linspace(0.5, 1.5, width))
        norms[1].weight.copy_(torch.linspace(2.0, -1.0, width))
    return norms


def drive_block(block: Callable, x: Tensor, attention: str, feed_forward: str) -> Tensor:
    """Call `block` with sublayers named by what they do."""
    with torch.no_grad():
        return block(x, SUBLAYERS[attention], SUBLAYERS[feed_forward], *_norms(x.shape[-1]))


def _block_cases(rng: Generator) -> list[tuple]:
    return [
        (_normal(rng, 2, 3, 4, scale=3), "says nothing", "says nothing"),
        (_normal(rng, 1, 5, 6), "mean of the past", "tanh"),
        (_normal(rng, 2, 4, 4, scale=10), "mean of the past", "says nothing"),
        (_normal(rng, 3, 2, 5, scale=0.1), "says nothing", "tanh"),
        (_normal(rng, 1, 1, 8), "a third of it", "a third of it"),
    ]


def drive_swap(swap: Callable, model: str, ids: Tensor, layer: int, vector: Tensor, position: int) -> dict[str, Tensor]:
    """What `swap` gives, and the model's own logits after it."""
    decoder = tiny_llama(model)
    with torch.no_grad():
        swapped = swap(decoder, ids, layer, vector, position)
        return {"swapped": swapped, "the model afterwards": decoder(ids)[:, -1]}


def _own_logits(ids: Tensor, model: str) -> Tensor:
    with torch.no_grad():
        return tiny_llama(model)(ids)[:, -1]


def _swap_cases(rng: Generator) -> list[tuple]:
    three, two, five = MODELS
    return [
        (three, _ids(rng, 1, 5), 1, _normal(rng, 16), -1),
        (three, _ids(rng, 1, 5), 2, _normal(rng, 16), 1),
        (three, _ids(rng, 1, 6), 0, _normal(rng, 16), 3),
        (three, _ids(rng, 1, 4), 3, _normal(rng, 16), -1),  # behind the last block
        (two, _ids(rng, 2, 4), 1, _normal(rng, 2, 16), -1),
        (two, _ids(rng, 1, 1), 0, _normal(rng, 16), 0),
        (five, _ids(rng, 1, 7), 4, _normal(rng, 16), 2),
        (five, _ids(rng, 1, 3), 5, _normal(rng, 16), 0),  # nobody reads it any more
    ]


def _choose_cases(rng: Generator) -> list[tuple]:
    def turning(pairs: int, layers: int, width: float) -> Tensor:
        at = torch.tensor(rng.normal(layers / 2, width, size=(pairs, 1)), dtype=torch.float32)
        return 5 * torch.tanh(at - torch.arange(layers)) + _normal(rng, pairs, layers, scale=0.3)

    lonely = torch.tensor([[4.0, 3.0, -9.0], [2.0, 2.0, -1.0], [1.0, -0.5, 1.0], [3.0, -0.5, 2.0]])
    return [
        (turning(6, 12, 0.5), 0.9),
        (turning(5, 9, 2.0), 0.6),
        (turning(12, 30, 3.0), 1.0),
        (lonely, 0.5),  # exactly half of them turn at layer 1
        (lonely, 0.8),
        (torch.tensor([[-100.0, 1.0, -1.0], [1.0, 1.0, -1.0], [1.0, 1.0, -1.0]]), 0.6),  # one pair rules the mean
        (torch.full((3, 4), 2.0), 0.5),
        (torch.full((2, 3), -1.0), 1.0),
        (torch.tensor([[0.0, -1.0]]), 1.0),
        (torch.tensor([[4.0, -2.0, 1.0, -3.0], [3.0, -1.0, 2.0, -2.0]]), 0.9),  # layer 2 turns them back
        (torch.tensor([[3.0, -1.0, -1.0], [3.0, 1.0, -1.0], [3.0, 1.0, 1.0]]), 0.9),  # no layer, and the shares differ
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="rms_norm",
        notebook="02b_transformer",
        minutes=2,
        difficulty=1,
        reference=rms_norm,
        cases=_norm_cases,
        hints=(
            "Root, mean, square: in which order do you compute them?",
            "Square x, take the mean over the last axis (keep the axis), add eps, take the root, and divide.",
            "`x.pow(2).mean(-1, keepdim=True)` has the shape (…, 1). Add `eps` to it *before* `.sqrt()`. Divide x by "
            "that, and multiply by `weight`.",
        ),
        proves="right for any shape, far from zero, near zero and at zero",
        properties=[
            Property(
                "no number is NaN",
                lambda result, *_: not bool(result.isnan().any()),
                "at a vector of zeros you divide 0 by 0: add eps under the root.",
            ),
        ],
        mistakes=[
            Mistake(known.layer_norm, "you subtract the mean, which is LayerNorm; RMSNorm leaves it."),
            Mistake(known.over_deviation, "you divide by the standard deviation; take the mean of squares instead."),
            Mistake(known.normed(eps_inside=False), "eps is added outside the root; it belongs under it."),
            Mistake(known.normed(mean=False), "you sum the squares; take their mean."),
            Mistake(known.normed(axis=0), "the mean runs over the first axis; it must run over the last."),
            Mistake(known.normed(axis=None), "the mean runs over the whole tensor; each vector has its own."),
            Mistake(known.normed(weighted=False), "the multiplication by `weight` is missing."),
            Mistake(known.normed(shift=1.0), "this multiplies by 1 + weight, as Gemma does; here by weight alone."),
            Mistake(known.normed(root=False), "the root is missing."),
            *(
                Mistake(known.normed(fixed_eps=number), "a constant stands in place of the argument `eps`.")
                for number in (1e-5, 1e-6, 1e-8)
            ),
            Mistake(known.normed(added=True), "you add `weight`; multiply by it."),
            Mistake(
                known.over_sample_deviation, "you divide by the standard deviation; take the mean of squares instead."
            ),
            Mistake(known.mean_of_sizes, "you divide by the mean of the absolute values; square first."),
        ],
    ),
    Exercise(
        name="pre_norm_block",
        notebook="02b_transformer",
        minutes=4,
        difficulty=2,
        reference=pre_norm_block,
        planted=planted_pre_norm_block,
        drive=drive_block,
        cases=_block_cases,
        hints=(
            "If both sublayers say nothing, what should come out? And what does?",
            "`x = attention_norm(x)` throws the stream away: everything later sees only the normalized copy.",
            "Give the copy to the sublayer without storing it in x: `attention(attention_norm(x))` is what is added "
            "to x. The same in the second half.",
        ),
        proves="the stream runs through untouched, and each sublayer reads a normalized copy",
        properties=[
            Property(
                "where both sublayers say nothing, x comes through as it was",
                lambda result, x, attention, feed_forward: (
                    not attention == feed_forward == "says nothing" or torch.equal(result, x)
                ),
                "x is overwritten on its way: only what a sublayer says may change it, by addition.",
            ),
        ],
        mistakes=[
            Mistake(planted_pre_norm_block, "the stream is still overwritten by its normalized copy."),
            Mistake(known.block(half="first"), "the second half still overwrites x by its normalized copy."),
            Mistake(known.block(half="second"), "the first half still overwrites x by its normalized copy."),
            Mistake(
                known.post_norm, "you normalize the sum, as in the original transformer; here the sublayer's input."
            ),
            Mistake(known.parallel, "feed-forward reads x from before attention; it comes after it."),
            Mistake(known.without_norms, "the norms are gone: each sublayer reads a normalized copy."),
            Mistake(known.without_residual, "the sublayers replace x; they must add to it."),
            Mistake(known.norms_exchanged, "the two norms are exchanged: each sublayer has its own."),
            Mistake(known.feed_forward_first, "attention comes first, feed-forward after it."),
            Mistake(known.added_to_the_old, "the second half adds to x from before attention; add to the new x."),
            Mistake(known.raw("attention"), "attention reads the stream itself; it needs its norm in front."),
            Mistake(known.raw("feed-forward"), "feed-forward reads the stream itself; it needs its norm in front."),
            Mistake(known.one_norm_for_both, "feed-forward reads through attention's norm; it has its own."),
        ],
    ),
    Exercise(
        name="swap_residual",
        notebook="02b_transformer",
        minutes=6,
        difficulty=3,
        reference=swap_residual,
        drive=drive_swap,
        cases=_swap_cases,
        tolerance=1e-4,
        hints=(
            "Write the model's own run first: embedding, blocks, norm, head. At which moment is the stream “after "
            "`layer` blocks”?",
            "Loop over the blocks with their number. When the number equals `layer`, exchange the vector *before* "
            "running that block. Layer `n_layers` comes after the loop.",
            "Before the loop, x is the embedding of the ids, and `rope` is `model.rope` of the positions 0 to T − 1. "
            "In the loop: if the number is `layer`, write `vector` into x at `[:, position]`; then run the block with "
            "`causal=True, rope=rope`. The same `if` once more behind the loop, for `len(model.blocks)`; then norm and "
            "head of the last position.",
        ),
        proves="the right vector at the right moment, from the embedding to the last block, and the model is unharmed",
        properties=[
            Property(
                "the model is as it was: asked again, it gives its own logits",
                lambda result, model, ids, *_: torch.allclose(
                    result["the model afterwards"], _own_logits(ids, model), atol=1e-5
                ),
                "a hook is still registered, or a weight was changed in place: `handle.remove()` in a `finally`.",
            ),
        ],
        mistakes=[
            Mistake(known.swap(late=1), "you exchange the vector one block too late."),
            Mistake(known.swap(late=-1), "you exchange the vector one block too early."),
            Mistake(known.swap(behind=False), "layer n_layers, behind the last block, is never reached."),
            Mistake(known.swap(embedding=False), "layer 0, the embedding before any block, is never exchanged."),
            Mistake(
                known.swap(read_there=True), "you read the logits at `position`; the next token's are at the last one."
            ),
            Mistake(known.swap(everywhere=True), "you overwrite every position; exchange one."),
            Mistake(known.swap(always_last=True), "`position` is ignored: you always exchange the last one."),
            Mistake(known.swap(add=True), "you add the vector to what is there; replace it."),
            Mistake(known.swap(stop=True), "you read the answer right after the swap; the blocks behind it must run."),
            Mistake(known.swap(norm=False), "the last norm before the head is missing."),
            Mistake(known.swap(causal=False), "the blocks run without `causal=True`, so tokens see what comes later."),
            Mistake(known.swap(rope=False), "the blocks run without `rope=`, so they do not know the order of words."),
            Mistake(known.swap(every_layer=True), "you exchange the vector before every block; do it once."),
            Mistake(known.swap(never=True), "nothing is exchanged: these are the model's own logits."),
        ],
    ),
    Exercise(
        name="choose_layer",
        notebook="02b_transformer",
        minutes=3,
        difficulty=2,
        reference=choose_layer,
        cases=_choose_cases,
        hints=(
            "For one layer, which share of the pairs has turned?",
            "`differences < 0` is a table of True and False. Its mean over the pairs is one share for each layer.",
            "Turn the table into numbers with `.float()` and take `.mean(0)`. Loop over the layers and return the "
            "first whose share is at least `share`; after the loop, return None.",
        ),
        proves="the first layer that is enough, at the very share, and None where none is",
        properties=[
            Property(
                "the answer is the number of a layer, or None",
                lambda found, differences, share: found is None or 0 <= found < differences.shape[1],
            ),
        ],
        mistakes=[
            Mistake(
                known.chosen(by_mean=True), "you ask whether the mean is below 0, so one pair can outvote the rest."
            ),
            Mistake(known.chosen(strict=True), "exactly `share` of the pairs is enough: use >=."),
            Mistake(known.chosen(last=True), "you take the last layer that is enough; the first is asked for."),
            Mistake(
                known.chosen(best=True), "you take the layer with the largest share; the first that is enough will do."
            ),
            Mistake(known.chosen(sign=-1), "you count the pairs that are still above 0."),
            Mistake(
                known.chosen(any_pair=True), "one pair that turns is not enough: compare their share with `share`."
            ),
            Mistake(
                known.chosen(best=True, in_any_case=True),
                "you take the layer with the largest share; the first that is enough will do.",
            ),
            Mistake(
                known.chosen(stays=True),
                "you ask that it stays so in later layers; the first that is enough will do.",
            ),
            Mistake(known.chosen(over_layers=True), "you take the share over the layers; take it over the pairs."),
            Mistake(known.chosen(zero_too=True), "a difference of exactly 0 is not below 0."),
            Mistake(known.chosen(first_number=1), "you count layers from 1; the first one is 0."),
            Mistake(
                known.chosen(otherwise=0),
                "where no layer is enough, return None; `argmax` gives 0 where nothing is True.",
            ),
            Mistake(known.chosen(otherwise=-1), "where no layer is enough, return None."),
        ],
    ),
]
