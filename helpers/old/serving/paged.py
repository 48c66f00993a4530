"""One step of the model for many texts at once, over keys and values that lie in pages.

    model = PagedLlama(FastLlama.from_pretrained(fetch("chat")), n_pages=356, page_size=16)
    rows = [Row(tokens=[504], start=37, pages=[0, 7, 3]), Row(tokens=prompt[:64], start=0, pages=[5, 1, 2, 4])]
    logits = model(rows)                       # (2, V): of what follows each row's last token

All tokens of all rows go through a product together, whether a row writes its next token or reads 64 tokens of its
prompt; a product does not care which text a token belongs to. Attention does: each row looks at its own pages only.
PyTorch has no CPU kernel that reads pages where they lie, so a layer first copies the pages of its rows side by side:

    store   (2·H_kv, n_pages, page_size · head_dim)      this layer's keys, then its values
    gather  (2·H_kv, n rows · P, page_size · head_dim)   P: pages of the longest row; shorter ones are filled up
    attend  (n · H_kv, queries per key head, S)          scores, hidden beyond each row's end

Rows that differ much in length are not put together (`groups`): beside a long row, short ones would be copied as if
they were as long.

What it does not do: choose rows or pages (`helpers.old.serving.engine`, `helpers.old.serving.pages`), choose tokens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.attention import fused_attention
from helpers.old.serving.alone import Alone
from helpers.old.serving.corrections import Correction, Corrections
from helpers.old.serving.pages import pages_for
from helpers.old.speed.fast_llama import FastLlama
from helpers.old.speed.fast_step import at_hand, rms_norm

HIDDEN = float("-inf")
Step = Callable[[Tensor, "Batch"], Tensor]


@dataclass(frozen=True)
class Row:
    """Tokens of one text that go through the model at this step."""

    tokens: Sequence[int]
    start: int  # the position of the first of them; what stands before is in the pages already
    pages: Sequence[int]  # the text's block table, with room for these tokens
    adapter: str | None = None
    wanted: bool = True  # whether logits behind the last token are needed

    @property
    def end(self) -> int:
        """Positions in use after this step."""
        return self.start + len(self.tokens)


@dataclass(frozen=True)
class Attended:
    """Neighboring tokens of a batch that attend together: one token of several rows, or several of one row."""

    tokens: slice
    rows: int
    pages: Tensor  # (rows · P,) of all rows, one after another
    hidden: Tensor | None  # (H_kv · rows, queries, S), 0 where a query may look, else −inf; None: one row
    end: int  # of the longest row


@dataclass(frozen=True)
class Batch:
    """What all layers need to know of a step's rows; N tokens."""

    slots: Tensor  # (N,) where each token's keys and values are written
    turns: Tensor  # (N, 1, head_dim/2), see `FastLlama.turns`
    attended: Sequence[Attended]
    marks: Tensor | None  # whose adapter corrects which token, see `Corrections.marks`


