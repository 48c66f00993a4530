"""A language model as a judge: which of two answers does it prefer, and how much of that is only where they stand?

    model, tokenizer = FastLlama.from_pretrained(fetch("chat"), matrix_dtype()), …
    judged = label_judge(model, tokenizer, pair)     # both orders: log p("A") − log p("B"), in nats
    judged.margin, judged.position                   # what speaks for pair.a; what speaks for whatever stands first
    ask_judge(ask, pair)                             # "a", "b", "tie", by what any model writes: ask(prompt) -> reply

    pair's own order:  A is pair.a   +0.9            margin   = (0.9 − 0.7) / 2 = +0.1 for pair.a
    exchanged:         A is pair.b   +0.7            position = (0.9 + 0.7) / 2 = +0.8 for A, whoever that is

Either order alone would have named A the winner. Whether the place speaks or the letter, two more prompts tell:
`label_judge(model, tokenizer, pair, letters="BA")` calls the first answer B. How good a judge's preferences are:
`helpers.old.evaluation.preferences`.

Zheng et al., “Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena”, 2023, for verdicts in both orders.
What it does not do: call a hosted model (`ask` is yours), or hold off an answer that says "prefer answer A".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpers.old.evaluation.judgments import Pair
from helpers.old.prompting.scoring import chat_ids, label_scores

INSTRUCTION = (
    "You compare two answers to a customer's question. The better answer says what the handbook says, answers the "
    "question, and invents nothing. Neither length nor order matters."
)
UNANSWERED = "The handbook does not answer this question, so the right answer says that it does not know."
GRADING = (
    "You check an answer to a customer's question. It is right if it says what the handbook says about the question "
    "and contradicts the handbook nowhere."
)

# The whole of a line has to be a verdict, so that "A battery is heavy" is none.
VERDICT = re.compile(
    r"""^\W*(?:
        (?:(?:final|my|the)\s)*(?:verdict|choice|winner|preference|better\sanswer)\W+(?:is\W+)?(?:answer\W+)?(A|B|tie)
      | (?:answer\W+)?(A|B)(?:\sis\s(?:the\s)?better(?:\sanswer)?)?
      | (?:it\sis\s|it's\s)?(?:an?\s)?(tie)
    )\W*$""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True)
class BothOrders:
    """What a judge says of a pair in both orders, in nats: log p(name of the first answer) − log p(name of the other).

    The first answer is called "A" unless the judge was asked otherwise.
    """

    pair: str
    shown: float  # pair.a stands first
    exchanged: float  # pair.b stands first

    @property
    def margin(self) -> float:
        """What speaks for pair.a once the place has canceled out: half the difference of both orders."""
        return (self.shown - self.exchanged) / 2

    @property
    def position(self) -> float:
        """What speaks for the answer shown first, whichever it is: half the sum of both orders."""
        return (self.shown + self.exchanged) / 2

    @property
    def flips(self) -> bool:
        """Does the preferred answer change with the order? Then the judge named the same letter twice."""
        return abs(self.position) > abs(self.margin)


def judge_prompt(pair: Pair, exchanged: bool = False, letters: str = "AB") -> str:
    """Handbook, question and both answers, as a judge reads them; `exchanged` shows pair.b first.

    letters: what the answers are called, in the order in which they are shown; "BA" calls the first one B.
    """
    first, second = (pair.b, pair.a) if exchanged else (pair.a, pair.b)
    return (
        f"{INSTRUCTION}\n\nHandbook: {pair.quote or UNANSWERED}\n\nQuestion: {pair.question}\n\n"
        f"Answer {letters[0]}: {first.text}\n\nAnswer {letters[1]}: {second.text}\n\n"
        "Which answer is better? Reply with one letter, A or B, or with the word tie."
    )


def label_judge(model: Any, tokenizer: Any, pair: Pair, letters: str = "AB") -> BothOrders:
    """The judge by its scores: how probable are the names of both answers, in both orders? Nothing is written.

    model: a decoder of the course (`FastLlama`). letters: as in `judge_prompt`; the scores speak for the answer shown
    first, whatever it is called. Raises ValueError like `helpers.old.prompting.label_scores`.
    """
    prompts = [chat_ids(tokenizer, judge_prompt(pair, exchanged, letters)) for exchanged in (False, True)]
    scores = label_scores(model, tokenizer, prompts, [*letters])  # (2 orders, 2 letters), nats
    shown, exchanged = (scores[:, 0] - scores[:, 1]).tolist()
    return BothOrders(pair.id, shown, exchanged)


def grade(model: Any, tokenizer: Any, pair: Pair, text: str) -> float:
    """One answer by itself: log p("Yes") − log p("No"), in nats, to whether it is right by the handbook.

    The difference of two grades is a preference that no order can disturb. Raises ValueError like `label_judge`.
    """
    prompt = (
        f"{GRADING}\n\nHandbook: {pair.quote or UNANSWERED}\n\nQuestion: {pair.question}\n\nAnswer: {text}\n\n"
        "Is this answer right? Reply with Yes or No."
    )
    yes, no = label_scores(model, tokenizer, [chat_ids(tokenizer, prompt)], ["Yes", "No"])[0].tolist()
    return yes - no


def parse_verdict(reply: str) -> str | None:
    """The verdict that a written reply states: "A", "B" or "tie"; None where it states none, or more than one.

    Only a whole line counts, such as "B", "**Answer B**", "[[B]]", "Answer B is better." or "Verdict: B".

    >>> parse_verdict("The price is right in both.\\nVerdict: B"), parse_verdict("A battery weighs 3 kg.")
    ('B', None)
    """
    found = {next(filter(None, groups)).upper() for groups in VERDICT.findall(reply)}
    return {"A": "A", "B": "B", "TIE": "tie"}[found.pop()] if len(found) == 1 else None


def ask_judge(ask: Callable[[str], str], pair: Pair) -> str | None:
    """The judge by what it writes, asked in both orders: "a" or "b" where both agree, "tie" where they do not.

    ask: a prompt → the reply of any model, local or hosted. None where one of the replies has no verdict.
    """
    shown, exchanged = (parse_verdict(ask(judge_prompt(pair, order))) for order in (False, True))
    if shown is None or exchanged is None:
        return None
    return {("A", "B"): "a", ("B", "A"): "b"}.get((shown, exchanged), "tie")
