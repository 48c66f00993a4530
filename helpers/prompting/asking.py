"""A template put to a model, for many items at once: what it writes, or which of several texts fits best.

    ask(model, tokenizer, load("extraction"), [{"ticket": "Where is VE 48213?"}])      # ["VE-48213"]

How the reply is read stands in the template, under `answer`:

| how     | its settings                                                    | reply                                   |
|---------|-----------------------------------------------------------------|-----------------------------------------|
| written | `max_new_tokens`; `first_line: true`; `begins`: put before it   | what the model writes, greedily         |
| scored  | `labels`, name: text, or the name of a variable that lists them | the one for which the item speaks most  |

Scored means pointwise mutual information: how much more probable is a text behind this item than behind the same prompt
with `without` (default: N/A) where the user's text stands? What all prompts begin with is read once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.generation.prefix import BehindPrefix
from helpers.generation.replies import greedy_replies
from helpers.prompting.scoring import label_scores, pmi
from helpers.prompting.templates import PromptError, Template, escape, prompt_ids, render


def ask(
    model: Any, tokenizer: Any, template: Template, items: Sequence[Mapping[str, Any]], batch: int = 16, **options: Any
) -> list[str]:
    """The reply to each item, in their order.

    model: a decoder of the course (`Llama`, `FastLlama`); items: the variables of the template, by name; options: for
    `render`. Raises PromptError as `render`, and for a way of answering that is unknown.
    """
    how = template.answer.get("how")
    prompts = [prompt_ids(tokenizer, render(template, **item, **options)) for item in items]
    if how == "written":
        return _written(model, tokenizer, template, prompts, batch)
    if how == "scored":
        return _scored(model, tokenizer, template, items, prompts, **options)
    raise PromptError(f"{template} says {how!r} under answer: how: known are written and scored.")


def _written(model: Any, tokenizer: Any, template: Template, prompts: list[list[int]], batch: int) -> list[str]:
    answer = template.answer
    shared = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1) if len(prompts) > 1 else 0
    reader = BehindPrefix(model, prompts[0][:shared]) if shared else model
    rests = [prompt[shared:] for prompt in prompts]
    texts = [reply.text.strip() for reply in greedy_replies(reader, tokenizer, rests, answer["max_new_tokens"], batch)]
    if answer.get("first_line"):
        texts = [text.partition("\n")[0] for text in texts]
    return [answer.get("begins", "") + text for text in texts]


def _scored(
    model: Any, tokenizer: Any, template: Template, items: Sequence[Mapping], prompts: list[list[int]], **options: Any
) -> list[str]:
    """The name of the best label of each item; items that choose among the same labels are scored together."""
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for i, item in enumerate(items):
        groups.setdefault(tuple(_labels(template, item).items()), []).append(i)
    users = [name for name, variable in template.variables.items() if variable.type == "user text"]
    replies = [""] * len(items)
    for labels, places in groups.items():
        blank = dict(items[places[0]]) | dict.fromkeys(users, template.answer.get("without", "N/A"))
        asked = [prompt_ids(tokenizer, render(template, **blank, **options)), *(prompts[i] for i in places)]
        scores = label_scores(model, tokenizer, asked, [text for _, text in labels])
        for i, best in zip(places, pmi(scores[1:], scores[0]).argmax(-1).tolist(), strict=True):
            replies[i] = labels[best][0]
    return replies


def _labels(template: Template, item: Mapping[str, Any]) -> dict[str, str]:
    labels = template.answer["labels"]
    if isinstance(labels, str):  # a variable: each of its texts stands for itself
        return {text: escape(text) for text in item.get(labels, template.variables[labels].default)}
    return labels
