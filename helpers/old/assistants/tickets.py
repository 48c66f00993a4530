"""A chat model reads support tickets: what it is told, what it should answer, and how many answers are right.

    read = ticket_reader()                                # the chat model with the adapter "tickets"
    read("Where is my Kite? Order 48213.")                # {"intent": "order_status", …, "confidence": {"intent": …}}
    ticket_chat(ticket)                                   # system, user, assistant: for
    helpers.old.training.encode_chat found = predict_labels(model, tokenizer, texts)       # greedy replies, in batches
    read_answer('Sure: {"intent": "return", …}')          # {"intent": "return", …}, None where there is no object
    predict_labels(…, within=allowed_values)              # replies that cannot leave the form (generation.constrained)
    scores = score_fields(found.labels, tickets)          # scores["exact"].right of .n, with two intervals

What a label means stands in data/velunda/tickets/GUIDE.md. What this does not do: answer the customer.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.generation.batching import as_batch
from helpers.generation.decoding import generate
from helpers.generation.sampling import greedy
from helpers.generation.streaming import reply_text
from helpers.old.assistants.taught import taught_model
from helpers.old.generation.constrained import AnswerForm, Values, greedy_within
from helpers.old.generation.prefix import BehindPrefix
from helpers.old.metrics.grouped import Score
from helpers.old.velunda.tickets import FIELDS
from helpers.velunda.tickets import INSTRUCTION, allowed_values, answer_text

ROOM = 64  # tokens for a reply; the longest right answer takes 38, its end included

Label = Mapping[str, str | None]


def ticket_chat(ticket: Mapping[str, Any], answer: bool = True, shots: Iterable[Mapping[str, Any]] = ()) -> list[dict]:
    """The conversation about one ticket: the instruction, solved examples if any, the text, and the answer.

    ticket and shots: objects with `text` and `label`; without `answer` the ticket needs no label, and the
    conversation ends where the model is to speak.
    """
    messages = [{"role": "system", "content": INSTRUCTION}]
    for shot in shots:
        messages += _turns(shot, answer=True)
    return messages + _turns(ticket, answer)


def _turns(ticket: Mapping[str, Any], answer: bool) -> list[dict]:
    turns = [{"role": "user", "content": ticket["text"]}]
    return turns + [{"role": "assistant", "content": answer_text(ticket["label"])}] if answer else turns


def read_answer(text: str) -> dict[str, str | None] | None:
    """The fields in the first whole JSON object of a reply, in the order of FIELDS, whatever stands around it.

    Fields that lack are left out, other keys passed over. None where there is no object, or where a field is neither
    a text nor null: nobody guesses what a list of products means.
    """
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            found, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        fields = {field: found[field] for field in FIELDS if field in found}
        return fields if all(isinstance(value, str | None) for value in fields.values()) else None
    return None


def exact_match(predicted: Label | None, label: Label) -> bool:
    """Are all five fields right, in whatever order they stand? A missing field is not null: it is wrong."""
    return all(field_right(predicted, label, field) for field in FIELDS)


def field_right(predicted: Label | None, label: Label, field: str) -> bool:
    """Is this one field there and right?"""
    return predicted is not None and field in predicted and predicted[field] == label[field]


def score_fields(predicted: Sequence[Label | None], tickets: Sequence[Mapping[str, Any]]) -> dict[str, Score]:
    """A score for each of FIELDS, and as "exact" one for all five at once.

    Raises ValueError where there are no tickets, or another number of predictions.
    """
    if not tickets or len(predicted) != len(tickets):
        raise ValueError(f"Give one prediction for each ticket, not {len(predicted)} for {len(tickets)}.")
    pairs = list(zip(predicted, tickets, strict=True))
    scores = {f: Score.of((t["family"], field_right(p, t["label"], f)) for p, t in pairs) for f in FIELDS}
    return scores | {"exact": Score.of((t["family"], exact_match(p, t["label"])) for p, t in pairs)}


@dataclass(frozen=True)
class Predictions:
    """What a model said to some tickets, in their order, and what it cost."""

    replies: list[str]
    unended: int  # replies that were cut off because no end came within the room
    prompt_tokens: int  # read, padding aside
    new_tokens: int  # written, up to each reply's end
    seconds: float
    sure: list[dict[str, float]]  # how probable each field's value was among those allowed; empty without a form

    @property
    def labels(self) -> list[dict[str, str | None] | None]:
        """What `read_answer` finds in each reply."""
        return [read_answer(reply) for reply in self.replies]


def predict_labels(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    shots: Sequence[Mapping[str, Any]] = (),
    max_new_tokens: int = ROOM,
    batch: int = 16,
    share_prefix: bool = True,
    within: Callable[[str], Values] | None = None,
) -> Predictions:
    """Greedy replies to tickets, `batch` at once, padded on the left; alike for base, few-shot and tuned models.

    model: one of the course (with `new_cache`) or of the library. shots: tickets that stand solved in each prompt.
    Prompts are sorted by length, so that little is padding. Raises ValueError where a prompt and its reply are too
    long for the model. share_prefix: a model of the course reads what all prompts begin with only once. within: text →
    the values that each field may take, such as `allowed_values`; without it, the model writes what it likes.
    """
    start = time.perf_counter()
    prompts = [_prompt(tokenizer, text, shots) for text in texts]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    sharing = share_prefix and len(prompts) > 1 and hasattr(model, "new_cache")
    prefix = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1) if sharing else 0
    reader = BehindPrefix(model, prompts[0][:prefix]) if prefix else model
    forms = [AnswerForm(tokenizer, within(text)) for text in texts] if within else []
    replies, unended, new_tokens = [""] * len(prompts), 0, 0
    sure: list[dict[str, float]] = [{} for _ in prompts]
    for first in range(0, len(order), batch):
        chosen = order[first : first + batch]
        limits = ([forms[i] for i in chosen], [sure[i] for i in chosen]) if forms else None
        rows = _continue(reader, tokenizer, [prompts[i][prefix:] for i in chosen], max_new_tokens, limits)
        for i, row in zip(chosen, rows, strict=True):
            ended = tokenizer.eos_token_id in row
            ids = row[: row.index(tokenizer.eos_token_id)] if ended else row
            replies[i] = reply_text(tokenizer, ids)
            unended += not ended
            new_tokens += len(ids) + ended
    return Predictions(replies, unended, sum(map(len, prompts)), new_tokens, time.perf_counter() - start, sure)


def _prompt(tokenizer: Any, text: str, shots: Sequence[Mapping[str, Any]]) -> list[int]:
    chat = ticket_chat({"text": text}, answer=False, shots=shots)
    return list(tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))


def _continue(
    model: Any,
    tokenizer: Any,
    prompts: list[list[int]],
    max_new_tokens: int,
    limits: tuple[list[AnswerForm], list[dict[str, float]]] | None = None,
) -> list[list[int]]:
    """What follows each prompt: rows of ids, filled with the token that ends a text. limits: forms, and where to write
    how sure each field is (a model of the library does not say)."""
    eos, start = tokenizer.eos_token_id, max(map(len, prompts))
    forms, sure = limits or (None, None)
    if hasattr(model, "new_cache"):
        sampler = greedy_within(forms, start, sure) if forms else greedy
        ids = generate(model, prompts, max_new_tokens, sampler=sampler, eos_ids=eos, pad_id=eos)
    else:
        padded, mask = as_batch(prompts, eos, next(model.parameters()).device)
        mask = torch.ones_like(padded) if mask is None else mask.long()
        ids = model.generate(
            padded,
            attention_mask=mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=eos,
            pad_token_id=eos,
            prefix_allowed_tokens_fn=(lambda row, said: forms[row].allowed(said[start:].tolist())) if forms else None,
        )
    return ids[:, start:].tolist()


class TicketReader:
    """The chat model with an adapter that labels tickets. Called with a ticket, it gives the five fields and how sure
    it is of each.

    model: a `Llama` or `FastLlama` that has learned it; tokenizer: its tokenizer. Replies cannot leave the form
    (`allowed_values`), so a product or order number that the two rules do not find in the text is never named.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer

    def __call__(self, text: str) -> dict[str, Any]:
        """{"intent": …, "product": …, "order_number": …, "urgency": …, "sentiment": …, "confidence": {field: p}}.

        p: the probability of the value among those that the field may take, 0 to 1; it is the model's own, so look on
        tickets with known labels how often it is right. Raises ValueError for an empty text or one that is too long.
        """
        return self.many([text])[0]

    def many(self, texts: Sequence[str], batch: int = 16) -> list[dict[str, Any]]:
        """The same for several tickets, in their order, `batch` read at once."""
        if empty := [i for i, text in enumerate(texts) if not text.strip()]:
            raise ValueError(f"Ticket {empty[0]} is empty: there is nothing to read.")
        found = predict_labels(self.model, self.tokenizer, texts, batch=batch, within=allowed_values)
        return [{**label, "confidence": sure} for label, sure in zip(found.labels, found.sure, strict=True)]


def ticket_reader() -> TicketReader:
    """The course's reader of tickets. Raises ModelUnavailable, AdapterUnavailable in one sentence."""
    return TicketReader(*taught_model("tickets"))
