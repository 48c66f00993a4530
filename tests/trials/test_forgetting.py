"""What is asked, when a reply counts, and that a broken model is seen to be worse."""

from __future__ import annotations

import pytest
import torch

from helpers.models import fetch
from helpers.old.corpora import language_reference
from helpers.old.generation import perplexity
from helpers.old.trials.forgetting import QUESTIONS, Ability, answers, general_ability, is_right
from helpers.transformer import Llama
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401

GOLD = (
    "Paris",
    "the Earth",
    "seven",
    "Cold.",
    "It is the Pacific",
    "a cat",
    "H2O",
    "Shakespeare",
    "2 + 3 = 5",
    "the Sun",
)


def test_a_right_reply_counts_and_labels_or_a_part_of_a_word_do_not():
    said = Ability(1.0, list(GOLD))
    assert said.right == said.of == len(QUESTIONS) == 10
    for reply in (
        "",
        '{"intent":"advice","product":null,"order_number":"VE-57572"}',
        "parisian earthen scold catch 15 sunny",
    ):
        assert Ability(1.0, [reply] * 10).right == 0
    assert is_right("PARIS!", "paris") and not is_right("Comparison", "paris")


def test_no_question_gives_its_answer_away():
    for question, gold in QUESTIONS:
        assert not is_right(question, gold)
    assert len({question for question, _ in QUESTIONS}) == 10


def test_perplexity_is_that_of_the_beginning_of_general_text(tiny, tokenizer):  # noqa: F811
    _, model = tiny
    found = general_ability(model, tokenizer, 600)
    ids = tokenizer(language_reference().head(20_000))["input_ids"][:600]
    assert found.perplexity == pytest.approx(perplexity(model, ids, context=512), rel=1e-6)
    assert found.right == 0 and len(found.replies) == 10  # random weights
    with pytest.raises(ValueError, match="at least 2"):
        general_ability(model, tokenizer, 1)


def test_a_reply_ends_with_the_turn_or_with_the_room(tiny, tokenizer):  # noqa: F811
    _, model = tiny
    [reply] = answers(model, tokenizer, ["Hello"], room=5)
    assert len(tokenizer(reply)["input_ids"]) <= 8


def test_the_chat_model_knows_most_of_the_answers_and_noise_in_its_weights_makes_it_worse(tokenizer):  # noqa: F811
    model = Llama.from_pretrained(fetch("chat"), torch.bfloat16)
    before = general_ability(model, tokenizer, 256)
    assert before.right >= 7
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for block in model.blocks:
            weight = block.feed_forward.down_proj.weight
            weight.add_(0.5 * weight.float().std() * torch.randn(weight.shape, generator=generator).to(weight.dtype))
    after = general_ability(model, tokenizer, 256)
    assert after.perplexity > 1.2 * before.perplexity and after.right < before.right
