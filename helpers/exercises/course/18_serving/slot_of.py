"""slot_of: a block table. Where in memory does the token at a position lie, when pages lie anywhere?"""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def slot_of(table: list[int], free: list[int], position: int, size: int) -> int:
    """The slot in memory where the keys and values of the token at `position` of a text lie.

    table: the text's pages, in the order of the text; each has `size` slots, and page p has the slots from p · size on.
    While the table is too short for the position, the last page of `free` is moved to its end (both lists change).
    """
    while len(table) <= position // size:
        table.append(free.pop())
    return table[position // size] * size + position % size


ANSWER = """
def slot_of(table, free, position, size):
    number, place = divmod(position, size)
    while len(table) <= number:
        table.append(free.pop())
    return table[number] * size + place
"""
LOOP = "    while len(table) <= number:\n        table.append(free.pop())\n"
SLIPS = [
    (
        "table[number] * size + place",
        "number * size + place",
        "that is the position itself, as if pages lay in order: ask the table which page it is.",
    ),
    ("table[number] * size + place", "table[number] + place", "page p begins at slot p · size, not at slot p."),
    (
        "table[number] * size + place",
        "table[number] * size",
        "that is the first slot of the page: add the place in it.",
    ),
    (
        "table[number] * size + place",
        "table[-1] * size + place",
        "the position may lie in an earlier page of the text.",
    ),
    (
        "while len(table) <= number",
        "while len(table) < number",
        "the table is one page short: page 0 needs a length of 1.",
    ),
    (
        "while len(table) <= number",
        "if len(table) <= number",
        "one page is not always enough: the first position asked for may lie in the third page.",
    ),
    (
        LOOP,
        "    if place == 0:\n        table.append(free.pop())\n",
        "a position may be asked for again, or lie in the middle of a new page: look at the table's length.",
    ),
    (
        LOOP,
        "    if place == 0:\n        table.append(free.pop(0))\n",
        "look at the table's length, since a position may lie inside a new page; and take the last of `free`.",
    ),
    (
        LOOP,
        "    if len(table) <= number:\n        table.append(free.pop(0))\n",
        "one page is not always enough; and it is the last page of `free` that is taken.",
    ),
    ("free.pop()", "free[-1]", "the page is still in `free`, so the next text gets it, too."),
    ("free.pop()", "free.pop(0)", "take the last page of `free`."),
    (
        "while len(table) <= number",
        "while len(table) <= position",
        "that takes a page for every token; a page holds `size` of them.",
    ),
    (
        [("number, place = divmod(position, size)", "place, number = divmod(position, size)")],
        "the two are exchanged: position // size is the page's number in the table, position % size the place in it.",
    ),
]
REFUSED = [("divmod(position, size)", "position / size, position % size", "")]
RIGHT = [
    """
def slot_of(table, free, position, size):
    missing = position // size + 1 - len(table)
    for _ in range(missing):
        table.append(free.pop())
    page = table[position // size]
    return range(page * size, (page + 1) * size)[position % size]
""",
]


def cases(rng: Generator) -> list[tuple]:
    def growing(n_pages: int, size: int, n: int, texts: int) -> list[tuple]:
        """Calls, with what the table and the free pages are by then, of texts that grow in turns."""
        free, tables, ends, found = list(range(n_pages))[::-1], [[] for _ in range(texts)], [0] * texts, []
        for text in rng.integers(texts, size=n).tolist():
            found.append((list(tables[text]), list(free), ends[text], size))
            slot_of(tables[text], free, ends[text], size)
            ends[text] += 1
        return found

    return [
        ([], [3, 2, 1, 0], 0, 4),
        ([5, 2], [7, 6, 4], 6, 4),  # the example of the text
        ([0], [3, 2, 1], 4, 4),
        ([], [8, 6, 4, 2], 40, 16),  # three pages at once
        ([2, 4, 6], [8], 3, 16),
        ([4, 1, 3], [2], 8, 4),  # asked for again, at the beginning of a page
        ([6, 1], [9, 5], 2, 1),
        *growing(12, 4, 25, 3)[-6:],
        *growing(20, 3, 30, 4)[-6:],
    ]


EXERCISE = Exercise(
    reference=slot_of,
    minutes=4,
    difficulty=2,
    hints=(
        "With 16 slots per page, in which page does position 40 lie?",
        "`position // size` says which entry of the table it is. The entry says which page of the memory.",
        "Call the quotient n: while the table has n entries or fewer, move the last page of `free` to it. The slot is "
        "the page at entry n, times `size`, plus the remainder.",
    ),
    proves="positions are found through the table, pages are taken only when needed, and no page is given out twice",
)
