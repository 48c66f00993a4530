"""greedy_reply: the most probable id, again and again, until the end-of-turn token or the limit."""

from __future__ import annotations

from collections.abc import Callable

import torch
from numpy.random import Generator
from torch import Tensor

from helpers.exercises.checking.spec import Exercise

from ._shared import MODELS, drawn_ids, tiny_llama


def greedy_reply(model: Callable[[Tensor], Tensor], ids: Tensor, max_new_tokens: int, end: int) -> list[int]:
    """The ids that `model` writes after the prompt `ids`, each time the most probable one, up to `end` (left out).

    ids: (1, T); model(ids) gives logits (1, T, V)  →  at most `max_new_tokens` ids
    """
    reply: list[int] = []
    while len(reply) < max_new_tokens:
        best = int(model(ids)[0, -1].argmax())
        if best == end:
            break
        reply.append(best)
        ids = torch.cat([ids, ids.new_tensor([[best]])], dim=1)
    return reply


ANSWER = """
def greedy_reply(model, ids, max_new_tokens, end):
    reply = []
    for _ in range(max_new_tokens):
        best = model(ids)[0, -1].argmax().item()
        if best == end:
            break
        reply.append(best)
        ids = torch.cat([ids, torch.tensor([[best]])], dim=1)
    return reply
"""
SLIPS = [
    ("break", "return reply + [best]", "`end` is in your list; leave it out."),
    ("break", "pass", "you do not stop at `end`."),
    (
        [("break", "pass"), ("reply.append(best)", "reply += [best] if best != end else []")],
        "you leave `end` out but write on behind it; stop there.",
    ),
    ("= []", "= ids[0].tolist()", "the prompt is in your list; give only what is new."),
    ("range(max_new_tokens)", "range(max_new_tokens + 1)", "you write one token too many."),
    ("range(max_new_tokens)", "range(max_new_tokens - 1)", "you write one token too few."),
    (
        "model(ids)[0, -1].argmax().item()",
        "int(model(ids).argmax())",
        "the argmax runs over all rows at once; take that of the last row.",
    ),
    (
        "[ids, torch.tensor([[best]])]",
        "[torch.tensor([[best]]), ids]",
        "the new id is put in front of the prompt; it belongs behind it.",
    ),
    ("[0, -1]", "[0, 0]", "you read the first row of logits, which follows the first token."),
    (
        "ids = torch.cat([ids, torch.tensor([[best]])], dim=1)",
        "pass",
        "`ids` does not grow, so the model is asked the same again.",
    ),
    (
        "torch.cat([ids, torch.tensor([[best]])], dim=1)",
        "torch.tensor([[best]])",
        "the model sees only the newest token; give it all so far.",
    ),
    (
        "range(max_new_tokens)",
        "iter(int, 1)",
        "`max_new_tokens` is ignored: where the end-of-turn token does not come, nothing stops you.",
    ),
    (
        "torch.tensor([[best]])",
        "torch.tensor([best])",
        "`ids` has the shape (1, T), so the new id needs two axes: `torch.tensor([[best]])`.",
    ),
    ("return reply", "return ids", "you return all ids as a tensor; give a list of the new ones."),
    (
        ".argmax().item()",
        ".argmax()",
        "an id in your list is still a tensor: make it a number with `.item()`.",
    ),
]
REFUSED = [
    ("return reply", "", "It returns None"),
]
RIGHT = [
    """
def greedy_reply(model, ids, max_new_tokens, end):
    start = ids.shape[1]
    while ids.shape[1] < start + max_new_tokens:
        best = model(ids)[:, -1:].argmax(-1)
        if best == end:
            break
        ids = torch.cat([ids, best], dim=1)
    return ids[0, start:].tolist()
""",
]


def drive(write: Callable, model: str, ids: Tensor, max_new_tokens: int, end: int) -> list[int]:
    """Call `write` with a tiny model by name, which refuses to be asked without end."""
    decoder, asked = tiny_llama(model), 0

    def answer(ids: Tensor) -> Tensor:
        nonlocal asked
        asked += 1
        if asked > max_new_tokens + 2:
            raise RuntimeError(f"The model has been asked {asked} times for at most {max_new_tokens} tokens.")
        return decoder(ids)

    with torch.no_grad():
        return write(answer, ids, max_new_tokens, end)


def cases(rng: Generator) -> list[tuple]:
    found = []
    for i, name in enumerate(MODELS):
        prompt = drawn_ids(rng, 1, 3 + 2 * i)
        written = drive(greedy_reply, name, prompt, 8, -1)
        new = next((t for t in written[2:] if t not in written[:2]), written[-1])
        found += [(name, prompt, 8, -1), (name, prompt, 8, new), (name, prompt, 1, -1), (name, prompt, 4, written[0])]
    return [*found, (name, drawn_ids(rng, 1, 1), 3, -1), (name, drawn_ids(rng, 1, 4), 0, -1)]


EXERCISE = Exercise(
    reference=greedy_reply,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "Which of the T rows of logits says what comes *after* the last token?",
        "Loop: ask the model, take the argmax of the last row, stop at `end`, remember the id, append it to `ids`.",
        "Inside a `for` over `max_new_tokens`: `int(model(ids)[0, -1].argmax())` is the next id. Return what you "
        "have if it is `end`; else append it to the list, and to `ids` with `torch.cat([...], dim=1)`.",
    ),
    proves="the same ids for three models, stopping at the end-of-turn token and at the limit",
)
