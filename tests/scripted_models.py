"""Models that say what a test tells them, and a tokenizer of bytes: no weights, no chance."""

from __future__ import annotations

from types import SimpleNamespace

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


class ChatBytes(Bytes):
    """A tokenizer of bytes with the simplest chat template; the token 0 ends a turn and is never shown."""

    def __call__(self, words, add_special_tokens=False):
        return {"input_ids": text(words)}

    def apply_chat_template(self, messages, add_generation_prompt=False):
        turns = [f"<{message['role']}>{message['content']}" for message in messages]
        return {"input_ids": text("".join(turns) + "<assistant>" * add_generation_prompt)}

    def decode(self, ids):
        return super().decode([token for token in ids if token])


class Replying:
    """A model of bytes that answers a chat prompt of `ChatBytes` by a rule: reply(prompt) is a text."""

    LOGIT = 5.0  # of the token that it says; all others have 0
    config = SimpleNamespace(eos_ids=(0,), max_len=8192)

    def __init__(self, reply):
        self.reply, self.prompts = reply, []

    def forward(self, ids, cache=None):
        logits = torch.zeros(*ids.shape, 256)
        for row, tokens in zip(logits, ids.tolist(), strict=True):
            prompt, _, said = bytes(tokens).decode("utf-8", errors="replace").rpartition("<assistant>")
            if not said:
                self.prompts.append(prompt)
            wanted = [*text(self.reply(prompt)), 0]
            row[-1, wanted[min(len(said.encode()), len(wanted) - 1)]] = self.LOGIT
        return logits
