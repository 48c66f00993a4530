"""Self-consistency: draw several replies to one question and let their answers vote (Wang et al., 2022).

    final_answer("Rolls: 4 × 6 = 24\\nAnswer: 24")        # 24
    majority([24, 18, None, 24])                          # 24
    votes = self_consistency(model, tokenizer, prompts, samples=5, temperature=0.7)
    votes[0].answer, votes[0].tokens

Each sample has its own seed, so the vote of the first three of five samples is what three samples would have given.

What it does not do: weigh a vote by the reply's likelihood, or stop early once a majority is certain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import torch

from helpers.generation.sampling import Sampler, sample
from helpers.generation.sampling import temperature as at_temperature
from helpers.old.generation.replies import drawn_replies

NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
AFTER = re.compile(r"answer(?:\s+is)?\s*[:=]?\s*\**\s*\$?\s*(-?\d[\d,]*(?:\.\d+)?)", re.IGNORECASE)


class Vote(NamedTuple):
    """The replies to one prompt. texts: one a sample, in the order of the seeds; tokens: written for each of them, the
    token that ends a reply counted."""

    texts: tuple[str, ...]
    tokens: tuple[int, ...]

    @property
    def answers(self) -> tuple[int | None, ...]:
        """One a sample, None where a reply holds no whole number."""
        return tuple(map(final_answer, self.texts))

    @property
    def answer(self) -> int | None:
        """What most samples say."""
        return majority(self.answers)

    def first(self, samples: int) -> Vote:
        """The vote that the first samples alone would have given. Raises ValueError where there are not so many."""
        if not 1 <= samples <= len(self.texts):
            raise ValueError(f"There are {len(self.texts)} samples, so the first {samples} cannot vote.")
        return Vote(self.texts[:samples], self.tokens[:samples])


def final_answer(text: str) -> int | None:
    """The whole number behind the last "answer" that has one behind it, or else the last number of all; None
    where there is none or it is no whole number. Thousands may be parted by commas.

    "I think 3. The answer is 1,024."  →  1024
    """
    if not isinstance(text, str):
        raise TypeError(f"A reply is a text, not {type(text).__name__}.")
    found = AFTER.findall(text) or NUMBER.findall(text)
    if not found:
        return None
    number = float(found[-1].replace(",", ""))
    return int(number) if number.is_integer() else None


def majority(answers: Sequence[Hashable | None]) -> Any:
    """The most frequent answer; of several, the one that came first. None does not vote, and wins only alone.

    Raises ValueError where nothing was answered at all, not even None.
    """
    if not answers:
        raise ValueError("There is nothing to vote on: give at least one answer.")
    counts = Counter(answer for answer in answers if answer is not None)
    return max(counts, key=counts.__getitem__, default=None)


def self_consistency(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[list[int]],
    samples: int,
    temperature: float = 0.7,
    max_new_tokens: int = 96,
    seed: int = 0,
) -> list[Vote]:
    """`samples` drawn replies to each prompt, and their vote; each prompt is read once.

    model: a decoder of the course's (`Llama`, `FastLlama`); prompts: token ids, none of them empty. A reply that is cut
    off at max_new_tokens votes with the last number in it. Raises ValueError for no samples and for a temperature that
    is not above 0, and as `helpers.old.generation.replies.drawn_replies`.
    """
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ValueError(f"samples is a whole number from 1, not {samples}.")
    if not temperature > 0:
        raise ValueError(f"The temperature is above 0, not {temperature}: at 0 all samples are the greedy reply.")
    votes = []
    for place, prompt in enumerate(prompts):
        samplers = [_sampler(temperature, seed, place, draw) for draw in range(samples)]
        texts = [reply.text for reply in drawn_replies(model, tokenizer, prompt, samplers, max_new_tokens)]
        votes.append(Vote(tuple(texts), tuple(written_tokens(tokenizer, texts, max_new_tokens))))
    return votes


def written_tokens(tokenizer: Any, texts: Sequence[str], max_new_tokens: int) -> list[int]:
    """How many tokens each reply took, its end counted, and never more than there was room for."""
    counts = [len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    return [min(count + 1, max_new_tokens) for count in counts]


def _sampler(temperature: float, seed: int, place: int, draw: int) -> Sampler:
    generator = torch.Generator().manual_seed((seed * 10_007 + place) * 1_009 + draw)
    return sample(at_temperature(temperature), generator=generator)
