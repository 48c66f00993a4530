"""How hard the written tasks of data/tasks are for the untaught chat model (bf16), item by item in the files' order: 1
where it is right. Classification: the label that a free reply of at most 8 tokens to a list of labels names ("list",
dev only), the label whose name is most probable behind the message ("likelihood"), and the same by pointwise mutual
information ("pmi"), with the mean over the split's messages, labels unused, as what a label gets anyway; TF-IDF with
logistic regression, fitted on dev (on dev: on four fifths of it), is the cheap baseline ("words"). Extraction: a
JSON object, asked for behind one dev notice of the same kind with its answer; that notice is left out. "fields":
which fields are right, "stated" and "absent": those that the text does or does not state, "all": notices with all
fields right, "readable": replies with a JSON object; of test, the first four notices of each kind. Format: the first
two instructions of each kind, alone ("asked", dev only) or behind one of the same kind with its reply, greedy
replies of at most 64 tokens, 120 where many words are asked for, 20 where a word or a value is; "form": the form is
kept, "followed": and the topic. Prompts were chosen and texts mended on dev; test was measured once, after that."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from typing import Any

import numpy as np
import torch

NAME = "12_tasks"
CASES: list[dict[str, Any]] = [
    {"task": "classification", "split": "dev", "way": "words"},
    {"task": "classification", "split": "dev", "way": "list"},
    {"task": "classification", "split": "dev", "way": "scores"},
    {"task": "extraction", "split": "dev", "way": "one example"},
    {"task": "format_following", "split": "dev", "way": "asked"},
    {"task": "classification", "split": "test", "way": "words"},
    {"task": "classification", "split": "test", "way": "scores"},
    {"task": "extraction", "split": "test", "way": "one example"},
    {"task": "format_following", "split": "dev", "way": "one example"},
    {"task": "format_following", "split": "test", "way": "one example"},
]
PER_KIND = {("extraction", "test"): 4, ("format_following", "dev"): 2, ("format_following", "test"): 2}  # else all
BRIEF = ("one word", "number only", "yes or no", "one of", "date and time")  # longer replies are breaches anyway


@cache
def loaded() -> tuple[Any, Any]:
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.old.speed import FastLlama
    from helpers.transformer import Llama

    folder = fetch("chat")
    model = Llama.from_pretrained(folder).requires_grad_(False).to(torch.bfloat16)
    return FastLlama(model), AutoTokenizer.from_pretrained(folder)


def run(case: dict[str, Any]) -> dict[str, Any]:
    measure = {"classification": sorted_messages, "extraction": pulled_fields, "format_following": kept_forms}
    return measure[case["task"]](measured(case), case)


def measured(case: dict[str, Any]) -> list[Any]:
    """The items of a case: without those that are shown as examples, and of some tasks only the first of each kind."""
    from helpers.old.tasks import load_task

    items = load_task(case["task"], case["split"])
    if case["way"] == "one example":
        examples = shown(case["task"]).values()
        items = [item for item in items if item not in examples]
    n = PER_KIND.get((case["task"], case["split"]), len(items))
    if case["task"] == "classification":
        return items
    return [item for i, item in enumerate(items) if sum(item.kind == other.kind for other in items[:i]) < n]


def shown(task: str) -> dict[str, Any]:
    """The first dev item of each kind."""
    from helpers.old.tasks import load_task

    return {item.kind: item for item in reversed(load_task(task, "dev"))}


def replies(prompts: list[list[int]], max_new_tokens: int) -> list[str]:
    """Greedy ones; what all prompts begin with is read once."""
    from helpers.old.generation import BehindPrefix, greedy_replies

    model, tokenizer = loaded()
    shared = min(len(os.path.commonprefix(prompts)), min(map(len, prompts)) - 1)
    behind = BehindPrefix(model, prompts[0][:shared])
    rest = [prompt[shared:] for prompt in prompts]
    return [reply.text for reply in greedy_replies(behind, tokenizer, rest, max_new_tokens, batch=16)]


def marks(right: Any) -> str:
    """ "1" for what is right, "0" for what is not."""
    return "".join(str(int(bool(mark))) for mark in right)


# Classification


SUBJECT = "Message: {text}\n\nThis message is about the"


def sorted_messages(items: list[Any], case: dict[str, Any]) -> dict[str, Any]:
    from helpers.old.prompting import chat_ids, choice_prompt, label_scores, named_label, pmi
    from helpers.old.tasks import load_guide

    labels = list(load_guide()["classification"]["labels"])
    gold = np.array([labels.index(item.label) for item in items])
    if case["way"] == "words":
        return {"words": marks(by_words(items, case["split"]) == gold)}
    model, tokenizer = loaded()
    if case["way"] == "list":
        said = replies([chat_ids(tokenizer, choice_prompt(item.text, labels)) for item in items], 8)
        return {
            "list": marks(named_label(reply, labels) == item.label for reply, item in zip(said, items, strict=True))
        }
    prompts = [tokenizer(SUBJECT.format(text=item.text))["input_ids"] for item in items]
    scores = label_scores(model, tokenizer, prompts, [f" {label}" for label in labels])
    return {
        "likelihood": marks(scores.argmax(1).numpy() == gold),
        "pmi": marks(pmi(scores, scores.mean(0)).argmax(1).numpy() == gold),
    }


def by_words(items: list[Any], split: str) -> Any:
    """The labels' numbers by TF-IDF and logistic regression, learned from dev."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline

    from helpers.old.tasks import load_guide, load_task

    labels = list(load_guide()["classification"]["labels"])
    fitted = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10, max_iter=2000))
    known = load_task("classification", "dev")
    texts, gold = [item.text for item in known], np.array([labels.index(item.label) for item in known])
    if split == "dev":
        return cross_val_predict(fitted, texts, gold, cv=5)
    return fitted.fit(texts, gold).predict([item.text for item in items])


