"""Forty failures of the course's assistants, drawn by chance: `python -m tests.tools.failures` writes them.

Every dev item that a recorded run counts as wrong is a candidate; of each assistant, as many are drawn as its share of
wrong items asks for. Only what the ticket reader said has to be asked again, since its record keeps marks, not answers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpers.assistants.handbook import THRESHOLD, units_of
from helpers.assistants.passages import NOT_THERE
from helpers.assistants.tickets import answer_text
from helpers.files.paths import DATA
from helpers.retrieval.answering import ABSTENTION
from helpers.trials import tickets_recorded
from helpers.trials.handbook_answers import answered, questions_of, reader_rows, says_answer
from helpers.trials.reading import gold_text, right_units
from helpers.trials.records import Record
from helpers.trials.summaries import is_true
from helpers.trials.summary_training import held_out
from helpers.velunda.handbook import Question, load_everyday, load_handbook, load_questions
from helpers.velunda.tickets import load_tickets

FOLDER = DATA / "failures"
N, SEED, SPLIT = 40, 14, "dev"
NO_DRAFT = "(no draft)"
NOTHING = "(the handbook does not say)"
Row = dict[str, Any]


def tickets() -> tuple[list[Row], int]:
    """The tickets with a wrong field, without what the assistant said, and of how many they are."""
    right = tickets_recorded.all_right(tickets_recorded.adapter(), SPLIT)
    return [
        row("tickets", ticket["text"], {}, "", answer_text(ticket["label"]), (), "07_tickets", f"dev ticket {n}")
        for n, ticket in enumerate(load_tickets(SPLIT))
        if not right[n]
    ], len(right)


def summaries() -> tuple[list[Row], int]:
    """The reports whose draft is not true, or that got none."""
    written = Record("07b_summaries").read()["runs"][0][SPLIT]["written"]
    reports, found = held_out(SPLIT), []
    for n, (report, greedy, draft) in enumerate(zip(reports, written["greedy"], written["published"], strict=True)):
        if draft is None or not is_true(draft, report):
            context = {"first candidate, held back by the checks": greedy} if draft is None else {}
            found.append(
                row(
                    *("summaries", report["text"], context, draft or NO_DRAFT, report["summary"], ()),
                    *("07b_summaries", f"dev, published, report {n}"),
                )
            )
    return found, len(reports)


def reader() -> tuple[list[Row], int]:
    """The handbook's questions that are answered wrongly, or not at all, from the text that holds the answer."""
    asked = [(q, gold_text) for q in load_questions(SPLIT) if q.answerable]
    asked += [(q, right_units) for q in load_everyday(SPLIT) if q.answerable]
    answers = Record("08_reader").read()["runs"][0][SPLIT]["answers"]
    found = []
    for n, ((question, shown), (text, said)) in enumerate(zip(asked, answers, strict=True)):
        assert question.question == text
        if not says_answer(question, said):
            where = ("08_reader", f"dev, answer {n}")
            found.append(row("reader", text, {"text": shown(question)}, said, *expected(question), *where))
    return found, len(asked)


def quotes() -> tuple[list[Row], int]:
    """The questions to which the handbook's assistant shows a wrong place, none, or one where nothing answers."""

    def said(quoted: Mapping[str, Any], _: Mapping[str, Any]) -> tuple[str, bool]:
        return quoted["text"], quoted["right"]

    return handbook("quotes", said)


def writer() -> tuple[list[Row], int]:
    """The same where the reader of 08 writes the answer from the best sentence, of the questions that come so far: what
    is held back before, because no sentence is good enough, is the same failure, and counted with the quotes."""

    def said(_: Mapping[str, Any], read: Mapping[str, Any]) -> tuple[str, bool]:
        refused = read["absent"] >= 0.5 or read["text"].startswith(NOT_THERE.rstrip("."))
        return (ABSTENTION, False) if refused else (read["text"], read["right"])

    return handbook("writer", said, reached=True)


