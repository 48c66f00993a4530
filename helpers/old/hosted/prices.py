"""What a call costs, from a dated table: data/hosted/prices.json.

    price = price_of("gpt-5.6-luna")                      # UnknownModel for a name that the table does not have
    price_of("gpt-4", today=date.today())                 # ModelRetired for one that is switched off by then
    price.cost(Tokens(prompt=1000, completion=200, cached=800))    # US dollars
    price.worst(prompt=1000, max_tokens=300)              # nothing cached, and the reply as long as it may be
    tokens_of(completion.usage)                           # of Chat Completions, Responses or embeddings

A model without a price is refused: priced at zero, it would pass every budget. Money is US dollars in a float, whose
rounding stays below a billionth of a dollar over a million calls.

What this does not do: know today's prices. The table says when and where each of its lines was read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from helpers.files.paths import DATA
from helpers.files.safe_files import read_json

TABLE = DATA / "hosted" / "prices.json"
SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")  # gpt-4.1-2025-04-14 is billed as gpt-4.1
PER = 1_000_000


class UnknownModel(ValueError):
    """The table has no price for this model; the message says which are near, and what to do."""


class ModelRetired(ValueError):
    """The table has a price, and the model is switched off on the day that was asked about."""


@dataclass(frozen=True)
class Tokens:
    """What one call took. cached: those of the prompt that the service had read before; reasoning tokens are part of
    completion."""

    prompt: int
    completion: int = 0
    cached: int = 0

    def __post_init__(self) -> None:
        if min(self.prompt, self.completion, self.cached) < 0 or self.cached > self.prompt:
            raise ValueError(f"Tokens are counted from 0, and at most all of the prompt is cached: {self}.")


@dataclass(frozen=True)
class Price:
    """One line of the table; prices are US dollars per million tokens."""

    model: str
    vendor: str
    input: float
    cached: float | None
    output: float
    batch: float | None
    until: str | None
    as_of: str
    source: str

    def cost(self, tokens: Tokens, batch: bool = False) -> float:
        """US dollars. batch: at the price of a job that may take a day; ValueError where the vendor has none."""
        if batch and self.batch is None:
            raise ValueError(f"{self.vendor} has no batch price for {self.model}.")
        cached = self.input if self.cached is None else self.cached
        fresh = tokens.prompt - tokens.cached
        dollars = (fresh * self.input + tokens.cached * cached + tokens.completion * self.output) / PER
        return dollars * (self.batch if batch else 1)

    def worst(self, prompt: int, max_tokens: int, batch: bool = False) -> float:
        """What a call costs at most: nothing is cached, and the reply takes all of its max_tokens."""
        return self.cost(Tokens(prompt, max_tokens), batch)

    def retired(self, today: date) -> bool:
        """Has the day come on which this model is switched off?"""
        return self.until is not None and date.fromisoformat(self.until) <= today


@cache
def load_prices() -> Mapping[str, Price]:
    """The table, by model. Raises DataUnavailable if the file is missing or damaged."""
    return {row["model"]: Price(**row) for row in read_json(TABLE)["models"]}


def price_of(model: str, today: date | None = None) -> Price:
    """The price of a model or of a dated snapshot of it ("gpt-4.1-2025-04-14"). Raises UnknownModel.

    today: also raises ModelRetired for a model that is switched off by this day; None: whatever the day.
    """
    table = load_prices()
    found = table.get(model) or table.get(SNAPSHOT.sub("", model))
    if found is None:
        near = difflib.get_close_matches(model, table, n=1)
        meant = f" (did you mean {near[0]!r}?)" if near else ""
        raise UnknownModel(
            f"There is no price for the model {model!r}{meant}: add its line, with a date, to {TABLE.name}."
        )
    if today and found.retired(today):
        raise ModelRetired(f"The model {model!r} was switched off on {found.until}: choose another one.")
    return found


def tokens_of(usage: Any) -> Tokens:
    """The tokens of a reply's `usage`, an object of the client or a dict. Raises ValueError where there is none."""
    if usage is None:
        raise ValueError(
            "This reply has no usage: in a stream, ask for it with stream_options={'include_usage': True}."
        )
    said = usage if isinstance(usage, Mapping) else usage.model_dump()
    prompt = said.get("prompt_tokens", said.get("input_tokens"))
    completion = said.get("completion_tokens", said.get("output_tokens")) or 0
    details = said.get("prompt_tokens_details") or said.get("input_tokens_details") or {}
    return Tokens(prompt, completion, details.get("cached_tokens") or 0)
