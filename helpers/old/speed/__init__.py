"""How fast a model is, how fast this machine would allow, and what closes the gap. Opened in 05b and 05c.

| module       | what                                                                          |
|--------------|-------------------------------------------------------------------------------|
| `measures`   | races, bandwidth, operations, prefill and decode                              |
| `fast_llama` | the same Llama in fewer, larger operations                                    |
| `fast_step`  | one token through one layer with nothing in between                           |
| `llama_cpp`  | llama.cpp on the same weights, if it is installed                             |
| `plots`      | measured points under a roofline                                              |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["fast_llama", "fast_step", "llama_cpp", "measures", "plots"],
    submod_attrs={
        "fast_llama": ["FastLlama", "FastRMSNorm", "Product", "merged", "side_by_side"],
        "fast_step": ["lean_step"],
        "measures": [
            "arithmetic_peak",
            "bytes_per_token",
            "memory_bandwidth",
            "pass_seconds",
            "product_bandwidth",
            "race",
            "where_time_goes",
        ],
        "plots": ["roofline"],
    },
)
