"""What five of the course's assistants said to each of their dev items, right or wrong, from the recorded runs.

    right_answers()["reader"]               # [(output, reference, accepted strings), …] of the right ones

Outputs stand as they were recorded. The record of the ticket reader has marks instead: a ticket whose five fields are
right was answered by its label, and what was said to the others is None. Where nothing answers a question, the right
output is an abstention. `data/failures` is drawn from the wrong ones.
What this does not do: judge; what is right was decided by each notebook's own rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from helpers.assistants.handbook import ABSTENTION, units_of
from helpers.old.assistants.handbook import THRESHOLD
from helpers.old.assistants.passages import NOT_THERE
from helpers.old.assistants.tickets import answer_text
from helpers.old.trials import tickets_recorded
from helpers.old.trials.handbook_answers import answered, questions_of, reader_rows, says_answer
from helpers.old.trials.reading import gold_text, right_units
from helpers.old.trials.records import Record
from helpers.old.trials.summaries import is_true
from helpers.old.trials.summary_training import held_out
from helpers.old.velunda.tickets import load_tickets
from helpers.velunda.handbook import Question, load_everyday, load_handbook, load_questions

SPLIT = "dev"
NO_DRAFT = "(no draft)"
NOTHING = "(the handbook does not say)"
REFUSED = 0.5  # the reader's threshold, in `PassageReader`


@dataclass(frozen=True)
class Output:
    """One item: what was asked, what was said, what is expected. accepted, source: as in
    `helpers.old.evaluation.Failure`.

    answerable: False only for questions to which the right output is an abstention. context: what the assistant had
    before it, by name; told for wrong outputs only, since it takes time to find.
    """

    input: str
    output: str | None
    expected: str
    right: bool
    source: str
    accepted: tuple[str, ...] = ()
    answerable: bool = True
    context: dict[str, str] = field(default_factory=dict)


def tickets() -> list[Output]:
    """The ticket reader of 07: are all five fields right?"""
    right, found = tickets_recorded.all_right(tickets_recorded.adapter(), SPLIT), []
    for n, ticket in enumerate(load_tickets(SPLIT)):
        label = answer_text(ticket["label"])
        source = f"data/results/07_tickets.json: dev ticket {n}"
        found.append(Output(ticket["text"], label if right[n] else None, label, right[n], source))
    return found


def summaries() -> list[Output]:
    """The report summarizer of 07b: is the draft true? No draft is a failure, too."""
    written = Record("07b_summaries").read()["runs"][0][SPLIT]["written"]
    found = []
    for n, report in enumerate(held_out(SPLIT)):
        draft, greedy = written["published"][n], written["greedy"][n]
        right = draft is not None and is_true(draft, report)
        context = {} if draft else {"first candidate, held back by the checks": greedy}
        source = f"data/results/07b_summaries.json: dev, published, report {n}"
        found.append(Output(report["text"], draft or NO_DRAFT, report["summary"], right, source, context=context))
    return found


def reader() -> list[Output]:
    """The reader of 08 on the handbook's questions, given the text that holds the answer."""
    asked = [(question, gold_text) for question in load_questions(SPLIT) if question.answerable]
    asked += [(question, right_units) for question in load_everyday(SPLIT) if question.answerable]
    answers, found = Record("08_reader").read()["runs"][0][SPLIT]["answers"], []
    for n, ((question, shown), (text, said)) in enumerate(zip(asked, answers, strict=True)):
        right = says_answer(question, said)
        context = {} if right else {"text": shown(question)}
        source = f"data/results/08_reader.json: dev, answer {n}"
        found.append(Output(text, said, question.answer, right, source, question.accepted, context=context))
    return found


def quotes() -> list[Output]:
    """The handbook assistant of 10, quoting: does it show the place that answers, or abstain where none does?"""
    return _handbook("quotes", lambda quoted, read: (quoted["text"], quoted["right"]))


def writer() -> list[Output]:
    """The same where the reader of 08 writes the answer from the best sentence, of the questions that come so far: what
    is held back before, because no sentence is good enough, is the same failure, and counted with the quotes."""

    def said(quoted: dict[str, Any], read: dict[str, Any]) -> tuple[str, bool]:
        refused = read["absent"] >= REFUSED or read["text"].startswith(NOT_THERE.rstrip("."))
        return (ABSTENTION, False) if refused else (read["text"], read["right"])

    return [each for each in _handbook("reader", said) if each is not None]


def _handbook(case: str, said: Callable[[Any, Any], tuple[str, bool]]) -> list[Any]:
    """said: the recorded quote and the reader's answer → what is said above the threshold, and whether it is right.

    None stands for a question that does not come so far as to be read.
    """
    read_of = [*reader_rows(SPLIT, "everyday"), *reader_rows(SPLIT, "hard")]
    number, found = {"everyday": 0, "hard": 0}, []
    for (stratum, question), quoted, read in zip(questions_of(SPLIT), answered(SPLIT), read_of, strict=True):
        source = f"data/results/10_answers.json: {case}, dev, {stratum}, row {number[stratum]}"
        number[stratum] += 1
        held_back = quoted["score"] < THRESHOLD
        if held_back and case == "reader":
            found.append(None)
            continue
        text, right = (ABSTENTION, False) if held_back else said(quoted, read)
        right = right or (text == ABSTENTION and not question.answerable)
        context = {} if right else _found_by_search(question, quoted)
        expected = question.answer or NOTHING
        found.append(
            Output(
                question.question,
                text,
                expected,
                right,
                source,
                question.accepted,
                question.answerable,
                context=context,
            )
        )
    return found


def _found_by_search(question: Question, quoted: dict[str, Any]) -> dict[str, str]:
    documents = load_handbook()
    units = units_of(documents[quoted["document"]].text)
    best = next(unit.with_headings for unit in units if unit.text == quoted["sentence"])
    context = {"best sentence or row": best, "its score": f"{quoted['score']}, answers from {THRESHOLD} on"}
    if question.answerable:
        passages = [f"{documents[span.document].title}: {span.text}" for span in question.spans]
        shown = quoted["shows"]["cross-encoder"]
        context["passage that answers"] = " / ".join(passages)
        context["stands in the three passages that were found"] = "yes" if shown else "no"
    return context


ASSISTANTS = {"tickets": tickets, "summaries": summaries, "reader": reader, "quotes": quotes, "writer": writer}


@cache
def right_answers() -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """For each assistant: output, reference and accepted strings of its right answers, abstentions left out.

    Right are those that each notebook's own rule calls right.
    """
    return {
        name: [(each.output, each.expected, each.accepted) for each in found() if each.right and each.answerable]
        for name, found in ASSISTANTS.items()
    }
