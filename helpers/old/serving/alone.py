"""The next token of a text that is the only one: the lean step of `helpers.old.speed`, over a copy
of its keys and values.

    alone = Alone(model, store, page_size)
    if alone.fits(rows):
        x = alone(rows[0])                     # (1, C), as the model's layers give it
    else:
        alone.forget()                         # others write into the pages now

Where many texts are served, what is done once per step is shared by all; a single one pays for everything. Pages cost
it a copy per layer and token, since attention wants keys side by side. So its keys and values are copied once, when it
becomes the only one; each new token is then written to both places, and the pages stay the truth: whoever comes next
finds everything there.

What it does not do: adapters, several tokens at once, texts whose copy would take a quarter of the pages' memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from helpers.old.serving.pages import pages_for
from helpers.old.speed.fast_llama import FastLlama
from helpers.old.speed.fast_step import lean_steps

ROOM = 128  # tokens that a copy has room for beyond its text, so that it is not made anew for each token
SHARE = 4  # a copy takes at most this part of the pages' memory


class Alone:
    """One text's keys and values side by side, equal to what lies in its pages.

    store: (n_layers, 2·H_kv, n_pages, page_size · head_dim), where the pages are.
    """

    def __init__(self, model: FastLlama, store: Tensor, page_size: int) -> None:
        c = model.config
        self.model, self.store, self.page_size = model, store, page_size
        self.slots = store.view(c.n_layers, 2 * c.n_kv_heads, -1, c.head_dim)
        self.steps = lean_steps(model.blocks, c.head_dim)
        self.most = self.slots.shape[2] // SHARE  # tokens of a copy
        self.copy = store.new_empty(c.n_layers, 2, 1, c.n_kv_heads, 0, c.head_dim)
        self.forget()

    def forget(self) -> None:
        """The pages are written to by others: the copy is none any more."""
        self.pages: list[int] = []
        self.length = 0  # positions of the copy that are those of the pages

    def fits(self, rows: Sequence[Any]) -> bool:
        """Whether these rows (`paged.Row`) are one text's next token, and its copy is small enough."""
        row = rows[0]
        plain = len(rows) == 1 == len(row.tokens) and row.adapter is None and row.wanted
        return plain and row.end <= self.most

    def __call__(self, row: Any) -> Tensor:
        """What the layers make of the row's token, (1, C) float32; its keys and values are in its pages then."""
        page, place = divmod(row.start, self.page_size)
        if row.start != self.length or self.pages != row.pages[: len(self.pages)] or row.end > self.copy.shape[-2]:
            self._take_over(row)
        x = self.model.embedding(torch.tensor(row.tokens)).float()
        turns = self.model.turns(torch.tensor([row.start]))
        for step, keys, values in self.layers:
            x = step(x, turns, keys, values, row.start)
        new = self.copy[:, :, 0, :, row.start]  # (n_layers, 2, H_kv, head_dim)
        self.slots[:, :, row.pages[page] * self.page_size + place] = new.flatten(1, 2)
        self.pages, self.length = list(row.pages[: page + 1]), row.end
        return x

    def _take_over(self, row: Any) -> None:
        """Copy what the pages hold of a text."""
        if row.end > self.copy.shape[-2]:
            *others, _, head_dim = self.copy.shape
            self.copy = self.store.new_empty(*others, min(row.end + ROOM, self.most), head_dim)
        self.layers = [(step, *layer) for step, layer in zip(self.steps, self.copy, strict=True)]
        pages = torch.tensor(row.pages[: pages_for(row.start, self.page_size)], dtype=torch.long)
        for (_, keys, values), layer in zip(self.layers, self.store, strict=True):
            held = layer.index_select(1, pages).view(2, *keys.shape[:2], -1, keys.shape[-1])[..., : row.start, :]
            keys[..., : row.start, :], values[..., : row.start, :] = held[0], held[1]
