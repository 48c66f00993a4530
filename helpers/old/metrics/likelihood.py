"""How probable a language model finds a text: perplexity, and bits per byte, which models with other tokenizers share.

    model, tokenizer = chat_model()
    Perplexity(model, tokenizer).compute(predictions=answers)       # {"perplexity": 272.6, "bits_per_byte": 1.78}
    Perplexity(model, tokenizer, prompt=question).each(predictions=answers)["perplexity"]
    Perplexity(model, tokenizer, context=512, stride=128)           # long texts: every token behind 384 others or more

On a CPU, `chat_model(dtype=torch.float32)` scores short texts more than twice as fast as the stored bfloat16.

What it does not do: know whether a text is true. A fluent falsehood beats a clumsy truth.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from helpers.old.metrics.base import ONE_TEXT, Metric
from helpers.old.metrics.windows import windows

ROWS = 128  # positions whose probabilities are in memory at once: 25 MB for a vocabulary of 49,152


class Perplexity(Metric):
    """Perplexity (Jelinek et al., 1977) and bits per byte of texts under a language model. No references.

    compute → perplexity: 1 to infinity, exp of the mean surprise per token in nats over all tokens of all texts;
    bits_per_byte: 0 to infinity, all surprise in bits, divided by the UTF-8 bytes of what was scored. each → the same
    of single texts. Lower is more probable. Without a prompt, a text's first token has nothing before it, and neither
    it nor its bytes count; so a text needs two tokens, and one behind a prompt: ValueError otherwise, an empty one too.

    What it cannot see: truth, relevance, and that the text repeats itself, which makes it very probable. Perplexity of
    two models compares only with the same tokenizer; bits per byte do with any. In a script of which the tokenizer
    knows little, a token is a byte, and perplexity is low although the model is lost: compare bits per character.

    model: ids (1, T) → logits (1, T, V), or an output with `.logits`, as the library's models give. tokenizer: its own,
    with `encode`. prompt: read before every text and not scored. context, stride: `helpers.old.metrics.windows`.
    """

    PAPER = "Jelinek et al., 1977, Perplexity: a measure of the difficulty of speech recognition tasks. JASA 62."
    COLUMNS = ONE_TEXT

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        prompt: str = "",
        context: int | None = None,
        stride: int | None = None,
        **options: Any,
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.context, self.stride = context, stride
        self.prompt = self._ids(prompt)
        windows(2, context, stride)  # a wrong pair is refused here, before anything is read
        super().__init__(**options)

    def _compute(self, predictions: list[str]) -> dict[str, float]:
        nats, tokens, size = (sum(part) for part in zip(*self._scored(predictions), strict=True))
        return {"perplexity": math.exp(nats / tokens), "bits_per_byte": nats / math.log(2) / size}

    def _each(self, predictions: list[str]) -> dict[str, list[float]]:
        nats, tokens, size = np.array(self._scored(predictions)).T
        return {
            "perplexity": np.exp(nats / tokens).tolist(),
            "bits_per_byte": (nats / math.log(2) / size).tolist(),
        }

    def _scored(self, predictions: list[str]) -> list[tuple[float, int, int]]:
        """For each text: its surprise in nats, and over how many tokens and bytes."""
        rows = [self._ids(text) for text in predictions]
        needed = 1 if self.prompt else 2
        for i, row in enumerate(rows):
            if len(row) < needed:
                raise ValueError(
                    f"predictions[{i}] has {len(row)} tokens, and perplexity needs {needed} or more: the first token "
                    "of a text has nothing before it. Leave it out, or give a prompt."
                )
        found = []
        for text, row in zip(predictions, rows, strict=True):
            start = max(len(self.prompt), 1)
            log_probs = token_log_probs(self.model, [*self.prompt, *row], self.context, self.stride)[start - 1 :]
            unscored = "" if self.prompt else self.tokenizer.decode(row[:1])
            size = max(len(text.encode()) - len(unscored.encode()), 1)
            found.append((-float(log_probs.double().sum()), len(log_probs), size))
        return found

    def _ids(self, text: str) -> list[int]:
        if hasattr(self.tokenizer, "convert_tokens_to_ids"):  # one of the library's, which would add its own tokens
            return list(self.tokenizer.encode(text, add_special_tokens=False))
        return list(self.tokenizer.encode(text))


@torch.no_grad()
def token_log_probs(model: Any, ids: list[int], context: int | None = None, stride: int | None = None) -> Tensor:
    """log p(token | what its window holds before it), in nats, of every token but the first: (T,) ids → (T − 1,)."""
    device = next(iter(model.parameters())).device if hasattr(model, "parameters") else None
    row = torch.tensor([ids], device=device)  # (1, T)
    scored = []
    for start, end, n_scored in windows(len(ids), context, stride):
        output = model(row[:, start:end])
        logits = getattr(output, "logits", output)[0, -n_scored - 1 : -1]  # (n_scored, V): the last row is not needed
        following = row[0, end - n_scored : end]
        for piece, chosen in zip(logits.split(ROWS), following.split(ROWS), strict=True):
            piece = piece.float()
            scored.append(piece.gather(1, chosen[:, None])[:, 0] - piece.logsumexp(dim=1))
    return torch.cat(scored).cpu()
