"""one_step: continuous batching. Requests join and leave at every step, and nobody waits for the longest."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise

Requests = list[tuple[str, int]]


def one_step(running: Requests, waiting: Requests, rows: int) -> tuple[Requests, Requests, list[str]]:
    """One step of continuous batching: (running, waiting, names of the finished) after it.

    A request is (name, tokens that it still has to write), 1 or more. First requests from the front of `waiting` join,
    as long as fewer than `rows` run. Then every running request writes one token. Whoever has none left is finished.
    running: the longest there first. The lists that are passed in stay as they are.
    """
    free = max(rows - len(running), 0)
    wrote = [(name, left - 1) for name, left in [*running, *waiting[:free]]]
    return [each for each in wrote if each[1]], waiting[free:], [name for name, left in wrote if not left]


ANSWER = """
def one_step(running, waiting, rows):
    running, waiting = list(running), list(waiting)
    while waiting and len(running) < rows:
        running.append(waiting.pop(0))
    running = [(name, left - 1) for name, left in running]
    finished = [name for name, left in running if left == 0]
    running = [(name, left) for name, left in running if left > 0]
    return running, waiting, finished
"""
JOIN = "    while waiting and len(running) < rows:\n        running.append(waiting.pop(0))\n"
WRITE = "    running = [(name, left - 1) for name, left in running]\n"
STATIC = "new requests join only when nobody runs: that is static batching. A row that is free is taken at once."
SLIPS = [
    (
        JOIN,
        "    if not running:\n        running, waiting = waiting[:rows], waiting[rows:]\n",
        STATIC,
    ),
    (
        JOIN,
        "    if waiting and len(running) < rows:\n        running.append(waiting.pop(0))\n",
        "one request joins per step; all that find a free row join.",
    ),
    ("len(running) < rows", "len(running) <= rows", "one request too many runs: there are `rows` rows."),
    ("waiting.pop(0)", "waiting.pop()", "the last one in the queue joins first; take it from the front."),
    (
        JOIN,
        "    waiting.sort(key=lambda request: request[1])\n" + JOIN,
        "short requests overtake those that came before them: first come, first served.",
    ),
    (
        [(JOIN, ""), ("    return running", JOIN + "    return running")],
        "requests join behind the writing, so that each of them loses a step.",
    ),
    (
        "running.append(waiting.pop(0))",
        "running.insert(0, waiting.pop(0))",
        "those who join stand behind the ones that run already.",
    ),
    ("left == 0", "left <= 1", "a request with one token left has not finished: it writes that one at the next step."),
    (
        "    running = [(name, left) for name, left in running if left > 0]\n",
        "",
        "the finished still run, and keep their rows from those who wait.",
    ),
    (
        WRITE,
        "    running = [(name, left - 1) if n == 0 else (name, left) for n, (name, left) in enumerate(running)]\n",
        "only the first request writes; all running requests write a token at the same step.",
    ),
]
REFUSED = [
    ("    running, waiting = list(running), list(waiting)\n", "", "It changes its input"),
    ("    return running, waiting, finished", "    running, waiting, finished", "Did you forget `return`?"),
]
RIGHT = [
    """
def one_step(running, waiting, rows):
    queue = [*running, *waiting]
    seated, waiting = queue[: max(rows, len(running))], queue[max(rows, len(running)) :]
    still, finished = [], []
    for name, left in seated:
        if left > 1:
            still.append((name, left - 1))
        else:
            finished.append(name)
    return still, waiting, finished
""",
]


def cases(rng: Generator) -> list[tuple]:
    def requests(names: str) -> Requests:
        return [(name, int(rng.integers(1, 6))) for name in names]

    drawn = [(requests("abcdef"[:n]), requests("uvwxyz"[:m]), rows) for n, m, rows in ((2, 4, 4), (1, 6, 5), (3, 3, 3))]
    return [
        ([("a", 2), ("b", 1)], [("c", 3), ("d", 1)], 2),
        ([("a", 2)], [("c", 5), ("d", 1), ("e", 2)], 3),
        ([], [("a", 1), ("b", 2), ("c", 4)], 2),
        ([("a", 1)], [], 4),
        ([], [], 2),
        ([], [("a", 9), ("b", 1)], 1),
        *drawn,
    ]


EXERCISE = Exercise(
    reference=one_step,
    minutes=6,
    difficulty=2,
    hints=(
        "Three things happen in this order: join, write, leave. Which rows are free at the beginning of the step?",
        "Copy both lists. Move requests from the front of `waiting` to the end of `running` while there is room; then "
        "lower everybody's number by one, and split by whether it has come to 0.",
        "A `while` loop pops the first one that waits and appends it to the copy of `running`. A list comprehension "
        "makes pairs with one token less. Two more split them: those above 0 run on, the names at 0 are finished.",
    ),
    proves="free rows are taken at once and in order, all write a token, and the finished leave at the same step",
)
