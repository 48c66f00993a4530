"""What the welcome notebook says in prose about the two models, held against the models."""

from __future__ import annotations

import pytest

from helpers.memory import parameters_by_part
from helpers.models import chat_model, embedder


@pytest.fixture(scope="module")
def chat():
    return chat_model()[0]


def test_the_chat_model_has_thirty_layers_and_two_bytes_a_weight(chat):
    assert chat.config.num_hidden_layers == 30
    assert {weight.element_size() for weight in chat.parameters()} == {2}


def test_feed_forward_holds_more_than_half_and_embedding_and_attention_a_fifth_each(chat):
    parts = parameters_by_part(chat)
    share = {name: count / sum(parts.values()) for name, count in parts.items()}
    assert share["feed-forward"] > 0.5 and share["norms"] < 0.001
    assert 0.18 < share["embedding"] < 0.22 and 0.18 < share["attention"] < 0.22


def test_the_embedding_is_stored_once_for_reading_and_scoring(chat):
    assert chat.get_input_embeddings().weight.data_ptr() == chat.get_output_embeddings().weight.data_ptr()


def test_a_sentence_becomes_384_numbers():
    assert embedder().encode("A sentence.").shape == (384,)
