"""What ends a reply: the end-of-sequence token, another token, or a string in its text.

A stop string is looked for in the text, not in the ids: "\\nUser:" has many spellings in tokens, and may begin in the
middle of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from helpers.streaming import ReplyText, Tokenizer


class Stops:
    """What ends a reply, by row: end-of-sequence ids, other ids, strings in the text. Asked once a step."""

    def __init__(self, batch: int, ids: Iterable[int], texts: Sequence[ReplyText] = ()) -> None:
        self.ids = frozenset(ids)
        self.texts = texts
        self.finished = [False] * batch
        self.needed = bool(self.ids or texts)

    def put(self, tokens: list[int]) -> bool:
        """Take each row's token; True if all rows are finished."""
        for row, token in enumerate(tokens):
            if not self.finished[row]:
                self.finished[row] = token in self.ids or bool(self.texts and self.texts[row].put(token))
        return all(self.finished)


def split_stops(stop: str | int | Iterable[str | int], tokenizer: Tokenizer | None) -> tuple[list[int], list[str]]:
    """Ids and strings that end a reply; a string that is one special token is its id, since text shows none of them."""
    given = [stop] if isinstance(stop, str | int) else list(stop)
    if wrong := [item for item in given if not isinstance(item, str | int) or item == "" or isinstance(item, bool)]:
        raise ValueError(f"stop takes strings that are not empty and token ids, not {wrong[0]!r}.")
    ids, words = [item for item in given if isinstance(item, int)], [item for item in given if isinstance(item, str)]
    if words and tokenizer is None:
        raise ValueError(f"To stop at the text {words[0]!r}, generate needs the tokenizer: write tokenizer=….")
    added = getattr(tokenizer, "added_tokens_decoder", {})  # the library's tokenizers: id → token
    special = {token.content: i for i, token in added.items() if token.special}
    return ids + [special[word] for word in words if word in special], [word for word in words if word not in special]
