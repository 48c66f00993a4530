"""choose_checkpoint: dev alone decides which step goes into service, and of equals the earliest does."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def choose_checkpoint(scores: Mapping[int, dict[str, float]]) -> int:
    """The step whose checkpoint goes into service: the best on dev, of equals the earliest.

    scores: step → {"loss": in training, "dev": exact match, "test": exact match}, steps rising
    """
    best = max(found["dev"] for found in scores.values())
    return min(step for step, found in scores.items() if found["dev"] == best)


ANSWER = """
def choose_checkpoint(scores):
    best = max(scores, key=lambda step: scores[step]["dev"])
    return best
"""
DEV = 'scores[step]["dev"]'
LATER = "between equals you take the later one; take the earliest."
SLIPS = [
    (
        DEV,
        'scores[step]["test"]',
        "you choose on test: after that its score says how well you chose, not how good the model is.",
    ),
    (DEV, 'scores[step]["dev"] + scores[step]["test"]', "test has a say in your choice; it must have none."),
    (
        DEV,
        '(scores[step]["dev"], scores[step]["test"])',
        "test decides between equals; it must not decide anything.",
    ),
    (DEV, '-scores[step]["loss"]', "the training loss falls to the end, also while the model gets worse."),
    (DEV, '(scores[step]["dev"], -scores[step]["loss"])', LATER),
    (DEV, '(scores[step]["dev"], step)', LATER),
    (DEV, "step", "you take the last step, whatever dev says."),
    (DEV, '-scores[step]["dev"]', "you take the worst one on dev."),
    ("return best", 'return scores[best]["dev"]', "give the step, not its score."),
    ("return best", "return list(scores).index(best)", "give the step, not its place in the list."),
    (
        """
def choose_checkpoint(scores):
    best, *others = scores
    for step in others:
        if scores[step]["dev"] < scores[best]["dev"]:
            break
        best = step
    return best
""",
        "you stop at the first dip; it may get better after it.",
    ),
]
RIGHT = [
    """
def choose_checkpoint(scores):
    return sorted(scores, key=lambda step: (-scores[step]["dev"], step))[0]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def training(n: int) -> dict[int, dict[str, float]]:
        losses = sorted(rng.uniform(0.05, 1.2, size=n).tolist(), reverse=True)
        dev, test = (rng.integers(20, 60, size=n) / 72 for _ in range(2))
        return {
            10 * (i + 1): {"loss": round(loss, 3), "dev": round(float(d), 4), "test": round(float(t), 4)}
            for i, (loss, d, t) in enumerate(zip(losses, dev, test, strict=True))
        }

    def scored(**dev: tuple[float, float, float]) -> dict[int, dict[str, float]]:
        return {int(step[1:]): dict(zip(("loss", "dev", "test"), row, strict=True)) for step, row in dev.items()}

    return [
        (training(6),),
        (training(9),),
        (scored(s10=(0.9, 0.40, 0.50), s20=(0.5, 0.60, 0.45), s30=(0.3, 0.55, 0.70), s40=(0.2, 0.50, 0.40)),),
        (scored(s5=(0.9, 0.3, 0.2), s10=(0.4, 0.6, 0.4), s15=(0.2, 0.6, 0.6), s20=(0.1, 0.6, 0.5)),),  # equals
        (scored(s20=(0.6, 0.5, 0.5), s40=(0.4, 0.4, 0.6), s60=(0.3, 0.7, 0.3), s80=(0.1, 0.2, 0.9)),),  # a dip first
        (scored(s0=(2.0, 0.0, 0.0)),),
        (scored(s0=(2.0, 0.5, 0.1), s60=(0.1, 0.2, 0.6)),),  # it was best before
        (scored(s5=(0.8, 0.6, 0.5), s10=(0.2, 0.4, 0.4), s15=(0.3, 0.5, 0.3)),),  # the loss rises at the end
    ]


EXERCISE = Exercise(
    reference=choose_checkpoint,
    minutes=2,
    difficulty=1,
    hints=(
        "Which of the three columns may you look at, if the last is to say how good it is on new tickets?",
        "Only dev decides. The loss in training falls anyway, and test is for one look at the very end. Among "
        "checkpoints that are equally good on dev, the earliest has forgotten least.",
        "Find the largest `dev` of all steps, then the smallest step that has it. Python's `max` with a `key` does "
        "both at once, since it keeps the first of equals, and the steps are rising.",
    ),
    proves="dev alone decides, the earliest of equals, wherever the best loss and the best test score are",
)
