"""What tensors really take while a small model is trained on the CPU: kept for the backward pass, and alive at once."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from helpers.old.lora.plan import Setting
from helpers.old.lora.shapes import Shape, shape_from_config

VOCAB = 160


def tiny(kind: str = "llama", **sizes) -> tuple[Shape, torch.nn.Module]:
    """A random model of a type of the library, and its shape."""
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    config = {"hidden_size": 96, "intermediate_size": 320, "num_hidden_layers": 3, "num_attention_heads": 6,
              "num_key_value_heads": 2, "head_dim": 16, "vocab_size": VOCAB, "pad_token_id": 0,
              "tie_word_embeddings": False} | sizes  # fmt: skip
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**config), dtype=torch.float32)
    return shape_from_config(config | {"model_type": kind}, f"tiny-{kind}"), model.train()


def prepared(model: torch.nn.Module, setting: Setting, targets: str | list[str] = "all-linear") -> torch.nn.Module:
    """The model as TRL and PEFT make it ready for this setting."""
    from peft import LoraConfig, get_peft_model

    if setting.method != "full" and setting.width == 2:
        model = model.to(torch.bfloat16)
    if setting.method == "qlora":
        in_four_bits(model)
    if setting.method != "full":
        model = get_peft_model(model, LoraConfig(r=setting.rank, target_modules=targets, task_type="CAUSAL_LM"))
        if setting.method == "qlora":
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.data = parameter.data.to(torch.bfloat16)
    inner = model.get_base_model() if setting.method != "full" else model
    if setting.checkpointing:
        inner.activation_checkpointing_enable()
        if setting.method != "full":
            model.enable_input_require_grads()
    return inner


def in_four_bits(model: torch.nn.Module) -> None:
    """Replace the linear layers of the blocks as `from_pretrained` does with BitsAndBytesConfig: NF4, scales too."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    options = {"quant_type": "nf4", "compress_statistics": True}
    for module in list(model.model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear):
                layer = Linear4bit(
                    child.in_features, child.out_features, child.bias is not None, torch.bfloat16, **options
                )
                layer.weight = Params4bit(child.weight.data.clone(), requires_grad=False, module=layer, **options)
                layer.bias = child.bias
                setattr(module, name, layer.to("cpu"))
    model.is_loaded_in_4bit = True
    model.requires_grad_(False)


def autocast(setting: Setting) -> contextlib.AbstractContextManager:
    return torch.autocast("cpu", torch.bfloat16) if setting.width == 2 else contextlib.nullcontext()


def inputs(setting: Setting) -> dict[str, torch.Tensor]:
    ids = torch.randint(0, VOCAB, (setting.batch, setting.seq_len))
    mask = torch.ones_like(ids)
    if setting.masked:
        mask[-1, -1] = 0
    return {"input_ids": ids, "attention_mask": mask}


def kept_bytes(model: torch.nn.Module, setting: Setting) -> int:
    """What autograd keeps of the blocks' forward pass, each storage once, parameters not counted."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor), autocast(setting):
        hidden = model.model(**inputs(setting), use_cache=False).last_hidden_state
        kept[hidden.untyped_storage().data_ptr()] = hidden
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


class Live(TorchDispatchMode):
    """Inside the `with`, adds up the storages that operations make and that are still alive: `peak` bytes at most."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = 0
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        out = operation(*args, **(kwargs or {}))
        given = {storage._cdata for storage in _storages((args, kwargs))}
        for storage in _storages(out):
            if storage._cdata not in self.sizes and storage._cdata not in given:
                self.sizes[storage._cdata] = storage.nbytes()
                self.alive += storage.nbytes()
                weakref.finalize(storage, self._gone, storage._cdata)
        self.peak = max(self.peak, self.alive)
        return out

    def _gone(self, key: int) -> None:
        self.alive -= self.sizes.pop(key, 0)


def _storages(values) -> Iterator[torch.UntypedStorage]:
    return (leaf.untyped_storage() for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor))


def peak_of_blocks(model: torch.nn.Module, setting: Setting) -> int:
    """The most that is alive during a forward and a backward pass of the blocks, beyond weights."""
    batch = inputs(setting)
    with Live() as live:
        with autocast(setting):
            hidden = model.model(**batch, use_cache=False).last_hidden_state
        hidden.backward(torch.ones_like(hidden))
    return live.peak


def peak_of_loss(model: torch.nn.Module, setting: Setting) -> int:
    """The most that is alive while head and loss of `model(input_ids, labels=…)` go forward and back."""
    states = torch.zeros(setting.batch, setting.seq_len, model.config.hidden_size, requires_grad=True)
    labels = torch.zeros(setting.batch, setting.seq_len, dtype=torch.long)
    with Live() as live:
        with autocast(setting):
            logits = model.lm_head(states)
            loss = model.loss_function(logits=logits, labels=labels, vocab_size=logits.shape[-1])
        loss.backward()
    return live.peak
