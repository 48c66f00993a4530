"""Constrained decoding, ours beside the libraries that professionals use. `tickets`: the ticket form with the real
model, free, constrained and with jump-ahead, one after the other on each ticket. `masks`: on walks through grammars
whose conventions agree, in how many states all allow the same tokens. `schemas`: 300 random JSON schemas, one text each
by logits that are noise (the libraries on the first 40): how many are valid, refused, invalid or unended, and what
compiling and a mask cost. Times are those of the process, one thread, since other work shares the machine."""

from __future__ import annotations

import importlib.metadata
import json
import re
import statistics
import time
from typing import Any

NAME = "12b_constrained"
CASES = [
    {"case": "tickets", "n": 12, "room": 64},
    {"case": "masks", "walks": 2},
    {"case": "schemas", "n": 300, "n_peers": 40, "longest": 600},
]
ALIKE = {  # no whitespace, no free strings: nothing on which the libraries' conventions differ
    "a choice": ("regex", "(re)?turn(ed|s)?|repair"),
    "an order number": ("regex", "VE-[0-9]{5}|none"),
    "a price": ("regex", "(0|[1-9][0-9]{0,4})\\.[0-9]{2} (EUR|USD)"),
    "letters": ("regex", "[a-z]{1,12}( [a-z]{1,12}){0,3}"),
    "the ticket form": ("json", "form"),
    "a list of choices": ("json", {"type": "array", "items": {"enum": ["Kite", "Otter", None]}, "maxItems": 4}),
    "nested objects": (
        "json",
        {
            "type": "object",
            "properties": {
                "part": {"enum": ["brake", "battery"]},
                "done": {"type": "boolean"},
                "more": {"type": "object", "properties": {"n": {"enum": [1, 2, 12]}}, "required": ["n"]},
            },
            "required": ["part", "more"],
            "additionalProperties": False,
        },
    ),
}
TICKET = "My Otter's brake squeals. Order VE-48213, and before that VE-10542."


def run(case: dict) -> dict:
    return {"schemas": schemas, "masks": masks, "tickets": tickets}[case["case"]](case)


