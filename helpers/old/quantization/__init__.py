"""Weights in 8 or 4 bits. Opened in 05c and 08b.

| module    | what                                                                             |
|-----------|----------------------------------------------------------------------------------|
| `weights` | quantize in groups, measure the error, multiply by the quantized matrix          |
| `loading` | the library's models in 4 bits, or one sentence that says why not                 |
| `nf4`     | four bits along a bell curve, and a layer that training can pass through (QLoRA)  |
| `wide`    | bfloat16 products on processors that have no instructions for them               |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["loading", "nf4", "weights", "wide"],
    submod_attrs={
        "loading": ["FourBitUnavailable", "load_4bit", "require_4bit"],
        "nf4": [
            "Linear4bit",
            "bits_per_weight",
            "dequantize_blocks",
            "dequantize_nf4_",
            "double_dequantize",
            "double_quantize",
            "dynamic_codebook",
            "nf4_codebook",
            "pack_codes",
            "quantize_blocks",
            "quantize_nf4_",
            "unpack_codes",
        ],
        "weights": [
            "Int4Linear",
            "Int8Linear",
            "dequantize",
            "fake_quantize_",
            "kernel_works",
            "pack_pairs",
            "quantize_",
            "quantize_groups",
            "quantize_rows_absmax",
            "round_trip_error",
            "unpack_pairs",
        ],
    },
)
