"""How a text that is longer than the context is read: in windows that overlap, each token scored once.

windows(10, context=6, stride=2)      # [(0, 6, 5), (2, 8, 2), (4, 10, 2)]: read 0–6 and score 5, read 2–8, score 2 …
"""

from __future__ import annotations


def windows(length: int, context: int | None = None, stride: int | None = None) -> list[tuple[int, int, int]]:
    """(start, end, scored): the tokens start … end − 1 are read, and the last `scored` of them are scored.

    length: tokens of the text. context: tokens that are read at once, the whole text by default. stride: how far each
    window moves, half a context by default: the smaller, the more every token has before it, and the more is read
    twice. The first token is never scored. Raises ValueError for a context below 2, a stride outside 1 … context − 1.
    """
    if context is None:
        return [(0, length, length - 1)]
    stride = context // 2 if stride is None else stride
    if context < 2 or not 1 <= stride < context:
        raise ValueError(f"A context of 2 or more and a stride from 1 below it, not {context} and {stride}.")
    if length <= context:
        return [(0, length, length - 1)]
    ends = [*range(context, length, stride), length]
    return [(max(end - context, 0), end, end - before) for end, before in zip(ends, [1, *ends], strict=False)]
