"""Replies within a form: the right tokens, nothing else, in any batch, by the course's models and the library's."""

from __future__ import annotations

import json

import pytest
import torch

from helpers.generation import greedy
from helpers.old.assistants.tickets import allowed_values, answer_text, predict_labels, read_answer, score_fields
from helpers.old.generation import AnswerForm, greedy_within
from helpers.old.velunda import FIELDS, load_tickets
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401

VALUES = {"intent": ["return", "repair"], "product": ["Kite", "Kettle", None]}


def ids_of(tokenizer, text):  # noqa: F811
    return tokenizer(text)["input_ids"]


def test_every_labeled_answer_is_allowed_token_by_token_as_it_was_trained(tokenizer):  # noqa: F811
    for ticket in load_tickets("dev") + load_tickets("train")[::9]:
        form = AnswerForm(tokenizer, allowed_values(ticket["text"]))
        said = [*ids_of(tokenizer, answer_text(ticket["label"])), tokenizer.eos_token_id]
        for n, token in enumerate(said):
            assert token in form.allowed(said[:n]), (ticket, n)
        assert form.allowed(said) == form.allowed([*said, tokenizer.eos_token_id]) == [tokenizer.eos_token_id]


def test_all_that_a_form_allows_are_the_products_of_its_values(tokenizer):  # noqa: F811
    form = AnswerForm(tokenizer, VALUES)

    def all_from(said: list[int]) -> list[str]:
        if said[-1:] == [tokenizer.eos_token_id]:
            return [tokenizer.decode(said[:-1])]
        return [text for token in form.allowed(said) for text in all_from([*said, token])]

    wanted = [{"intent": i, "product": p} for i in VALUES["intent"] for p in VALUES["product"]]
    assert sorted(all_from([])) == sorted(json.dumps(one, separators=(",", ":")) for one in wanted)


def test_a_reply_that_has_left_the_form_is_refused(tokenizer):  # noqa: F811
    with pytest.raises(ValueError, match="does not fit the form"):
        AnswerForm(tokenizer, VALUES).allowed(ids_of(tokenizer, '{"intent":"advice"'))


@pytest.mark.parametrize(
    ("values", "message"),
    [({}, "at least one value"), ({"intent": []}, "at least one value"), ({"intent": ["a", "a"]}, "twice")],
)
def test_a_form_without_choices_is_refused(tokenizer, values, message):  # noqa: F811
    with pytest.raises(ValueError, match=message):
        AnswerForm(tokenizer, values)


def test_each_row_takes_the_likeliest_token_of_its_own_form_however_likely_others_are(tokenizer):  # noqa: F811
    forms = [AnswerForm(tokenizer, VALUES), AnswerForm(tokenizer, {"intent": ["advice", "return"]})]
    prompt = [7, 7]
    said = ids_of(tokenizer, '{"intent":"')
    ids = torch.tensor([prompt + said, prompt + said])
    allowed = [set(form.allowed(said)) for form in forms]
    for seed in range(20):
        logits = torch.randn(2, len(tokenizer), generator=torch.Generator().manual_seed(seed))
        found = greedy_within(forms, start=len(prompt))(logits, ids).tolist()
        for row, token in enumerate(found):
            assert token in allowed[row] and all(logits[row, token] >= logits[row, other] for other in allowed[row])
        for row in range(2):  # where the likeliest of all is allowed, it is taken
            logits[row, min(allowed[row])] = 99.0
        assert torch.equal(greedy_within(forms, len(prompt))(logits, ids), greedy(logits))


def test_what_may_be_chosen_stands_in_the_text_and_null_always_may():
    found = allowed_values("My brother's Otter is fine; my Kyte from ve 48213 is not. Before: order 10542.")
    assert tuple(found) == FIELDS and len(found["intent"]) == 9
    assert found["product"] == ["Otter", "Kite", None]
    assert found["order_number"] == ["VE-48213", "VE-10542", None]
    assert allowed_values("Hello")["product"] == allowed_values("Hello")["order_number"] == [None]


def test_an_untrained_model_within_the_form_answers_in_it_alike_in_any_batch_and_by_the_library(
    tiny,  # noqa: F811
    tokenizer,  # noqa: F811
):
    theirs, ours = tiny
    tickets = load_tickets("dev")[:5]
    texts = [ticket["text"] for ticket in tickets]
    found = [
        predict_labels(model, tokenizer, texts, batch=batch, share_prefix=share, within=allowed_values)
        for model, batch, share in ((ours, 5, True), (ours, 2, False), (theirs, 5, True), (theirs, 1, False))
    ]
    assert all(one.replies == found[0].replies for one in found)
    assert found[0].unended == 0
    for reply, text in zip(found[0].replies, texts, strict=True):
        label = read_answer(reply)
        assert reply == answer_text(label)
        assert all(label[field] in values for field, values in allowed_values(text).items())
    assert score_fields(found[0].labels, tickets)["intent"].n == 5
    assert predict_labels(ours, tokenizer, texts, batch=5).labels != found[0].labels
