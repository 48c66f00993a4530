"""Which of nine desks a ticket belongs to, asked in different ways: chosen from a list in three orders, or by the
scores of label texts (rules in helpers.old.trials.desk_prompts); instruction before, after, in the system turn, with a
persona; all orders of four examples; 0 to 16 examples that are fixed, nearest or diverse. Scores are log-probabilities
in nats, one row per ticket; empty: behind the same prompt with no text, N/A and [MASK]; read: tokens of all prompts.
desk: a template of data/prompts whose text breaks off where the label goes on; empty: such texts without a ticket (with
one, they are in 05_routing)."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer

from helpers.models import embedder, fetch
from helpers.old.prompting import (
    balanced,
    chat_ids,
    choice_prompt,
    diverse,
    example_turns,
    label_lengths,
    label_scores,
    load,
    nearest,
    render,
)
from helpers.old.speed import FastLlama
from helpers.old.trials import desk_prompts as desks
from helpers.old.velunda import load_tickets

NAME = "12_patterns"
EMPTY = ("", "N/A", "[MASK]")
CASES: list[dict[str, Any]] = [{"case": "list", "first": first} for first in (0, 3)]
CASES += [{"case": "scored", "way": "after"}]
CASES += [{"case": "empty", "way": way} for way in desks.CONTINUED]
CASES += [{"case": "desk", "version": "2.0.0", "split": split, "families": True} for split in ("dev", "test")]
CASES += [{"case": "desk", "version": "1.0.0", "split": split, "families": True} for split in ("dev", "test")]
CASES += [{"case": "shots", "chosen": "fixed", "n": n, "families": True} for n in (0, 4, 16)]
CASES += [{"case": "shots", "chosen": "nearest", "n": n, "families": True} for n in (4, 1)]
CASES += [{"case": "orders", "desks": list(desks.FOUR), "families": True}]
CASES += [{"case": "scored", "way": way, "families": True} for way in ("before", "system", "persona")]
CASES += [{"case": "shots", "chosen": "nearest", "n": 8, "families": True}]
CASES += [{"case": "shots", "chosen": "fixed", "n": n, "families": True} for n in (1, 2, 8)]
CASES += [{"case": "shots", "chosen": "diverse", "n": n, "families": True} for n in (4, 16)]
CASES += [{"case": "list", "first": 6}]
CASES += [{"case": "shots", "chosen": "nearest", "n": 16, "families": True}]


@cache
def loaded() -> tuple[FastLlama, Any]:
    return FastLlama.from_pretrained(fetch("chat"), torch.bfloat16), AutoTokenizer.from_pretrained(fetch("chat"))


@cache
def pool() -> tuple[list[Any], np.ndarray]:
    """One training ticket of each family, and their vectors."""
    tickets = desks.one_per_family(load_tickets("train"))
    return tickets, embedder().encode([ticket["text"] for ticket in tickets], normalize_embeddings=True)


def scored(prompts: list[list[int]], labels: list[str], empty: list[list[int]]) -> dict[str, Any]:
    model, tokenizer = loaded()
    scores = label_scores(model, tokenizer, [*prompts, *empty], labels)
    found = {"scores": rounded(scores[: len(prompts)]), "lengths": label_lengths(tokenizer, labels).tolist()}
    read = {"read": sum(map(len, prompts))}
    return found | ({"empty": rounded(scores[len(prompts) :])} if empty else {}) | read


def rounded(rows: Any) -> list[list[float]]:
    return [[round(float(value), 2) for value in row] for row in rows]


def listed(first: int) -> list[str]:
    """The names with another one first, and the others behind it in their order."""
    return [*desks.NAMES[first:], *desks.NAMES[:first]]


def from_list(case: dict[str, Any]) -> dict[str, Any]:
    _, tokenizer = loaded()

    def prompt(text: str) -> list[int]:
        return chat_ids(tokenizer, choice_prompt(text, listed(case["first"])))

    texts = [ticket["text"] for ticket in desks.asked(case)]
    return scored([*map(prompt, texts)], desks.NAMES, [*map(prompt, EMPTY)])


def from_texts(case: dict[str, Any]) -> dict[str, Any]:
    _, tokenizer = loaded()
    texts = [ticket["text"] for ticket in desks.asked(case)]
    prompts = [chat_ids(tokenizer, desks.turns(case["way"], text)) for text in (*texts, *EMPTY)]
    return scored(prompts[: len(texts)], desks.ABOUT, prompts[len(texts) :])


def going_on(case: dict[str, Any]) -> dict[str, Any]:
    """The scores of texts that go on with a label: behind no ticket ("empty"), or by a template of data/prompts."""
    _, tokenizer = loaded()
    if case["case"] == "empty":
        prompts = [tokenizer(desks.started(case["way"], text))["input_ids"] for text in EMPTY]
        found = scored(prompts, desks.going_on(case["way"]), [])
        return {"empty": found["scores"], "lengths": found["lengths"]}
    template = load("desk", case["version"])
    texts = [render(template, message=ticket["text"])[0]["content"] for ticket in desks.asked(case)]
    if "labels" not in template.answer:  # a chat that lists them: the answer limited to the list
        return scored([chat_ids(tokenizer, text) for text in texts], desks.NAMES, [])
    labels = [f" {label}" for label in template.answer["labels"].values()]
    return scored([tokenizer(text)["input_ids"] for text in texts], labels, [])


def solved(places: list[int]) -> list[dict[str, str]]:
    """The instruction, and these training tickets as solved examples."""
    pairs = [(pool()[0][i]["text"], desks.DESKS[pool()[0][i]["label"]["intent"]][0]) for i in places]
    return [{"role": "system", "content": desks.SORT}, *example_turns(pairs)]


def all_orders(case: dict[str, Any]) -> dict[str, Any]:
    _, tokenizer = loaded()
    intents = [ticket["label"]["intent"] for ticket in pool()[0]]
    four = [intents.index(desk) for desk in case["desks"]]
    texts = [ticket["text"] for ticket in desks.asked(case)]
    labels, orders = [desks.DESKS[desk][0] for desk in case["desks"]], []
    for order in itertools.permutations(range(4)):
        head = solved([four[place] for place in order])
        prompts = [chat_ids(tokenizer, [*head, {"role": "user", "content": text}]) for text in (*texts, *EMPTY)]
        orders.append({"order": order, **scored(prompts[: len(texts)], labels, prompts[len(texts) :])})
    return {"orders": orders}


def shots(case: dict[str, Any]) -> dict[str, Any]:
    _, tokenizer = loaded()
    tickets, vectors = pool()
    texts, n = [ticket["text"] for ticket in desks.asked(case)], case["n"]
    intents = [ticket["label"]["intent"] for ticket in tickets]
    if case["chosen"] == "nearest":
        queries = embedder().encode(texts, normalize_embeddings=True)
        places = [nearest(vectors, query, n) for query in queries]
    else:
        same = balanced(intents, n) if case["chosen"] == "fixed" else diverse(vectors, n)
        places = [same] * len(texts)
    prompts = [
        chat_ids(tokenizer, [*solved(row), {"role": "user", "content": text}])
        for row, text in zip(places, texts, strict=True)
    ]
    found = scored(prompts, desks.NAMES, [])
    if case["chosen"] == "nearest":  # what the examples' own labels say: the commonest, of equal ones the nearest
        found["vote"] = [Counter(intents[i] for i in reversed(row)).most_common(1)[0][0] for row in places]
    return found


def run(case: dict[str, Any]) -> dict[str, Any]:
    ways = {"list": from_list, "scored": from_texts, "orders": all_orders, "shots": shots}
    ways |= {"empty": going_on, "desk": going_on}
    return ways[case["case"]](case)
