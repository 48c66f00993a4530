"""Inputs of the exercises of 10b_rag_quality: rankings, budgets, confidences, small handbooks, scores by kind."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator


def recall_cases(rng: Generator) -> list[tuple]:
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


def gain_cases(rng: Generator) -> list[tuple]:
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
        (["p3"], {"p3", "p8"}, 5),  # fewer found than there are relevant ones
        (["p2", "p6"], {"p1", "p2", "p5", "p9"}, 10),
        (["p5", "p4", "p4", "p2"], {"p4", "p2"}, 4),
    ]


def fit_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int) -> list[int]:
        return rng.integers(40, 260, size=n).tolist()

    return [
        ([200, 180, 90, 60], 512, 100, 40),
        ([300, 120, 500, 80, 60], 400, 60, 40),  # the best one fills it
        ([350, 120, 500, 80, 60], 400, 60, 40),  # even the best one may be left out
        (drawn(10), 1024, 90, 48),
        (drawn(20), 2048, 130, 64),
        ([100, 100, 100], 340, 100, 40),  # exactly full
        ([100, 100, 101], 340, 100, 40),
        ([500, 600], 400, 100, 40),  # none fits
        ([10, 5], 150, 100, 50),  # no room at all
        ([], 300, 100, 40),
        ([50] * 6, 300, 20, 100),
    ]


def threshold_cases(rng: Generator) -> list[tuple]:
    def drawn(n: int, decimals: int) -> tuple[list[float], list[bool]]:
        sure = rng.uniform(0.1, 1, size=n)
        right = rng.random(n) < sure
        return [round(float(x), decimals) for x in sure], right.tolist()

    return [
        ([0.9, 0.8, 0.7, 0.6], [True, True, False, True], 0.25),
        ([0.9, 0.8, 0.7, 0.6, 0.5], [True, False, True, True, False], 0.3),  # risk rises and falls again
        ([0.9, 0.8, 0.8, 0.7], [True, True, False, False], 0.25),  # equals are answered together
        ([0.4, 0.9, 0.2, 0.7], [False, True, True, True], 0.25),  # not in order
        ([0.9, 0.6], [False, False], 0.5),  # never answer
        ([0.9, 0.5, 0.3], [True, True, False], 1.0),
        ([0.9, 0.5, 0.3], [True, True, False], 0.0),
        ([-12.5, -3.25, -7.0], [False, True, True], 0.2),  # any scale
        (*drawn(30, 3), 0.23),
        (*drawn(40, 1), 0.31),  # many of equal confidence
        (*drawn(25, 3), 0.11),
    ]


def keeps_promise(result: float, confidences: Sequence[float], correct: Sequence[bool], max_risk: float) -> bool:
    given = [right for sure, right in zip(confidences, correct, strict=True) if sure >= result]
    return not given or given.count(False) / len(given) <= max_risk + 1e-9


def leak_cases(rng: Generator) -> list[tuple]:
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

    small = {
        "codes": ["e05", "the", "battery", "is", "too", "cold"],
        "manual": ["charge", "a", "cold", "battery", "indoors", "overnight"],
        "minutes": ["cold", "coffee", "cold", "battery", "indoors"],  # answers nothing, and distracts
    }
    asked = [
        {"words": ["what", "is", "e05"], "document": "codes", "split": "dev"},
        {"words": ["cold", "battery", "indoors"], "document": "manual", "split": "test"},
    ]
    return [
        (asked, small, [1.0], 1),
        (asked, small, [0.0, 1.0], 2),
        case(12, 16, 4, [0.0, 0.5, 1.0], 1),
        case(20, 24, 6, [1.0, 0.25, 0.0], 1),
        case(15, 30, 5, [0.0, 0.3, 0.6, 0.9], 2),
        case(24, 20, 8, [0.5, 1.0], 3),
        case(10, 14, 10, [0.0, 0.7], 1),
        case(18, 24, 6, [0.0, 0.4, 0.8], 1),
    ]


def failure_cases(rng: Generator) -> list[tuple]:
    def case(**kinds: tuple[list[float], list[float]]) -> tuple:
        """Of each kind the scores now and the gains, in eighths, whose sums are exact in any order."""
        names = [name for name, (now, _) in kinds.items() for _ in now]
        now = [score for scores, _ in kinds.values() for score in scores]
        gains = [gain for _, found in kinds.values() for gain in found]
        return names, now, [score + gain for score, gain in zip(now, gains, strict=True)]

    def shuffled(names: list[str], now: list[float], repaired: list[float]) -> tuple:
        order = rng.permutation(len(names))
        return tuple([column[i] for i in order] for column in (names, now, repaired))

    mixed = case(
        paraphrase=([0.5, 0.25, 0.75, 0.0, 0.5], [0.25, 0.5, 0.25, 0.5, 0.0]),
        number=([0.0] * 6, [1.0, 0.5, 1.0, 0.0, 1.0, 0.75]),
        negation=([0.5] * 4, [0.25, -0.25, 0.0, 0.125]),
    )
    return [
        case(paraphrase=([0.25] * 7, [0.25] * 7), number=([0.0] * 3, [0.5] * 3)),  # many small gains outweigh a few
        case(number=([0.0] * 6, [0.25] * 6), negation=([0.25] * 4, [0.75] * 4)),  # the worst kind gains less
        case(number=([0.875] * 6, [0.125] * 6), negation=([0.0] * 3, [0.5] * 3)),  # more failures, smaller ones
        case(number=([1.0] * 3 + [0.5] * 5, [0.0] * 3 + [0.25] * 5), negation=([0.5] * 6, [0.25] * 6)),
        case(number=([0.5] * 6, [0.375] * 6), negation=([0.0] * 6, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0])),
        case(
            number=([0.0] * 6, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]), negation=([0.5] * 3, [0.25] * 3)
        ),  # one lucky question
        case(number=([0.5] * 5, [0.5, -0.5, 0.25, -0.5, 0.0]), negation=([0.5] * 4, [0.25] * 4)),  # it may harm
        case(number=([0.5] * 10, [0.5] * 7 + [-0.25] * 3), negation=([0.25] * 12, [0.25] * 12)),  # gains and losses
        case(number=([0.75] * 4, [0.25] * 4), negation=([0.0] * 4, [0.25] * 4), term=([0.5] * 4, [0.25] * 4)),  # equal
        case(number=([0.5] * 3, [0.0, -0.25, 0.0]), negation=([1.0] * 2, [0.0] * 2)),  # nothing to gain
        shuffled(*mixed),
    ]
