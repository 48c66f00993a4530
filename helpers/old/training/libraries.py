"""What the libraries that professionals train with need from a notebook: silence.

    with quiet() as folder:                         # no bars, no notices; the folder is gone afterwards
        trainer = SFTTrainer(model, SFTConfig(folder), train_dataset=rows, processing_class=tokenizer)

What it does not do: train (07b calls its trainer itself).
"""

from __future__ import annotations

import logging as stdlib_logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


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
