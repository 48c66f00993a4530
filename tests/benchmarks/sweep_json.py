"""Sixty dev tickets of 07 as JSON notes by the untaught chat model: asked, shown examples, asked again, held to a form
by a mask, held to what the letter names, and with the label chosen by its score; evidence before the label and behind
it. Of each reply, whether it parses and fits the schema, and which fields are right."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

NAME = "12b_json"
CASES = [
    {"way": "asked", "fields": "evidence first"},
    {"way": "examples", "fields": "evidence first"},
    {"way": "letter", "fields": "evidence first"},
    {"way": "letter", "fields": "label first"},
    {"way": "scored", "fields": "evidence first", "examples": False},
    {"way": "scored", "fields": "label first", "examples": False},
    {"way": "mask", "fields": "evidence first"},
    {"way": "retried", "fields": "evidence first", "tries": 3, "temperature": 0.7, "seed": 0},
    {"way": "retried", "fields": "evidence first", "tries": 3, "temperature": 0.7, "seed": 1},
    {"way": "retried", "fields": "evidence first", "tries": 3, "temperature": 0.7, "seed": 2},
    {"way": "scored", "fields": "evidence first", "examples": True},
    {"way": "scored", "fields": "label first", "examples": True},
]
ROOM, BATCH = 72, 60


def run(case: dict) -> dict:
    start = time.perf_counter()
    fields = order(case["fields"])
    if case["way"] == "scored":
        replies, cost = scored(fields, case["examples"])
    elif case["way"] == "retried":
        replies, cost = retried(case["tries"], case["temperature"], case["seed"])
    else:
        replies, cost = written(case["way"], fields)
    return judged(replies) | cost | {"seconds_all": round(time.perf_counter() - start, 1)}


def order(name: str) -> tuple[str, ...]:
    from helpers.old.trials.ticket_notes import EVIDENCE_FIRST, LABEL_FIRST

    return {"evidence first": EVIDENCE_FIRST, "label first": LABEL_FIRST}[name]


def tickets() -> list[dict]:
    from helpers.old.trials.ticket_notes import sixty

    return sixty()


@cache
def untaught() -> tuple[Any, Any]:
    import torch
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.transformer import Llama

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    folder = fetch("chat")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return Llama.from_pretrained(folder, torch.bfloat16), tokenizer


def prompts(examples: bool, fields: Sequence[str], system: str | None = None) -> list[list[int]]:
    from helpers.old.prompting import chat_ids
    from helpers.old.trials.ticket_notes import SHOTS, instruction, note_chat

    tokenizer = untaught()[1]
    system, shots = system or instruction(fields), SHOTS if examples else ()
    return [chat_ids(tokenizer, note_chat(ticket["text"], system, shots, fields)) for ticket in tickets()]


def continued(rows: Sequence[list[int]], samplers: Sequence[Any]) -> tuple[list[str], dict]:
    """The reply to each prompt, and what it took. samplers: of each row, (logits (1, V), what stands there) → id."""
    import torch

    from helpers.generation import generate, reply_text
    from helpers.old.generation import BehindPrefix

    model, tokenizer = untaught()
    start, end = time.perf_counter(), tokenizer.eos_token_id
    shared = min(len(os.path.commonprefix(list(rows))), min(map(len, rows)) - 1)
    reader = BehindPrefix(model, rows[0][:shared])
    by_length = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    replies, new = [""] * len(rows), 0
    for first in range(0, len(rows), BATCH):
        chosen = by_length[first : first + BATCH]
        width = max(len(rows[i]) - shared for i in chosen)

        def sampler(logits: Any, ids: Any, chosen: Sequence[int] = chosen, width: int = width) -> Any:
            parts = zip(chosen, logits, ids, strict=True)
            return torch.cat([samplers[i](logits_[None], ids_[None, width:]) for i, logits_, ids_ in parts])

        out = generate(reader, [rows[i][shared:] for i in chosen], ROOM, sampler=sampler, eos_ids=end, pad_id=end)
        for i, said in zip(chosen, out[:, width:].tolist(), strict=True):
            said = said[: said.index(end) + 1] if end in said else said
            replies[i], new = reply_text(tokenizer, said).strip(), new + len(said)
    read = shared + sum(len(row) - shared for row in rows)
    return replies, {"written": new, "read": read, "seconds_writing": round(time.perf_counter() - start, 1)}


def kept(way: str, name: str) -> list[str]:
    """The replies of a case that was run before."""
    from tests.benchmarks.sweeps import KEPT, read_kept

    return read_kept(KEPT / f"{NAME}.jsonl")[json.dumps({"way": way, "fields": name}, sort_keys=True)]["replies"]


def greedy_object(logits: Any, ids: Any) -> Any:
    """Greedy, but a reply whose beginning is no object ends there: it cannot become valid any more."""
    from helpers.generation import greedy

    tokenizer = untaught()[1]
    begun = tokenizer.decode(ids[0]).lstrip()
    chosen = greedy(logits, ids)
    return chosen.fill_(tokenizer.eos_token_id) if len(begun) > 30 and not begun.startswith("{") else chosen


def written(way: str, fields: Sequence[str]) -> tuple[list[str], dict]:
    """Greedy replies: asked, with examples, held to the schema (mask), held to what the letter names (letter)."""
    from helpers.old.generation import regex_grammar, within
    from helpers.old.trials.ticket_notes import note_pattern

    tokenizer = untaught()[1]
    rows, start = prompts(way != "asked", fields), time.perf_counter()
    if way in ("asked", "examples"):
        return continued(rows, [greedy_object] * len(rows))
    if way == "mask":
        grammars = [regex_grammar(tokenizer, note_pattern(fields))] * len(rows)
    else:
        grammars = [regex_grammar(tokenizer, note_pattern(fields, ticket["text"])) for ticket in tickets()]
    compiling = {"seconds_compiling": round(time.perf_counter() - start, 1)}
    replies, cost = continued(rows, [within(grammar, start=0, room=ROOM) for grammar in grammars])
    return replies, cost | compiling


def retried(tries: int, temperature: float, seed: int) -> tuple[list[str], dict]:
    """The replies with examples; what does not fit the schema is drawn again at a temperature, `tries` in all."""
    import torch

    from helpers.generation import sample
    from helpers.generation import temperature as cooled
    from helpers.old.trials.ticket_notes import EVIDENCE_FIRST, problem

    replies, rows = kept("examples", "evidence first"), prompts(True, EVIDENCE_FIRST)
    cost: dict[str, float] = {"tries": len(replies)}
    for attempt in range(1, tries):
        again = [i for i, reply in enumerate(replies) if problem(reply)]
        if not again:
            break
        drawn = [sample(cooled(temperature), generator=torch.Generator().manual_seed(seed * 1000 + attempt * 100 + i))
                 for i in again]  # fmt: skip
        found, more = continued([rows[i] for i in again], drawn)
        for i, reply in zip(again, found, strict=True):
            replies[i] = reply
        more["tries"] = len(again)
        cost = {name: round(cost.get(name, 0) + value, 1) for name, value in more.items()}
    return replies, cost


def scored(fields: Sequence[str], examples: bool) -> tuple[list[str], dict]:
    """The notes of `letter` with another label: the one for which the letter speaks most.

    Of each label's log-probability, its mean over the other letters is taken off: how probable it is anyway. With the
    label first, nothing but the letter stands before it; else the note as far as it is written.
    """
    import torch

    from helpers.old.prompting import label_scores
    from helpers.old.trials.ticket_notes import SHORT, WANTS

    model, tokenizer = untaught()
    notes = kept("letter", "label first" if fields[0] == "wants" else "evidence first")
    start = time.perf_counter()
    heads = [note[: note.index('"wants":"') + len('"wants":"')] for note in notes]
    rows = prompts(examples, fields, None if examples else SHORT)
    rows = [row + tokenizer(head, add_special_tokens=False)["input_ids"] for row, head in zip(rows, heads, strict=True)]
    labels = [f'{want}"' for want in WANTS.values()]
    among = label_scores(model, tokenizer, rows, labels).log_softmax(-1)  # (N, L)
    others = (among.sum(0) - among) / (len(among) - 1)
    best = (among - others).argmax(-1).tolist()
    likeliest = among.argmax(-1).tolist()
    found = [json.dumps(json.loads(note) | {"wants": labels[k][:-1]}, separators=(",", ":"), ensure_ascii=False)
             for note, k in zip(notes, best, strict=True)]  # fmt: skip
    plain = "".join(str(int(labels[k][:-1] == wanted_of(i))) for i, k in enumerate(likeliest))
    seconds = {"seconds_scoring": round(time.perf_counter() - start, 1), "uncorrected": plain}
    return found, seconds | {"scores": [[round(x, 2) for x in row] for row in torch.Tensor(among).tolist()]}


def wanted_of(i: int) -> str:
    from helpers.old.trials.ticket_notes import wanted

    return wanted(tickets()[i])["wants"]


def judged(replies: Sequence[str]) -> dict:
    """Ticket by ticket: does it fit the schema, which fields are right, does the evidence stand in the letter?"""
    from helpers.old.trials.ticket_notes import JUDGED, problem, right_fields

    fits = [problem(reply) is None for reply in replies]
    notes = [json.loads(reply) if good else None for reply, good in zip(replies, fits, strict=True)]
    pairs = list(zip(notes, tickets(), strict=True))
    marks = {field: [right_fields(note, ticket)[field] for note, ticket in pairs] for field in JUDGED}
    marks["valid"] = fits
    marks["copied"] = [note is not None and note["evidence"] in ticket["text"] for note, ticket in pairs]
    return {"replies": list(replies)} | {name: "".join(str(int(x)) for x in row) for name, row in marks.items()}
