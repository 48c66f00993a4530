"""Exercises of 10b_rag_quality: recall, nDCG, a prompt that fits, a threshold, a leaking evaluation, what to fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.random import Generator

from helpers.abstention import calibrate_threshold
from helpers.exercise_checks.spec import BadInput, Exercise, Mistake
from helpers.retrieval_metrics import ndcg_at_k, recall_at_k
from helpers.stats import paired_bootstrap


def fit_passages(lengths: Sequence[int], budget: int, question: int, reply: int) -> list[int]:
    """Which passages stand in the prompt: whole ones, the best first, as long as there is room. Numbers from 0.

    lengths: tokens of each passage, the best passage first; budget: tokens of everything together, the question with
    its instructions (`question` tokens), the passages, and the answer to come (`reply` tokens kept free)
    A passage that does not fit is left out; a later, shorter one may still get in.
    Raises ValueError where question and reply alone are more than the budget.
    """
    room = budget - question - reply
    if room < 0:
        raise ValueError(f"Question and reply take {question + reply} tokens, and the budget is {budget}.")
    chosen = []
    for number, length in enumerate(lengths):
        if length <= room:
            chosen.append(number)
            room -= length
    return chosen


def find_the_leak(
    questions: Sequence[Mapping[str, Any]], documents: Mapping[str, Sequence[str]], powers: Sequence[float], k: int
) -> tuple[float, float]:
    """Search by shared words / length ** power: the power that is best on dev, and its recall@k on test.

    questions: dicts of "words", "document" (which one answers it) and "split" ("dev" or "test")
    documents: the whole handbook, name → words; powers: to choose from, of equals the first
    """

    def recall(split, power):
        found = []
        for question in questions:
            if question["split"] == split:
                asked = set(question["words"])
                scores = {name: len(asked & set(text)) / len(text) ** power for name, text in documents.items()}
                found.append(question["document"] in sorted(scores, key=scores.get, reverse=True)[:k])
        return sum(found) / len(found)

    best = max(powers, key=lambda power: recall("dev", power))
    return best, recall("test", best)


def planted_find_the_leak(
    questions: Sequence[Mapping[str, Any]], documents: Mapping[str, Sequence[str]], powers: Sequence[float], k: int
) -> tuple[float, float]:
    """The version that stands in the notebook: documents that answer no question are not searched at all."""
    needed = {question["document"] for question in questions}
    corpus = {name: text for name, text in documents.items() if name in needed}

    def recall(split, power):
        found = []
        for question in questions:
            if question["split"] == split:
                asked = set(question["words"])
                scores = {name: len(asked & set(text)) / len(text) ** power for name, text in corpus.items()}
                found.append(question["document"] in sorted(scores, key=scores.get, reverse=True)[:k])
        return sum(found) / len(found)

    best = max(powers, key=lambda power: recall("dev", power))
    return best, recall("test", best)


def first_failures(kind: Sequence[str], now: Sequence[float], repaired: Sequence[float]) -> list[str]:
    """Which kinds of questions to repair, first the one whose repair lifts the mean over all questions most.

    kind, now, repaired: each question's kind, its score today, and with the repair (say, the right passage given)
    Only kinds whose gain may be trusted: paired_bootstrap(repaired, now).low of that kind's questions is above 0.
    Of equal gains, the kind that is met first comes first.
    """
    gains = {}
    for name in dict.fromkeys(kind):
        own = [i for i, other in enumerate(kind) if other == name]
        before, after = ([scores[i] for i in own] for scores in (now, repaired))
        if paired_bootstrap(after, before).low > 0:
            gains[name] = sum(after) - sum(before)  # the mean over all questions: divided by the same number each time
    return sorted(gains, key=lambda name: -gains[name])


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _recall_cases(rng: Generator) -> list[tuple]:
    drawn = [f"p{i}" for i in rng.permutation(15)]
    return [
        (["p3", "p7", "p1"], {"p7", "p9"}, 2),
        (["p3", "p7", "p1"], {"p1"}, 2),
        (["p3", "p7", "p1"], {"p1"}, 3),
        (drawn, {drawn[0], drawn[4], drawn[9]}, 5),
        (drawn, {drawn[0], drawn[4], drawn[9]}, 10),
        (drawn, {drawn[2], drawn[3]}, 1),
        (drawn, set(drawn[:4]), 3),  # more relevant ones than places
        (["p1"], {"p1", "p2"}, 10),  # fewer found than k
        ([], {"p1"}, 5),
        (["p1", "p1", "p2"], {"p1", "p3"}, 3),  # one passage twice
    ]


def _gain_cases(rng: Generator) -> list[tuple]:
    drawn = [f"p{i}" for i in rng.permutation(20)]
    return [
        (["p3", "p7", "p1"], {"p7"}, 3),
        (["p3", "p7", "p1"], {"p3"}, 3),
        (["p3", "p7", "p1"], {"p1", "p7"}, 3),
        (["p3", "p7", "p1"], {"p1"}, 2),  # behind the cut
        (drawn, {drawn[1], drawn[6]}),
        (drawn, {drawn[0], drawn[3], drawn[12]}),
        (drawn, set(drawn[2:8]), 4),  # more relevant ones than places
        (drawn, set(drawn[:8]), 5),
        (["p1", "p2"], {"p2", "p9"}, 10),  # fewer found than k
        ([], {"p1"}, 5),
        (["p4", "p4", "p2"], {"p4"}, 3),  # one passage twice
        (["p5", "p4", "p4", "p2"], {"p4", "p2"}, 4),
    ]


def _fit_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int) -> list[int]:
        return rng.integers(40, 260, size=n).tolist()

    return [
        ([200, 180, 90, 60], 512, 100, 40),
        ([300, 120, 500, 80, 60], 400, 60, 40),  # the best one is left out, and a shorter one gets in behind it
        (drawn(10), 1024, 90, 48),
        (drawn(20), 2048, 130, 64),
        ([100, 100, 100], 340, 100, 40),  # exactly full
        ([100, 100, 101], 340, 100, 40),
        ([500, 600], 400, 100, 40),  # none fits
        ([10, 5], 150, 100, 50),  # no room at all
        ([], 300, 100, 40),
        ([50] * 6, 300, 20, 100),
    ]


def _threshold_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, decimals: int) -> tuple[list[float], list[bool]]:
        sure = rng.uniform(0.1, 1, size=n)
        right = rng.random(n) < sure
        return [round(float(x), decimals) for x in sure], right.tolist()

    return [
        ([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.25),
        (*drawn(30, 3), 0.23),
        (*drawn(40, 1), 0.31),  # many of equal confidence
        (*drawn(25, 3), 0.11),
        ([0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, True, False], 0.3),  # risk rises and falls again
        ([0.9, 0.8, 0.8, 0.7], [True, True, False, False], 0.25),  # equals are answered together
        ([0.4, 0.9, 0.2, 0.7], [False, True, True, True], 0.25),  # not in order
        ([0.9, 0.6], [False, False], 0.5),  # never answer
        ([0.9, 0.5, 0.3], [True, True, False], 1.0),
        ([0.9, 0.5, 0.3], [True, True, False], 0.0),
        ([-12.5, -3.25, -7.0], [False, True, True], 0.2),  # any scale
    ]


def _leak_cases(rng: Generator) -> list[tuple]:
    vocabulary = [f"w{i}" for i in range(30)]

    def case(n_documents: int, n_questions: int, needed: int, powers: list[float], k: int) -> tuple:
        documents = {
            f"d{i}": [vocabulary[j] for j in rng.integers(len(vocabulary), size=int(rng.integers(5, 40)))]
            for i in range(n_documents)
        }
        questions = []
        for n in range(n_questions):
            name = f"d{int(rng.integers(needed)) * (n_documents // needed)}"
            own = [documents[name][int(j)] for j in rng.integers(len(documents[name]), size=4)]
            other = [vocabulary[int(j)] for j in rng.integers(len(vocabulary), size=3)]
            questions.append({"words": own + other, "document": name, "split": "dev" if n % 2 else "test"})
        return questions, documents, powers, k

    return [
        case(12, 16, 4, [0.0, 0.5, 1.0], 1),
        case(20, 24, 6, [1.0, 0.25, 0.0], 1),
        case(15, 30, 5, [0.0, 0.3, 0.6, 0.9], 2),
        case(24, 20, 8, [0.5, 1.0], 3),
        case(10, 14, 10, [0.0, 0.7], 1),
        case(30, 40, 6, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 1),
    ]


def _failure_cases(rng: Generator) -> list[tuple]:
    def case(**gains: tuple[int, float, float]) -> tuple:
        """Of each kind: how many questions, their mean score now, and by how much the repair lifts them."""
        kinds, now, repaired = [], [], []
        for name, (n, before, gain) in gains.items():
            for _ in range(n):
                kinds.append(name)
                today = min(8, max(0, round(8 * before + 2 * float(rng.normal()))))
                now.append(today / 8)  # eighths, whose sums are exact in any order
                repaired.append(min(8, max(0, round(today + 8 * gain + float(rng.normal())))) / 8)
        order = rng.permutation(len(kinds))
        return tuple([column[i] for i in order] for column in (kinds, now, repaired))

    return [
        case(number=(20, 0.3, 0.3), paraphrase=(12, 0.5, 0.2), negation=(6, 0.1, 0.5)),
        case(number=(24, 0.6, 0.2), paraphrase=(5, 0.2, 0.5), negation=(9, 0.7, 0.0)),
        case(a=(10, 0.1, 0.1), b=(10, 0.6, 0.3), c=(10, 0.3, 0.0), d=(4, 0.4, 0.3)),
        case(a=(15, 0.5, -0.2), b=(15, 0.3, 0.2)),
        (["a", "b", "a", "b"], [0.0, 0.5, 0.5, 0.0], [0.5, 1.0, 1.0, 0.5]),  # equal gains
        (["b", "a", "a", "b"], [0.0, 0.5, 0.5, 0.0], [0.0, 0.5, 0.25, 0.0]),  # nothing to gain
        (["a"] * 4 + ["b"] * 3, [0.0] * 7, [0.0, 1.0, 0.0, 0.0, 0.25, 0.25, 0.25]),  # one lucky question
        (["b"] * 5 + ["a"] * 2, [0.5] * 7, [0.75] * 5 + [1.0] * 2),  # many small gains outweigh two large ones
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

NOTEBOOK = "10b_rag_quality"
EXERCISES = [
    Exercise(
        name="recall_at_k",
        notebook=NOTEBOOK,
        minutes=2,
        difficulty=1,
        reference=recall_at_k,
        cases=_recall_cases,
        hints=(
            "Two passages are needed, and one of them is among the first five. What is the recall?",
            "Of the first k, how many of the relevant ones are there? Divide by how many relevant ones exist, whatever "
            "k is.",
            "`set(ranked[:k])` is what stands among the first k, and `&` keeps what two sets share. Divide its size by "
            "the size of `relevant`.",
        ),
        proves="the first k count, of all relevant ones, also where k or what was found is small",
        mistakes=[],
    ),
    Exercise(
        name="ndcg_at_k",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=2,
        reference=ndcg_at_k,
        cases=_gain_cases,
        hints=(
            "Recall does not care whether the passage came first or tenth. By how much should it?",
            "Add 1 / log2(rank + 1) for each relevant passage among the first k. Then compute the same sum for a "
            "perfect search, which has relevant ones at ranks 1, 2, 3 …, and divide.",
            "The perfect sum has min(k, number of relevant ones) terms, at the ranks from 1 on. For passages that come "
            "twice, remember in a set which ones you have counted. `math.log2(rank + 1)` is 1 at rank 1.",
        ),
        proves="each rank's worth, the best possible sum for any k, and repeated passages counted once",
        mistakes=[],
    ),
    Exercise(
        name="fit_passages",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=2,
        reference=fit_passages,
        cases=_fit_cases,
        raises=[
            BadInput(([20, 30], 100, 80, 40), ValueError, "question and reply alone take 120 of 100 tokens"),
            BadInput(([], 60, 61, 0), ValueError, "the question alone takes 61 of 60 tokens"),
        ],
        hints=(
            "The model's context holds what it reads *and* what it writes. How much is left for passages?",
            "Start with the room that question and reply leave. Go through the passages in order; take one if it fits "
            "into what is left, and then less is left. One that does not fit is passed over, and you go on.",
            "`enumerate(lengths)` gives number and length. Compare the length with the room by `<=`, so that a passage "
            "that fills it exactly gets in. Use no `break`. Before the loop: where the room is below 0, raise a "
            "ValueError that says so.",
        ),
        proves="the reply's room is kept, whole passages only, and shorter ones behind a long one still get in",
        mistakes=[],
    ),
    Exercise(
        name="threshold_on_dev",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=2,
        reference=calibrate_threshold,
        cases=_threshold_cases,
        hints=(
            "Take one threshold, 0.8, say. Which answers are given, and what share of them is wrong?",
            "Try each confidence as the threshold: gather the verdicts of all answers that reach it and compute the "
            "share that is wrong. Keep the threshold if that is at most `max_risk`. The smallest of those kept is the "
            "answer.",
            "Inside a loop over the confidences: `given = [right for sure, right in zip(confidences, correct) if sure "
            ">= threshold]`; the share that is wrong is `given.count(False) / len(given)`. Do not leave the loop "
            "early, and mind that `min` of an empty list is an error: then it is infinity.",
        ),
        proves="the promise is kept, as many as possible are answered, equals go together, and never is a choice",
        mistakes=[],
    ),
    Exercise(
        name="find_the_leak",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=2,
        reference=find_the_leak,
        planted=planted_find_the_leak,
        cases=_leak_cases,
        hints=(
            "A new customer's question comes in. Which lines could you not run for it, since they need its answer?",
            "The power is chosen on dev and measured on test: that is right. But look at what is searched. Which "
            "documents are missing from `corpus`, and who decided that?",
            "`needed` is made from the answers. Documents that answer none of these questions are taken out, and they "
            "are the ones that distract a search. Let `recall` search all of `documents`; leave everything else.",
        ),
        proves="all documents are searched, dev alone chooses, and test is measured once",
        mistakes=[
            Mistake(planted_find_the_leak, "only documents that answer one of these questions are searched, still."),
        ],
    ),
    Exercise(
        name="first_failures",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=3,
        reference=first_failures,
        cases=_failure_cases,
        hints=(
            "Three hopeless questions of one kind, or thirty of another that are a little wrong: which repair lifts "
            "the mean more?",
            "For each kind, gather its questions' scores now and repaired. Ask `paired_bootstrap` whether the gain may "
            "be trusted. What it adds to the mean over *all* questions grows with the sum of its gains, not with their "
            "mean.",
            "`dict.fromkeys(kind)` gives each kind once, in the order met. For one of them, pick both scores by a "
            "comprehension over `zip(kind, now, repaired)`. Keep it if `paired_bootstrap(after, before).low > 0`, with "
            "the sum of the differences as its key; at the end, sort by that, largest first.",
        ),
        proves="the sum of a kind's gains decides, what may be luck is left out, and so is what a repair harms",
        mistakes=[],
    ),
]
