"""A training script for one plan, in plain TRL and PEFT: it imports nothing of this course and can be taken away.

    plan = plan_training("Qwen/Qwen2.5-7B", gpu_memory=24)
    write_script(plan, "train.py")            # then: python train.py data.jsonl

The script reads rows of {"prompt": …, "completion": …}, holds a tenth of the prompts out, shows its progress, goes on
from the last whole checkpoint when it was stopped or killed, compares the held-out loss with the base model's, and
writes the adapter with a model card. What of it differs from method to method is in `_PIECES`, the rest in `_SCRIPT`.

What it does not do: several GPUs, packing, or a search for the best learning rate.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from helpers.files.safe_files import write_atomically
from helpers.old.lora.plan import GIB, METHOD_NAMES, Plan

RATES = {"lora": 2e-4, "qlora": 2e-4, "full": 1e-5}


def write_script(plan: Plan, path: str | os.PathLike) -> Path:
    """Write the script for a plan, replacing what was there. Raises ValueError where the plan does not fit."""
    text = training_script(plan)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))
    return Path(path)


def training_script(plan: Plan) -> str:
    """The text of the script. Raises ValueError where the plan does not fit."""
    if not plan.fits:
        raise ValueError("No script is written for a plan that does not fit: change it as its table says.")
    setting, pieces = plan.setting, _PIECES[plan.method]
    every = tuple(plan.shape.linears) == setting.targets
    values = {
        "TITLE": f"Fine-tune {plan.shape.name} with {METHOD_NAMES[plan.method]}"
        if plan.method != "full"
        else f"Fine-tune every weight of {plan.shape.name}",
        "GIB": f"{plan.total / GIB:.1f}",
        "CAPACITY": f"{plan.capacity / GIB:.1f}",
        "CARD": f"{plan.gpu_memory:g}",
        "MODEL": json.dumps(plan.shape.model),
        "MAX_LENGTH": str(setting.seq_len),
        "BATCH": str(setting.batch),
        "ACCUMULATION": str(plan.accumulation),
        "CHECKPOINTING": str(setting.checkpointing),
        "OPTIMIZER": json.dumps(setting.optimizer),
        "RATE": f"{RATES[plan.method]:g}",
        "RANK": str(setting.rank),
        "ALPHA": str(2 * setting.rank),
        "PACKAGES": ' "bitsandbytes>=0.45,<1"' if plan.method == "qlora" else "",
        "TARGETS": '"all-linear"' if every else json.dumps(list(setting.targets)),
    }
    script = _SCRIPT
    for name in _PIECES["full"]:
        script = script.replace(f"<<{name}>>\n", pieces[name])
    for name, value in values.items():
        script = script.replace(f"<<{name}>>", value)
    return script


_ADAPTERS = {
    "constants": """\
RANK, ALPHA = <<RANK>>, <<ALPHA>>  # of the adapters; their strength is alpha / rank
TARGETS = <<TARGETS>>  # the linear layers that get one
""",
    "imports": """\
from peft import LoraConfig
""",
    "checks": """\
    check_adapters(model)
""",
    "check_functions": '''

def check_adapters(model):
    """Refuse names of layers that match nothing, and a rank that does not suit one."""
    sizes = {
        name.rpartition(".")[2]: min(module.in_features, module.out_features)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings()
    }
    for name in sizes if TARGETS == "all-linear" else TARGETS:
        if name not in sizes:
            sys.exit(f"TARGETS names {name!r}, and this model's linear layers are called {', '.join(sizes)}.")
        if not 1 <= RANK <= sizes[name]:
            sys.exit(f"RANK is at least 1 and at most {sizes[name]}, the smaller side of {name}, not {RANK}.")
''',
    "peft": """\
        peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, task_type="CAUSAL_LM"),
""",
    "before": "",
    "after": """\
    with trainer.model.disable_adapter():
        before = trainer.evaluate()["eval_loss"]
