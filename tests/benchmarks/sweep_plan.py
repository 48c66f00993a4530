"""Peak memory of fine-tuning the chat model on a CPU by TRL and PEFT, two steps a setting, each in a process of its
own: VmHWM less what the process held (process_mb) after its imports and a toy's training, in MB of 10⁶ bytes. What
helpers.old.lora.plan predicts from the configuration is computed where it is shown."""

from __future__ import annotations

import json
import multiprocessing
from typing import Any

NAME = "08b_plan"
STEPS = 2  # at the second, the optimizer's states are there from the beginning
CASES: list[dict[str, Any]] = [
    {"method": "lora", "compute": "fp32", "batch": 1, "seq_len": 256, "checkpointing": False},
    {"method": "lora", "compute": "fp32", "batch": 4, "seq_len": 128, "checkpointing": False},
    {"method": "qlora", "compute": "bf16", "batch": 1, "seq_len": 128, "checkpointing": False},
    {"method": "lora", "compute": "bf16", "batch": 1, "seq_len": 128, "checkpointing": False},
    {"method": "qlora", "compute": "bf16", "batch": 2, "seq_len": 64, "checkpointing": True},
    {"method": "lora", "compute": "fp32", "batch": 4, "seq_len": 128, "checkpointing": True},
]


def run(case: dict[str, Any]) -> dict[str, Any]:
    peak, before = in_a_process_of_its_own(setting_of(case))
    return {"peak_mb": round(peak / 1e6, 1), "process_mb": round(before / 1e6, 1)}


def setting_of(case: dict[str, Any]):
    """The `helpers.old.lora.plan.Setting` of a case: on a CPU, every row as long as it may be."""
    from helpers.old.lora import Setting

    return Setting(device="cpu", padded=False, **case)


def in_a_process_of_its_own(setting) -> tuple[int, int]:
    """(peak of the training, what the process held before) in bytes, from a child that has the libraries already."""
    import bitsandbytes  # noqa: F401
    import peft  # noqa: F401
    import trl  # noqa: F401

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_measure, args=(setting, sender))
    child.start()
    sender.close()
    try:
        return tuple(json.loads(receiver.recv()))
    except EOFError:
        raise RuntimeError(f"The process that trained {setting} has died: see above.") from None
    finally:
        child.join()


def _measure(setting, sender) -> None:
    from helpers.old.measuring.process import give_back_freed, peak_bytes, resident_bytes
    from tests.lora.live_memory import tiny

    tokenizer = _tokenizer()
    train(tiny(vocab_size=len(tokenizer))[1], tokenizer, setting)  # code and caches of the libraries
    give_back_freed()
    before = resident_bytes()
    train(_model(setting), tokenizer, setting)
    sender.send(json.dumps([peak_bytes() - before, before]))


def _tokenizer():
    from transformers import AutoTokenizer

    from helpers.models import fetch

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def _model(setting):
    """The chat model as the written script loads it."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    from helpers.models import fetch

    dtype = torch.float32 if setting.compute == "fp32" else torch.bfloat16
    options = {}
    if setting.method == "qlora":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    return AutoModelForCausalLM.from_pretrained(fetch("chat"), dtype=dtype, local_files_only=True, **options)


def train(model, tokenizer, setting) -> None:
    """Two steps by TRL and PEFT; every row is as long as it may be."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from helpers.old.training.libraries import quiet

    row = {"prompt": "Kite:", "completion": "The Kite has a range of 80 kilometers. " * setting.seq_len}
    with quiet() as folder:
        arguments = SFTConfig(
            folder,
            max_length=setting.seq_len,
            per_device_train_batch_size=setting.batch,
            gradient_checkpointing=setting.checkpointing,
            bf16=setting.compute == "bf16",
            max_steps=STEPS,
            use_cpu=True,
            optim="adamw_torch",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            report_to="none",
        )
        adapters = LoraConfig(r=setting.rank, target_modules="all-linear", task_type="CAUSAL_LM")
        rows = Dataset.from_list([row] * (STEPS * setting.batch))
        trainer = SFTTrainer(model, arguments, train_dataset=rows, processing_class=tokenizer, peft_config=adapters)
        trainer.train()
