"""The template with marks writes what the chat model's own does; and a tiny model of the library beside ours."""

from __future__ import annotations

import pytest
import torch

from helpers.old.training import MARKED_TEMPLATE
from helpers.transformer import Llama
from tests.tiny_models import randomized
from tests.training.test_chats import ONE_TURN, TURNS, tokenizer  # noqa: F401

LONG = [
    {"role": "user", "content": "List every city that the Kite has been to, please, and be quick about it."},
    {"role": "assistant", "content": "Ghent, Lund, Graz, Cork, Basel, Porto, Turin, Kiel, Split, Tartu, Vaasa, Ulm."},
]
SHORT = [{"role": "user", "content": "Was it worth it?"}, {"role": "assistant", "content": "No"}]
CHATS = [ONE_TURN, TURNS, LONG, SHORT]


@pytest.fixture
def tiny(tmp_path):
    """A random Llama of the library with the chat model's vocabulary, and ours with the same weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = randomized(LlamaForCausalLM(LlamaConfig(vocab_size=49_152, **sizes)))
    model.save_pretrained(tmp_path)
    return model, Llama.from_pretrained(tmp_path)


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
