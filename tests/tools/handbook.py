"""The handbook's questions, from their quotes: `python -m tests.tools.handbook` writes the offsets of each quote.

A quote is the passage that answers; `start` and `end` count characters of the document's text below its front matter,
as `helpers.velunda.handbook` gives it. Edit documents and quotes, never the offsets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from helpers.velunda import load_handbook
from helpers.velunda.handbook import QUESTIONS

WORD = re.compile(r"[\w%€°]+(?:[.,'’-]\w+)*")
# Words that carry no content of their own: "four content words in a row" counts none of these.
FUNCTION_WORDS = frozenset(
    "a about above after again all also am an and any anything are as at back be because been before being below "
    "between both but by can cannot could did do does done down during each every few for from further get gets had "
    "has have having he her here hers him his how i if in into is it its just may me might mine more most much must "
    "my no nobody nor not nothing of off on once one only or other our ours out over own same shall she should so "
    "some somebody something still such than that the their theirs them then there these they this those through to "
    "too under until up us very was we were what when where which while who whom whose why will with without would "
    "you your yours".split()
)


def questions() -> list[dict[str, Any]]:
    """The rows of the file as they are, with the ids and quotes that `load_questions` leaves out."""
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def spans(question: dict[str, Any]) -> Iterator[tuple[str, str, int, int]]:
    """(document, quote, start, end) of each passage that the answer needs: none, one or two."""
    for n in ("", "2"):
        if question.get(f"document{n}"):
            yield tuple(question[f"{key}{n}"] for key in ("document", "quote", "start", "end"))


def located(question: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """The question with the offsets of its quotes. Raises ValueError for a quote that does not stand there once."""
    question = dict(question)
    for n in ("", "2"):
        name, quote = question.get(f"document{n}"), question.get(f"quote{n}")
        if not name:
            continue
        if texts[name].count(quote) != 1:
            raise ValueError(f"{name} says {quote!r} {texts[name].count(quote)} times, not once ({question['id']}).")
        question[f"start{n}"] = texts[name].index(quote)
        question[f"end{n}"] = question[f"start{n}"] + len(quote)
    return question


def content_words(text: str) -> list[str]:
    return [word for word in WORD.findall(text.lower()) if word not in FUNCTION_WORDS]


def runs(text: str, n: int) -> set[tuple[str, ...]]:
    """All runs of `n` content words, whatever stands between them."""
    words = content_words(text)
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def lines() -> str:
    texts = {name: document.text for name, document in load_handbook().items()}
    return "".join(json.dumps(located(q, texts), ensure_ascii=False) + "\n" for q in questions())


if __name__ == "__main__":
    QUESTIONS.write_text(lines(), encoding="utf-8", newline="\n")
