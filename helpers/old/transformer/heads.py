"""What single attention heads do, and who sees whom: find the heads that copy, exchange a token.

    ids = repeated_tokens(8, 25, vocab_size=49_152)          # random tokens, then the same once more
    induction_score(weights, 25)                             # how much each head looks at what came next last time
    influence(model_of, ids, other_id)                       # exchange one token: which outputs move

Induction heads: Olsson and others (2022). Works on the course's models, whose attentions stand at
`model.blocks[i].attention`. What it does not do: say why a head does what it does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def repeated_tokens(n_texts: int, length: int, vocab_size: int, seed: int = 0) -> Tensor:
    """(n_texts, 2 · length): in each row `length` random tokens, then the same ones once more.

    Random, so that nothing but the first half tells what comes in the second. The first 100 ids, where vocabularies
    keep their special tokens, are left out. Raises ValueError where nothing is left to draw from.
    """
    if vocab_size <= 100 or min(n_texts, length) < 1:
        raise ValueError("repeated_tokens() needs a vocabulary of more than 100, and at least one text and one token.")
    drawn = torch.Generator().manual_seed(seed)
    first = torch.randint(100, vocab_size, (n_texts, length), generator=drawn)  # (n_texts, length)
    return torch.cat([first, first], dim=1)


def induction_score(weights: Tensor, length: int) -> Tensor:
    """How much of its attention a query in the second half pays to what followed the same token in the first, averaged.

    weights: (…, 2 · length, 2 · length), attention over `length` tokens that then repeat  →  (…), each from 0 to 1.
    """
    after_earlier = weights.diagonal(1 - length, dim1=-2, dim2=-1)  # (…, length + 1): query t looks at t + 1 − length
    return after_earlier[..., 1:].mean(dim=-1)  # without t = length − 1, whose token has no earlier one


@torch.no_grad()
def influence(model_of: Callable[[Tensor], Tensor], ids: Tensor, other_id: int) -> Tensor:
    """Row t, column u: 1 where the output at t moves when token u becomes `other_id`, 0 where it stays.

    model_of: ids (1, N) → outputs (1, T, C); ids: (1, N) without `other_id`  →  (T, N) float32.
    """
    before, columns = model_of(ids), []
    for u in range(ids.shape[1]):
        exchanged = ids.clone()
        exchanged[0, u] = other_id
        moved = (model_of(exchanged) - before)[0].abs().amax(-1) > 1e-6  # (T,)
        columns.append(moved.float())
    return torch.stack(columns, dim=1)
