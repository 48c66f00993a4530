"""The trainings that 08b compares: the task, what counts as right, what is counted of memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers.models import fetch
from helpers.training import collate
from helpers.trials import qlora


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"))


def test_no_family_is_both_learned_and_held_out_and_at_least_200_tickets_are_held_out():
    learn, held_out = qlora.split_tickets()
    assert len(held_out) >= 200
    assert not {ticket["family"] for ticket in learn} & {ticket["family"] for ticket in held_out}


def test_the_answer_names_product_and_order_or_none():
    label = {"product": "Kite", "order_number": None}
    assert qlora.chat({"text": "…", "label": label})[-1]["content"] == "Kite, none"


def test_only_the_answer_is_trained(tokenizer):
    ticket = {"text": "Where is VE-48213?", "label": {"product": None, "order_number": "VE-48213"}}
    (example,) = qlora.encode(tokenizer, [ticket])
    said = tokenizer.decode([i for i, trained in zip(example.ids, example.trained, strict=True) if trained])
    assert said.startswith("none, VE-48213<|im_end|>")


def test_an_answer_is_right_if_every_token_is_the_most_likely_one(tokenizer):
    """A model that knows the first example by heart, and nothing of the second."""
    _, held_out = qlora.split_tickets()
    examples = qlora.encode(tokenizer, held_out[:2])

    class ByHeart(qlora.Llama):
        def __init__(self) -> None:
            nn.Module.__init__(self)

        def forward(self, ids, mask=None, at=None):
            logits = torch.zeros(*ids.shape, 49_152)
            known = torch.tensor(examples[0].ids)
            for row in range(len(ids)):
                if torch.equal(ids[row, : len(known)], known):
                    logits[row, torch.arange(len(known) - 1), known[1:]] = 9
            return logits[at]

    right, surprise = qlora.judge(ByHeart(), examples)
    assert right == [True, False]
    assert surprise > 1
    assert collate(examples).n_labels > 0


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="full, lora, qlora, library"):
        qlora.build("dora")


def test_bytes_of_parts_count_a_tied_matrix_once():
    model = nn.ModuleDict({"embedding": nn.Embedding(10, 4), "head": nn.Linear(4, 10, bias=False)})
    model["head"].weight = model["embedding"].weight
    assert qlora.part_bytes(model) == {"base": 0, "trained": 160, "gradients": 160, "optimizer": 320}
    model.requires_grad_(False)
    assert qlora.part_bytes(model) == {"base": 160, "trained": 0, "gradients": 0, "optimizer": 0}
