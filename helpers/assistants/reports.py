"""A chat model sums up a report in one sentence, and keeps to the report's names and numbers.

    summarize = report_summarizer()                    # the chat model with the adapter "summaries"
    summarize(report)                                  # "Noor Visser raised the quota after …", or None
    unsupported("It took 12 minutes.", report)         # ["12"], if the report has no 12

The check is the last word: of several candidates, the likeliest whose names and numbers all stand in the report is
handed on as a draft for a person, and where there is none, the person writes it. What it does not do: notice a right
number in a wrong role, or an invented first word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import torch

from helpers.assistants.taught import taught_model
from helpers.generation.decoding import generate
from helpers.generation.likelihood import token_log_probs
from helpers.generation.replies import greedy_replies
from helpers.generation.sampling import sample, temperature
from helpers.generation.streaming import reply_text

SUMMARIZE = "Sum up the report in one sentence. Copy its names and numbers exactly."
ROOM = 64  # tokens; the longest summary of the training reports takes 48


def report_chat(text: str, summary: str | None = None) -> list[dict[str, str]]:
    """The conversation about one report; without a summary it ends where the model is to speak."""
    turns = [{"role": "system", "content": SUMMARIZE}, {"role": "user", "content": text}]
    return turns + ([{"role": "assistant", "content": summary}] if summary is not None else [])


def unsupported(summary: str, text: str) -> list[str]:
    """The names and numbers of a summary that do not stand in the text, in order.

    A name or number is a word that holds a digit, or begins with a capital letter and is not the summary's first word.
    It stands in the text if the text has it as a whole word, in the same spelling.
    """
    known = set(re.findall(r"\w+", text))
    found = re.findall(r"\w+", summary)
    facts = [w for i, w in enumerate(found) if any(c.isdigit() for c in w) or (i and w[0].isupper())]
    return [word for word in facts if word not in known]


def choose_summary(candidates: Sequence[str], text: str) -> int | None:
    """Which of several summaries, the likeliest first, becomes the draft: the first without an unsupported word.

    None where all have one: then there is no draft, and a person has to write it.
    """
    fit = (number for number, summary in enumerate(candidates) if not unsupported(summary, text))
    return next(fit, None)


class ReportSummarizer:
    """The chat model with an adapter that sums up reports. Called with a report, it gives one sentence or None.

    model: a `Llama` or `FastLlama` that has learned it; tokenizer: its tokenizer; candidates: how many are written
    where the greedy one has an unsupported word.
    """

    def __init__(self, model: Any, tokenizer: Any, candidates: int = 4) -> None:
        self.model, self.tokenizer, self.candidates = model, tokenizer, candidates

    def __call__(self, text: str) -> str | None:
        """The likeliest summary whose names and numbers all stand in the text, None where no candidate is such.

        Raises ValueError for a text without words, or too long for the model.
        """
        return self.drafts([text])[0]

    def drafts(self, texts: Sequence[str]) -> list[str | None]:
        """The same for many texts: the greedy summaries at once, and others only where one has an unsupported word."""
        handed_on: list[str | None] = []
        for text, summary in zip(texts, self.write(texts), strict=True):
            if unsupported(summary, text):
                others = self.draw(text)
                chosen = choose_summary(others, text)
                summary = None if chosen is None else others[chosen]
            handed_on.append(summary)
        return handed_on

    def write(self, texts: Sequence[str], batch: int = 16) -> list[str]:
        """The greedy summary of each text, unchecked."""
        prompts = [self._prompt(text) for text in texts]
        return [reply.text for reply in greedy_replies(self.model, self.tokenizer, prompts, ROOM, batch)]

    def draw(self, text: str) -> list[str]:
        """Further candidates, drawn at temperature 0.5 with a fixed seed, the likeliest first."""
        prompts = [self._prompt(text)] * self.candidates
        eos = self.tokenizer.eos_token_id
        sampler = sample(temperature(0.5), generator=torch.Generator().manual_seed(0))
        ids = generate(self.model, prompts, ROOM, sampler=sampler, eos_ids=eos, pad_id=eos)
        rows = [row[: row.index(eos) if eos in row else None] for row in ids[:, len(prompts[0]) :].tolist()]
        drawn = dict.fromkeys(tuple(row) for row in rows)  # each once, in order
        scored = [(self._likelihood(prompts[0], list(row)), list(row)) for row in drawn]
        return [reply_text(self.tokenizer, row) for _, row in sorted(scored, reverse=True)]

    def _likelihood(self, prompt: list[int], row: list[int]) -> float:
        with torch.inference_mode():
            surprise = token_log_probs(self.model, [prompt + row])[0, len(prompt) - 1 :]
        return float(surprise.mean())

    def _prompt(self, text: str) -> list[int]:
        if not text.strip():
            raise ValueError("There is no report to sum up: the text is empty.")
        chat = report_chat(text)
        return list(self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))


def report_summarizer(adapter: str | os.PathLike = "summaries") -> ReportSummarizer:
    """The course's summarizer. Raises ModelUnavailable, AdapterUnavailable in one sentence."""
    return ReportSummarizer(*taught_model(adapter))
