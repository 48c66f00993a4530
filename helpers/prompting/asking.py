"""A template put to a model, for many items at once: what it writes, or which of the labels fits best.

    ask(model, tokenizer, load("extraction"), [{"ticket": "Where is VE 48213?"}])      # ["VE-48213"]

How the reply is read stands in the template, under `answer`:

| how     | its settings                                          | reply                                           |
|---------|-------------------------------------------------------|-------------------------------------------------|
| written | `max_new_tokens`; `first_line`: true cuts behind it   | what the model writes, greedily                 |
| scored  | `labels`, name: text; `without`, in the text's place  | the label for which the item speaks most (PMI)  |

What all prompts begin with, such as the instruction and examples, is read once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.generation.prefix import BehindPrefix
from helpers.generation.replies import greedy_replies
from helpers.prompting.scoring import label_scores, pmi
from helpers.prompting.templates import PromptError, Template, prompt_ids, render


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
    room = template.answer["max_new_tokens"]
    shared = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1) if len(prompts) > 1 else 0
    reader = BehindPrefix(model, prompts[0][:shared]) if shared else model
    replies = greedy_replies(reader, tokenizer, [prompt[shared:] for prompt in prompts], room, batch)
    texts = [reply.text.strip() for reply in replies]
    return [text.partition("\n")[0] if template.answer.get("first_line") else text for text in texts]


def _scored(
    model: Any, tokenizer: Any, template: Template, items: Sequence[Mapping], prompts: list[list[int]], **options: Any
) -> list[str]:
    labels = template.answer["labels"]
    users = [name for name, variable in template.variables.items() if variable.type == "user text"]
    blank = dict(items[0]) | dict.fromkeys(users, template.answer.get("without", "N/A"))
    empty = prompt_ids(tokenizer, render(template, **blank, **options))
    scores = label_scores(model, tokenizer, [empty, *prompts], list(labels.values()))
    names = list(labels)
    return [names[best] for best in pmi(scores[1:], scores[0]).argmax(-1).tolist()]
