"""The trainings that 08b compares: the task, what counts as right, what is counted of memory."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from helpers.models import fetch
from helpers.old.training import Example, collate
from helpers.old.trials import qlora
from helpers.transformer import LlamaConfig


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"))


def test_no_domain_is_both_learned_and_judged_and_at_least_200_questions_are_judged():
    learn, judged = qlora.answerable("train"), qlora.judged()
    assert len(judged) >= 200
    assert not {reading.passage.domain for reading in learn} & {reading.passage.domain for reading in judged}
    assert not {reading.passage.id for reading in qlora.solved_examples()} & {r.passage.id for r in judged}


def test_a_question_comes_with_the_sentence_that_holds_its_answer_and_not_with_its_page():
    for reading in qlora.judged()[:20]:
        given = qlora.chat(reading)[1]["content"]
        assert given.endswith(f"Question: {reading.question}")
        assert len(given) < len(reading.passage.text)


def test_solved_examples_stand_before_the_question():
    turns = qlora.chat(qlora.judged()[0], qlora.solved_examples())
    assert [turn["role"] for turn in turns] == ["system", *["user", "assistant"] * 3]
    assert turns[2]["content"] == qlora.solved_examples()[0].answer


def test_only_the_answer_is_trained_and_long_rows_are_left_out(tokenizer):
    readings = qlora.answerable("train")[:40]
    for example, reading in zip(qlora.encode(tokenizer, readings), readings, strict=True):
        said = tokenizer.decode([i for i, trained in zip(example.ids, example.trained, strict=True) if trained])
        assert said.startswith(f"{reading.answer}<|im_end|>")
    short = qlora.encode(tokenizer, readings, 70)
    assert 0 < len(short) < len(readings) and max(map(len, short)) <= 70


def reading_with(answer: str):
    return replace(qlora.judged()[0], answer=answer)


@pytest.mark.parametrize(
    ("said", "answer", "right"),
    [
        ("It costs 14 euros a month.", "14 euros a month.", True),
        ("14.", "14 euros a month.", False),  # less than half of the words
        ("40 euros a month.", "14 euros a month.", False),
        ("Violins and clarinets cost 9 euros a month, cellos and accordions 14.", "14 euros a month.", False),  # copied
        ("Yes, it is.", "Yes, the loan itself is free.", True),
        ("It is free.", "Yes, the loan itself is free.", False),
        ("In the Finnish cabin only.", "In the Finnish cabin.", True),
        ("In the cabin.", "In the Finnish cabin.", False),
    ],
)
def test_a_right_answer_says_what_the_reference_says_and_is_not_much_longer(said, answer, right):
    assert qlora.is_right(said, reading_with(answer)) is right


def test_whoever_repeats_the_text_is_seldom_right():
    told = [qlora.short_text(reading) for reading in qlora.judged()]
    assert sum(qlora.marks(told)) < 0.1 * len(told)


def test_the_rule_says_yes_to_a_verb_and_else_the_last_words_that_were_not_asked():
    reading = qlora.judged()[0]
    assert qlora.rule_answer(replace(reading, question="I have a cat. Is it free?")) == "Yes."
    words = qlora.rule_answer(replace(reading, question="What?"), 3).split()
    assert words == qlora.answer_words(qlora.short_text(reading))[-3:]


def test_replies_come_in_the_order_of_the_questions_and_end_where_the_model_ends(tokenizer, monkeypatch):
    """A model that says how long its prompt was, ends, and goes on."""

    def tells_length(model, rows, room, *, eos_ids, pad_id):
        said = [tokenizer(str(len(row)))["input_ids"][:room] for row in rows]
        width = max(map(len, rows))
        padded = [[0] * (width - len(row)) + row for row in rows]
        return torch.tensor([row + [*words, eos_ids, 5, 5, 5][:4] for row, words in zip(padded, said, strict=True)])

    monkeypatch.setattr(qlora, "generate", tells_length)
    readings, template = qlora.judged()[:9], tokenizer.apply_chat_template
    lengths = [len(template(qlora.chat(r)[:-1], add_generation_prompt=True, return_dict=False)) for r in readings]
    assert len(set(lengths)) > 3
    told = qlora.replies(qlora.Llama.__new__(qlora.Llama), tokenizer, readings, batch=4)
    assert told == [str(n) for n in lengths]


def test_rows_are_filled_up_behind_their_end_and_trained_on_the_same_labels(tokenizer):
    examples = qlora.encode(tokenizer, qlora.answerable("train")[:3])
    whole, plain = qlora.whole_rows(examples, 200), collate(examples)
    assert whole.ids.shape == (3, 200) and whole.mask is None
    assert whole.n_labels == plain.n_labels
    assert torch.equal(whole.ids[:, : plain.ids.shape[1]], plain.ids)


def test_the_loss_of_all_logits_is_the_loss_at_the_answers():
    """Behind the end stands what is not trained, and a decoder does not look there."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=61, d_model=32, n_layers=2, n_heads=4, d_ff=48)
    model = qlora.Llama(config).eval()
    rows = [Example(list(range(3, 3 + n)), [-100] * (n - 2) + [n, n + 1]) for n in (7, 11)]
    expected = qlora.loss_at_answers(model, collate(rows))
    assert torch.allclose(qlora.loss_of_all_logits(model, qlora.whole_rows(rows, 16)), expected, atol=1e-4)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_unpacked_layer_of_the_library_computes_what_it_computes_in_training(compressed):
    from bitsandbytes.nn import Linear4bit

    torch.manual_seed(0)
    options = {"quant_type": "nf4", "compress_statistics": compressed, "compute_dtype": torch.bfloat16}
    layer = Linear4bit(576, 64, bias=False, **options)
    layer.load_state_dict({"weight": torch.randn(64, 576, dtype=torch.bfloat16)})
    model = nn.ModuleDict({"layer": layer.to("cpu").train()})
    x = torch.randn(5, 576, requires_grad=True)
    expected = layer(x)
    found = qlora.unpack_(model)["layer"]
    assert isinstance(found, qlora.Unpacked)
    assert torch.allclose(found(x), expected, rtol=0, atol=1e-6)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="full, lora, qlora, library"):
        qlora.build("dora")


def test_bytes_of_parts_count_a_tied_matrix_once():
    model = nn.ModuleDict({"embedding": nn.Embedding(10, 4), "head": nn.Linear(4, 10, bias=False)})
    model["head"].weight = model["embedding"].weight
    assert qlora.part_bytes(model) == {"base": 0, "trained": 160, "gradients": 160, "optimizer": 320}
    model.requires_grad_(False)
    assert qlora.part_bytes(model) == {"base": 160, "trained": 0, "gradients": 0, "optimizer": 0}
