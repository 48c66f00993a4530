"""A reply that cannot leave its form: at every step the model chooses among the tokens that the form allows.

    grammar = json_grammar(tokenizer, {"type": "object", "properties": {"parts": {"type": "integer"}}})
    grammar = regex_grammar(tokenizer, r"VE-\\d{5}|none")
    generate(model, prompts, 24, sampler=within(grammar, start=len(prompts[0]), room=24))

    values = {"intent": ["return", "repair"], "product": ["Kite", None]}
    form = AnswerForm(tokenizer, values)                    # JSON of which each value is one of a list
    generate(model, prompts, 64, sampler=greedy_within(forms, start=len(prompts[0])))

A model of the library takes the same grammar one row at a time:

    allowed = lambda row, said: grammar.allowed(grammar.read(said[start:].tolist()))
    model.generate(ids, prefix_allowed_tokens_fn=allowed, max_new_tokens=24)

Decoding goes on as ever, but looks at the allowed tokens alone (constrained decoding). Where all texts begin alike,
nothing is left to choose, and a reply that has the form anyway stays what it was.

    json_schema      a JSON schema → a regular expression
    regular          a regular expression → an automaton over bytes
    token_grammar    the automaton → a mask over the tokenizer's tokens, for each state
    jumping          what has to follow is appended, without asking the model
    minimal_grammar  all of it in its smallest form

What it does not do: search for the likeliest whole text (a token that begins several is judged by itself).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from helpers.generation.sampling import REMOVED, Sampler, greedy
from helpers.old.generation.json_schema import Limits, schema_node
from helpers.old.generation.jumping import Written, generate_within
from helpers.old.generation.regular import Automaton, GrammarError, automaton, parse
from helpers.old.generation.token_grammar import ENDED, TokenGrammar

__all__ = [
    "ENDED",
    "AnswerForm",
    "Automaton",
    "GrammarError",
    "Limits",
    "TokenGrammar",
    "Written",
    "automaton",
    "form_schema",
    "generate_within",
    "greedy_within",
    "json_grammar",
    "parse",
    "regex_grammar",
    "schema_node",
    "within",
]

Values = Mapping[str, Sequence[str | None]]


def regex_grammar(tokenizer: Any, pattern: str, end_id: int | None = None) -> TokenGrammar:
    """Texts that match the pattern whole, as in `re.fullmatch`. Raises GrammarError for what is not supported."""
    return TokenGrammar(tokenizer, automaton(parse(pattern)), end_id)


def json_grammar(
    tokenizer: Any,
    schema: Mapping[str, Any],
    *,
    limits: Limits | None = None,
    separators: tuple[str, str] = (",", ":"),
    end_id: int | None = None,
) -> TokenGrammar:
    """JSON texts that a schema allows, written as `json.dumps(…, ensure_ascii=False, separators=separators)` does.

    limits: what holds where the schema sets none (`Limits`). Raises GrammarError for what is not supported, and for a
    schema that no text satisfies.
    """
    return TokenGrammar(tokenizer, automaton(schema_node(schema, limits, separators)), end_id)


def form_schema(values: Values) -> dict[str, Any]:
    """The schema of the objects that `AnswerForm` allows: one of the given values for each field, in their order."""
    fields = {field: {"enum": list(allowed)} for field, allowed in values.items()}
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


class within:
    """A sampler: `choose` chooses among the tokens that each row's grammar allows.

    grammars: one for all rows, or one for each. start: tokens of the prompts, padding included, behind which the
    replies begin. room: tokens that a reply may have, its end included, which is generate's max_new_tokens; given it,
    every reply reaches its end. choose: greedy, or any other sampler. Raises GrammarError where the room does not
    suffice for the shortest text, and for a reply that has left its grammar.
    """

    def __init__(
        self,
        grammars: TokenGrammar | Sequence[TokenGrammar],
        start: int,
        room: int | None = None,
        choose: Sampler = greedy,
    ) -> None:
        self.grammars, self.start, self.room, self.choose = grammars, start, room, choose
        for grammar in [grammars] if isinstance(grammars, TokenGrammar) else grammars:
            if room is not None:
                grammar.require_room(room)
        self._read: list[tuple[list[int], int]] = []  # of each row, what was read so far, and the state behind it

    def __call__(self, logits: Tensor, ids: Tensor) -> Tensor:
        """logits (B, V), ids (B, T) what stands so far  →  ids (B,)."""
        return self.choose(logits.masked_fill(~self.mask(ids).to(logits.device), REMOVED), ids)

    def mask(self, ids: Tensor) -> Tensor:
        """ids (B, T) what stands so far  →  (B, V) bool, True for the tokens that may follow."""
        rows = ids[:, self.start :].tolist()
        grammars = [self.grammars] * len(rows) if isinstance(self.grammars, TokenGrammar) else self.grammars
        if len(self._read) != len(rows):
            self._read = [([], grammar.start) for grammar in grammars]
        masks = []
        for n, (grammar, row) in enumerate(zip(grammars, rows, strict=True)):
            before, state = self._read[n]
            if row[: len(before)] != before:  # another text than last time
                before, state = [], grammar.start
            for token in row[len(before) :]:
                state = ENDED if state == ENDED else grammar.step(state, token)
            self._read[n] = (row, state)
            masks.append(grammar.mask(state, None if self.room is None else self.room - len(row)))
        return torch.stack(masks)


class AnswerForm:
    """All objects that take one of the given values for each field, in their order, as `json.dumps` writes them.

    values: field → what it may be, at least one each. Written without spaces, and ended by the tokenizer's eos token.
    Raises ValueError for a field without a value, and where two values are the same text.
    """

    def __init__(self, tokenizer: Any, values: Values) -> None:
        if not values or not all(values.values()):
            raise ValueError("Each field of a form needs at least one value that it may take.")
        if any(len(set(allowed)) < len(allowed) for allowed in values.values()):
            raise ValueError("A field of this form names a value twice.")
        self.fields = list(values)
        last = self.fields[-1]
        self.parts = [[_ids(tokenizer, '{"')]]  # in turn, one of the token sequences of each part is written
        for field, allowed in values.items():
            after = "}" if field == last else ',"'
            texts = [f'{field}":{json.dumps(value, ensure_ascii=False)}{after}' for value in allowed]
            self.parts.append([_ids(tokenizer, text) for text in texts])
        self.end = tokenizer.eos_token_id
        self.parts.append([[self.end]])

    def allowed(self, said: Sequence[int]) -> list[int]:
        """Ids that may follow what was said so far, rising; the end again and again once it was said.

        Raises ValueError where what was said has left the form.
        """
        return self._next(said)[1]

    def field_at(self, said: Sequence[int]) -> str | None:
        """The field whose value is written next; None for the opening brace and the end. Raises as `allowed`."""
        part = self._next(said)[0]
        return self.fields[part - 1] if 1 <= part <= len(self.fields) else None

    def _next(self, said: Sequence[int]) -> tuple[int, list[int]]:
        """The number of the part that is being written, and the ids that may follow."""
        rest = list(said)
        for number, options in enumerate(self.parts):
            done = next((ids for ids in options if rest[: len(ids)] == ids), None)
            if done is None:
                following = sorted({ids[len(rest)] for ids in options if ids[: len(rest)] == rest})
                if not following:
                    raise ValueError("What was said so far does not fit the form.")
                return number, following
            rest = rest[len(done) :]
        return len(self.parts), [self.end]


def greedy_within(forms: Sequence[AnswerForm], start: int, sure: list[dict[str, float]] | None = None) -> Sampler:
    """A sampler: of each row, the likeliest token that its form allows.

    start: tokens of the prompts, padding included, behind which the replies begin. sure: one empty dict per row; it is
    filled with the probability of each field's value. That is the product over the value's tokens of each one's
    probability *among the allowed ones*, so a field that may take one value only gets 1.
    """

    def sampler(logits: Tensor, ids: Tensor | None = None) -> Tensor:
        """logits (B, V), ids (B, T) what stands so far  →  ids (B,)."""
        chosen = []
        for n, (form, scores, row) in enumerate(zip(forms, logits, ids[:, start:].tolist(), strict=True)):
            allowed = form.allowed(row)
            best = int(scores[allowed].argmax())
            chosen.append(allowed[best])
            if sure is not None and (field := form.field_at(row)):
                p = scores[allowed].float().softmax(-1)[best].item()
                sure[n][field] = sure[n].get(field, 1.0) * p
        return torch.tensor(chosen, device=logits.device)

    return sampler


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
