"""Constrained decoding in its smallest form: a grammar is a table, and a mask says which tokens the table can read.

    table = choice_table(["yes", "no", "not yet"])
    table[0]                                   # {"y": 1, "n": 4}: character → the state that follows
    grammar_mask(table, 0, ["ye", "s", "not", "x", ""])            # [True, False, True, False, False]
    jump_ahead(table, 1)                       # "es": behind "y" nothing else can follow

The key "" in a row says that a text may end there; so does the token "". `helpers.old.generation.TokenGrammar` gives
the same masks, for any regular expression or JSON schema, over bytes, and looks at each branch of the vocabulary once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

Table = Mapping[int, Mapping[str, int]]  # state → character → the state that follows; "": the text may end here


def choice_table(texts: Sequence[str]) -> dict[int, dict[str, int]]:
    """The table that reads one of these texts and nothing else. State 0 is the first."""
    table: dict[int, dict[str, int]] = {0: {}}
    for text in texts:
        state = 0
        for character in text:
            if character not in table[state]:
                table[state][character] = len(table)
                table[len(table)] = {}
            state = table[state][character]
        table[state][""] = state
    return table


def read_table(table: Table, state: int, text: str) -> int | None:
    """The state behind this text; None where the table has no way to go on."""
    for character in text:
        if character not in table[state]:
            return None
        state = table[state][character]
    return state


def grammar_mask(table: Table, state: int, tokens: Sequence[str]) -> list[bool]:
    """For each token, whether it may come next. The token "" ends the text."""
    return [
        "" in table[state] if token == "" else read_table(table, state, token) is not None  # read to its last character
        for token in tokens
    ]


def jump_ahead(table: Table, state: int) -> str:
    """The characters that have to follow: as long as there is one way to go on, and none to end."""
    forced = ""
    while len(table[state]) == 1 and "" not in table[state]:
        (character,) = table[state]
        forced += character
        state = table[state][character]
    return forced


@torch.inference_mode()
def minimal_within(
    model: nn.Module,
    ids: Tensor,
    table: Table,
    tokens: Sequence[str],
    mask_of: Callable[[Table, int, Sequence[str]], list[bool]] = grammar_mask,
) -> str:
    """The text that the model writes behind `ids` (1, T) if it has to be one of the table: greedy, among the allowed.

    tokens: the text of each id, "" for the one that ends it.
    """
    text, state = "", 0
    while True:
        logits = model(ids)[0, -1]  # (V,)
        mask = torch.tensor(mask_of(table, state, tokens))
        best = int(logits.masked_fill(~mask, float("-inf")).argmax())
        if tokens[best] == "":
            return text
        text, state = text + tokens[best], read_table(table, state, tokens[best])
        ids = torch.cat((ids, torch.tensor([[best]])), dim=1)
