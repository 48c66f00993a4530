"""Generation in its smallest form: read the prompt once, then one token at a time.

    cache = keys and values of every token that was read, kept by the model (`helpers.transformer.KVCache`)
    first pass:   the whole prompt goes in, (B, T)              prefill
    later passes: only the newest token goes in, (B, 1)         decoding; its query looks at the keys in the cache

`helpers.generation.generate` gives the same tokens, and also has samplers, stop strings, unequal prompts and streaming.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.inference_mode()
def minimal_generate(
    model: nn.Module, ids: Tensor, max_new_tokens: int, end_id: int, temperature: float = 0.0
) -> Tensor:
    """Continue every row of `ids` by up to `max_new_tokens` tokens: (B, T) → (B, T + new).

    model: a decoder with a cache, `Llama` or `GPT`. temperature: 0 takes the likeliest token each time, 1 draws from
    the model's own distribution. A row that has written `end_id` is filled with it until all rows have.
    """
    cache = model.new_cache(batch=len(ids), max_len=ids.shape[1] + max_new_tokens)
    ended = torch.zeros(len(ids), 1, dtype=torch.bool, device=ids.device)
    new = ids  # what the model has not read yet: at first the whole prompt

    for _ in range(max_new_tokens):
        logits = model(new, cache)[:, -1]  # (B, V), of the token that follows
        if temperature == 0:
            new = logits.argmax(dim=-1, keepdim=True)  # (B, 1)
        else:
            probabilities = (logits / temperature).softmax(dim=-1)
            new = torch.multinomial(probabilities, num_samples=1)  # (B, 1)

        new = new.masked_fill(ended, end_id)
        ids = torch.cat((ids, new), dim=1)
        ended = ended | (new == end_id)
        if ended.all():
            break
    return ids
