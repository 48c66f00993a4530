"""A template put to a model, for many items at once: what it writes, or which of several texts fits best.

    ask(model, tokenizer, load("extraction"), [{"ticket": "Where is VE 48213?"}])      # ["VE-48213"]

How the reply is read stands in the template, under `answer`:

| how     | its settings                                                    | reply                                   |
|---------|-----------------------------------------------------------------|-----------------------------------------|
| written | `max_new_tokens`; `first_line: true`; `begins`: put before it   | what the model writes, greedily         |
| scored  | `labels`, name: text, or the name of a variable that lists them | the one for which the item speaks most, |
|         | then `cite: true` adds its number; `without`: see below         | quoted                                  |

Scored means pointwise mutual information: how much more probable is a text behind this item than behind the same prompt
with another text in the user's place? Those are listed under `without` (default: N/A), and their mean counts; a few
usual texts whose labels nobody needs to know do better than one that says nothing. What all prompts begin with is read
once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.old.generation.prefix import BehindPrefix
from helpers.old.generation.replies import greedy_replies
from helpers.old.prompting.scoring import label_scores, pmi
from helpers.old.prompting.templates import PromptError, Template, escape, prompt_ids, render


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
    without = template.answer.get("without", "N/A")
    without = [without] if isinstance(without, str) else without
    replies = [""] * len(items)
    for labels, places in groups.items():
        given = [dict(items[places[0]]) | dict.fromkeys(users, text) for text in without]
        blank = [prompt_ids(tokenizer, render(template, **each, **options)) for each in given]
        asked = [*blank, *(prompts[i] for i in places)]
        scores = label_scores(model, tokenizer, asked, [text for _, text in labels])
        usual, found = scores[: len(blank)].mean(0), scores[len(blank) :]
        for i, best in zip(places, pmi(found, usual).argmax(-1).tolist(), strict=True):
            replies[i] = labels[best][0]
    return replies


def _labels(template: Template, item: Mapping[str, Any]) -> dict[str, str]:
    labels = template.answer["labels"]
    if isinstance(labels, str):  # a variable: each of its texts stands for itself, with its number where it is cited
        texts, cite = item[labels], template.answer.get("cite")
        return {f"{text} [{n}]" if cite else text: escape(text) for n, text in enumerate(texts, start=1)}
    return labels
