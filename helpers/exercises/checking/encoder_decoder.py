"""Exercises of 02d_encoder_decoder: pooling with padding, masking tokens, a decoder's input, cross-attention."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.attention.masks import padding_mask
from helpers.attention.multi_head import attention_weights
from helpers.exercises.checking import encoder_decoder_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.foundations.probability import IGNORED
from helpers.transformer.encoder import mean_pool
from helpers.transformer.encoder_decoder import shift_right
from helpers.trials.hidden_words import mask_tokens


def planted_shift_right(labels: Tensor, start_id: int) -> Tensor:
    """The version that stands in the notebook: it overwrites the first label and moves none."""
    read = labels.clone()
    read[:, 0] = start_id
    return read.masked_fill(read < 0, start_id)


def cross_attention(
    x: Tensor, memory: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor]:
    """One head of attention from what is being written to what was read: its output and its weights.

    x: (B, T, C), the decoder's states; memory: (B, S, C), the encoder's; w_q, w_k, w_v: (C, d);
    mask: (B, S) bool, False at padding of the source  →  (B, T, d) and (B, T, S)
    """
    k, v = memory @ w_k, memory @ w_v  # (B, S, d)
    weights = attention_weights(x @ w_q, k, mask.unsqueeze(1))  # (B, T, S)
    return weights @ v, weights


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _normal(rng: Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def _pool_cases(rng: Generator) -> list[tuple]:
    hidden = _normal(rng, 3, 5, 4)
    hidden[:, 3:] = 9.0  # what stands at padding is no zero
    left = padding_mask([2, 4, 3], 4, left=True)
    return [
        (hidden, padding_mask([3, 1, 2], 5)),
        (_normal(rng, 2, 4, 3), padding_mask([4, 4], 4)),
        (_normal(rng, 3, 4, 6, scale=3), left),
        (_normal(rng, 1, 1, 5), padding_mask([1], 1)),
        (_normal(rng, 4, 4, 4), padding_mask([1, 2, 3, 4], 4)),  # here a wrong dimension keeps the shape
        (_normal(rng, 2, 3, 2), padding_mask([2, 0], 3)),  # a text without a token: zeros, not NaN
    ]


def _mask_cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, rate: float, mask_id: int, pad_id: int, lengths: list[int]) -> tuple:
        ids = torch.tensor(rng.integers(2, 30, size=(B, T)))
        ids[~padding_mask(lengths, T)] = pad_id
        return ids, torch.tensor(rng.random((B, T)), dtype=torch.float32), rate, mask_id, pad_id

    at_the_rate = case(3, 8, 0.5, 103, 0, [8, 2, 5])
    at_the_rate[1][:, :2] = 0.5  # a draw as large as the rate is not below it
    zeros = case(3, 9, 0.6, 1, 31, [9, 2, 5])
    zeros[0][:, ::2][zeros[0][:, ::2] != 31] = 0  # here 0 is a token, and padding is another number
    return [
        case(4, 12, 0.15, 1, 0, [12, 7, 9, 3]),
        at_the_rate,
        zeros,
        case(2, 6, 0.3, 40, 41, [6, 4]),
        case(1, 20, 0.4, 0, 1, [20]),  # here the mask has the id 0
        case(3, 5, 0.0, 1, 0, [5, 5, 1]),
        case(3, 5, 1.0, 1, 0, [5, 3, 1]),
    ]


def _shift_cases(rng: Generator) -> list[tuple]:
    def labels(*shape: int) -> Tensor:
        return torch.tensor(rng.integers(2, 20, size=shape))

    padded = labels(3, 6)
    padded[0, 4:] = padded[2, 2:] = IGNORED
    return [
        (labels(2, 5), 0),
        (padded, 0),
        (padded.clone(), 7),  # another start
        (labels(4, 1), 3),
        (labels(1, 9), 1),
        (labels(5, 2), 0),
        (torch.tensor([[0, 5, -1, 0, 2], [3, 0, 0, -7, -100]]), 9),  # 0 is a label; any number below is skipped
    ]


def _cross_cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, S: int, C: int, d: int, lengths: list[int], scale: float = 1.0) -> tuple:
        w = [_normal(rng, C, d, scale=C**-0.5 * scale) for _ in range(3)]
        return _normal(rng, B, T, C), _normal(rng, B, S, C), *w, padding_mask(lengths, S)

    return [
        case(2, 3, 5, 8, 4, [5, 3]),
        case(1, 1, 6, 4, 4, [6]),  # one token is being written
        case(3, 4, 4, 6, 2, [4, 1, 2]),  # T = S: here swapped roles keep the shape
        case(2, 5, 2, 4, 16, [2, 1], scale=2.0),
        case(2, 6, 3, 5, 3, [1, 2]),
        case(4, 2, 7, 3, 5, [7, 6, 2, 1]),
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="mean_pool",
        notebook="02d_encoder_decoder",
        minutes=2,
        difficulty=1,
        reference=mean_pool,
        cases=_pool_cases,
        hints=(
            "Over how many states is the mean of a text with three real tokens?",
            "Set the states at padding to zero, sum over the tokens, and divide by the number of real tokens of each "
            "text.",
            "`mask[..., None]` has the shape (B, T, 1) and stretches over the channels. Multiply, sum over dim 1, and "
            "divide by `mask.sum(dim=1, keepdim=True)`, which is (B, 1); `.clamp(min=1)` saves the text without any.",
        ),
        proves="padding on either side changes nothing, one token is its own mean, and an empty text gives zeros",
        properties=[
            Property(
                "no number is NaN",
                lambda result, *_: not bool(result.isnan().any()),
                "a text without a real token divides 0 by 0: let the count be at least 1.",
            ),
        ],
        mistakes=[
            Mistake(known.mean_over_all, "padding is averaged in as if it were text."),
            Mistake(known.divided_by_length, "you divide by T; divide by each text's number of real tokens."),
            Mistake(known.summed, "this is the sum; divide by each text's number of real tokens."),
            Mistake(
                known.divided_by_all_real_tokens,
                "you divide by the real tokens of all texts; each text has its own number.",
            ),
            Mistake(known.first_state, "this is the state of the first token; average over all real ones."),
            Mistake(known.largest, "this is the maximum; take the mean."),
            Mistake(known.of_length_one, "the vectors are scaled to length 1; return the plain mean."),
            Mistake(known.mean_of_padding, "the mask is True at real tokens; you average the padding."),
        ],
    ),
    Exercise(
        name="mask_tokens",
        notebook="02d_encoder_decoder",
        minutes=3,
        difficulty=2,
        reference=mask_tokens,
        cases=_mask_cases,
        hints=(
            "Which tokens are hidden? Write that as one boolean tensor (B, T) first.",
            "A token is hidden where its draw is small enough and it is no padding. Inputs and labels follow from that "
            "one tensor: one gets the mask there, the other keeps only what stood there.",
            "Call the boolean tensor `hidden`: a comparison for the draws, one for padding, joined by `&`. "
            "`ids.masked_fill(hidden, …)` gives a new tensor with the mask in those places; for the labels fill all "
            "other places, `~hidden`, with -100.",
        ),
        proves="hides what the draws say, never padding, and the loss sees hidden tokens only",
        properties=[
            Property(
                "labels say what stood at a hidden place",
                lambda result, ids, *_: bool((result[1][result[1] != IGNORED] == ids[result[1] != IGNORED]).all()),
                "take the labels from `ids` before the mask is put in.",
            ),
            Property(
                "padding is neither hidden nor asked for",
                lambda result, ids, draw, rate, mask_id, pad_id: bool(
                    (result[0][ids == pad_id] == pad_id).all() and (result[1][ids == pad_id] == IGNORED).all()
                ),
                "leave out the places where `ids == pad_id`.",
            ),
        ],
        mistakes=[
            Mistake(known.everything_asked, "labels are −100 where nothing is hidden; yours ask for every token."),
            Mistake(
                known.everything_asked_with_padding,
                "labels are −100 where nothing is hidden; yours ask for every token.",
            ),
            Mistake(
                known.kept_and_hidden_swapped, "hidden and shown are swapped: hide where the draw is below `rate`."
            ),
            Mistake(known.asked_for_the_shown, "the labels keep the tokens that are shown; keep the hidden ones."),
            Mistake(known.hidden_above_the_rate, "hidden and shown are swapped: hide where the draw is below `rate`."),
            Mistake(
                known.asked_for_the_shown_with_padding,
                "the labels keep the tokens that are shown; keep the hidden ones.",
            ),
            Mistake(known.padding_in_labels, "what the loss skips is marked −100, not by `pad_id`."),
            Mistake(known.zero_in_labels, "0 is a token too; what the loss skips is marked −100."),
            Mistake(known.nothing_hidden, "the inputs still show every token: put `mask_id` in the hidden places."),
            Mistake(known.fixed_rate, "0.15 is fixed in your code; use `rate`."),
            Mistake(known.fixed_padding, "you take 0 for padding; use `pad_id`."),
            Mistake(known.hidden_at_the_rate, "a draw as large as `rate` is not below it: `<`, not `<=`."),
            Mistake(known.drawn_anew, "you draw numbers of your own; use `draw`."),
            Mistake(lambda *args: mask_tokens(*args)[0], "return two tensors: inputs and labels."),
            Mistake(lambda *args: mask_tokens(*args)[::-1], "inputs come first, labels second."),
        ],
    ),
    Exercise(
        name="shift_right",
        notebook="02d_encoder_decoder",
        minutes=2,
        difficulty=2,
        reference=shift_right,
        planted=planted_shift_right,
        cases=_shift_cases,
        hints=(
            "For the labels 3, 5, 4: what has the decoder written when it shall write 5, and what does this read?",
            "At place t the decoder may read label t − 1, the one before. Here, from the second place on, it reads "
            "label t: the answer.",
            "Put the start before the labels and drop the last one: `torch.cat` of a column of `start_id` and "
            "`labels[:, :-1]`, or `torch.roll` and then the first column. The last line is right.",
        ),
        proves="every place reads the label before it, the first one the start, and skipped labels do not remain",
        mistakes=[
            Mistake(planted_shift_right, "each place still reads its own label."),
            Mistake(known.shifted_left, "this is shifted to the left: each place reads the label after it."),
            Mistake(
                known.shifted_left_behind_the_start, "this is shifted to the left: each place reads the label after it."
            ),
            Mistake(known.skipped_as_zero, "skipped labels become 0; they become `start_id`."),
            Mistake(known.only_minus_100_skipped, "you look for −100 only; every label below 0 is skipped."),
            Mistake(known.zero_skipped_too, "0 is a label like others; only those below 0 are skipped."),
            Mistake(known.start_in_front, "the start is put in front, so the last label has to go: T places stay T."),
            Mistake(known.start_is_zero, "the start is fixed as 0; use `start_id`."),
            Mistake(known.first_is_zero, "the start is fixed as 0; use `start_id`."),
            Mistake(known.skipped_remain, "−100 is still in there, and no embedding has a row −100."),
            Mistake(known.rolled, "the last label has come round to the first place, where the start belongs."),
        ],
    ),
    Exercise(
        name="cross_attention",
        notebook="02d_encoder_decoder",
        minutes=4,
        difficulty=2,
        reference=cross_attention,
        cases=_cross_cases,
        hints=(
            "Who asks, and who is asked? T tokens are being written, S were read.",
            "Queries come from `x`, keys and values from `memory`. Scores are (B, T, S); each of the T rows is a "
            "softmax over the source. The mask has no axis for T yet.",
            "`attention_weights(q, k, mask)` from 02 scales and masks; `mask[:, None, :]` makes the mask (B, 1, S). "
            "Multiply the weights by the values and return both, output first.",
        ),
        proves="queries from the decoder, keys and values from the encoder, scaled, over the source, padding at zero",
        properties=[
            Property(
                "padding of the source gets no weight",
                lambda result, *args: bool((result[1].transpose(1, 2)[~args[5]].abs() < 1e-6).all()),
                "hide padding before the softmax: its scores become −inf.",
            ),
            Property(
                "each written token's weights over the source sum to 1",
                lambda result, *_: bool(((result[1].sum(-1) - 1).abs() < 1e-4).all()),
                "take the softmax over the last axis, the source, and nothing away after it.",
            ),
        ],
        mistakes=[
            Mistake(known.cross(scale=lambda w: 1.0), "the scores are not divided by √d."),
            Mistake(known.cross(scale=lambda w: w.shape[0] ** -0.5), "divide by √d, the width of a query, not by √C."),
            Mistake(known.cross(scale=lambda w: 1 / w.shape[1]), "you divide by d; its square root is asked for."),
            Mistake(known.cross(masked=False), "padding of the source is looked at: the mask is not used."),
            Mistake(known.cross(hidden=0.0), "masked scores are 0, which softmax does not ignore: use −inf."),
            Mistake(known.cross(after=True), "you mask after the softmax, so the rows no longer sum to 1."),
            Mistake(known.cross(dim=-2), "the softmax runs over the written tokens; it belongs over the source."),
            Mistake(known.keys_as_values, "the keys are averaged; average the values, `memory @ w_v`."),
            Mistake(known.matrices_swapped, "w_k and w_v are swapped: keys are compared, values averaged."),
            Mistake(
                known.all_from_the_decoder, "keys and values come from `x`; they belong to what was read, `memory`."
            ),
            Mistake(known.roles_swapped, "the roles are swapped: `x` asks, `memory` is asked."),
            Mistake(known.mask_inverted, "the mask is inverted: it is True where a query may look."),
            Mistake(known.causal_too, "what was read has no future: no causal mask here."),
            Mistake(
                known.mask_without_an_axis, "the mask is (B, S), the scores are (B, T, S): it lacks an axis for T."
            ),
            Mistake(
                known.mask_for_queries, "the mask got its new axis at the end, (B, S, 1); it hides keys, not queries."
            ),
            Mistake(known.scores_for_weights, "you return the scores; the weights come after the softmax."),
            Mistake(lambda *args: known.attended(*args[:5], args[5].unsqueeze(1))[::-1], "the output comes first."),
            Mistake(lambda *args: known.cross()(*args)[0], "return two tensors: the output and the weights."),
        ],
    ),
]
