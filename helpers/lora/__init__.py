"""LoRA: leave a trained matrix as it is and learn a small correction beside it (Hu et al., 2021). Opened in 07.

| module   | what                                                                              |
|----------|-----------------------------------------------------------------------------------|
| `layers` | `add_lora_`, merging, and reading and writing adapters                            |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["layers"],
    submod_attrs={
        "layers": [
            "LoRALinear",
            "add_lora_",
            "load_adapter",
            "lora_layers",
            "lora_parameters",
            "merge_lora_",
            "save_adapter",
            "without_lora",
        ],
    },
)
