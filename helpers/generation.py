"""Generation from scratch: choose the next token, repeat, stop, and show the text while it arrives.

| what                                                                         | lives in              |
|------------------------------------------------------------------------------|-----------------------|
| samplers: `greedy`, `sample`; what they draw with: `draw`                    | `helpers.sampling`    |
| transforms: `temperature`, `top_k`, `top_p`, `min_p`, `repetition_penalty`   | `helpers.sampling`    |
| the loop: `generate`, and `stream` for text piece by piece                   | `helpers.decoding`    |
| `speculative`, where `PromptLookup` or a cheaper model drafts                | `helpers.speculative` |
| `token_log_probs`, `perplexity`                                              | `helpers.likelihood`  |
| `reply_text`, the text of a reply up to a stop string                        | `helpers.streaming`   |

A model is anything with `forward(ids, cache=None)` that maps ids (B, T) to logits (B, T, V). Prompts of unequal lengths
are padded in `helpers.batching`; `helpers.decoding` knows when a reply ends.
"""

from helpers.decoding import generate, stream
from helpers.likelihood import perplexity, token_log_probs
from helpers.sampling import compose, draw, greedy, min_p, repetition_penalty, sample, temperature, top_k, top_p
from helpers.speculative import ModelDraft, PromptLookup, Speculation, accept_or_resample, speculative
from helpers.streaming import reply_text

__all__ = [
    "ModelDraft",
    "PromptLookup",
    "Speculation",
    "accept_or_resample",
    "compose",
    "draw",
    "generate",
    "greedy",
    "min_p",
    "perplexity",
    "repetition_penalty",
    "reply_text",
    "sample",
    "speculative",
    "stream",
    "temperature",
    "token_log_probs",
    "top_k",
    "top_p",
]
