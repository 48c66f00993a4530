"""Generation from scratch: choosing tokens, the loop, and showing text while it arrives.

| what                                                                | lives in            |
|---------------------------------------------------------------------|---------------------|
| `greedy`, `sample`, `temperature`, `top_k`, `top_p`, `min_p`, `repetition_penalty`, `compose` | `helpers.sampling` |
| `generate`, `stream`                                                | `helpers.decoding`  |
| `ReplyText`, `reply_text`                                           | `helpers.streaming` |
"""

from helpers.decoding import generate, stream
from helpers.sampling import compose, greedy, min_p, repetition_penalty, sample, temperature, top_k, top_p
from helpers.streaming import reply_text

__all__ = [
    "compose",
    "generate",
    "greedy",
    "min_p",
    "repetition_penalty",
    "reply_text",
    "sample",
    "stream",
    "temperature",
    "top_k",
    "top_p",
]
