"""What is evaluated, by name: the course's assistants, what came before them, and any function of yours.

    model = load_model("handbook")                     # loads its weights when it is first asked something
    model.ask(["Do you sell skis?"])                   # [Reply(answer=…, abstained=True, confidence=…, …)]
    load_model("my_file:reply")                        # the function reply(text) in my_file.py
    Model("mine", {"version": "2"}, lambda: reply_many, batch=16)

A function gets one text and returns a text, a dict of fields, None where it has no answer, or a `Reply`.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import inspect
import math
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from helpers.adapters import WEIGHTS, find_adapter
from helpers.files.paths import ROOT
from helpers.models import SOURCES, named_instead

SAYS_NOTHING = re.compile(r"\W*(?:not in the text|i (?:do not|don['’]t) know|no answer)\b", re.IGNORECASE)


class ModelError(ValueError):
    """There is no such model, or it cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Reply:
    """What a model said to one input, and what that took.

    answer: a text, a dict of fields, or None where there is none. abstained: it said that it does not know.
    confidence: larger is surer, on the model's own scale. tokens: read and written, where they were counted. seconds:
    of wall time, 0 where nobody measured them.
    """

    answer: Any
    abstained: bool = False
    confidence: float | None = None
    tokens: int | None = None
    seconds: float = 0.0


@dataclass
class Model:
    """Something that answers. identity: what its answers depend on, as JSON; equal identities share kept replies.

    load: gives the function that answers a list of texts, in order; called when the first text is asked. batch: how
    many texts it is given at once.
    """

    name: str
    identity: Mapping[str, Any]
    load: Callable[[], Callable[[Sequence[str]], Sequence[Reply]]]
    batch: int = 1
    _answer: Callable[[Sequence[str]], Sequence[Reply]] | None = field(default=None, repr=False)

    def ask(self, texts: Sequence[str]) -> list[Reply]:
        """A reply to each text. Raises ModelUnavailable, and ModelError where the number of replies is another."""
        if self._answer is None:
            self._answer = self.load()
        replies = list(self._answer(texts))
        if len(replies) != len(texts):
            raise ModelError(f"The model {self.name} gave {len(replies)} replies to {len(texts)} inputs.")
        return [replace(reply, confidence=_finite(reply.confidence)) for reply in replies]


def load_model(name: str) -> Model:
    """A model of MODELS, or "module:function". Raises ModelError for a name that is neither."""
    if name in MODELS:
        return MODELS[name]()
    if ":" in name:
        return _of_a_function(name)
    near = difflib.get_close_matches(name, MODELS, n=1)
    meant = f" (did you mean {near[0]!r}?)" if near else ""
    raise ModelError(f"There is no model {name!r}{meant}: known are {', '.join(MODELS)}, or name a module:function.")


def _finite(number: Any) -> float | None:
    """The number, or None where it is none: NaN and infinity are no JSON, and tell nothing."""
    return float(number) if number is not None and math.isfinite(number) else None


# The course's --------------------------------------------------------------------------------------------------------


def _handbook() -> Model:
    """10: a quote with its neighbors."""
    from helpers.assistants.handbook import AROUND
    from helpers.old.assistants import handbook

    def load() -> Callable[[Sequence[str]], list[Reply]]:
        return one_by_one(handbook.handbook_assistant())

    settings = {"threshold": handbook.THRESHOLD, "passages": handbook.PASSAGES, "around": AROUND}
    identity = _models("embedder", "reranker") | settings | _code("old/assistants/handbook.py", "data/velunda/handbook")
    return Model("handbook", identity, load)


def _handbook_search() -> Model:
    """Before the cross-encoder: of the three best hits, the sentence nearest in meaning; it never abstains."""
    from helpers.assistants.handbook import answer_by_quote, best_quotes
    from helpers.old.assistants import handbook

    def load() -> Callable[[Sequence[str]], list[Reply]]:
        index = handbook.handbook_index()
        documents = handbook.load_handbook()

        def answer(question: str) -> Reply:
            hits = handbook.in_force(index.search(question, 2 * handbook.POOL), question, documents)
            no_reranker = _Silent()
            quotes = best_quotes(
                question, hits[: handbook.PASSAGES], documents, no_reranker, index.dense.encoder, meaning=1.0
            )
            if not quotes:
                return Reply(None)
            return Reply(answer_by_quote(quotes[0], documents).text, confidence=quotes[0].score)

        return one_by_one(answer)

    identity = _models("embedder") | _code("old/assistants/handbook.py", "data/velunda/handbook")
    return Model("handbook-search", identity | {"search": _digest(inspect.getsource(_handbook_search).encode())}, load)


class _Silent:
    """In a cross-encoder's place: every text answers equally well."""

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        return [0.0] * len(texts)