def tokenizer_of_the_course() -> Any:
    from transformers import AutoTokenizer

    from helpers.models import fetch

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def versions() -> dict[str, str]:
    names = ("xgrammar", "llguidance", "outlines_core", "jsonschema", "hypothesis")
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def random_schemas(n: int) -> list[dict]:
    """`n` different schemas that hypothesis draws, the same ones each time."""
    from hypothesis import HealthCheck, given, seed, settings

    from tests.generation.random_schemas import schemas

    found: dict[str, dict] = {}

    @seed(12)
    @settings(max_examples=2 * n, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(schemas())
    def draw(schema: dict) -> None:
        if len(found) < n:
            found[json.dumps(schema, sort_keys=True)] = schema

    draw()
    return list(found.values())


def schemas(case: dict) -> dict:
    from tests.benchmarks.grammar_peers import peers

    tokenizer, drawn = tokenizer_of_the_course(), random_schemas(case["n"])
    found = {}
    for peer in peers(tokenizer, ("ours", "xgrammar", "llguidance")):
        some = drawn if peer.name == "ours" else drawn[: case["n_peers"]]
        rows = [one_schema(peer, schema, seed, tokenizer, case["longest"]) for seed, schema in enumerate(some)]
        found[peer.name] = {"n": len(rows)} | summary(rows)
        if peer.name == "ours":
            found["ours, on the libraries'"] = summary(rows[: case["n_peers"]])
            shortest = {"n": len(rows), "valid": sum(row.get("tight") == "valid" for row in rows)}
    return {"versions": versions(), "different schemas": len(drawn), "ways": found, "tight room": shortest}


def one_schema(peer: Any, schema: dict, seed: int, tokenizer: Any, longest: int) -> dict:
    """What became of one schema: "valid", "refused", "invalid", "unended" or "stuck", and what it cost."""
    import torch

    start = time.process_time()
    try:
        matcher = peer.json(schema)
    except ValueError as error:
        said = re.sub(r"^\[\S+\] \S+: ", "", str(error))  # without the time and the line of its source
        return {"outcome": "refused", "why": said[:60]}
    row = {"compile": time.process_time() - start, "tokens": 0, "mask": 0.0, "worst": 0.0}
    generator, said = torch.Generator().manual_seed(seed), []
    if hasattr(matcher, "grammar"):
        row["states"] = len(matcher.grammar.machine)
    while not said or said[-1] != tokenizer.eos_token_id:
        if len(said) == longest:
            return row | {"outcome": "unended"}
        start = time.process_time()
        mask = matcher.mask()
        took = time.process_time() - start
        row["mask"] += took
        row["worst"] = max(row["worst"], took)
        row["tokens"] += 1
        if not mask.any():
            return row | {"outcome": "stuck"}
        logits = torch.rand(len(tokenizer), generator=generator)
        said.append(int(logits.masked_fill(~torch.from_numpy(mask), -torch.inf).argmax()))
        if said[-1] != tokenizer.eos_token_id:
            try:
                matcher.step(said[-1])
            except ValueError as error:
                return row | {"outcome": "stuck", "why": str(error)[:80]}
    if hasattr(matcher, "grammar"):
        row["bytes"] = matcher.grammar.nbytes
        row["tight"] = tight(tokenizer, matcher.grammar, schema, seed)
    return row | judged(tokenizer, said, schema)


def judged(tokenizer: Any, said: list[int], schema: dict) -> dict:
    import jsonschema

    from helpers.old.generation import token_tree

    try:
        text = b"".join(token_tree(tokenizer).texts[token] or b"" for token in said).decode()
        jsonschema.validate(json.loads(text), schema, format_checker=jsonschema.FormatChecker())
    except (jsonschema.ValidationError, ValueError) as error:
        return {"outcome": "invalid", "why": f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"}
    return {"outcome": "valid"}


def summary(rows: list[dict]) -> dict:
    """Counts of outcomes; milliseconds and microseconds: median, 95th percentile, worst."""
    outcomes = [row["outcome"] for row in rows]
    ran = [row for row in rows if row.get("tokens")]
    tokens = sum(row["tokens"] for row in ran)
    found: dict[str, Any] = {name: outcomes.count(name) for name in ("valid", "invalid", "refused", "unended", "stuck")}
    found["tokens"] = tokens
    found["compile, ms"] = spread([1e3 * row["compile"] for row in ran])
    found["mask, µs per token"] = round(1e6 * sum(row["mask"] for row in ran) / tokens, 1)
    found["slowest mask of a schema, ms"] = spread([1e3 * row["worst"] for row in ran])
    for name, scale in (("states", 1), ("bytes", 1e-6)):
        if any(name in row for row in ran):
            found[name if scale == 1 else "megabytes"] = spread([scale * row[name] for row in ran if name in row])
    found["why"] = sorted({row["why"] for row in rows if "why" in row})[:12]
    return found


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = {"median": 0.5, "95th": 0.95, "most": 1.0}
    return {name: round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 3) for name, part in at.items()}


def tight(tokenizer: Any, grammar: Any, schema: dict, seed: int) -> str:
    """What becomes of a text that has exactly the room that the shortest one takes."""
    import torch

    from tests.generation.random_schemas import random_said

    said = random_said(grammar, torch.Generator().manual_seed(seed), grammar.shortest)
    return judged(tokenizer, said, schema)["outcome"]


def masks(case: dict) -> dict:
    """Walks by noise, all libraries side by side: states that were looked at, and those with the same mask."""
    import numpy as np
    import torch

    from tests.benchmarks.grammar_peers import peers

    tokenizer = tokenizer_of_the_course()
    everybody = list(peers(tokenizer))
    found: dict[str, dict] = {}
    for name, (kind, grammar) in ALIKE.items():
        form = ticket_form() if grammar == "form" else grammar
        ours, *others = [(peer.name, getattr(peer, kind)(form)) for peer in everybody]
        counts: dict[str, Any] = {"states": 0} | {peer: {"same": 0, "of": 0} for peer, _ in others}
        for seed in range(case["walks"]):
            for _, matcher in (ours, *others):
                matcher.restart()
            following = list(others)  # those that have allowed every token so far
            generator, token = torch.Generator().manual_seed(seed), -1
            while token != tokenizer.eos_token_id:
                mask = ours[1].mask()
                counts["states"] += 1
                for peer, matcher in following:
                    other, row = matcher.mask(), counts[peer]
                    row["of"] += 1
                    row["same"] += bool(np.array_equal(mask, other))
                    for side, more in (("only ours", mask & ~other), ("only theirs", other & ~mask)):
                        if more.any():
                            row[side] = tokenizer.batch_decode(np.flatnonzero(more)[:3, None])
                logits = torch.rand(len(tokenizer), generator=generator)
                token = int(logits.masked_fill(~torch.from_numpy(mask), -torch.inf).argmax())
                if token != tokenizer.eos_token_id:
                    following = [(peer, m) for peer, m in following if m.mask()[token]]
                    for _, matcher in (ours, *following):
                        matcher.step(token)
        found[name] = counts
    compiled = {peer.name: compile_times(peer) for peer in everybody}
    return {"versions": versions(), "grammars": found, "compile the ticket form, ms": compiled}


def ticket_form() -> dict:
    from helpers.old.assistants import allowed_values
    from helpers.old.generation import form_schema

    return form_schema(allowed_values(TICKET))


def compile_times(peer: Any, times: int = 3) -> float:
    """Milliseconds, the median."""
    found = []
    for _ in range(times):
        start = time.process_time()
        peer.json(ticket_form())
        found.append(1e3 * (time.process_time() - start))
    return round(statistics.median(found), 2)


def tickets(case: dict) -> dict:
    """Seconds, tokens and passes of each ticket: free, constrained, with jumps, in turns on the same model."""
    from helpers.generation import generate
    from helpers.old.assistants import allowed_values
    from helpers.old.assistants.taught import taught_model
    from helpers.old.assistants.tickets import _prompt
    from helpers.old.generation import BehindPrefix, form_schema, generate_within, json_grammar, token_tree, within
    from helpers.old.velunda import load_tickets

    model, tokenizer = taught_model("tickets")
    token_tree(tokenizer)
    chosen = load_tickets("dev")[:: 72 // case["n"]]
    prompts = [_prompt(tokenizer, ticket["text"], ()) for ticket in chosen]
    shared = next(n for n in range(999) if len({prompt[n] for prompt in prompts}) > 1)
    reader, room, eos = BehindPrefix(model, prompts[0][:shared]), case["room"], tokenizer.eos_token_id
    rows = []
    for n, (ticket, prompt) in enumerate(zip(chosen, prompts, strict=True)):
        start = time.process_time()
        grammar = json_grammar(tokenizer, form_schema(allowed_values(ticket["text"])))
        row: dict[str, Any] = {"compile": round(time.process_time() - start, 4)}
        rest = prompt[shared:]

        def free(rest=rest) -> tuple[list[int], int]:
            ids = generate(reader, [rest], room, eos_ids=eos)[0, len(rest) :].tolist()
            return ids, len(ids)

        def constrained(rest=rest, grammar=grammar) -> tuple[list[int], int]:
            sampler = within(grammar, len(rest), room)
            ids = generate(reader, [rest], room, sampler=sampler, eos_ids=eos)[0, len(rest) :].tolist()
            return ids, len(ids)

        def jumping(rest=rest, grammar=grammar) -> tuple[list[int], int]:
            written = generate_within(reader, [rest], grammar, room)
            return written.ids[0, len(rest) :].tolist(), written.passes

        ways = [("free", free), ("constrained", constrained), ("jump-ahead", jumping)]
        for name, way in ways[n % 3 :] + ways[: n % 3]:
            start = time.process_time()
            ids, passes = way()
            seconds = time.process_time() - start
            text = grammar.text(ids).decode()
            row[name] = {
                "seconds": round(seconds, 4),
                "tokens": len(ids),
                "passes": passes,
                "valid": grammar.machine.matches(text),
                "right": text == json.dumps(ticket["label"], ensure_ascii=False, separators=(",", ":")),
                "text": text,
            }
        rows.append(row)
    totals = {name: total(rows, name) for name in ("free", "constrained", "jump-ahead")}
    same = {
        name: sum(row[name]["text"] == row["constrained"]["text"] for row in rows) for name in ("free", "jump-ahead")
    }
    for row in rows:
        for name in totals:
            del row[name]["text"]
    compiled = spread([1e3 * row["compile"] for row in rows])
    return {"totals": totals, "same text as constrained": same, "compile, ms": compiled, "rows": rows}


def total(rows: list[dict], name: str) -> dict:
    found = {key: round(sum(row[name][key] for row in rows), 3) for key in ("seconds", "tokens", "passes")}
    found |= {key: sum(row[name][key] for row in rows) for key in ("valid", "right")}
    return found | {"n": len(rows), "ms per token": round(1e3 * found["seconds"] / found["tokens"], 2)}