class PagedLlama:
    """A `FastLlama` whose keys and values lie in pages that rows share or own.

    nbytes: of all pages, taken at once. adapters: name → folder, see `Corrections`. Logits equal those of the model
    with a cache of its own up to rounding in float32: sums are the same, taken in another order.
    """

    def __init__(
        self,
        model: FastLlama,
        n_pages: int,
        page_size: int = 16,
        adapters: Mapping[str, str | os.PathLike] | None = None,
    ) -> None:
        c = self.config = model.config
        self.model, self.n_pages, self.page_size = model, n_pages, page_size
        self.corrections = Corrections(model, adapters or {})
        # zeros, since what stands behind a row's end is multiplied by a weight of 0, and 0 · NaN is NaN
        self.store = torch.zeros(c.n_layers, 2 * c.n_kv_heads, n_pages, page_size * c.head_dim)
        self.alone = Alone(model, self.store, page_size)
        self._gathered = torch.empty(0)  # one for all layers: new memory for every copy would cost more than the copy
        self.steps = [
            self._layer_step(block, self.store[i], self.corrections.layers[i]) for i, block in enumerate(model.blocks)
        ]

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values, used or not."""
        return self.store.nbytes

    @torch.inference_mode()
    def __call__(self, rows: Sequence[Row]) -> Tensor:
        """Read all rows' tokens  →  logits (n, V) float32 of what follows each wanted row, in the order of `rows`."""
        if self.alone.fits(rows):
            return self._logits(self.alone(rows[0]))
        self.alone.forget()
        order = sorted(range(len(rows)), key=lambda i: (len(rows[i].tokens) > 1, -len(rows[i].pages)))
        batch = self._batch([rows[i] for i in order])
        x = self.model.embedding(torch.tensor([token for i in order for token in rows[i].tokens])).float()  # (N, C)
        for step in self.steps:
            x = step(x, batch)
        last, end = {}, 0
        for i in order:
            end += len(rows[i].tokens)
            last[i] = end - 1
        return self._logits(x[[last[i] for i, row in enumerate(rows) if row.wanted]])

    def _logits(self, x: Tensor) -> Tensor:
        """(n, C) → (n, V) float32."""
        return self.model.head(self.model.norm(x).to(self.model.embedding.weight.dtype)).float()

    def clear(self, pages: Sequence[int]) -> None:
        """Set pages to zero, so that numbers which are none cannot reach whoever owns them next."""
        self.store[:, :, list(pages)] = 0.0
        self.alone.forget()

    # What all layers need --------------------------------------------------------------------------------------------

    def _batch(self, rows: Sequence[Row]) -> Batch:
        """rows: those of one token first, longer before shorter ones."""
        size = self.page_size
        places = [(row, at) for row in rows for at in range(row.start, row.end)]
        slots = torch.tensor([row.pages[at // size] * size + at % size for row, at in places])
        singles = [row for row in rows if len(row.tokens) == 1]
        attended, begin = [], 0
        for group in [*groups(singles, size), *([row] for row in rows[len(singles) :])]:
            end = begin + sum(len(row.tokens) for row in group)
            attended.append(self._attended(group, slice(begin, end)))
            begin = end
        marks = self.corrections.marks([row.adapter for row, _ in places])
        return Batch(slots, self.model.turns(torch.tensor([at for _, at in places])), attended, marks)

    def _attended(self, group: Sequence[Row], tokens: slice) -> Attended:
        end = max(row.end for row in group)
        longest = pages_for(end, self.page_size)
        # a shorter row is filled up with a page of its own, so that nothing of others is multiplied with its zeros
        pages = [page for row in group for page in _filled(row.pages, longest)]
        hidden = None
        if len(group) > 1:
            c, S = self.config, longest * self.page_size
            seen = torch.arange(S) < torch.tensor([row.end for row in group])[:, None]  # (rows, S)
            hidden = torch.zeros(seen.shape).masked_fill(~seen, HIDDEN)
            hidden = hidden.expand(c.n_kv_heads, -1, -1).reshape(-1, 1, S)
            hidden = hidden.repeat(1, c.n_heads // c.n_kv_heads, 1)  # (H_kv · rows, queries, S)
        return Attended(tokens, len(group), torch.tensor(pages), hidden, end)

    # One layer -------------------------------------------------------------------------------------------------------

    def _layer_step(self, block: Any, store: Tensor, corrections: Mapping[str, Correction]) -> Step:
        """What a `FastBlock` does to the tokens of a batch, as one function: x (N, C) → (N, C)."""
        H, H_kv, D, dtype = block.n_heads, block.n_kv_heads, self.config.head_dim, block.dtype
        qkv_rows, o_rows, gate_up_rows, down_rows = (
            corrected(at_hand(getattr(block, name)), dtype, corrections.get(name))
            for name in ("qkv_proj", "o_proj", "gate_up_proj", "down_proj")
        )
        norms = [(norm.scale, norm.floor) for norm in (block.attention_norm, block.feed_forward_norm)]
        slots_of = store.view(2 * H_kv, -1, D)  # (2·H_kv, n_pages · page_size, head_dim)

        def step(x: Tensor, batch: Batch) -> Tensor:
            qkv = qkv_rows(rms_norm(x, *norms[0]), batch.marks).float().view(-1, H + 2 * H_kv, D)
            torch.view_as_complex(qkv[:, : H + H_kv].unflatten(-1, (-1, 2))).mul_(batch.turns)
            slots_of.index_copy_(1, batch.slots, qkv[:, H:].transpose(0, 1))
            parts = [self._attend(qkv[some.tokens, :H], store, some) for some in batch.attended]
            attended = parts[0] if len(parts) == 1 else torch.cat(parts)  # (N, H · head_dim)
            x = x + o_rows(attended, batch.marks)
            gate, up = gate_up_rows(rms_norm(x, *norms[1]), batch.marks).chunk(2, dim=-1)
            return x + down_rows(F.silu(gate) * up, batch.marks)

        return step

    def _attend(self, q: Tensor, store: Tensor, some: Attended) -> Tensor:
        """q: (N, H, head_dim), store: one layer's  →  (N, H · head_dim)."""
        c, n = self.config, some.rows
        keys, values = self._gather(store, some.pages).view(2, c.n_kv_heads * n, -1, c.head_dim)
        if some.hidden is None:
            keys, values = keys[None, :, : some.end], values[None, :, : some.end]
            if len(q) > 1:  # several tokens of one row, each of which sees those before it
                out = fused_attention(q.transpose(0, 1)[None], keys, values, causal=True)[0].transpose(0, 1)
            else:  # the queries that share a key head, side by side
                out = F.scaled_dot_product_attention(q.view(1, c.n_kv_heads, -1, c.head_dim), keys, values)
            return out.reshape(len(q), -1)
        q = q.view(n, c.n_kv_heads, -1, c.head_dim).transpose(0, 1).reshape(c.n_kv_heads * n, -1, c.head_dim)
        scores = torch.baddbmm(some.hidden, q, keys.transpose(1, 2), alpha=c.head_dim**-0.5)
        out = torch.bmm(scores.softmax(dim=-1), values)  # (H_kv · n, queries, head_dim)
        return out.view(c.n_kv_heads, n, -1).transpose(0, 1).reshape(n, -1)

    def _gather(self, store: Tensor, pages: Tensor) -> Tensor:
        """Copy pages side by side: (2·H_kv, len(pages), page_size · head_dim), valid until the next call."""
        shape = (store.shape[0], len(pages), store.shape[2])
        size = shape[0] * shape[1] * shape[2]
        if self._gathered.numel() < size:
            self._gathered = torch.empty(size)
        return torch.index_select(store, 1, pages, out=self._gathered[:size].view(shape))


def corrected(
    product: Callable[[Tensor], Tensor], dtype: torch.dtype, correction: Correction | None
) -> Callable[[Tensor, Tensor | None], Tensor]:
    """A product of float32 rows, with the corrections of the rows' adapters where some row has one."""

    def rows(x: Tensor, marks: Tensor | None) -> Tensor:
        y = product(x.to(dtype))
        if marks is None or correction is None:
            return y
        return y.float() + correction(x.float(), marks)

    return rows


def groups(rows: Sequence[Row], page_size: int) -> list[list[Row]]:
    """Rows that attend together: none has fewer than half of the pages of the first. rows: longer before shorter."""
    made: list[list[Row]] = []
    for row in rows:
        if made and 2 * pages_for(row.end, page_size) >= pages_for(made[-1][0].end, page_size):
            made[-1].append(row)
        else:
            made.append([row])
    return made


def _filled(pages: Sequence[int], n: int) -> list[int]:
    own = list(pages[:n])
    return own + [own[0]] * (n - len(own))
