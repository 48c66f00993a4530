"""The first step by hand, by transformers.Trainer and by TRL: the same loss, and another one for another mask."""

from __future__ import annotations

import gc

import pytest
import torch

from helpers.models import chat_model, fetch
from helpers.training import (
    MARKED_TEMPLATE,
    Example,
    collate,
    encode_chat,
    first_loss_by_trainer,
    first_loss_by_trl,
    loss_at_labels,
    training_step,
)
from helpers.transformer import Llama
from tests.tiny_models import randomized
from tests.training.test_chats import ONE_TURN, TURNS, tokenizer  # noqa: F401

LONG = [
    {"role": "user", "content": "List every city that the Kite has been to, please, and be quick about it."},
    {"role": "assistant", "content": "Ghent, Lund, Graz, Cork, Basel, Porto, Turin, Kiel, Split, Tartu, Vaasa, Ulm."},
]
SHORT = [{"role": "user", "content": "Was it worth it?"}, {"role": "assistant", "content": "No"}]
CHATS = [ONE_TURN, TURNS, LONG, SHORT]  # 5, 12, 40 and 2 labels or so: means of means would be seen


def by_hand(model: Llama, examples: list[Example], micro_batch: int) -> float:
    batches = [collate(examples[i : i + micro_batch]) for i in range(0, len(examples), micro_batch)]
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.0)
    return training_step(model, batches, optimizer, clip=1.0, loss=loss_at_labels)[0]


@pytest.fixture
def tiny(tmp_path):
    """A random Llama of the library with the chat model's vocabulary, and ours with the same weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = randomized(LlamaForCausalLM(LlamaConfig(vocab_size=49_152, **sizes)))
    model.save_pretrained(tmp_path)
    return model, Llama.from_pretrained(tmp_path)


@pytest.mark.parametrize("micro_batch", [4, 2, 1])
def test_by_hand_trainer_and_trl_begin_with_the_same_loss(tiny, tokenizer, micro_batch):  # noqa: F811
    theirs, ours = tiny
    examples = [encode_chat(tokenizer, chat, 200) for chat in CHATS]
    expected = by_hand(ours, examples, micro_batch)
    assert first_loss_by_trainer(theirs, tokenizer, examples, micro_batch) == pytest.approx(expected, abs=1e-4)
    tokenizer.chat_template = MARKED_TEMPLATE
    assert first_loss_by_trl(theirs, tokenizer, CHATS, micro_batch) == pytest.approx(expected, abs=1e-4)
    everything = [Example(example.ids, list(example.ids)) for example in examples]
    assert abs(by_hand(ours, everything, micro_batch) - expected) > 0.01


def test_the_marked_template_writes_what_the_chat_models_own_does(tokenizer):  # noqa: F811
    for chat in CHATS:
        for prompt in (False, True):
            texts = [
                tokenizer.apply_chat_template(
                    chat, tokenize=False, add_generation_prompt=prompt, chat_template=template
                )
                for template in (None, MARKED_TEMPLATE)
            ]
            assert texts[0] == texts[1]


def test_a_template_without_marker_and_a_batch_that_does_not_divide_are_refused(tiny, tokenizer):  # noqa: F811
    with pytest.raises(ValueError, match="set it to MARKED_TEMPLATE first"):
        first_loss_by_trl(tiny[0], tokenizer, CHATS, 2)
    with pytest.raises(ValueError, match="micro_batch=3 does not divide the 4"):
        first_loss_by_trainer(tiny[0], tokenizer, [encode_chat(tokenizer, chat, 200) for chat in CHATS], 3)


@pytest.mark.slow
def test_the_real_chat_model_begins_with_the_same_loss_by_all_three():
    """Float32; accumulated over two micro-batches, with labels on the assistant's answers alone."""
    theirs, tokenizer = chat_model(torch.float32)  # noqa: F811
    theirs.requires_grad_(False)
    theirs.model.norm.weight.requires_grad_(True)  # the loss is the same, and nothing has to be kept for the rest
    examples = [encode_chat(tokenizer, chat, 200) for chat in CHATS]
    trainer = first_loss_by_trainer(theirs, tokenizer, examples, 2)
    tokenizer.chat_template = MARKED_TEMPLATE
    trl = first_loss_by_trl(theirs, tokenizer, CHATS, 2)
    del theirs
    gc.collect()
    ours = Llama.from_pretrained(fetch("chat")).requires_grad_(False)
    ours.norm.weight.requires_grad_(True)
    expected = by_hand(ours, examples, 2)
    assert trainer == pytest.approx(expected, abs=1e-4)
    assert trl == pytest.approx(expected, abs=1e-4)
