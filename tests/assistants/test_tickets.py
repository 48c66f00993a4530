"""Tickets as chats, replies read and counted, and predictions that do not depend on batches."""

from __future__ import annotations

import random

import pytest
import torch

from helpers.old.assistants.tickets import (
    INSTRUCTION,
    ROOM,
    TicketReader,
    allowed_values,
    answer_text,
    exact_match,
    predict_labels,
    read_answer,
    score_fields,
    ticket_chat,
)
from helpers.old.generation import AnswerForm
from helpers.old.training import encode_chat
from helpers.old.velunda import FIELDS, load_tickets
from helpers.stats import wilson
from helpers.velunda import canon
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401

RIGHT = {"intent": "return", "product": "Kite", "order_number": None, "urgency": "low", "sentiment": "neutral"}


def ticket(family: str, **changes) -> dict:
    return {"text": f"About {family}.", "label": RIGHT | changes, "family": family}


def test_the_instruction_names_every_field_and_every_value_and_is_short(tokenizer):  # noqa: F811
    world = canon()
    values = [intent["name"] for intent in world["intents"]] + [product["name"] for product in world["products"]]
    for word in [*FIELDS, *values, *world["urgency"], *world["sentiment"], "null", "JSON"]:
        assert word in INSTRUCTION
    assert len(tokenizer(INSTRUCTION)["input_ids"]) <= 110


def test_a_chat_gives_shots_as_solved_turns_and_ends_where_the_model_speaks():
    tickets = load_tickets("train")[:3]
    assert [m["role"] for m in ticket_chat(tickets[0])] == ["system", "user", "assistant"]
    chat = ticket_chat({"text": "Hello"}, answer=False, shots=tickets[1:])
    assert [m["role"] for m in chat] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert read_answer(chat[2]["content"]) == tickets[1]["label"]
    assert chat[-1]["content"] == "Hello"


def test_what_is_trained_is_the_answer_and_its_end_for_every_ticket_and_leaves_room(tokenizer):  # noqa: F811
    for one in load_tickets("train") + load_tickets("dev"):
        example = encode_chat(tokenizer, ticket_chat(one), max_length=512)
        said = [i for i, is_trained in zip(example.ids, example.trained, strict=True) if is_trained]
        assert tokenizer.decode(said) == answer_text(one["label"]) + tokenizer.eos_token
        assert len(said) < ROOM - 20


def test_an_answer_reads_back_whatever_the_order_and_what_stands_around_it():
    assert list(read_answer(answer_text(RIGHT))) == list(FIELDS)
    shuffled = dict(random.Random(3).sample(list(RIGHT.items()), 5))
    assert list(shuffled) != list(FIELDS)
    reply = f'Sure {{here}} it is:\n```json\n{answer_text(RIGHT)[:-1]},"color":[1]}}```\n{{"intent": "repair"}}'
    assert read_answer(reply) == RIGHT
    assert exact_match(shuffled, RIGHT)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "intent: return",
        '["return"]',
        '{"intent":"return","product":"Ki',
        '{"intent":"return","product":["Kite"]}',
        '{"intent":"return","order_number":48213}',
        '{"intent":{"name":"return"}}',
        '{"urgency":NaN}',
        '{"urgency":true}',
        '{"a":' * 10_000,
    ],
)
def test_what_is_no_object_of_texts_and_nulls_is_no_answer(reply):
    assert read_answer(reply) is None


def test_an_exact_match_needs_every_field_and_a_missing_one_is_not_null():
    assert exact_match(RIGHT, RIGHT) and not exact_match(None, RIGHT)
    for field in FIELDS:
        assert not exact_match(RIGHT | {field: "else"}, RIGHT)
        assert not exact_match({f: v for f, v in RIGHT.items() if f != field}, RIGHT)
    assert not exact_match({**RIGHT, "order_number": "null"}, RIGHT)


def test_scores_count_fields_and_families():
    tickets = [ticket("a"), ticket("a", intent="repair"), ticket("b"), ticket("c", product=None)]
    scores = score_fields([RIGHT, RIGHT, None, {"intent": "return"}], tickets)
    assert {field: score.right for field, score in scores.items()} == {
        "intent": 2, "product": 2, "order_number": 2, "urgency": 2, "sentiment": 2, "exact": 1,
    }  # fmt: skip
    assert scores["intent"].families == {(1, 2): 1, (0, 1): 1, (1, 1): 1}
    assert scores["product"].families == {(2, 2): 1, (0, 1): 2}
    assert all(score.n == 4 for score in scores.values())
    assert scores["exact"].share == 0.25 and scores["exact"].wilson == wilson(1, 4)
    with pytest.raises(ValueError, match="3 for 4"):
        score_fields([RIGHT] * 3, tickets)
    with pytest.raises(ValueError, match="0 for 0"):
        score_fields([], [])


