"""Transformers from scratch: the three families and their parts. Opened in 02b to 02d, used in every later notebook.

| class            | family and model it matches          | reads          | module            |
|------------------|--------------------------------------|----------------|-------------------|
| `GPT`            | decoder, with exchangeable parts     | –              | `gpt`             |
| `Llama`          | decoder: Llama, SmolLM2              | model folders  | `llama`           |
| `Encoder`        | encoder: BERT, all-MiniLM            | model folders  | `encoder`         |
| `EncoderDecoder` | encoder-decoder: T5                  | model folders  | `encoder_decoder` |

Each has a smallest form that is shown whole, with the same names of parameters and no options: `MinimalGPT`,
`MinimalLlama`, `MinimalEncoder` and `MinimalEncoderDecoder` (`minimal`, which also has their blocks and attentions).

They are stacked from `RMSNorm`, `LayerNorm`, `FeedForward`, `SwiGLU` and blocks (`layers`) around
`helpers.attention.MultiHeadAttention`. Decoders remember what they read in a `KVCache` (`kv_cache`);
`checkpoints` reads folders. To look inside: `residuals` (the residual stream), `heads` (single heads, and which token
influences which); `library` turns the encoder-decoder into the library's T5.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "checkpoints",
        "encoder",
        "encoder_decoder",
        "gpt",
        "heads",
        "kv_cache",
        "layers",
        "library",
        "llama",
        "minimal",
        "residuals",
    ],
    submod_attrs={
        "checkpoints": ["CheckpointError", "read_config"],
        "encoder": ["Encoder", "EncoderConfig", "pool"],
        "encoder_decoder": ["EncoderDecoder", "EncoderDecoderConfig", "shift_right"],
        "gpt": ["GPT", "GPTConfig"],
        "heads": [
            "induction_score",
            "influence",
            "losses_from",
            "repeated_tokens",
            "silenced",
            "states_before_layers",
        ],
        "kv_cache": ["GrowingCache", "KVCache", "append_kv", "layer_caches", "write_kv"],
        "layers": [
            "FeedForward",
            "LayerNorm",
            "NoResidualBlock",
            "PostNormBlock",
            "PreNormBlock",
            "RMSNorm",
            "SwiGLU",
            "init_weights",
        ],
        "library": ["library_t5"],
        "llama": ["Llama", "LlamaConfig", "library_llama_name", "our_llama_name", "read_llama_config"],
        "minimal": ["MinimalEncoder", "MinimalEncoderDecoder", "MinimalGPT", "MinimalLlama"],
        "residuals": ["residual_stream"],
    },
)
