"""A chat model that has learned it reads support tickets into five fields, and says how sure it is of each.

    read = ticket_reader()                                # the chat model with the adapter "tickets"
    read("Where is my Kite? Order 48213.")                # {"intent": "order_status", …, "confidence": {"intent": …}}
    TicketReader(model, tokenizer, instruction).many(texts)      # a model of your own, as it was trained

At each token the model chooses among those that can still become an allowed value (`allowed_values`), so a reply cannot
leave the form. What this does not do: answer the customer.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from helpers.models import chat_model
from helpers.velunda.tickets import FIELDS, INSTRUCTION, allowed_values, answer_text, ticket_chat


class TicketReader:
    """model: a transformers or PEFT model that has learned to label tickets; instruction: the one it learned with."""

    def __init__(self, model: Any, tokenizer: Any, instruction: str = INSTRUCTION) -> None:
        self.model, self.tokenizer, self.instruction = model, tokenizer, instruction

    def __call__(self, text: str) -> dict[str, Any]:
        """{"intent": …, "product": …, "order_number": …, "urgency": …, "sentiment": …, "confidence": {field: p}}.

        p: the probability of the value among those that the field may take. Raises ValueError for an empty text.
        """
        return self.many([text])[0]

    def many(self, texts: Sequence[str], batch: int = 8) -> list[dict[str, Any]]:
        """The same for several tickets, in their order, `batch` read at once."""
        if empty := [i for i, text in enumerate(texts) if not text.strip()]:
            raise ValueError(f"Ticket {empty[0]} is empty: there is nothing to read.")
        prompts = [self._prompt(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda i: len(prompts[i]))
        shared = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1) if len(texts) > 1 else 0
        with torch.inference_mode():
            device = self.model.device
            start = self.model(torch.tensor([prompts[0][:shared]], device=device)).cache if shared else None
            found: dict[int, dict[str, Any]] = {}
            for first in range(0, len(order), batch):
                chosen = order[first : first + batch]
                rows = self._read([prompts[i][shared:] for i in chosen], [texts[i] for i in chosen], shared, start)
                found |= dict(zip(chosen, rows, strict=True))
        return [found[i] for i in range(len(texts))]

    def right(self, tickets: Sequence[Mapping[str, Any]], batch: int = 8) -> list[bool]:
        """Does it read each of these labeled tickets without a fault, as `many` would? Several times faster.

        One pass over ticket and label tells: after what is right so far, is the right token the one to write next?
        """
        found: dict[int, bool] = {}
        prompts = [self._prompt(ticket["text"]) for ticket in tickets]
        opening = len('{"' + FIELDS[0])
        rows = [head + self._ids(answer_text(t["label"])[opening:]) for head, t in zip(prompts, tickets, strict=True)]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for first in range(0, len(order), batch):
            chosen = order[first : first + batch]
            width = len(rows[chosen[-1]])
            ids = torch.tensor([rows[i] + [0] * (width - len(rows[i])) for i in chosen], device=self.model.device)
            start = min(len(prompts[i]) for i in chosen) - 1
            with torch.inference_mode():
                logits = self.model(ids).logits[:, start:]  # padded on the right, where nobody looks
            for i, row in zip(chosen, logits, strict=True):
                form = _Form(self, allowed_values(tickets[i]["text"]))
                places = range(len(prompts[i]), len(rows[i]))
                found[i] = all(form.step(row[at - 1 - start]) == rows[i][at] for at in places)
        return [found[i] for i in range(len(rows))]

    def _prompt(self, text: str) -> list[int]:
        chat = ticket_chat({"text": text}, self.instruction)
        head = self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        return [*head, *self._ids('{"' + FIELDS[0])]

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def _read(self, prompts: list[list[int]], texts: list[str], shared: int, start: Any) -> list[dict[str, Any]]:
        """Prompts without the `shared` tokens that `start`, a cache, has read → the readings."""
        device, width = self.model.device, max(map(len, prompts))
        room = [width - len(row) for row in prompts]  # padding, on the left
        ids = torch.tensor([[0] * n + row for n, row in zip(room, prompts, strict=True)], device=device)
        mask = torch.tensor([[1] * shared + [0] * n + [1] * (width - n) for n in room], device=device)
        cache = None if start is None else copy.deepcopy(start)
        if cache is not None:
            cache.batch_repeat_interleave(len(prompts))
        rows = [_Form(self, allowed_values(text)) for text in texts]
        while True:
            places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            out = self.model(ids, attention_mask=mask, position_ids=places, cache=cache)
            cache = out.cache
            following = [row.step(logits) for row, logits in zip(rows, out.logits[:, -1], strict=True)]
            if all(row.done for row in rows):
                return [row.found | {"confidence": row.sure} for row in rows]
            ids = torch.tensor(following, device=device)[:, None]
            mask = torch.cat([mask, torch.ones_like(ids)], 1)


class _Form:
    """Where one reply stands: the field that is being written, and the values that it can still become."""

    def __init__(self, reader: TicketReader, values: dict[str, list[str | None]]) -> None:
        self.reader, self.values, self.found, self.sure = reader, values, {}, {}
        self._next_field()

    @property
    def done(self) -> bool:
        return len(self.found) == len(FIELDS)

    def step(self, logits: torch.Tensor) -> int:
        """logits (V,) → the token to write, the likeliest of those that lead to an allowed value."""
        if self.done:
            return 0  # other rows still write
        tokens = list(dict.fromkeys(ids[self.written] for ids in self.left.values()))
        p = logits[tokens].float().softmax(-1)
        best = int(p.argmax())
        self.sure[self.field] *= p[best].item()
        self.left = {value: ids for value, ids in self.left.items() if ids[self.written] == tokens[best]}
        self.written += 1
        [value, *others] = self.left
        if not others and self.written == len(self.left[value]):
            self.found[self.field] = value
            if not self.done:
                self._next_field()
        return tokens[best]

    def _next_field(self) -> None:
        """What may follow the field's name, up to the next field's: `":"Kite","order_number` or `":null,"…`."""
        number = len(self.found)
        self.field, self.written = FIELDS[number], 0
        after = f',"{FIELDS[number + 1]}' if number + 1 < len(FIELDS) else "}"
        texts = {value: '":' + json.dumps(value) + after for value in self.values[self.field]}
        self.left = {value: self.reader._ids(text) for value, text in texts.items()}
        self.sure[self.field] = 1.0


def ticket_reader() -> TicketReader:
    """The course's reader of tickets. Raises ModelUnavailable, AdapterUnavailable in one sentence."""
    model, tokenizer = chat_model(adapter="tickets")
    return TicketReader(model.to(model.dtype), tokenizer)  # PEFT loads adapters in float32, which only slows reading
