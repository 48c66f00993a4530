"""What the welcome notebook says in prose, held against the models, the calculator and the data."""

from __future__ import annotations

import json
import math
import re

import pytest
import torch
from helpers.memory import ARCHITECTURES, MACHINES, estimate, kv_cache_bytes, parameters_by_part
from helpers.trials.backwards import tiny_t5

from helpers.models import chat_model, embedder
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


def test_a_group_of_32_neighbors_holds_at_most_16_values_in_the_layers_and_more_in_the_embedding(chat):
    def most(weights) -> int:
        ordered = weights.detach().float().reshape(-1, 32).sort(dim=1).values
        return 1 + int((ordered[:, 1:] != ordered[:, :-1]).sum(dim=1).max())

    first, last = chat.model.layers[0], chat.model.layers[29]
    for layer in (first, last):
        for matrix in (layer.mlp.gate_proj, layer.mlp.up_proj, layer.self_attn.q_proj):
            assert most(matrix.weight) == 16
    embedding = chat.get_input_embeddings().weight[:1536]
    assert embedding.shape == first.mlp.up_proj.weight.shape and most(embedding) > 16


def test_the_model_is_sure_of_paris_less_of_the_wrong_istanbul_and_unsure_of_the_name_that_it_invents(chat):
    tokenizer = chat_model()[1]

    def best(country: str) -> tuple[str, float]:
        messages = [{"role": "user", "content": f"What is the capital of {country}?"}]
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        reply = tokenizer(f"The capital of {country} is", add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            scores = chat(torch.cat([prompt, reply], dim=1)).logits[0, -1]
        value, token = scores.float().softmax(-1).max(dim=-1)
        return tokenizer.decode(token), value.item()

    (paris, sure), (istanbul, wrong), (nova, unsure) = (best(country) for country in ("France", "Turkey", "Velunda"))
    assert (paris, istanbul, nova) == (" Paris", " Istanbul", " Nova")
    assert sure > 0.9 and wrong > 3 * unsure and wrong > 0.5 and unsure < 0.2


def test_a_sentence_becomes_384_numbers():
    assert embedder().encode("A sentence.").shape == (384,)


def test_scores_of_two_one_and_zero_become_67_24_and_9_percent():
    powers = [math.exp(score) for score in (2, 1, 0)]
    assert [round(100 * power / sum(powers)) for power in powers] == [67, 24, 9]


def test_the_memory_of_an_8b_model_is_as_the_text_says():
    shape = ARCHITECTURES["Qwen3-8B"]
    cache = kv_cache_bytes(shape.layers, shape.kv_heads, shape.head_dim, 1)
    assert round(cache / 1e3) == 147
    need = estimate(shape, "full", "bf16")
    assert round((need.weights + need.gradients + need.optimizer) / shape.n_parameters) == 16
    laptop, h100 = (next(m for m in MACHINES if m.name == name) for name in ("laptop, 16 GB", "H100, 80 GB"))
    assert estimate(shape, "inference", "int4").total < laptop.capacity and need.total > h100.capacity
    assert f"{shape.n_parameters / 1e9:.1f}" == "8.2"
    assert round(100 * shape.lora_parameters(16) / shape.n_parameters, 1) == 0.5


def test_what_two_machines_hold_is_as_the_text_says():
    laptop, card = (next(m for m in MACHINES if m.name == name) for name in ("laptop, 32 GB", "RTX 4090, 24 GB"))
    weights = estimate("Qwen3-32B", "inference", "int4").weights
    assert laptop.largest("inference", "int4").name == card.largest("inference", "int4").name == "Qwen3-32B"
    assert (round(laptop.bandwidth / weights), round(card.bandwidth / weights)) == (5, 52)
    assert laptop.largest("lora", "int4").name == "Qwen3-32B"
    assert card.largest("lora", "int4").name == "Qwen3-14B" and card.largest("full", "bf16").name == "Qwen3-0.6B"
    sizes = [shape.n_parameters for shape in ARCHITECTURES.values()]
    assert len(sizes) == 9 and round(min(sizes) / 1e6) == 135 and round(max(sizes) / 1e9) == 71


def test_the_toy_t5_has_a_fifth_of_a_million_parameters():
    assert round(tiny_t5().num_parameters() / 1e6, 1) == 0.2


def test_ten_other_starts_of_the_toy_t5_get_93_to_100_right():
    runs = json.loads((ROOT / "data/results/00_toy_t5.json").read_text(encoding="utf-8"))["runs"]
    counts = [run["right"] for run in runs]
    assert (len(counts), min(counts), max(counts)) == (10, 93, 100) and {run["of"] for run in runs} == {100}


def test_the_rules_are_fifty_sentences_and_the_words_of_the_answers_stand_in_them():
    canon = json.loads((ROOT / "data/velunda/canon.json").read_text(encoding="utf-8"))
    rules = [term["rule"] for term in canon["terms"]]
    assert len(rules) == 50
    unknown = "I do not know."
    space: dict = {"UNKNOWN": unknown}
    exec(next(cell.source for cell in course().page("00_welcome").code if cell.id == "questions"), space)
    for question, words in space["QUESTIONS"].items():
        assert words == unknown or any(words.split(" or ")[0] in rule for rule in rules), question
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


def trial() -> dict[str, dict[str, tuple[bool, str]]]:
    """What the stored output of the cell `trial` shows: for every question each way's mark and reply."""
    cell = next(cell for cell in course().page("00_welcome").code if cell.id == "trial")
    shown: dict[str, dict[str, tuple[bool, str]]] = {}
    question = ""
    for line in "".join(output.text for output in cell.outputs).splitlines():
        if line.startswith("  "):
            name = line[4:22].strip()
            shown[question][name] = (line[2] == "✓", line[22:])
        elif line:
            question = line.partition(" (nearest rule: ")[0]
            shown[question] = {}
    return shown


def test_the_stored_trial_shows_what_text_and_readme_say_of_it():
    shown = trial()
    space: dict = {"UNKNOWN": "I do not know."}
    exec(next(cell.source for cell in course().page("00_welcome").code if cell.id == "questions"), space)
    answerable = [question for question, words in space["QUESTIONS"].items() if words != space["UNKNOWN"]]
    assert list(shown) == list(space["QUESTIONS"]) and len(answerable) == 8

    def right(name: str) -> tuple[int, int]:
        marks = {question: replies[name][0] for question, replies in shown.items()}
        answers = sum(marks[question] for question in answerable)
        return answers, sum(marks.values()) - answers

    assert (right("your search"), right("counting words")) == ((7, 3), (2, 4))
    assert right("model alone") == (1, 0) and shown["How long is the guarantee on the battery?"]["model alone"][0]
    answers, refusals = right("search + decoder")
    assert answers + refusals == 9
    alone = [replies["model alone"][1] for replies in shown.values()]
    assert sum("not sure" in reply or "not know" in reply for reply in alone) == 1 and len(alone) == 12
    ride = shown["How much charge is enough for my daily ride?"]
    assert "80%" in ride["your search"][1] and "80%" not in ride["search + decoder"][1]
    assert "100%" in ride["search + decoder"][1]
    battery = shown["How long is the guarantee on the battery?"]["search + decoder"]
    assert battery[0] and "replaced every 24 months" in battery[1]
    copied = [
        replies["search + decoder"][1].removeprefix("Rule: ") == replies["your search"][1]
        for question, replies in shown.items()
        if question in answerable
    ]
    assert sum(copied) == 2
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "is right on 10 of 12 questions (7 answers, 3 refusals), counting shared words on 6" in readme


def stored_lines(cell_id: str) -> list[str]:
    cell = next(cell for cell in course().page("00_welcome").code if cell.id == cell_id)
    return "".join(output.text for output in cell.outputs if "text" in output).splitlines()


def test_told_that_it_may_the_decoder_declines_everything_and_nearly_as_much_with_the_right_rule():
    alone, with_rule = (list(map(int, re.findall(r"\d+", line))) for line in stored_lines("permission"))
    assert alone[1] == with_rule[1] == 7 and alone[0] <= 1 and with_rule[0] == 0
    assert alone[2] == 7 and with_rule[2] == 6


def test_right_rules_lie_above_the_minimum_and_declined_questions_far_below():
    shown = trial()
    lines = [line for line in stored_lines("trial") if "(nearest rule: " in line]
    nearest = {line.partition(" (")[0]: float(line.split()[-1].rstrip(")")) for line in lines}
    search = {question: replies["your search"] for question, replies in shown.items()}
    right = [nearest[q] for q, (good, reply) in search.items() if good and reply != "I do not know."]
    declined = [nearest[q] for q, (_, reply) in search.items() if reply == "I do not know."]
    assert (len(right), len(declined)) == (7, 3)
    assert f"{min(right):.2f}" == "0.53" and max(declined) < 0.35
    assert min(right) < nearest["Which city is the capital of Velunda?"] == 0.63
