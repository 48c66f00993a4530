"""Exercises of 10b_rag_quality: recall, nDCG, a prompt that fits, a threshold, a leaking evaluation, what to fix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.exercises.checking import rag_quality_cases as inputs
from helpers.exercises.checking import rag_quality_mistakes as known
from helpers.exercises.checking.spec import BadInput, Exercise, Mistake, Property
from helpers.metrics.selective import calibrate_threshold
from helpers.retrieval.metrics import ndcg_at_k, recall_at_k
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


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

NOTEBOOK = "10b_rag_quality"
KEEPS_RIGHT = "`max_risk` bounds the share that is wrong; you ask for a share of right ones."
EXERCISES = [
    Exercise(
        name="recall_at_k",
        notebook=NOTEBOOK,
        minutes=2,
        difficulty=1,
        reference=recall_at_k,
        cases=inputs.recall_cases,
        hints=(
            "Two passages are needed, and one of them is among the first five. What is the recall?",
            "Of the first k, how many of the relevant ones are there? Divide by how many relevant ones exist, whatever "
            "k is.",
            "`set(ranked[:k])` is what stands among the first k, and `&` keeps what two sets share. Divide its size by "
            "the size of `relevant`.",
        ),
        proves="the first k count, of all relevant ones, also where k or what was found is small",
        mistakes=[
            Mistake(
                known.recalled(over="k"), "this is precision: it divides by k. Recall divides by all relevant ones."
            ),
            Mistake(
                known.recalled(over="found"),
                "you divide by how many were looked at; recall divides by all relevant ones.",
            ),
            Mistake(
                known.recalled(over="at most k"),
                "you divide by k where k is smaller; recall divides by all relevant ones, whatever k is.",
            ),
            Mistake(known.recalled(cut=None), "the cut at k is missing: only the first k count."),
            Mistake(known.recalled(cut=-1), "the first k − 1 are looked at; `ranked[:k]` is the first k."),
            Mistake(known.recalled(cut=1), "one place too many: `ranked[:k]` is the first k."),
            Mistake(known.recalled(count="each place"), "a passage that stands there twice is still one passage."),
            Mistake(known.recalled(count="any"), "you ask whether any was found; recall is the share that was found."),
            Mistake(known.recalled(count="all"), "you ask whether all were found; recall is the share that was found."),
            Mistake(known.recalled(count="number"), "this is how many were found; give their share."),
        ],
    ),
    Exercise(
        name="ndcg_at_k",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=2,
        reference=ndcg_at_k,
        cases=inputs.gain_cases,
        hints=(
            "Recall does not care whether the passage came first or tenth. By how much should it?",
            "Add 1 / log2(rank + 1) for each relevant passage among the first k. Then compute the same sum for a "
            "perfect search, which has relevant ones at ranks 1, 2, 3 …, and divide.",
            "The perfect sum has min(k, number of relevant ones) terms, at the ranks from 1 on. For passages that come "
            "twice, remember in a set which ones you have counted. `math.log2(rank + 1)` is 1 at rank 1.",
        ),
        proves="each rank's worth, the best possible sum for any k, and repeated passages counted once",
        properties=[
            Property(
                "it lies between 0 and 1",
                lambda result, *_: -1e-9 <= result <= 1 + 1e-9,
            ),
        ],
        mistakes=[
            Mistake(
                known.gained(over="nothing"), "this is the gain itself; divide it by the largest that is possible."
            ),
            Mistake(known.gained(over="relevant"), "the sum below the line takes ranks into account, too."),
            Mistake(
                known.gained(over="all relevant"), "below the line only k places can be filled: min(k, relevant ones)."
            ),
            Mistake(
                known.gained(over="k"), "below the line only as many places are filled as there are relevant ones."
            ),
            Mistake(
                known.gained(over="those found"),
                "below the line you rank what was *found* best; what was missed belongs there, too.",
            ),
            Mistake(
                known.gained(over="all that came"),
                "below the line stands a perfect search, however few passages yours found.",
            ),
            Mistake(known.gained(repeats=True), "a passage that comes a second time is worth nothing."),
            Mistake(known.gained(cut=False), "the cut at k is missing: only the first k count."),
            Mistake(known.gained(worth=lambda rank: 1 / rank), "a rank is worth 1 / log2(rank + 1), not 1 / rank."),
            Mistake(
                known.gained(worth=lambda rank: 1.0), "every rank is worth the same: 1 / log2(rank + 1) is missing."
            ),
            Mistake(known.gained(worth=lambda rank: math.log2(rank + 1)), "the worth is 1 *over* the logarithm."),
            Mistake(
                known.gained(worth=lambda rank: 1 / math.log2(rank)),
                "log2(1) is 0: count ranks from 1, and add 1 inside the logarithm.",
            ),
            Mistake(
                known.gained(worth=lambda rank: 1 / math.log2(rank + 2)), "with ranks from 1 it is log2(rank + 1)."
            ),
        ],
    ),
    Exercise(
        name="fit_passages",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=2,
        reference=fit_passages,
        cases=inputs.fit_cases,
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
        mistakes=[
            Mistake(
                known.fitted(skip=False),
                "you stop at the first that does not fit; a later, shorter one may still get in.",
            ),
            Mistake(
                known.fitted(taken=("question",)), "no room is kept for the reply, so the answer would be cut off."
            ),
            Mistake(known.fitted(taken=("reply",)), "the question's tokens are not counted."),
            Mistake(
                known.fitted(taken=()), "neither question nor reply is counted; passages get what is left by them."
            ),
            Mistake(known.fitted(strict=True), "a passage that fills the room exactly fits: `<=`."),
            Mistake(known.fitted(shrinks=False), "the room does not get smaller when a passage takes its part."),
            Mistake(known.fitted(over=True), "the passage that does not fit gets in; the prompt is too long."),
            Mistake(
                known.fitted(over=True, skip=False), "the passage that does not fit gets in; the prompt is too long."
            ),
            Mistake(known.fitted(order="shortest"), "short ones first fits more, but the best one may be left out."),
            Mistake(known.as_many_as_possible, "short ones first fits more, but the best one may be left out."),
            Mistake(known.fitted(order="longest"), "the order is that of rank, not of length."),
            Mistake(known.fitted(order="reversed"), "you begin with the worst passage."),
            Mistake(known.fitted(out="lengths"), "give the passages' numbers, not their lengths."),
            Mistake(known.fitted(out="count"), "give the numbers of the passages, not how many they are."),
            Mistake(known.fitted(start=1), "numbers begin with 0."),
        ],
    ),
    Exercise(
        name="threshold_on_dev",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=2,
        reference=calibrate_threshold,
        cases=inputs.threshold_cases,
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
        properties=[
            Property("the promise is kept: of the answers given, at most `max_risk` are wrong", inputs.keeps_promise),
        ],
        mistakes=[
            Mistake(
                known.calibrated(stops=True),
                "you stop where the promise is first broken; a lower threshold may keep it again.",
            ),
            Mistake(
                known.calibrated(given=lambda sure, threshold: sure > threshold),
                "an answer whose confidence *is* the threshold is given: `>=`.",
            ),
            Mistake(
                known.calibrated(keeps=lambda risk, most: risk < most), "a risk of exactly `max_risk` is allowed: `<=`."
            ),
            Mistake(known.calibrated(pick=max), "the highest threshold answers the fewest questions; take the lowest."),
            Mistake(
                known.calibrated(over="all"), "wrong ones are a share of the answers *given*, not of all questions."
            ),
            Mistake(known.calibrated(of="right"), "you count right answers; risk is the share of wrong ones."),
            Mistake(known.calibrated(of="right", keeps=lambda right, most: right >= most), KEEPS_RIGHT),
            Mistake(known.calibrated(none=0.0), "where no threshold keeps the promise, 0 answers all: infinity."),
            Mistake(known.calibrated(none=1.0), "where none keeps the promise: infinity; a score may be above 1."),
            Mistake(known.calibrated(tried="hundredths"), "the thresholds to try are the confidences themselves."),
            Mistake(
                known.one_by_one, "two answers of equal confidence are given together; you part them in the middle."
            ),
            Mistake(known.in_the_order_given, "the answers do not come in order of confidence."),
        ],
    ),
    Exercise(
        name="find_the_leak",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=2,
        reference=find_the_leak,
        planted=planted_find_the_leak,
        cases=inputs.leak_cases,
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
            Mistake(
                known.evaluated(searched="asked here"),
                "now only documents that answer a question of that split are searched: the leak is larger.",
            ),
            Mistake(
                known.evaluated(chosen_on=("test",)), "now the power is chosen on test: that is a leak of its own."
            ),
            Mistake(
                known.evaluated(chosen_on=("test",), searched="asked"),
                "it was right to choose on dev; the leak is in what is searched.",
            ),
            Mistake(
                known.evaluated(chosen_on=("dev", "test")), "now test questions help to choose: a leak of its own."
            ),
            Mistake(known.evaluated(measured_on=("dev",)), "this is the recall on dev, where the power was chosen."),
            Mistake(
                known.evaluated(measured_on=("dev",), searched="asked"),
                "it was right to measure on test; the leak is in what is searched.",
            ),
            Mistake(
                known.evaluated(chosen_on=("dev", "test"), measured_on=("dev", "test")),
                "dev and test are mixed: choose on dev, measure on test.",
            ),
            Mistake(
                known.evaluated(measured_on=("dev", "test")), "the recall of dev and test mixed: only test counts."
            ),
            Mistake(known.evaluated(last=True), "of equal powers the first is taken, as it was."),
            Mistake(known.evaluated(per="distinct words"), "the score was right: length counts all words."),
            Mistake(known.evaluated(out="recall"), "give the power as well, as it was."),
            Mistake(known.evaluated(out="power"), "give the recall as well, as it was."),
        ],
    ),
    Exercise(
        name="first_failures",
        notebook=NOTEBOOK,
        minutes=5,
        difficulty=3,
        reference=first_failures,
        cases=inputs.failure_cases,
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
        mistakes=[
            Mistake(
                known.repaired_first(by="mean gain"),
                "a large mean gain over few questions lifts the whole little: sum the gains up.",
            ),
            Mistake(
                known.repaired_first(by="low"),
                "the interval says whether a gain may be trusted, not which comes first.",
            ),
            Mistake(
                known.repaired_first(by="mean gain", trusted="no test"),
                "no gain is tested, and means are compared where sums decide.",
            ),
            Mistake(known.repaired_first(trusted="no test"), "a gain that may be luck, or a loss, is not left out."),
            Mistake(
                known.repaired_first(trusted="difference"), "a gain above 0 may be luck: its interval's `low` decides."
            ),
            Mistake(known.repaired_first(trusted="high"), "`high` above 0 holds for nearly every gain: `low` decides."),
            Mistake(known.repaired_first(trusted="not below"), "`low` has to be above 0, not 0."),
            Mistake(known.repaired_first(trusted="all"), "each kind is tested by its own questions, not by all."),
            Mistake(known.repaired_first(swapped=True), "`paired_bootstrap(a, b)` is of a − b: repaired comes first."),
            Mistake(known.repaired_first(by="failures"), "failures that the repair does not mend gain nothing."),
            Mistake(known.repaired_first(by="lowest now"), "the worst kind is not the one whose repair gains most."),
            Mistake(known.repaired_first(by="lowest sum"), "what is wrong today is not what the repair mends."),
            Mistake(known.repaired_first(by="highest repaired"), "what counts is the gain, not the score afterwards."),
            Mistake(known.repaired_first(by="questions"), "the most frequent kind is not the one that gains most."),
            Mistake(known.repaired_first(by="none"), "the kinds are not sorted."),
            Mistake(known.repaired_first(losses=False), "questions that the repair harms count, too."),
            Mistake(known.repaired_first(order="up"), "the smallest gain comes first."),
            Mistake(known.repaired_first(out="pairs"), "give the kinds alone, in order."),
            Mistake(known.repaired_first(out="gains"), "give the kinds, not their gains."),
        ],
    ),
]
