"""Attention, from one head to many, with its masks, positions and cheaper variants. Opened in 02 and 02c."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["masks", "multi_head", "positions"],
    submod_attrs={
        "masks": ["causal_mask", "padding_mask", "segment_mask", "segment_positions", "sliding_window_mask"],
        "multi_head": [
            "MultiHeadAttention",
            "attention_weights",
            "fused_attention",
            "keeping_weights",
            "merge_heads",
            "repeat_kv",
            "require_heads",
            "scaled_dot_product_attention",
            "split_heads",
        ],
        "positions": [
            "RopeScaling",
            "T5RelativeBias",
            "alibi_bias",
            "alibi_slopes",
            "apply_rope",
            "distances",
            "rope_cos_sin",
            "rope_frequencies",
            "sinusoidal",
            "t5_buckets",
        ],
    },
)
