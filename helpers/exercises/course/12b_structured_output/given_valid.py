"""given_valid: a mask shares probability out again at each step, which is not the same as keeping the valid texts."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise, Property

First, Then = Mapping[str, float], Mapping[str, Mapping[str, float]]


def given_valid(first: First, then: Then) -> dict[str, tuple[float, float]]:
    """For each valid text, how probable it is behind a mask, and how probable it is given that a text is valid.

    first: the probability of each first token that the mask allows. then: for each of them, the probability of each
    second token that it allows behind it. A text is a first and a second token.
    →  text: (behind the mask, given valid), both from 0 to 1
    """
    whole = {a + b: p * q for a, p in first.items() for b, q in then[a].items()}
    masked = {
        a + b: p / sum(first.values()) * q / sum(then[a].values()) for a, p in first.items() for b, q in then[a].items()
    }
    return {text: (masked[text], p / sum(whole.values())) for text, p in whole.items()}


ANSWER = """
def given_valid(first, then):
    whole = {}
    masked = {}
    for a in first:
        for b in then[a]:
            whole[a + b] = first[a] * then[a][b]
            share = first[a] / sum(first.values())
            masked[a + b] = share * then[a][b] / sum(then[a].values())
    total = sum(whole.values())
    return {text: (masked[text], whole[text] / total) for text in whole}
"""
SHARE = "share = first[a] / sum(first.values())"
SECOND = "share * then[a][b] / sum(then[a].values())"
LAST = "return {text: (masked[text], whole[text] / total) for text in whole}"
SLIPS = [
    (SECOND, "share * then[a][b]", "behind the mask, the second tokens have to add up to 1 again, too."),
    (SHARE, "share = first[a]", "behind the mask, the first tokens have to add up to 1 again, too."),
    (
        SECOND,
        "share / len(then[a])",
        "the mask does not make the allowed tokens equally probable; it divides each by their sum.",
    ),
    (
        [(SHARE, "share = 1"), (SECOND, "whole[a + b]")],
        "behind the mask you give the model's own probability; each step is divided by the sum of what is allowed.",
    ),
    (LAST, "return {text: (masked[text], whole[text]) for text in whole}", "given valid, the texts add up to 1."),
    (
        "total = sum(whole.values())",
        "total = sum(first.values())",
        "given valid, divide by the sum over all valid texts, not over the first tokens.",
    ),
    (
        LAST,
        "return {text: (whole[text] / total, masked[text]) for text in whole}",
        "the two are in the other order: behind the mask comes first.",
    ),
    (
        LAST,
        "return {text: (whole[text] / total, whole[text] / total) for text in whole}",
        "both of yours are the share among valid texts; a mask divides at each step, and knows no later ones.",
    ),
    (
        LAST,
        "return {text: (masked[text], masked[text]) for text in whole}",
        "both of yours are what the mask does; given valid, divide once, by the sum over whole texts.",
    ),
]
REFUSED = [(LAST, "return max(whole, key=whole.get)", "Expected")]
RIGHT = [
    """
def given_valid(first, then):
    texts = [(a, b) for a, row in then.items() for b in row]
    p = [first[a] * then[a][b] for a, b in texts]
    allowed = sum(first.values())
    return {a + b: (x / allowed / sum(then[a].values()), x / sum(p)) for (a, b), x in zip(texts, p)}
""",
]


def cases(rng: Generator) -> list[tuple]:
    p, q = (float(x) for x in rng.uniform(0.05, 0.3, 2))
    return [
        ({"to": 0.5, "a": 0.25}, {"to": {" go": 0.02}, "a": {" bell": 0.2, " lamp": 0.1}}),
        ({"to": 0.5, "a": 0.25}, {"to": {" go": 0.1, " pay": 0.3}, "a": {" bell": 0.2, " lamp": 0.6}}),
        ({"yes": 0.1, "no": 0.3}, {"yes": {"!": 1.0}, "no": {"t": 0.25, ".": 0.5}}),
        ({"x": p, "y": q, "z": 0.2}, {"x": {"1": q, "2": 0.4}, "y": {"1": p}, "z": {"2": 0.7, "3": 0.01}}),
        ({"one": p}, {"one": {" way": q}}),
        ({"a": 0.9, "b": p}, {"a": {"c": 0.001}, "b": {"c": 0.999 * q}}),
    ]


def adds_up(result: dict, first: First, then: Then) -> bool:
    columns = zip(*result.values(), strict=True)
    return all(abs(sum(column) - 1) < 1e-6 for column in columns)


EXERCISE = Exercise(
    minutes=6,
    difficulty=2,
    reference=given_valid,
    properties=(Property("over all valid texts, each of the two adds up to 1", adds_up),),
    hints=(
        "What do you divide by in each of the two cases, and how often?",
        "Behind a mask, each token is divided by the sum of those allowed at its place. Given valid, each whole "
        "text is divided by the sum of all whole texts.",
        "A whole text has the product of its two probabilities; divide that by the sum of all such products. For the "
        "mask, divide the first by the sum of the allowed first ones, the second by the sum of those allowed behind "
        "this first one, and multiply.",
    ),
    proves="the mask divides at each step by what it allows there, and conditioning divides whole texts by their sum",
)
