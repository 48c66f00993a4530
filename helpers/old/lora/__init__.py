"""LoRA: leave a trained matrix as it is and learn a small correction beside it (Hu et al., 2021). Opened in 07.

| module   | what                                                                              |
|----------|-----------------------------------------------------------------------------------|
| `layers` | `LoRALinear`, `add_lora_`, merging                                                |
| `files`  | reading and writing adapters in PEFT's format, which `helpers.adapters` describes |
| `shapes` | what a model's configuration says about its size; data/model_shapes.json          |
| `plan`   | the memory of a fine-tuning by part, and the settings that fit on a GPU           |
| `train_script` | a script in plain TRL and PEFT for such a plan                              |

`python -m helpers.old.lora plan --model meta-llama/Llama-3.1-8B --gpu-memory 24` prints such a plan.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["files", "layers", "plan", "shapes", "train_script"],
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
        "plan": ["METHODS", "Plan", "Setting", "memory_parts", "plan_training", "usable_bytes"],
        "train_script": ["training_script", "write_script"],
        "shapes": ["Shape", "ShapeUnknown", "known_models", "read_shape"],
    },
)