def handbook(name: str, said: Callable[..., tuple[str, bool]], reached: bool = False) -> tuple[list[Row], int]:
    """said: the recorded quote and the reader's answer → what is said above the threshold, and whether it is right.

    reached: only questions whose best sentence is above the threshold.
    """
    documents, found, n_asked = load_handbook(), [], 0
    asked = questions_of(SPLIT)
    recorded = zip(asked, answered(SPLIT), [*reader_rows(SPLIT, "everyday"), *reader_rows(SPLIT, "hard")], strict=True)
    for n, ((stratum, question), quoted, read) in enumerate(recorded):
        assert question.question == quoted["question"] and quoted["score"] == read["score"]
        if reached and quoted["score"] < THRESHOLD:
            continue
        n_asked += 1
        text, right = said(quoted, read) if quoted["score"] >= THRESHOLD else (ABSTENTION, False)
        if right or (text == ABSTENTION and not question.answerable):
            continue
        units = units_of(documents[quoted["document"]].text)
        best = next(unit.with_headings for unit in units if unit.text == quoted["sentence"])
        context = {"best sentence or row": best, "its score": f"{quoted['score']}, answers from {THRESHOLD} on"}
        if question.answerable:
            context["passage that answers"] = " / ".join(
                f"{documents[s.document].title}: {s.text}" for s in question.spans
            )
            context["stands in the three passages that were found"] = (
                "yes" if quoted["shows"]["cross-encoder"] else "no"
            )
        n -= 0 if stratum == "everyday" else len(load_everyday(SPLIT))
        case = "quotes" if name == "quotes" else "reader"
        where = f"{case}, dev, {stratum}, row {n}"
        found.append(row(name, question.question, context, text, *expected(question), "10_answers", where))
    return found, n_asked


def expected(question: Question) -> tuple[str, tuple[str, ...]]:
    return question.answer or NOTHING, question.accepted


def row(
    assistant: str,
    asked: str,
    context: Mapping[str, str],
    output: str,
    right: str,
    accepted: Sequence[str],
    record: str,
    where: str,
) -> Row:
    return {
        "assistant": assistant,
        "input": asked,
        "context": dict(context),
        "output": output,
        "expected": right,
        "accepted": list(accepted),
        "source": f"data/results/{record}.json: {where}",
    }


ASSISTANTS = {"tickets": tickets, "summaries": summaries, "reader": reader, "quotes": quotes, "writer": writer}


def counts() -> dict[str, tuple[int, int]]:
    """For each assistant: how many dev items it fails, of how many."""
    return {name: (len(rows), n) for name, (rows, n) in ((name, find()) for name, find in ASSISTANTS.items())}


def shares(failed: Mapping[str, tuple[int, int]], n: int = N) -> dict[str, int]:
    """How many of `n` failures each assistant gives: in proportion to its share of failed items, largest rest first."""
    rates = {name: wrong / asked for name, (wrong, asked) in failed.items()}
    exact = {name: n * rate / sum(rates.values()) for name, rate in rates.items()}
    whole = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[: n - sum(whole.values())]:
        whole[name] += 1
    return whole


def drawn() -> list[Row]:
    """The forty, in random order, each with its id, none with the input of another; tickets without their answers."""
    found = {name: find() for name, find in ASSISTANTS.items()}
    take = shares({name: (len(rows), n) for name, (rows, n) in found.items()})
    chosen: list[Row] = []
    for name, (rows, _) in found.items():
        drawn_before = {each["input"] for each in chosen}
        left = [each for each in rows if each["input"] not in drawn_before]
        chosen += random.Random(f"{SEED} {name}").sample(left, take[name])
    random.Random(SEED).shuffle(chosen)
    return [{"id": f"f{n:02d}", **each} for n, each in enumerate(chosen, 1)]


def asked_again() -> dict[str, str]:
    """What the ticket reader says to each dev ticket, as text (two minutes on one core)."""
    from helpers.assistants import ticket_reader

    texts = [ticket["text"] for ticket in load_tickets(SPLIT)]
    return {text: answer_text(label) for text, label in zip(texts, ticket_reader().many(texts), strict=True)}


def complete() -> list[Row]:
    """The forty with the tickets' answers."""
    said = asked_again()
    return [each | {"output": said[each["input"]]} if each["assistant"] == "tickets" else each for each in drawn()]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in complete())
    (FOLDER / "failures.jsonl").write_text(lines, encoding="utf-8", newline="\n")
