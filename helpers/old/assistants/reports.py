"""A chat model sums up a report in one sentence, and keeps to the report's names and numbers.

    summarize = report_summarizer()                    # the chat model with the adapter "summaries"
    summarize(report)                                  # "Noor Visser raised the quota after …", or None
    unsupported("It took 12 minutes.", report)         # ["12"], if the report has no 12
    misplaced("It took 12 minutes.", report)           # ["12"], if it has 12 lines, and no 12 minutes

The checks are the last word. Of several candidates, the first that is put as summaries are put, whose names and numbers
all stand in the report, and each number beside its noun, is handed on as a draft for a person; where there is none, the
person writes it. What it does not do: notice a right number of minutes that was only an estimate, a wrong cause, or an
invented first word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from helpers.generation.sampling import Sampler, sample, temperature
from helpers.old.assistants.taught import taught_model
from helpers.old.generation.replies import Reply, drawn_replies, greedy_replies
from helpers.old.velunda.reports import stated
from helpers.scale import matrix_dtype

SUMMARIZE = "Sum up the report in one sentence. Copy its names and numbers exactly."
ROOM = 64  # tokens; the longest summary of the training reports takes 48
CANDIDATES, HEAT, STRICT = 5, 0.8, False  # of `ReportSummarizer`; chosen on dev (data/results/07b_summaries.json)


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
    """Which of several summaries becomes the draft: the first without an unsupported word.

    None where all have one: then there is no draft, and a person has to write it.
    """
    fit = (number for number, summary in enumerate(candidates) if not unsupported(summary, text))
    return next(fit, None)


def misplaced(summary: str, text: str) -> list[str]:
    """The numbers of a summary that the text has nowhere beside the same word, in order: 53 of "53 minutes" where it
    says "53 lines". A number is a whole word of digits, and the word is the next one."""
    pairs = re.findall(r"\b(\d+) (\w+)", summary)
    return [number for number, word in pairs if not re.search(rf"\b{number} {word}\b", text)]


def choose_draft(candidates: Sequence[str], text: str, strict: bool = STRICT) -> str | None:
    """The first of several summaries that follows one of the eight patterns and has no unsupported word, or None.

    One without a misplaced number goes before those with one; strict: those with one are no drafts at all.
    """
    formed = [summary for summary in candidates if stated(summary) is not None]
    sure = [summary for summary in formed if not misplaced(summary, text)]
    for several in [sure] if strict else [sure, formed]:
        if (chosen := choose_summary(several, text)) is not None:
            return several[chosen]
    return None


class ReportSummarizer:
    """The chat model with an adapter that sums up reports. Called with a report, it gives one sentence or None.

    model: a `Llama` or `FastLlama` that has learned it; tokenizer: its tokenizer; candidates: how many it writes at
    most, the greedy one counted; heat: the temperature at which the others are drawn, with fixed seeds; strict: as in
    `choose_draft`.
    """

    def __init__(
        self, model: Any, tokenizer: Any, candidates: int = CANDIDATES, heat: float = HEAT, strict: bool = STRICT
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.candidates, self.heat, self.strict = candidates, heat, strict

    def __call__(self, text: str) -> str | None:
        """The draft that `choose_draft` takes of the candidates, or None.

        Raises ValueError for a text without words, or too long for the model.
        """
        return self.drafts([text])[0]

    def drafts(self, texts: Sequence[str], greedy: Sequence[str] | None = None) -> list[str | None]:
        """The same for many texts: the greedy summaries at once, and others only where one does not pass all checks.

        greedy: what `write` gave for them, if that is there already.
        """
        pairs = zip(texts, self.write(texts) if greedy is None else greedy, strict=True)
        return [
            choose_draft([first], text, strict=True) or choose_draft([first, *self.draw(text)], text, self.strict)
            for text, first in pairs
        ]

    def write(self, texts: Sequence[str], batch: int = 16) -> list[str]:
        """The greedy summary of each text, unchecked."""
        prompts = [self._prompt(text) for text in texts]
        return [reply.text for reply in greedy_replies(self.model, self.tokenizer, prompts, ROOM, batch)]

    def draw(self, text: str) -> list[str]:
        """The further candidates of a text, unchecked, each once, the likeliest first."""
        return in_order(self.drawn(text))

    def drawn(self, text: str) -> list[Reply]:
        """The further candidates by seed, with their likelihoods: the first ones are the same however many follow."""
        samplers = [_sampler(self.heat, seed) for seed in range(self.candidates - 1)]
        return drawn_replies(self.model, self.tokenizer, self._prompt(text), samplers, ROOM) if samplers else []

    def _prompt(self, text: str) -> list[int]:
        if not text.strip():
            raise ValueError("There is no report to sum up: the text is empty.")
        chat = report_chat(text)
        return list(self.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))


def in_order(replies: Sequence[Reply]) -> list[str]:
    """The texts of replies, the likeliest first, each once."""
    return list(dict.fromkeys(reply.text for reply in sorted(replies, key=_likelihood, reverse=True)))


def _likelihood(reply: Reply) -> float:
    return reply.likelihood


def _sampler(heat: float, seed: int) -> Sampler:
    return sample(temperature(heat), generator=torch.Generator().manual_seed(seed))


def report_summarizer() -> ReportSummarizer:
    """The course's summarizer: text → sentence or None, with matrices in the precision that is fast here.

    Raises ModelUnavailable, AdapterUnavailable in one sentence.
    """
    return ReportSummarizer(*taught_model("summaries", matrix_dtype()))