""",
    "card": """\
base_model: {MODEL}
library_name: peft
tags: [lora]
""",
    "recipe": """\
| rank, alpha | {RANK}, {ALPHA} |
| layers | {TARGETS if isinstance(TARGETS, str) else ", ".join(TARGETS)} |
""",
    "usage": """\
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{MODEL}"), "{folder}")
""",
}
_LOAD_16_BIT = """\
        model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=dtype)
"""
_EACH_EPOCH = """\
            eval_strategy="epoch",
"""
_PIECES = {
    "lora": _ADAPTERS | {"model_imports": "", "load": _LOAD_16_BIT, "evaluate": _EACH_EPOCH},
    "qlora": _ADAPTERS
    | {
        "model_imports": """\
    BitsAndBytesConfig,
""",
        "evaluate": """\
            # on some CPUs bitsandbytes repacks the weights when it evaluates, and cannot train through them afterwards
            eval_strategy="epoch" if torch.cuda.is_available() else "no",
""",
        "load": """\
        four_bits = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",  # the default is fp4, which errs more
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
        model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=dtype, quantization_config=four_bits)
""",
    },
    "full": {
        "evaluate": _EACH_EPOCH,
        "constants": "",
        "imports": "",
        "checks": "",
        "check_functions": "",
        "peft": "",
        "before": """\
    base_loss = options.output / "base_loss.json"  # measured once, since training changes every weight
    if not base_loss.exists():
        base_loss.write_text(json.dumps(trainer.evaluate()["eval_loss"]), encoding="utf-8")
    before = json.loads(base_loss.read_text(encoding="utf-8"))
""",
        "after": "",
        "card": """\
base_model: {MODEL}
library_name: transformers
""",
        "recipe": "",
        "usage": """\
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained("{folder}")
""",
        "model_imports": "",
        "load": """\
        model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)  # 16 bits would lose small steps
""",
    },
}
_SCRIPT = '''\
"""<<TITLE>> on one GPU of <<CARD>> GB: <<GIB>> of <<CAPACITY>> GiB are planned.

    pip install "transformers>=5,<6" "trl>=1.16,<2" "peft>=0.18,<1"<<PACKAGES>>
    python train.py data.jsonl --output tuned