# Extraction


def fields_prompt(item: Any) -> str:
    """The fields with what they mean, then the text."""
    from helpers.old.tasks import load_guide

    kind = load_guide()["extraction"]["kinds"][item.kind]
    meant = "\n".join(f'"{name}": {meaning}' for name, meaning in kind["fields"].items())
    return (
        f"Here is {kind['text']}. Reply with a JSON object with these keys, the values as they stand in the text, "
        f"null for what the text does not say:\n{meant}\n\nText: {item.text}"
    )


def read_object(reply: str) -> dict[str, Any]:
    """The first JSON object in the reply, without nesting; empty where there is none."""
    found = re.search(r"\{[^{}]*\}", reply)
    try:
        return json.loads(found[0]) if found else {}
    except ValueError:
        return {}


def pulled_fields(items: list[Any], case: dict[str, Any]) -> dict[str, Any]:
    from helpers.old.prompting import chat_ids
    from helpers.old.tasks import right_fields

    tokenizer = loaded()[1]
    answers: dict[str, str] = {}
    for kind, example in shown("extraction").items():  # a kind shares instruction and example
        gold = {name: forms and forms[0] for name, forms in example.fields.items()}
        before = [
            {"role": "user", "content": fields_prompt(example)},
            {"role": "assistant", "content": json.dumps(gold, ensure_ascii=False)},
        ]
        chosen = [item for item in items if item.kind == kind]
        prompts = [chat_ids(tokenizer, [*before, {"role": "user", "content": fields_prompt(item)}]) for item in chosen]
        answers |= zip((item.id for item in chosen), replies(prompts, 80), strict=True)
    said = [read_object(answers[item.id]) for item in items]
    right = [right_fields(answer, item) for answer, item in zip(said, items, strict=True)]
    absent = [forms is None for item in items for forms in item.fields.values()]
    fields = [mark for found in right for mark in found.values()]
    return {
        "readable": marks(said),
        "all": marks(all(found.values()) for found in right),
        "fields": marks(fields),
        "stated": marks(mark for mark, none in zip(fields, absent, strict=True) if not none),
        "absent": marks(mark for mark, none in zip(fields, absent, strict=True) if none),
    }


# Format


def kept_forms(items: list[Any], case: dict[str, Any]) -> dict[str, Any]:
    from helpers.old.prompting import chat_ids

    examples = shown("format_following")

    def before(item: Any) -> list[dict[str, str]]:
        if case["way"] == "asked":
            return []
        example = examples[item.kind]
        return [{"role": "user", "content": example.prompt}, {"role": "assistant", "content": example.reply}]

    answers: dict[str, str] = {}
    for room in (120, 64, 20):
        chosen = [item for item in items if room == room_for(item.kind)]
        prompts = [chat_ids(loaded()[1], [*before(item), {"role": "user", "content": item.prompt}]) for item in chosen]
        answers |= zip((item.id for item in chosen), replies(prompts, room), strict=True)
    return {
        "form": marks(item.form_kept(answers[item.id]) for item in items),
        "followed": marks(item.followed(answers[item.id]) for item in items),
    }


def room_for(kind: str) -> int:
    """How many tokens a reply may have."""
    return 120 if kind == "at least words" else 20 if kind in BRIEF else 64