def _tickets(adapter: str | None = "tickets") -> Model:
    """07: the taught reader; without an adapter, the untaught model with the same instruction in the same form."""
    from helpers.old.assistants import tickets

    def load() -> Callable[[Sequence[str]], list[Reply]]:
        model, tokenizer = _untaught() if adapter is None else tickets.taught_model(adapter)

        def answer(texts: Sequence[str]) -> list[Reply]:
            found = tickets.predict_labels(model, tokenizer, texts, within=tickets.allowed_values)
            rows = zip(texts, found.replies, found.labels, found.sure, strict=True)
            return [
                Reply(
                    label,
                    confidence=min(sure.values(), default=None),
                    tokens=_tokens(tokenizer, tickets.ticket_chat({"text": text}, answer=False), said),
                    seconds=found.seconds / len(texts),
                )
                for text, said, label, sure in rows
            ]

        return answer

    identity = _models("chat", adapter=adapter) | {"instruction": tickets.INSTRUCTION} | _code("assistants/tickets.py")
    return Model("tickets" if adapter else "tickets-untaught", identity, load, batch=16)


def _ticket_rules() -> Model:
    """07's cheap baseline: TF-IDF with logistic regression, and two rules."""
    from helpers.old.assistants import ticket_baseline
    from helpers.old.velunda.tickets import MORE, load_tickets

    def load() -> Callable[[Sequence[str]], list[Reply]]:
        baseline = ticket_baseline.fit_baseline([*load_tickets("train"), *load_tickets(MORE)])
        return one_by_one(lambda text: baseline.predict([text])[0])

    return Model("tickets-rules", _code("assistants/ticket_baseline.py", "data/velunda/tickets"), load)


MODELS: dict[str, Callable[[], Model]] = {
    "handbook": _handbook,
    "handbook-search": _handbook_search,
    "tickets": _tickets,
    "tickets-untaught": lambda: _tickets(adapter=None),
    "tickets-rules": _ticket_rules,
}


def _untaught() -> tuple[Any, Any]:
    import torch
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.old.speed.fast_llama import FastLlama
    from helpers.transformer.llama import Llama

    folder = fetch("chat")
    model = FastLlama(Llama.from_pretrained(folder, torch.float32))
    return model, AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _tokens(tokenizer: Any, chat: list[dict], reply: str) -> int:
    """Tokens read and written, the reply's end included."""
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
    return len(prompt) + len(tokenizer(reply, add_special_tokens=False)["input_ids"]) + 1


# A function ----------------------------------------------------------------------------------------------------------


def one_by_one(function: Callable[[str], Any]) -> Callable[[Sequence[str]], list[Reply]]:
    """What answers a list of texts by a function that answers one; each reply's seconds are measured."""

    def answer(texts: Sequence[str]) -> list[Reply]:
        replies = []
        for text in texts:
            start = time.perf_counter()
            reply = as_reply(function(text))
            replies.append(replace(reply, seconds=reply.seconds or time.perf_counter() - start))
        return replies

    return answer


def as_reply(said: Any) -> Reply:
    """What a function returned as a `Reply`: a text, fields, an answer of `helpers.retrieval`, or None."""
    if isinstance(said, Reply):
        return said
    if hasattr(said, "text") and hasattr(said, "abstained"):
        return Reply(said.text, bool(said.abstained), getattr(said, "confidence", None))
    if isinstance(said, Mapping):
        fields = {name: value for name, value in said.items() if name != "confidence"}
        sure = said.get("confidence")
        return Reply(fields, confidence=min(sure.values(), default=None) if isinstance(sure, Mapping) else sure)
    return Reply(said, abstained=isinstance(said, str) and bool(SAYS_NOTHING.match(said)))


def _of_a_function(name: str) -> Model:
    module_name, _, function_name = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ModelError(
            f"The model {name!r} cannot be loaded ({error}): name a module that can be imported."
        ) from None
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ModelError(f"The module {module_name} has no function {function_name!r}.")
    source = inspect.getsource(module)
    return Model(name, {"function": name, "source": _digest(source.encode())}, lambda: one_by_one(function))


# Identity ------------------------------------------------------------------------------------------------------------


def _models(*roles: str, adapter: str | None = None) -> dict[str, str]:
    """What stands for the weights: the fingerprint of each of the course's models, or what is named in its place."""
    found = {role: named_instead(role)[0] or SOURCES[role].fingerprint for role in roles}
    if adapter is not None:
        found["adapter"] = _digest((find_adapter(adapter) / WEIGHTS).read_bytes())
    return found


def _code(*paths: str) -> dict[str, str]:
    """A checksum of each file, or of all files in a folder; below helpers, or below the root for data."""
    found = {}
    for name in paths:
        path = ROOT / name if name.startswith("data/") else _source(name)
        files: list[Path] = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        found[name] = _digest(b"".join(file.read_bytes() for file in files))
    return found


def _source(name: str) -> Path:
    new = ROOT / "helpers" / name
    return new if new.exists() else ROOT / "helpers" / "old" / name


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
