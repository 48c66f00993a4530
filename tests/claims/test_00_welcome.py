"""What the welcome notebook says in prose, held against the models, the calculator and the data."""

from __future__ import annotations

import json
import math

import pytest

from helpers.memory import ARCHITECTURES, MACHINES, estimate, kv_cache_bytes, parameters_by_part
from helpers.models import chat_model, embedder
from helpers.trials.backwards import tiny_t5
from tests.tools.notebook import ROOT, course


@pytest.fixture(scope="module")
def chat():
    return chat_model()[0]


def test_the_chat_model_has_thirty_layers_rows_of_576_numbers_and_two_bytes_per_weight(chat):
    assert chat.config.num_hidden_layers == 30
    assert chat.get_input_embeddings().weight.shape == (49_152, 576)
    assert {weight.element_size() for weight in chat.parameters()} == {2}
    assert f"{chat.num_parameters() / 1e6:.1f}" == "134.5"


def test_feed_forward_holds_more_than_half_and_embedding_and_attention_a_fifth_each(chat):
    parts = parameters_by_part(chat)
    share = {name: count / sum(parts.values()) for name, count in parts.items()}
    assert share["feed-forward"] > 0.5 and share["norms"] < 0.001
    assert 0.18 < share["embedding"] < 0.22 and 0.18 < share["attention"] < 0.22


def test_the_embedding_is_stored_once_for_reading_and_scoring(chat):
    assert chat.get_input_embeddings().weight.data_ptr() == chat.get_output_embeddings().weight.data_ptr()


def test_a_group_of_32_neighbors_holds_at_most_16_values_in_every_feed_forward_matrix(chat):
    for layer in (chat.model.layers[0], chat.model.layers[29]):
        for matrix in (layer.mlp.gate_proj.weight, layer.mlp.up_proj.weight):
            assert max(len(group.unique()) for group in matrix.reshape(-1, 32)[::50]) == 16


def test_a_sentence_becomes_384_numbers():
    assert embedder().encode("A sentence.").shape == (384,)


def test_scores_of_two_one_and_zero_become_67_24_and_9_percent():
    powers = [math.exp(score) for score in (2, 1, 0)]
    assert [round(100 * power / sum(powers)) for power in powers] == [67, 24, 9]


def test_the_memory_of_an_8b_model_is_as_the_text_says():
    shape = ARCHITECTURES["Llama-3.1-8B"]
    cache = [kv_cache_bytes(shape.layers, shape.kv_heads, shape.head_dim, tokens) for tokens in (1, 2048)]
    assert (round(cache[0] / 1e3), round(cache[1] / 1e9, 2)) == (131, 0.27)
    need = estimate(shape, "full", "bf16")
    assert round((need.weights + need.gradients + need.optimizer) / 1e9) == 128
    assert round(100 * shape.lora_parameters(16) / shape.n_parameters, 1) == 0.5


def test_what_two_machines_hold_is_as_the_text_says():
    laptop, card = (next(m for m in MACHINES if m.name == name) for name in ("laptop, 32 GB", "RTX 4090, 24 GB"))
    weights = estimate("CodeLlama-34B", "inference", "int4").weights
    assert laptop.largest("inference", "int4").name == card.largest("inference", "int4").name == "CodeLlama-34B"
    assert (round(laptop.bandwidth / weights), round(card.bandwidth / weights)) == (5, 55)
    assert card.largest("lora", "int4").name == "CodeLlama-34B" and card.largest("full", "bf16").name == "Llama-3.2-1B"


def test_the_toy_t5_has_a_fifth_of_a_million_parameters():
    assert round(tiny_t5().num_parameters() / 1e6, 1) == 0.2


def test_the_rules_are_fifty_sentences_and_the_words_of_the_answers_stand_in_them():
    canon = json.loads((ROOT / "data/velunda/canon.json").read_text(encoding="utf-8"))
    rules = [term["rule"] for term in canon["terms"]]
    assert len(rules) == 50
    unknown = "I do not know."
    space: dict = {"UNKNOWN": unknown}
    exec(next(cell.source for cell in course().page("00_welcome").code if cell.id == "questions"), space)
    for question, words in space["QUESTIONS"].items():
        assert words == unknown or any(words in rule for rule in rules), question
    assert sum(words == unknown for words in space["QUESTIONS"].values()) == 4
    assert len(space["QUESTIONS"]) == 12


def test_the_search_errs_where_the_text_says_so():
    canon = json.loads((ROOT / "data/velunda/canon.json").read_text(encoding="utf-8"))
    rules, model = [term["rule"] for term in canon["terms"]], embedder()
    questions = [
        "How much is one hour of repair?",
        "Which city is the capital of Velunda?",
        "How soon must I report a stolen bike?",
    ]
    scores = model.similarity(model.encode(questions), model.encode(rules))
    found = [rules[int(row.argmax())] for row in scores]
    assert found[0].startswith("A repair takes 5 business days") and found[1].startswith("Velunda delivers to")
    assert f"{scores[1].max():.2f}" == "0.63" and found[2].startswith("A theft") and scores[2].max() < scores[1].max()
