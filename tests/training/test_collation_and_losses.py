"""Examples side by side, the shift, and logits only where they are wanted: each against the long way round."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from helpers.attention import segment_mask, segment_positions
from helpers.lora import add_lora_
from helpers.old.foundations.probability import IGNORED
from helpers.old.training import Example, collate, loss_at_labels, shift_labels
from helpers.old.transformer import GPT, GPTConfig
from helpers.transformer import Llama, LlamaConfig
from tests.benchmarks.packing import collate_packed, loss_everywhere, pack
from tests.tiny_models import randomized

V = 61


def small_llama(**options) -> Llama:
    torch.manual_seed(0)
    return randomized(Llama(LlamaConfig(V, 32, 3, 4, 48, 2, **options)))


def examples(*lengths: int, seed: int = 0, prompt: int = 1) -> list[Example]:
    """Random texts whose first `prompt` tokens are not trained."""
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randint(0, V, (length,), generator=generator).tolist() for length in lengths]
    return [Example(ids, [IGNORED] * min(prompt, len(ids)) + ids[prompt:]) for ids in drawn]


# Batches -------------------------------------------------------------------------------------------------------------


def test_padding_stands_on_the_right_is_hidden_and_never_trained():
    batch = collate([Example([5, 6, 7], [IGNORED, 6, 7]), Example([8, 9], [IGNORED, 9])])
    assert batch.ids[:, :2].tolist() == [[5, 6], [8, 9]]
    assert batch.labels.tolist() == [[IGNORED, 6, 7], [IGNORED, 9, IGNORED]]
    assert batch.mask.tolist() == [[True, True, True], [True, True, False]]
    assert batch.n_labels == 3


def test_padding_cannot_change_a_loss_whatever_its_id_is():
    """Padding with the very token that is trained as the end of a turn: the mask and the labels keep them apart."""
    model, texts = small_llama(), examples(9, 4, 6, prompt=3)
    alone = sum(loss_everywhere(model, collate([text])) for text in texts)
    batch = collate(texts)
    for pad in (0, texts[0].ids[-1]):
        batch.ids[~batch.mask] = pad
        torch.testing.assert_close(loss_everywhere(model, batch), alone, atol=1e-4, rtol=1e-5)


def test_what_a_batch_cannot_be_made_of_is_refused():
    for bad in ([], [Example([], [])]):
        with pytest.raises(ValueError, match="at least one example, and every example at least one token"):
            collate(bad)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=30))
def test_packing_loses_nothing_fills_no_row_over_and_wastes_at_most_half(lengths):
    texts = examples(*lengths)
    rows = pack(texts, 20)
    assert sorted(example.ids for row in rows for example in row) == sorted(example.ids for example in texts)
    filled = [sum(map(len, row)) for row in rows]
    assert max(filled) <= 20
    assert sum(count <= 10 for count in filled) <= 1  # two such rows would have been one


def test_a_text_that_fits_no_row_is_refused():
    with pytest.raises(ValueError, match="of 21 tokens does not fit into a row of 20"):
        pack(examples(3, 21), 20)


def test_segments_make_triangles_and_positions_restart():
    segments = torch.tensor([[1, 1, 2, 2, 2, 0], [1, 0, 0, 0, 0, 0]])
    assert segment_positions(segments)[0].tolist() == [0, 1, 0, 1, 2, 0]
    expected = [[a == b != 0 for b in row] for row in segments.tolist() for a in row]
    assert segment_mask(segments).flatten(0, 1).tolist() == expected


@pytest.mark.parametrize("kept", [False, True], ids=["by the kernel", "step by step"])
@torch.no_grad()
def test_packed_texts_have_the_logits_that_they_have_alone(kept):
    """Sums run in another order in a longer row: 1e-5 of logits of size 10."""
    from helpers.attention import keeping_weights

    model, texts = small_llama(), examples(7, 3, 1, 8, 5)
    batch = collate_packed(pack(texts, 12))
    assert batch.ids.shape[0] < len(texts)
    if kept:
        with keeping_weights(model):
            logits = model(batch.ids, segments=batch.segments)
    else:
        logits = model(batch.ids, segments=batch.segments)
    for i, row in enumerate(pack(texts, 12)):
        for number, text in enumerate(row, start=1):
            alone = model(torch.tensor([text.ids]))[0]
            torch.testing.assert_close(logits[i][batch.segments[i] == number], alone, atol=1e-4, rtol=1e-5)
    naive = model(batch.ids)  # one long text: what packing without segments would train on
    assert (naive - logits)[batch.segments > 1].abs().max() > 0.1


def test_packed_texts_give_the_loss_and_the_gradients_that_they_give_alone():
    model, texts = small_llama(), examples(7, 3, 8, 5, prompt=0)
    packed, padded = collate_packed(pack(texts, 12)), collate(texts)
    assert packed.n_labels == padded.n_labels == 7 + 3 + 8 + 5 - 4  # nothing predicts a text's first token
    assert_same_loss_and_gradients(model, lambda: loss_at_labels(model, packed), lambda: loss_at_labels(model, padded))


def test_segments_refuse_another_shape_a_mask_and_a_cache():
    model, ids = small_llama(), torch.ones(1, 4, dtype=torch.long)
    for option in ({"segments": ids[:, :3]}, {"mask": ids > 0}, {"cache": model.new_cache(1, 4)}):
        with pytest.raises(ValueError, match="Segments have the shape of the ids"):
            model(ids, **{"segments": ids} | option)


# Losses --------------------------------------------------------------------------------------------------------------


def test_labels_move_one_place_to_the_left():
    labels = torch.tensor([[5, 6, 7], [IGNORED, 8, IGNORED]])
    assert shift_labels(labels).tolist() == [[6, 7, IGNORED], [8, IGNORED, IGNORED]]
    assert labels.tolist() == [[5, 6, 7], [IGNORED, 8, IGNORED]]


def test_our_loss_is_the_librarys(tmp_path):
    from tests.tiny_models import llama

    theirs, batch = llama(tmp_path, num_attention_heads=4), collate(examples(9, 4, 6, prompt=3))
    ours = Llama.from_pretrained(tmp_path)
    expected = theirs(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss
    torch.testing.assert_close(loss_at_labels(ours, batch) / batch.n_labels, expected)


def assert_same_loss_and_gradients(model, one, other):
    found = []
    for loss in (one, other):
        model.zero_grad()
        value = loss()
        value.backward()
        found.append((value.detach(), [p.grad.clone() for p in model.parameters()]))
    torch.testing.assert_close(found[0][0], found[1][0], atol=1e-4, rtol=1e-5)
    for mine, theirs in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)
    assert max(gradient.abs().max() for gradient in found[0][1]) > 0.1  # so 1e-4 says something


@pytest.mark.parametrize("tied", [False, True])
def test_logits_only_at_labels_give_the_same_loss_and_gradients(tied):
    model, batch = small_llama(tied=tied), collate(examples(9, 4, 12, prompt=3))
    assert_same_loss_and_gradients(model, lambda: loss_at_labels(model, batch), lambda: loss_everywhere(model, batch))


class LargestTensor(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts the elements of the largest tensor that any operation makes."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in torch.utils._pytree.tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return out


def test_the_largest_tensor_shrinks_from_all_tokens_to_the_labeled_ones():
    """A vocabulary that is as large beside the width as the chat model's, and 20 labels among 160 tokens: an eighth."""
    torch.manual_seed(0)
    model = Llama(LlamaConfig(5_000, 16, 1, 2, 24))
    model = add_lora_(model, 2, 4)  # frozen, so that no gradient of a weight is larger than the logits
    ids = torch.randint(0, 5_000, (4, 40)).tolist()
    batch = collate(
        [Example(row, [IGNORED] * (40 - n) + row[40 - n :]) for row, n in zip(ids, (3, 2, 9, 6), strict=True)]
    )
    largest = {}
    for loss in (loss_at_labels, loss_everywhere):
        with LargestTensor() as counted:
            loss(model, batch).backward()
        largest[loss] = counted.elements
    assert largest[loss_everywhere] == 160 * 5_000
    assert largest[loss_at_labels] == 20 * 5_000 == batch.n_labels * 5_000


def test_other_decoders_of_the_course_learn_by_the_plain_loss():
    torch.manual_seed(0)
    model, batch = GPT(GPTConfig(V, 16, 1, 2)).eval(), collate(examples(9, 4, prompt=0))
    logits = model(batch.ids, mask=batch.mask)
    expected = sum(
        F.cross_entropy(logits[i, t - 1], batch.ids[i, t]) for i, length in enumerate((9, 4)) for t in range(1, length)
    )
    torch.testing.assert_close(loss_everywhere(model, batch), expected)
