"""What a fine-tuning costs elsewhere: general text gets more surprising, general questions get answers in JSON.

    before = general_ability(model, tokenizer)
    fine_tune(model, …)
    after = general_ability(model, tokenizer)      # after.perplexity, after.right of after.of, after.replies

The text is prose of the Python language reference, which the model has surely read: this measures what changes, not
what it can do. The questions are short, their answers are single words or numbers, and the chat model knows most of
them before it is tuned: without that there would be nothing to forget.

What it does not do: benchmarks of general ability (a real one takes hours).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.generation.decoding import generate
from helpers.generation.streaming import reply_text
from helpers.old.corpora import language_reference
from helpers.old.generation.likelihood import perplexity

TOKENS, CONTEXT = 2048, 512  # of general text, and how many the model sees at once
ROOM = 32  # tokens for a reply to a question
QUESTIONS: tuple[tuple[str, str], ...] = (  # and a regular expression that a right reply contains
    ("What is the capital of France?", r"paris"),
    ("Which planet do we live on?", r"earth"),
    ("How many days does a week have?", r"7|seven"),
    ("What is the opposite of hot?", r"cold"),
    ("What is the largest ocean on Earth?", r"pacific"),
    ("Which animal says meow?", r"cats?"),
    ("What is the chemical formula of water?", r"h2o|h₂o"),
    ("Who wrote the play Romeo and Juliet?", r"shakespeare"),
    ("What is 2 + 3?", r"5|five"),
    ("Which star gives the earth light and warmth?", r"sun"),
)


@dataclass(frozen=True)
class Ability:
    """How well a model does outside its task."""

    perplexity: float  # a token of general text
    replies: list[str]  # to QUESTIONS, in their order

    @property
    def marks(self) -> list[bool]:
        """Which replies contain what was asked for."""
        return [is_right(reply, gold) for reply, (_, gold) in zip(self.replies, QUESTIONS, strict=True)]

    @property
    def right(self) -> int:
        """Right replies."""
        return sum(self.marks)

    @property
    def of(self) -> int:
        """Questions in all."""
        return len(QUESTIONS)


def is_right(reply: str, gold: str) -> bool:
    """Does the reply contain the gold answer as a word of its own, in any case?"""
    return re.search(rf"(?<!\w)(?:{gold})(?!\w)", reply, re.IGNORECASE) is not None


def general_ability(model: Any, tokenizer: Any, n_tokens: int = TOKENS) -> Ability:
    """Perplexity on the first `n_tokens` tokens of general prose, and greedy replies to QUESTIONS in the chat format
    without an instruction; model: one of the course. Raises ValueError for fewer than 2 tokens."""
    if n_tokens < 2:
        raise ValueError(f"A perplexity needs at least 2 tokens, not {n_tokens}.")
    text = language_reference().head(16 * n_tokens)  # no token of this text has more than 16 bytes on average
    ids = tokenizer(text)["input_ids"][:n_tokens]
    return Ability(perplexity(model, ids, context=CONTEXT), answers(model, tokenizer, [q for q, _ in QUESTIONS]))


def answers(model: Any, tokenizer: Any, questions: Sequence[str]) -> list[str]:
    """Greedy replies to questions in the chat format, of at most `ROOM` tokens.

    One by one: in bfloat16 padding changes the last digits, and where two beginnings are about as likely, the reply.
    """
    eos, replies = tokenizer.eos_token_id, []
    for question in questions:
        chat = [{"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        ids = generate(model, prompt, ROOM, eos_ids=eos, pad_id=eos)
        replies.append(reply_text(tokenizer, ids[0, len(prompt) :].tolist()))
    return replies