class Scripted(torch.nn.Module):
    """Says to each prompt what `replies` has for the text in it; without an end where the reply is None."""

    def __init__(self, tokenizer, replies: dict[str, str | None]):  # noqa: F811
        super().__init__()
        self.tokenizer, self.replies = tokenizer, replies

    def new_cache(self, batch, max_len):
        return None

    def forward(self, ids, cache=None, mask=None):
        logits = torch.zeros(*ids.shape, len(self.tokenizer))
        for row, text_ids in zip(logits, ids.tolist(), strict=True):
            before, _, said = self.tokenizer.decode(text_ids).rpartition("assistant\n")
            reply = next(r for text, r in self.replies.items() if f"user\n{text}<" in before)
            said_ids = self.tokenizer(said.removesuffix("<|im_end|>"))["input_ids"] if said else []
            wanted = self.tokenizer("words " * 80 if reply is None else reply)["input_ids"]
            row[-1, wanted[len(said_ids)] if len(said_ids) < len(wanted) else self.tokenizer.eos_token_id] = 9.0
        return logits


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_replies_come_in_the_order_of_the_texts_and_endless_ones_are_counted(tokenizer, batch):  # noqa: F811
    replies = {"short": answer_text(RIGHT), "a much longer text than that": "No.", "endless, sadly": None}
    found = predict_labels(Scripted(tokenizer, replies), tokenizer, list(replies), batch=batch, share_prefix=False)
    assert found.replies[:2] == [answer_text(RIGHT), "No."] and found.replies[2].startswith("words words")
    assert found.labels == [RIGHT, None, None]
    assert found.unended == 1
    wanted = [len(tokenizer(reply)["input_ids"]) + 1 for reply in (answer_text(RIGHT), "No.")]
    assert found.new_tokens == sum(wanted) + ROOM
    prompts = [
        tokenizer.apply_chat_template(ticket_chat({"text": text}, answer=False), add_generation_prompt=True)
        for text in replies
    ]
    assert found.prompt_tokens == sum(len(prompt["input_ids"]) for prompt in prompts)


def test_the_course_and_the_library_say_the_same_in_any_batch_with_and_without_shots(tiny, tokenizer):  # noqa: F811
    theirs, ours = tiny
    texts = [one["text"] for one in load_tickets("dev")[:5]]
    for shots in ([], load_tickets("train")[:2]):
        found = [
            predict_labels(model, tokenizer, texts, shots=shots, max_new_tokens=6, batch=batch, share_prefix=share)
            for model, batch, share in ((ours, 5, True), (ours, 2, False), (theirs, 5, True), (theirs, 1, False))
        ]
        assert all(one.replies == found[0].replies for one in found)
        assert len({(one.prompt_tokens, one.new_tokens, one.unended) for one in found}) == 1
        assert len(set(found[0].replies)) > 1


def test_the_same_ticket_twice_leaves_something_to_read(tiny, tokenizer):  # noqa: F811
    found = predict_labels(tiny[1], tokenizer, ["Hello"] * 2, max_new_tokens=3)
    assert found.replies[0] == found.replies[1]
    assert predict_labels(tiny[1], tokenizer, [], max_new_tokens=3).replies == []


def test_how_sure_a_field_is_multiplies_its_tokens_among_the_allowed_ones(tiny, tokenizer):  # noqa: F811
    texts = ["Where is my Kite? Order 48213. I ordered it in May.", "The Heron squeaks."]
    found = predict_labels(tiny[1], tokenizer, texts, within=allowed_values)
    for reply, text, sure in zip(found.replies, texts, found.sure, strict=True):
        form = AnswerForm(tokenizer, allowed_values(text))
        prompt = tokenizer.apply_chat_template(
            ticket_chat({"text": text}, answer=False), add_generation_prompt=True, return_dict=False
        )
        said = tokenizer(reply, add_special_tokens=False)["input_ids"]
        logits = tiny[1](torch.tensor([[*prompt, *said]]))[0, len(prompt) - 1 :]
        expected = dict.fromkeys(FIELDS, 1.0)
        for i, token in enumerate(said):
            allowed = form.allowed(said[:i])
            if field := form.field_at(said[:i]):
                expected[field] *= logits[i, allowed].softmax(-1)[allowed.index(token)].item()
        assert sure == pytest.approx(expected, rel=1e-3) and sure["intent"] < 0.9
    assert predict_labels(tiny[1], tokenizer, texts[:1], max_new_tokens=2).sure == [{}]


def test_the_reader_gives_five_fields_and_how_sure_it_is_of_each(tiny, tokenizer):  # noqa: F811
    read = TicketReader(tiny[1], tokenizer)
    label = read("The Heron squeaks.")
    assert list(label) == [*FIELDS, "confidence"] and list(label["confidence"]) == list(FIELDS)
    assert label["product"] in ("Heron", None) and label["confidence"]["order_number"] == 1.0
    with pytest.raises(ValueError, match="Ticket 1 is empty"):
        read.many(["Hello", " "])
