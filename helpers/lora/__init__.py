"""LoRA: leave a trained matrix as it is and learn a small correction beside it (Hu et al., 2021). Opened in 07.

| module   | what                                                                              |
|----------|-----------------------------------------------------------------------------------|
| `layers` | `LoRALinear`, `add_lora_`, merging                                                |
| `files`  | reading and writing adapters in PEFT's format, which `helpers.adapters` describes |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["files", "layers"],
    submod_attrs={
        "files": ["load_adapter", "save_adapter"],
        "layers": [
            "LoRALinear",
            "add_lora_",
            "lora_layers",
            "lora_parameters",
            "merge_lora_",
            "without_lora",
        ],
    },
)
