"""Load a model of the library in 4 bits, or say in one sentence why not.

    model = load_4bit("meta-llama/Llama-3.1-8B")       # NF4 with double quantization, computing in bfloat16
    require_4bit("cuda")                               # raises FourBitUnavailable where bitsandbytes cannot work

What it does not do: train (`peft.prepare_model_for_kbit_training`, `peft.get_peft_model`), save.
"""

from __future__ import annotations

import os
from typing import Any

import torch


class FourBitUnavailable(RuntimeError):
    """This machine cannot do it, or this model cannot be had; the message says what helps."""


def load_4bit(model: str | os.PathLike, compute: torch.dtype = torch.bfloat16, **options: Any) -> Any:
    """`AutoModelForCausalLM.from_pretrained` with NF4 and double quantization.

    model: a folder or a hub id. compute: what unpacked matrices are multiplied in, and what embeddings, norms and a
    tied head are kept in. options: for `from_pretrained`, such as device_map. Raises FourBitUnavailable for a build of
    bitsandbytes that does not work here and for a gated model, ValueError for float16 on a CPU, which overflows.
    """
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if compute == torch.float16 and device == "cpu":
        raise ValueError(
            "float16 represents nothing above 65,504, and activations can exceed that: compute in torch.bfloat16 (or "
            "float32), and in float16 only on GPUs older than 2020, with loss scaling."
        )
    require_4bit(device)
    four_bits = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",  # the library's default is fp4
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
    try:
        return AutoModelForCausalLM.from_pretrained(model, quantization_config=four_bits, dtype=compute, **options)
    except OSError as error:
        if not _is_gated(error):
            raise
        raise FourBitUnavailable(
            f"{model} is gated: log in on https://huggingface.co/{model}, accept its terms, and run `hf auth login` "
            "with a token of that account; or take an open model."
        ) from error


def require_4bit(device: str = "cpu") -> None:
    """Try bitsandbytes on one block. Raises FourBitUnavailable where it is missing, broken or wrong on this device."""
    weight = torch.linspace(-1, 1, 64, device=device)[None]
    try:
        import bitsandbytes.functional as bnb

        restored = bnb.dequantize_4bit(*bnb.quantize_4bit(weight, quant_type="nf4"))
        works = bool((restored - weight).abs().max() < 0.2)  # half of NF4's widest gap is 0.15
    except Exception as error:  # a missing package, a library that was built for another GPU, an unknown device
        raise FourBitUnavailable(_sentence(device, f"{type(error).__name__}: {error}")) from error
    if not works:
        raise FourBitUnavailable(_sentence(device, "wrong numbers"))


def _sentence(device: str, why: str) -> str:
    why = " ".join(why.split())[:120]
    return (
        f"bitsandbytes does not work on {device} here ({why}): install a build for this device (`python -m "
        "bitsandbytes` says what it finds), or train with LoRA on 16-bit weights."
    )


def _is_gated(error: BaseException | None) -> bool:
    """Whether the hub refused, anywhere in the chain of causes."""
    while error is not None:
        if type(error).__name__ == "GatedRepoError" or "gated repo" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
