"""What searching the handbook and answering from it gave: data/results/10_rag.json, written by `make sweeps`.

    search_scores()["hybrid"].mean("ndcg@10")          # on test, with `.interval` and, paired, `compare`
    search_scores("dev", size=64)["BM25"]              # with other chunks
    answers("closed-book")[0]                          # {"text": …, "f1": …, "exact": …}, in the questions' order
    print(markdown())                                  # what each part adds

What it does not do: measure anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from helpers.handbook import Question, load_questions
from helpers.records import Record
from helpers.retrieval_metrics import SearchScores
from helpers.retrieval_trial import PASSAGES
from helpers.stats import bootstrap, paired_bootstrap, wilson

RECORD = Record("10_rag")
recorded, find = RECORD.read, RECORD.find  # the whole of it, and one run
SEARCHES = ("BM25", "dense", "hybrid")
SYSTEMS = ("closed-book", *SEARCHES, "gold passage")
BY, SIZE = "sentences", 200  # how documents are cut where nothing else is said


def asked(split: str = "test") -> list[Question]:
    """The questions that were measured: those of the split that have an answer."""
    return [question for question in load_questions(split) if question.answerable]


def search_scores(split: str = "test", case: str = "chunks", **settings: Any) -> dict[str, SearchScores]:
    """Each search's scores by its name. settings: `by`, `size`, `with_headings`, or the case "plain words"."""
    chosen = {"by": BY, "size": SIZE} | settings if case == "chunks" else settings
    questions = asked(split)
    texts, kinds = tuple(q.question for q in questions), tuple(q.kind for q in questions)
    return {
        name: SearchScores(texts, kinds, {measure: np.array(values) for measure, values in found[split].items()})
        for name, found in find(case, **chosen)["scores"].items()
    }


def answers(system: str) -> list[dict[str, Any]]:
    """The replies to the test questions by one of SYSTEMS, in the order of `asked()`."""
    return find("answers", system=system)["replies"]


def dev_answers() -> list[dict[str, Any]]:
    """The replies to the dev questions that the notebook asks, too, from the hybrid search."""
    return find("prompt", k=PASSAGES)["replies"]


def f1_of(system: str) -> NDArray:
    """The answer F1 of each test question, (n,)."""
    return np.array([reply["f1"] for reply in answers(system)])


def markdown() -> str:
    """What each part adds, on test: nDCG@10, answer F1 and its gain, exact answers, with intervals."""
    scores = search_scores()
    lines = [
        "| | nDCG@10 | answer F1 | against closed-book | exact answers |",
        "|---|---|---|---|---|",
    ]
    closed = f1_of("closed-book")
    for system in SYSTEMS:
        found, f1 = scores.get(system), f1_of(system)
        ndcg = "–" if system == "closed-book" else "1 by definition"
        if found is not None:
            ndcg = ranged(found.mean("ndcg@10"), found.interval("ndcg@10"))
        gain = "–"
        if system != "closed-book":
            difference = paired_bootstrap(f1, closed)
            gain = f"{difference.difference:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})"
        right = sum(reply["exact"] for reply in answers(system))
        low, high = wilson(right, len(f1))
        exact = f"{100 * right / len(f1):.0f} % ({100 * low:.0f}–{100 * high:.0f})"
        lines.append(f"| {system} | {ndcg} | **{f1.mean():.2f}** ({bounds(bootstrap(f1))}) | {gain} | {exact} |")
    return "\n".join(lines)


def ranged(mean: float, interval: tuple[float, float]) -> str:
    """A number with its interval: 0.42 (0.35–0.50)."""
    return f"{mean:.2f} ({bounds(interval)})"


def bounds(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{low:.2f}–{high:.2f}"
