"""One reply while it grows: words as they come, a call once it is whole, log-probabilities, and how it ended.

    reply = Reply(tools=True)
    for piece in pieces:
        shown = reply.put(piece)               # text that can be sent now; "" while it may become a call
    reply.calls, reply.text, reply.finish_reason

A reply that begins with "{" where tools may be called is a call, since words are held not to begin so. It is kept back
until it is whole: half a name is of no use to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from helpers.old.prompting.tools import Call, parse_calls
from helpers.old.serving.requests import Piece, TokenLogprobs
from helpers.tokenization import spelled

LEAST = -9999.0  # what OpenAI's API writes for a probability of 0, since JSON has no infinity


class Reply:
    """tools: whether it may be a call. text: all of it so far; finish_reason: None while it is being written."""

    def __init__(self, tools: bool = False) -> None:
        self.tools = tools
        self.text, self.finish_reason = "", None
        self.calls: list[Call] = []
        self.logprobs: list[TokenLogprobs] = []
        self._shown = 0

    def put(self, piece: Piece) -> str:
        """Add a piece; the words that can be shown now and have not been."""
        self.text += piece.text
        self.logprobs += piece.logprobs
        if piece.finish:
            self.finish_reason = piece.finish
            if self.tools and self.text.lstrip().startswith("{"):
                self.calls = parse_calls(self.text).calls
        if self.calls:
            self.finish_reason = "tool_calls"
            return ""
        if self.tools and not piece.finish and self.text.lstrip()[:1] in ("", "{"):
            return ""
        shown, self._shown = self.text[self._shown :], len(self.text)
        return shown

    @property
    def words(self) -> str | None:
        """The text, or None where the reply is a call."""
        return None if self.calls else self.text


def arguments_text(call: Call) -> str:
    """A call's arguments as the JSON string that clients parse."""
    return json.dumps(call.arguments, ensure_ascii=False)


class TokenTexts:
    """What single tokens look like: as text, and as bytes, where one is only a part of a character."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.special = tokenizer, frozenset(tokenizer.all_special_ids)

    def said(self, found: Iterable[TokenLogprobs]) -> list[TokenLogprobs]:
        """Those of tokens that can be seen: the one that ends a reply is not part of it."""
        return [one for one in found if one.token not in self.special]

    def bytes(self, token: int) -> bytes:
        name = self.tokenizer.convert_ids_to_tokens(token)
        if name is None:
            return b""
        try:
            return spelled(name)
        except KeyError:  # a special token, or another kind of tokenizer
            return name.encode("utf-8", "replace")

    def text(self, token: int) -> str:
        return self.bytes(token).decode("utf-8", "replace")

    def entry(self, token: int, logprob: float) -> dict[str, Any]:
        """A token as the chat API describes it."""
        spelling = self.bytes(token)
        return {"token": spelling.decode("utf-8", "replace"), "logprob": finite(logprob), "bytes": list(spelling)}

    def chat(self, found: Iterable[TokenLogprobs], most: int) -> list[dict[str, Any]]:
        """The log-probabilities of several tokens, with `most` alternatives each."""
        entries = []
        for one in self.said(found):
            top = [self.entry(token, logprob) for token, logprob in one.top[:most]]
            entries.append(self.entry(one.token, one.logprob) | {"top_logprobs": top})
        return entries


def finite(logprob: float) -> float:
    return max(float(logprob), LEAST)
