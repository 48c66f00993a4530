"""A chat model answers from a text that it is given, or says that the text does not tell.

    read = passage_reader()                                          # the chat model with the adapter "reader"
    read("When do you close?", "On Sundays we close at 17:00.")      # "At 17:00."
    read("May dogs come in?", "On Sundays we close at 17:00.")       # "Not in the text."

The text is what `helpers.retrieval.units` makes of a page: sentences, and rows of tables written out. What it does not
do: find the text (notebook 10 does), or know whether the text is true.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from helpers.generation.decoding import generate
from helpers.generation.sampling import greedy
from helpers.generation.streaming import reply_text
from helpers.old.assistants.taught import taught_model

READ = "Answer the question from the text in one short sentence. If the text does not say it, answer: Not in the text."
NOT_THERE = "Not in the text."
ROOM = 32  # tokens; the longest answer that was trained takes 29


class ReadAnswer(NamedTuple):
    """text: the answer, or NOT_THERE. absent: the probability of the token that NOT_THERE begins with."""

    text: str
    absent: float


def passage_chat(question: str, text: str, answer: str | None = None) -> list[dict[str, str]]:
    """The conversation about one question; without an answer it ends where the model is to speak.

    The text comes first: of several questions about one text, all but the end is the same, and is read once.
    """
    content = f"{text.strip()}\n\nQuestion: {question.strip()}"
    turns = [{"role": "system", "content": READ}, {"role": "user", "content": content}]
    return turns + ([{"role": "assistant", "content": answer}] if answer is not None else [])


class PassageReader:
    """The chat model with an adapter that reads. Called with a question and a text, it gives a short answer.

    model: a `Llama` or `FastLlama` that has learned it; tokenizer: its tokenizer. threshold: from which probability of
    "Not in the text." on it says so; choose it on questions whose answers you know.
    """

    def __init__(self, model: Any, tokenizer: Any, threshold: float = 0.5) -> None:
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold is a probability above 0 and at most 1, not {threshold}.")
        self.model, self.tokenizer, self.threshold = model, tokenizer, threshold
        self.refusal = tokenizer(NOT_THERE, add_special_tokens=False)["input_ids"][0]

    def __call__(self, question: str, text: str) -> str:
        """The answer. Raises ValueError for an empty question or text, and for a text too long for the model."""
        return self.answer([(question, text)])[0].text

    def answer(self, pairs: Sequence[tuple[str, str]], batch: int = 16) -> list[ReadAnswer]:
        """The answers to (question, text) pairs, several at once, in their order."""
        prompts = [self._prompt(*pair) for pair in pairs]
        answers = [ReadAnswer("", 0.0)] * len(prompts)
        by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        for start in range(0, len(prompts), batch):
            chosen = by_length[start : start + batch]
            for i, answer in zip(chosen, self._together([prompts[i] for i in chosen]), strict=True):
                answers[i] = answer
        return answers

    def _together(self, prompts: list[list[int]]) -> list[ReadAnswer]:
        width, eos, absent = max(map(len, prompts)), self.tokenizer.eos_token_id, []

        def sampler(logits: Tensor, ids: Tensor) -> Tensor:
            if ids.shape[1] == width:  # the first token decides whether it answers
                p = logits.float().softmax(-1)[:, self.refusal]
                absent.extend(p.tolist())
                top = logits.max() + 1
                logits = logits.clone()
                logits[:, self.refusal] = torch.where(p >= self.threshold, top, -torch.inf)
            return greedy(logits, ids)

        ids = generate(self.model, prompts, ROOM, sampler=sampler, eos_ids=eos, pad_id=eos)
        rows = [row[: row.index(eos)] if eos in row else row for row in ids[:, width:].tolist()]
        return [ReadAnswer(reply_text(self.tokenizer, row), p) for row, p in zip(rows, absent, strict=True)]

    def _prompt(self, question: str, text: str) -> list[int]:
        if not question.strip() or not text.strip():
            raise ValueError("A question and a text to answer it from are needed, and one of them is empty.")
        chat = passage_chat(question, text)
        return list(self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))


def passage_reader(adapter: str | os.PathLike = "reader", threshold: float = 0.5) -> PassageReader:
    """The course's reader. Raises ModelUnavailable, AdapterUnavailable in one sentence."""
    return PassageReader(*taught_model(adapter), threshold)