Each line of data.jsonl is one row: {"prompt": "…", "completion": "…"}. Stopped or killed, the same command goes on from
the last checkpoint. The numbers below may be changed; the memory was counted for these.
"""

import argparse
import hashlib
import json
import math
import os
import shutil
import sys
import zlib
from pathlib import Path

import torch
from datasets import Dataset
<<imports>>
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
<<model_imports>>
    TrainerCallback,
)
from trl import SFTConfig, SFTTrainer

MODEL = <<MODEL>>
MAX_LENGTH = <<MAX_LENGTH>>  # tokens; longer rows are cut
BATCH, ACCUMULATION = <<BATCH>>, <<ACCUMULATION>>  # rows in one pass, passes in one step
CHECKPOINTING = <<CHECKPOINTING>>  # compute activations twice instead of keeping them
OPTIMIZER = <<OPTIMIZER>>
<<constants>>
LEARNING_RATE = <<RATE>>
EPOCHS = 3
HELD_OUT = 0.1  # of the prompts: never trained on, and compared before and after
SAVE_EVERY = 50  # steps
SEED = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a file of rows, one JSON object a line")
    parser.add_argument("--output", type=Path, default=Path("tuned"), help="a folder (default: tuned)")
    options = parser.parse_args()
    rows = read_rows(options.data)
    claim(options.output, options.data)
    bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    fp16 = torch.cuda.is_available() and not bf16
    if fp16:
        print("This GPU has no bfloat16. float16 is used, whose largest number is 65,504: watch the loss.")
    model, tokenizer = load(torch.bfloat16 if bf16 else torch.float16 if fp16 else torch.float32)
<<checks>>
    train_rows, held_out_rows = split(rows, tokenizer)
    trainer = SFTTrainer(
        model,
        SFTConfig(
            str(options.output),
            max_length=MAX_LENGTH,
            per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=BATCH,
            gradient_accumulation_steps=ACCUMULATION,
            gradient_checkpointing=CHECKPOINTING,
            optim=OPTIMIZER if torch.cuda.is_available() else "adamw_torch",
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="cosine",
            warmup_steps=0.03,  # of all steps
            num_train_epochs=EPOCHS,
<<evaluate>>
            save_steps=SAVE_EVERY,
            save_total_limit=2,
            logging_steps=min(10, SAVE_EVERY),
            logging_nan_inf_filter=False,  # by default a loss that is not a number is left out of the mean, unseen
            bf16=bf16,
            fp16=fp16,
            use_cpu=not torch.cuda.is_available(),
            seed=SEED,
            report_to="none",
        ),
        train_dataset=Dataset.from_list(train_rows),
        eval_dataset=Dataset.from_list(held_out_rows),
        processing_class=tokenizer,
<<peft>>
        callbacks=[StopAtNan()],
    )
    if not len(trainer.train_dataset) or not len(trainer.eval_dataset):
        sys.exit(f"All prompts to train on, or all held out, have more than {MAX_LENGTH} tokens: raise MAX_LENGTH.")
    cut = sum(len(ids) >= MAX_LENGTH for ids in trainer.train_dataset["input_ids"])
    if cut or len(trainer.train_dataset) < len(train_rows):
        lost = len(train_rows) - len(trainer.train_dataset)
        print(f"{cut} rows are cut at {MAX_LENGTH} tokens, and {lost} whose prompt alone is longer are left out.")
    checkpoint = last_checkpoint(options.output)
    if checkpoint:
        print(f"Going on from {checkpoint}")
<<before>>
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except torch.OutOfMemoryError:
        sys.exit("The GPU's memory is full. If nothing else uses it (nvidia-smi), halve BATCH and double ACCUMULATION.")
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on from the last checkpoint.")
    after = trainer.evaluate()["eval_loss"]
<<after>>
    save(trainer, tokenizer, options, before, after)
    n = len(trainer.eval_dataset)
    print(f"Held-out loss: {before:.3f} before, {after:.3f} after, in nats per token, over {n} rows.")
    if torch.cuda.is_available():
        print(f"Peak memory: {torch.cuda.max_memory_reserved() / 2**30:.1f} GiB; planned were <<GIB>> with CUDA's own.")


def read_rows(path):
    """The rows, each checked: a wrong one ends the program with the number of its line."""
    try:
        lines = path.read_bytes().removeprefix(b"\\xef\\xbb\\xbf").split(b"\\n")
    except OSError as error:
        sys.exit(f"{path} cannot be read: {error.strerror}.")
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            sys.exit(f"{where} is not JSON ({error}): repair or remove it.")
        if not isinstance(row, dict):
            sys.exit(f'{where} is not an object: write {{"prompt": "…", "completion": "…"}}.')
        if set(row) != {"prompt", "completion"}:
            found = ", ".join(row) or "none"
            sys.exit(f"{where} has other columns than prompt and completion: {found}. Rename or remove them.")
        for name, text in row.items():
            if not isinstance(text, str) or not text.strip():
                what = "is no text" if not isinstance(text, str) else "is empty"
                sys.exit(f"{where}: its {name} {what}. A model trained on such rows learns to say nothing.")
        rows.append(row)
    if len({row["prompt"] for row in rows}) < 2:
        sys.exit(f"{path} has fewer than two different prompts: nothing could be held out.")
    return rows


def claim(output, data):
    """Take the folder for this data and these settings, so that no other run is continued by mistake."""
    names = sorted(name for name in globals() if name.isupper())
    mine = {"data": hashlib.sha256(data.read_bytes()).hexdigest()} | {name: globals()[name] for name in names}
    output.mkdir(parents=True, exist_ok=True)
    record = output / "run.json"
    if last_checkpoint(output) and record.exists():
        theirs = json.loads(record.read_text(encoding="utf-8"))
        different = [name for name in mine if mine[name] != theirs.get(name)]
        if different:
            sys.exit(f"{output} holds a run with other {different[0]}: choose another --output, or delete the folder.")
    part = output / "run.json.part"
    part.write_text(json.dumps(mine, indent=1), encoding="utf-8")
    os.replace(part, record)


def load(dtype):
    try:
        tokenizer = AutoTokenizer.from_pretrained(MODEL)
<<load>>
    except OSError as error:
        if "gated" in str(error) or "restricted" in str(error):
            sys.exit(
                f"{MODEL} is given to accounts that accepted its terms: open https://huggingface.co/{MODEL}, accept "
                "them, and run `hf auth login` with a token of that account."
            )
        sys.exit(f"{MODEL} cannot be loaded: {str(error).strip().splitlines()[0]}")
    return model, tokenizer
<<check_functions>>


def split(rows, tokenizer):
    """Rows for training and rows held out; a prompt that stands twice is on one side only."""
    prompts = sorted({row["prompt"] for row in rows}, key=lambda text: zlib.crc32(text.encode()))
    held_out = set(prompts[: max(1, round(HELD_OUT * len(prompts)))])
    sides = [row for row in rows if row["prompt"] not in held_out], [row for row in rows if row["prompt"] in held_out]
    return [[as_the_model_reads(row, tokenizer) for row in side] for side in sides]


def as_the_model_reads(row, tokenizer):
    """A conversation for a model that chats; else the two texts, kept apart."""
    if tokenizer.chat_template:
        return {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "completion": [{"role": "assistant", "content": row["completion"]}],
        }
    gap = "" if row["prompt"][-1].isspace() or row["completion"][0].isspace() else "\\n"
    return {"prompt": row["prompt"] + gap, "completion": row["completion"]}


def last_checkpoint(output):
    """The newest whole checkpoint; one whose writing was interrupted is deleted. trainer_state.json is written last."""
    folders = sorted(output.glob("checkpoint-*"), key=lambda folder: int(folder.name.split("-")[1]), reverse=True)
    for folder in folders:
        try:
            json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
            return str(folder)
        except (OSError, ValueError):
            shutil.rmtree(folder)
    return None


class StopAtNan(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **_):
        if logs and not math.isfinite(logs.get("loss", 0.0)):
            cure = "lower LEARNING_RATE"
            if args.fp16:
                cure = "numbers above 65,504 overflow in float16: use a GPU with bfloat16, or " + cure
            sys.exit(f"At step {state.global_step} the loss is {logs['loss']}. Start again in another folder: {cure}.")


def save(trainer, tokenizer, options, before, after):
    """The tuned weights and their card, complete or not there."""
    folder, part = options.output / "final", options.output / "final.part"
    shutil.rmtree(part, ignore_errors=True)
    trainer.model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    rows = len(trainer.train_dataset)
    card = f"""---
<<card>>
---

# {MODEL}, fine-tuned on {options.data.name}

| | |
|---|---|
| rows trained on, held out | {rows}, {len(trainer.eval_dataset)} |
| held-out loss before, after | {before:.3f}, {after:.3f} nats per token |
| epochs, rows a step, longest row | {EPOCHS}, {BATCH * ACCUMULATION}, {MAX_LENGTH} tokens |
| learning rate, seed | {LEARNING_RATE}, {SEED} |
<<recipe>>
| data (sha256) | {hashlib.sha256(options.data.read_bytes()).hexdigest()} |

<<usage>>

Held-out prompts are from the same file: they say nothing of other kinds of prompts. The license of the base applies.
"""
    (part / "README.md").write_text(card, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    print(f"Wrote {folder}")


if __name__ == "__main__":
    main()
'''
