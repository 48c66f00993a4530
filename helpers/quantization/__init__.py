"""Weights in 8 or 4 bits. Opened in 05c.

| module    | what                                                                             |
|-----------|----------------------------------------------------------------------------------|
| `weights` | quantize in groups, measure the error, multiply by the quantized matrix          |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["weights"],
    submod_attrs={
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
