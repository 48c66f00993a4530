"""share_needed: where losses measured at a few shares of a time reach a goal, between them and not beyond them."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def share_needed(shares: list[float], losses: list[float], goal: float) -> float | None:
    """The share of the time at which the loss first reaches `goal`, on straight lines between neighboring points.

    shares: rising; losses: of a whole run at each share, which may rise a little now and then by luck. Reached means
    at or below the goal. If the first point is there already, that is the answer, since nothing was measured before
    it. If no point is there, it is None: a line must not be drawn beyond the last measurement.
    """
    for i, loss in enumerate(losses):
        if loss <= goal:
            if i == 0:
                return shares[0]
            part = (losses[i - 1] - goal) / (losses[i - 1] - loss)
            return shares[i - 1] + part * (shares[i] - shares[i - 1])
    return None


ANSWER = """
def share_needed(shares, losses, goal):
    if losses[0] <= goal:
        return shares[0]
    for i in range(1, len(losses)):
        before, after = losses[i - 1], losses[i]
        if after <= goal:
            way = (before - goal) / (before - after)
            return shares[i - 1] + way * (shares[i] - shares[i - 1])
    return None
"""
SLIPS = [
    (
        "return shares[i - 1] + way * (shares[i] - shares[i - 1])",
        "return shares[i]",
        "you answer with the first point that is there; the line between the two points reaches the goal sooner.",
    ),
    (
        "return shares[i - 1] + way * (shares[i] - shares[i - 1])",
        "return (shares[i - 1] + shares[i]) / 2",
        "you answer with the middle of the two points; how far to go depends on where the goal lies between them.",
    ),
    (
        "(before - goal) / (before - after)",
        "(goal - after) / (before - after)",
        "you measure the way from the wrong end: it is how far the loss has come down from the earlier point.",
    ),
    (
        "    if losses[0] <= goal:\n        return shares[0]\n",
        "    if losses[0] <= goal:\n        return None\n",
        "the first point may be there already: then its share is the answer.",
    ),
    (
        "    return None",
        "    return shares[-1]",
        "no point is there, and you answer with the last share, as np.interp does: nobody has measured that.",
    ),
    ("if after <= goal:", "if after < goal:", "a loss equal to the goal has reached it."),
    (
        "range(1, len(losses))",
        "range(len(losses) - 1, 0, -1)",
        "you look from the end; the first time that the goal is reached counts.",
    ),
    (
        "(shares[i] - shares[i - 1])",
        "shares[i]",
        "the way from one point to the next is the difference of their shares, not the later share.",
    ),
]
REFUSED = [("    return None", "    return float('inf')", "")]
RIGHT = [
    """
def share_needed(shares, losses, goal):
    points = list(zip(shares, losses))
    if points[0][1] <= goal:
        return points[0][0]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if y1 <= goal:
            return x0 + (x1 - x0) * (goal - y0) / (y1 - y0)
""",
]


def cases(rng: Generator) -> list[tuple]:
    def falling(n: int) -> tuple[list[float], list[float]]:
        shares = [float(x) for x in (rng.uniform(0.05, 0.15, size=n).cumsum()).round(3)]
        losses = [float(x) for x in (2.0 - rng.uniform(0.05, 0.2, size=n).cumsum()).round(3)]
        return shares, losses

    (a, la), (b, lb) = falling(5), falling(3)
    return [
        (a, la, round((3 * la[1] + la[2]) / 4, 4)),
        (a, la, round((la[3] + 4 * la[4]) / 5, 4)),
        (b, lb, lb[1]),  # a point lies on the goal
        (b, lb, lb[0] + 0.1),  # the first is there already
        (b, lb, lb[0]),
        (b, lb, lb[-1]),  # only the last one is there
        (b, lb, lb[-1] - 0.1),  # no one gets there
        ([0.1, 0.2, 0.3, 0.5], [1.8, 1.4, 1.6, 1.3], 1.5),  # reached, lost and reached again
        ([0.2], [1.5], 1.6),
    ]


EXERCISE = Exercise(
    reference=share_needed,
    minutes=5,
    difficulty=2,
    hints=(
        "Which two neighboring points does the goal lie between? And what if it lies between none?",
        "Take the first point that is at or below the goal, and the one before it. Of the loss between these two, "
        "which part lies above the goal? As far along must you go from the earlier share to the later one.",
        "First look whether the first loss is at or below the goal. Then go through the pairs of neighbors in order; "
        "at the first whose later loss is, walk (earlier − goal) / (earlier − later) of the way from the earlier share "
        "to the later one. At the end of the loop there is no answer: None.",
    ),
    proves="the goal is found between two measurements, at the first one, or not at all",
)
