"""What single attention heads do, and who sees whom: find the heads that copy, silence one, see what that costs.

    ids = repeated_tokens(8, 25, vocab_size=49_152)          # random tokens, then the same once more
    induction_score(weights, 25)                             # how much each head looks at what came next last time
    with silenced(model, layer=18, head=6): ...              # the model without one head
    influence(model_of, ids, other_id)                       # exchange one token: which outputs move

Induction heads: Olsson and others (2022). Works on the course's models, whose attentions stand at
`model.blocks[i].attention`. What it does not do: say why a head does what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from helpers.transformer.llama import Llama


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


@contextmanager
def silenced(model: nn.Module, layer: int, head: int) -> Iterator[None]:
    """Inside the `with`, one head of one layer adds nothing: its output is 0 before the output projection.

    Raises IndexError, in one sentence, for a layer or head that the model has not.
    """
    if not 0 <= layer < len(model.blocks):
        raise IndexError(f"There is no layer {layer}: the layers are 0 to {len(model.blocks) - 1}.")
    attention = model.blocks[layer].attention
    if not 0 <= head < attention.n_heads:
        raise IndexError(f"There is no head {head}: the heads of a layer are 0 to {attention.n_heads - 1}.")
    head_dim = attention.o_proj.in_features // attention.n_heads

    def without_head(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        merged = inputs[0].clone()  # (B, T, n_heads · head_dim); a copy, so that nobody else's tensor is damaged
        merged[..., head * head_dim : (head + 1) * head_dim] = 0
        return (merged,)

    hook = attention.o_proj.register_forward_pre_hook(without_head)
    try:
        yield
    finally:
        hook.remove()


@torch.no_grad()
def states_before_layers(model: Llama, ids: Tensor) -> list[Tensor]:
    """What each layer of the model reads, (B, T, C) each, and last what the final norm reads."""
    rope = model.rope(torch.arange(ids.shape[1], device=ids.device))
    states = [model.embedding(ids)]
    for block in model.blocks:
        states.append(block(states[-1], causal=True, rope=rope))
    return states


@torch.no_grad()
def losses_from(model: Llama, ids: Tensor, state: Tensor, layer: int = 0) -> Tensor:
    """−log p of each next token in nats, (B, T − 1), starting from what `layer` reads.

    To try many changes of one layer, run the layers below it once (`states_before_layers`) and only the rest again.
    """
    rope = model.rope(torch.arange(ids.shape[1], device=ids.device))
    for block in model.blocks[layer:]:
        state = block(state, causal=True, rope=rope)
    logits = model.head(model.norm(state[:, :-1])).float()  # (B, T − 1, V)
    chosen = logits.gather(2, ids[:, 1:, None]).squeeze(2)  # (B, T − 1)
    return logits.logsumexp(dim=2) - chosen


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
