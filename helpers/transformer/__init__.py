"""Transformers from scratch: the three families and their parts. Opened in 02b to 02d, used in every later notebook."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["checkpoints", "encoder", "kv_cache", "layers", "llama"],
    submod_attrs={
        "checkpoints": ["CheckpointError", "read_config"],
        "encoder": ["Encoder", "EncoderConfig", "pool"],
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
        "llama": ["Llama", "LlamaConfig", "library_llama_name", "our_llama_name", "read_llama_config"],
    },
)
