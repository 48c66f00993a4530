"""Models that say what a test tells them, and a tokenizer of bytes: no weights, no chance."""

from __future__ import annotations

import torch


class Counting:
    """The plainest model there is, neither module nor configuration: after n comes n + 1, in bytes."""

    def forward(self, ids, cache=None):
        return torch.nn.functional.one_hot((ids + 1) % 256, 256).float() * 10


class Saying:
    """A model that says what it is told, whatever the prompt, and then the token 0 for ever."""

    def __init__(self, *rows: list[int], prompt: int = 1, V: int = 300):
        self.rows, self.prompt, self.V = rows, prompt, V

    def __call__(self, ids, cache=None):
        logits = torch.zeros(*ids.shape, self.V)
        for row, reply in zip(logits, self.rows, strict=True):
            for i in range(self.prompt - 1, ids.shape[1]):
                said = i + 1 - self.prompt
                row[i, reply[said] if said < len(reply) else 0] = 9.0
        return logits


class Bytes:
    """A tokenizer whose tokens are bytes."""

    def decode(self, ids):
        return bytes(ids).decode("utf-8", errors="replace")


def text(words: str) -> list[int]:
    return list(words.encode())
