"""Reading and writing adapters of LoRA in PEFT's format; the layers are in `helpers.lora`."""

from helpers.old.lora.files import load_adapter, save_adapter

__all__ = ["load_adapter", "save_adapter"]
