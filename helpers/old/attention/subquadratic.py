"""Attention whose cost grows in proportion to the length, not to its square.

    sliding_window_attention(q, k, v, window=256)     exact attention, but nobody looks back further than the window
    linear_attention(q, k, v)                         no softmax, so the whole past fits in one matrix

Both are causal. q, k, v: (B, H, T, head_dim), the same T.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.attention.masks import sliding_window_mask

FORMS = ("parallel", "recurrent", "chunked")


def sliding_window_attention(q: Tensor, k: Tensor, v: Tensor, window: int, n_global: int = 0) -> Tensor:
    """Equal to attention with `sliding_window_mask(T, window, n_global)`, in time T · window.

    q, k, v: (B, H, T, head_dim)  →  (B, H, T, head_dim). Queries go through in blocks of `window`, each with only the
    keys that one of them can see. Raises ValueError as the mask does, and for keys of another length.
    """
    _require_equal_lengths(q, k, v)
    T, blocks = q.shape[-2], []
    for start in range(0, T, window) if window > 0 else [0]:
        end = min(start + window, T)
        first = max(start - window + 1, 0)  # the oldest key that the block's first query sees
        g = min(n_global, first)  # global keys older than that come in front
        mask = sliding_window_mask(end - start, window, n_global - g, S=end - first, device=q.device)
        mask = F.pad(mask, (g, 0), value=True)  # (block, g + end − first)
        keys, values = (torch.cat((x[..., :g, :], x[..., first:end, :]), dim=-2) for x in (k, v))
        blocks.append(F.scaled_dot_product_attention(q[..., start:end, :], keys, values, attn_mask=mask))
    return torch.cat(blocks, dim=-2)


def linear_attention(q: Tensor, k: Tensor, v: Tensor, form: str = "parallel", chunk: int = 64) -> Tensor:
    """Causal attention with φ(q)·φ(k) for exp(q·k), where φ(x) = elu(x) + 1 (Katharopoulos et al., 2020).

    q, k: (B, H, T, head_dim), v: (B, H, T, d_v)  →  (B, H, T, d_v). Three forms of the same sum:
      "parallel"   the (T, T) table of φ(q)·φ(k), masked and normalized: quadratic, how it resembles attention;
      "recurrent"  a (head_dim, d_v) state that each token adds to and reads from: linear, how it generates;
      "chunked"    recurrent between chunks of `chunk` tokens, parallel inside: linear, how it trains.
    Raises ValueError for another form, for keys of another length and for a chunk without a token.
    """
    _require_equal_lengths(q, k, v)
    if chunk < 1:
        raise ValueError(f"A chunk holds at least 1 token, not {chunk}.")
    if form not in FORMS:
        raise ValueError(f"There is no form {form!r} of linear attention: choose one of {', '.join(FORMS)}.")
    q, k = F.elu(q) + 1, F.elu(k) + 1
    T = q.shape[-2]
    if form == "parallel":
        return _chunked(q, k, v, chunk=T)
    return _recurrent(q, k, v) if form == "recurrent" else _chunked(q, k, v, chunk)


def _require_equal_lengths(q: Tensor, k: Tensor, v: Tensor) -> None:
    lengths = [x.shape[-2] for x in (q, k, v)]
    if len(set(lengths)) > 1:
        raise ValueError(f"Queries, keys and values are of one length T here, not of {', '.join(map(str, lengths))}.")


def _recurrent(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    state = q.new_zeros(*k.shape[:-2], k.shape[-1], v.shape[-1])  # (B, H, head_dim, d_v): Σ φ(k) vᵀ
    total = torch.zeros_like(k[..., 0, :])  # (B, H, head_dim): Σ φ(k)
    outputs = []
    for q_t, k_t, v_t in zip(q.unbind(-2), k.unbind(-2), v.unbind(-2), strict=True):  # (B, H, head_dim) each
        state = state + k_t[..., :, None] * v_t[..., None, :]
        total = total + k_t
        outputs.append((q_t[..., None, :] @ state).squeeze(-2) / (q_t * total).sum(-1, keepdim=True))
    return torch.stack(outputs, dim=-2)


def _chunked(q: Tensor, k: Tensor, v: Tensor, chunk: int) -> Tensor:
    state = q.new_zeros(*k.shape[:-2], k.shape[-1], v.shape[-1])
    total = torch.zeros_like(k[..., 0, :])
    outputs = []
    for q_c, k_c, v_c in zip(q.split(chunk, -2), k.split(chunk, -2), v.split(chunk, -2), strict=True):
        scores = (q_c @ k_c.transpose(-2, -1)).tril()  # (B, H, chunk, chunk): inside the chunk
        past = q_c @ state  # (B, H, chunk, d_v): from all chunks before
        weight = scores.sum(-1, keepdim=True) + (q_c * total.unsqueeze(-2)).sum(-1, keepdim=True)
        outputs.append((scores @ v_c + past) / weight)
        state = state + k_c.transpose(-2, -1) @ v_c
        total = total + k_c.sum(-2)
    return torch.cat(outputs, dim=-2)
