"""Transformers from scratch: three families and their parts, each in a module of its own.

| class            | family and model it matches          | reads          | lives in                  |
|------------------|--------------------------------------|----------------|---------------------------|
| `GPT`            | decoder, with exchangeable parts     | –              | `helpers.gpt`             |
| `Llama`          | decoder: Llama, SmolLM2              | model folders  | `helpers.llama`           |
| `Encoder`        | encoder: BERT, all-MiniLM            | model folders  | `helpers.encoder`         |
| `EncoderDecoder` | encoder-decoder: T5                  | model folders  | `helpers.encoder_decoder` |

They are stacked from `RMSNorm`, `LayerNorm`, `FeedForward`, `SwiGLU` and blocks (`helpers.layers`), with
`MultiHeadAttention` (`helpers.attention`) inside. Decoders remember what they read in a `KVCache`
(`helpers.kv_cache`); folders are read by `helpers.checkpoints`.
"""

from helpers.attention import MultiHeadAttention, keeping_weights
from helpers.checkpoints import CheckpointError
from helpers.encoder import Encoder, EncoderConfig, pool
from helpers.encoder_decoder import EncoderDecoder, EncoderDecoderConfig
from helpers.gpt import GPT, GPTConfig
from helpers.kv_cache import KVCache
from helpers.layers import (
    FeedForward,
    LayerNorm,
    NoResidualBlock,
    PostNormBlock,
    PreNormBlock,
    RMSNorm,
    SwiGLU,
    init_weights,
)
from helpers.llama import Llama, LlamaConfig
from helpers.positions import RopeScaling

__all__ = [
    "GPT",
    "CheckpointError",
    "Encoder",
    "EncoderConfig",
    "EncoderDecoder",
    "EncoderDecoderConfig",
    "FeedForward",
    "GPTConfig",
    "KVCache",
    "LayerNorm",
    "Llama",
    "LlamaConfig",
    "MultiHeadAttention",
    "NoResidualBlock",
    "PostNormBlock",
    "PreNormBlock",
    "RMSNorm",
    "RopeScaling",
    "SwiGLU",
    "init_weights",
    "keeping_weights",
    "pool",
]
