"""The first step of a fine-tuning by the libraries that professionals use, to hold the course's own against.

    first_loss_by_trainer(model, tokenizer, examples, micro_batch=2)    # transformers.Trainer, examples with labels
    first_loss_by_trl(model, tokenizer, chats, micro_batch=2)           # trl.SFTTrainer, which masks and labels itself

All examples make one step, so the order of the data does not matter, and the loss is the mean over all their labels.

What it does not do: more than one step; train with these libraries for real (their own guides show it).
"""

from __future__ import annotations

import logging as stdlib_logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from helpers.training.chats import Example, Messages, has_marker

# The chat model's own template, with what TRL needs to know which tokens the assistant writes.
MARKED_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def first_loss_by_trainer(
    model: Any, tokenizer: Any, examples: Sequence[Example], micro_batch: int, rate: float = 1e-9
) -> float:
    """Mean surprise at the labels of all examples in the first step of `transformers.Trainer`, nats a token.

    model: a `transformers` model, which makes one step at `rate`. Raises ValueError where micro_batch does not divide.
    """
    from datasets import Dataset
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

    rows = Dataset.from_list([{"input_ids": example.ids, "labels": example.labels} for example in examples])
    with quiet() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(folder, **_one_step(len(examples), micro_batch, rate)),
            train_dataset=rows,
            data_collator=DataCollatorForSeq2Seq(tokenizer),  # pads ids with the padding token, labels with −100
        )
        return _train(trainer)


def first_loss_by_trl(
    model: Any, tokenizer: Any, chats: Sequence[Messages], micro_batch: int, max_length: int = 1024, rate: float = 1e-9
) -> float:
    """The same by `trl.SFTTrainer`, which encodes the chats and trains on the assistant's answers alone.

    The tokenizer's template needs `{% generation %}`, as `MARKED_TEMPLATE` has. Raises ValueError.
    """
    if not has_marker(tokenizer):
        raise ValueError("TRL finds the answers by a template with {% generation %}: set it to MARKED_TEMPLATE first.")
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = Dataset.from_list([{"messages": [dict(message) for message in chat]} for chat in chats])
    with quiet() as folder:
        arguments = SFTConfig(
            folder,
            max_length=max_length,
            assistant_only_loss=True,  # False by default: it would train on the questions too
            bf16=False,  # True by default
            gradient_checkpointing=False,  # True by default, which computes everything twice
            **_one_step(len(chats), micro_batch, rate),
        )
        trainer = SFTTrainer(model, arguments, train_dataset=rows, processing_class=tokenizer)
        return _train(trainer)


def _one_step(n: int, micro_batch: int, rate: float) -> dict[str, Any]:
    """Settings that both take, for one step with all n examples."""
    if n % micro_batch:
        raise ValueError(f"micro_batch={micro_batch} does not divide the {n} examples of the step.")
    return {
        "per_device_train_batch_size": micro_batch,
        "gradient_accumulation_steps": n // micro_batch,
        "max_steps": 1,
        "learning_rate": rate,
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
    }


def _train(trainer: Any) -> float:
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer.train().training_loss


@contextmanager
def quiet() -> Iterator[str]:
    """A folder for what the trainers want to write, gone afterwards; the libraries' bars and notices are silenced."""
    import datasets
    from transformers.utils import logging

    verbosity, had_bars = logging.get_verbosity(), datasets.are_progress_bars_disabled() is False
    had_loading_bars = logging.is_progress_bar_enabled()
    optional_kernels = stdlib_logging.getLogger("bitsandbytes")  # it asks for a package that nobody here needs
    bitsandbytes_level = optional_kernels.level
    logging.set_verbosity_error()
    optional_kernels.setLevel(stdlib_logging.ERROR)
    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    try:
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # TRL's own settings use names on their way out
            yield folder
    finally:
        logging.set_verbosity(verbosity)
        optional_kernels.setLevel(bitsandbytes_level)
        if had_bars:
            datasets.enable_progress_bars()
        if had_loading_bars:
            logging.enable_progress_bar()
