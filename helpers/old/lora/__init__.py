"""Reading and writing adapters of LoRA in PEFT's format, which `helpers.adapters` describes; `helpers.lora` has the layers."""

from helpers.old.lora.files import load_adapter, save_adapter

__all__ = ["load_adapter", "save_adapter"]
