"""Which vocabulary serves a small language model best? Trains one of a fixed size and measures it in bits per byte.

    trial = train_trial(1024, n_tokens=50_000, seed=1)      # 2M parameters, the vocabulary's rows among them
    trial.bits_per_byte                                     # on text that neither tokenizer nor model has seen

Every model has about `N_PARAMETERS` weights, whatever its vocabulary: many rows leave less width for the layers. Every
model reads equally many tokens, which is equal arithmetic (about 6 floating-point operations a weight and token), but
not equally much text: long tokens carry more of it. Losses *per token* cannot be compared between vocabularies, since
their tokens differ in length; bits per byte of the same text can.

The network is PyTorch's own transformer layer with a causal mask; 02 opens it. What this does not do: tune anything
per vocabulary. Learning rate, batch and context are the same for all.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from helpers.corpora import stdlib_docstrings
from helpers.display.frontend import is_static
from helpers.scale import device
from helpers.tokenization.bpe import BPETokenizer

N_PARAMETERS, N_LAYERS, N_HEADS, CONTEXT, BATCH = 2_000_000, 4, 4, 64, 16
HELD_OUT_BYTES = 50_000
LEARNING_RATE, WARM_UP = 2e-3, 0.1  # the highest rate, and the share of the steps that leads up to it


@dataclass(frozen=True)
class Trial:
    """One trained model: its vocabulary, width, number of weights, and its loss on unseen text in bits per byte."""

    vocab_size: int
    width: int
    n_parameters: int
    bits_per_byte: float


class TinyDecoder(nn.Module):
    """A decoder of `N_LAYERS` PyTorch transformer layers whose output shares the embedding's weights."""

    def __init__(self, vocab_size: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.position = nn.Embedding(CONTEXT, width)
        layer = nn.TransformerEncoderLayer(
            width, N_HEADS, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, N_LAYERS, norm=nn.LayerNorm(width), enable_nested_tensor=False)
        for table in (self.embedding, self.position):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """ids: (B, T) with T at most `CONTEXT`  →  logits: (B, T, vocab_size)."""
        x = self.embedding(ids) + self.position.weight[: ids.shape[1]]  # (B, T, C)
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1], device=ids.device)  # (T, T)
        return self.layers(x, mask=mask, is_causal=True) @ self.embedding.weight.T


def width_for(vocab_size: int) -> int:
    """The width, a multiple of 8, with which vocabulary and layers come nearest to `N_PARAMETERS` weights."""
    # vocabulary: V · d; a layer: 4 d² for attention and 8 d² for the feed-forward part
    layers, rows = 12 * N_LAYERS, vocab_size + CONTEXT
    exact = (math.sqrt(rows**2 + 4 * layers * N_PARAMETERS) - rows) / (2 * layers)
    return max(8, 8 * round(exact / 8))


@cache
def _texts() -> tuple[str, str]:
    """(train, held out): docstrings of the standard library, whole modules in one or the other."""
    train, held_out = stdlib_docstrings().split(validation=0.05)
    return train.text, held_out.head(HELD_OUT_BYTES)


@cache
def _tokenizer(vocab_size: int) -> BPETokenizer:
    return BPETokenizer.train(_texts()[0], vocab_size)


def train_trial(vocab_size: int, n_tokens: int, seed: int, *, progress: bool = True) -> Trial:
    """Train on `n_tokens` tokens of the standard library's docstrings and measure on those of held-out modules.

    Raises ValueError if `vocab_size` is below 256, or above what the text has merges for.
    """
    tokenizer = _tokenizer(vocab_size)
    if tokenizer.vocab_size < vocab_size:
        raise ValueError(f"The text gives {tokenizer.vocab_size:,} tokens at most, not {vocab_size:,}: ask for less.")
    train, held_out = (torch.tensor(tokenizer.encode(text), device=device()) for text in _texts())
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TinyDecoder(vocab_size, width_for(vocab_size)).to(device())
    _fit(model, train, max(1, n_tokens // (BATCH * CONTEXT)), generator, progress)
    bits = _nats(model, held_out) / math.log(2)
    size = sum(parameter.numel() for parameter in model.parameters())
    return Trial(vocab_size, width_for(vocab_size), size, bits / len(_texts()[1].encode("utf-8")))


def _fit(model: TinyDecoder, ids: Tensor, steps: int, generator: torch.Generator, progress: bool) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    warm_up = max(1, round(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / warm_up, 0.5 + 0.5 * math.cos(math.pi * n / steps))
    )
    windows = ids.unfold(0, CONTEXT + 1, 1)  # (N, CONTEXT + 1): every window of the text
    hidden = not progress or is_static()
    for _ in tqdm(range(steps), desc="training", unit="step", disable=hidden, file=sys.stdout, leave=False):
        rows = windows[torch.randint(len(windows), (BATCH,), generator=generator).to(ids.device)]
        logits = model(rows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()


@torch.no_grad()
def _nats(model: TinyDecoder, ids: Tensor) -> float:
    """Summed −log p of all `ids` but the first; each is predicted from at least half a context, the first few aside."""
    half, ignored, total = CONTEXT // 2, -100, 0.0
    missing = (CONTEXT + 1 - len(ids)) % half if len(ids) > CONTEXT else CONTEXT + 1 - len(ids)
    inputs, targets = F.pad(ids, (0, missing)), F.pad(ids, (0, missing), value=ignored)
    inputs, targets = inputs.unfold(0, CONTEXT + 1, half)[:, :-1], targets.unfold(0, CONTEXT + 1, half)[:, 1:].clone()
    targets[1:, : CONTEXT - half] = ignored  # the window before has predicted these
    model.eval()
    for rows, wanted in zip(inputs.split(BATCH), targets.split(BATCH), strict=True):
        total += float(F.cross_entropy(model(rows).flatten(0, 1), wanted.flatten(), reduction="sum"))
    return total


def choose_vocab_size(measured: Mapping[int, Sequence[float]]) -> int:
    """The smallest vocabulary whose mean loss is at most one standard error above the best mean.

    measured: vocabulary size → losses of two or more seeds. The standard error is that of the best vocabulary: the
    sample standard deviation of its losses, divided by √(number of seeds). One-standard-error rule (Breiman et al.,
    "Classification and Regression Trees", 1984).
    """
    means = {size: statistics.mean(losses) for size, losses in measured.items()}
    best = min(means, key=means.__getitem__)
    allowed = means[best] + statistics.stdev(measured[best]) / math.sqrt(len(measured[best]))
    return min(size for size, mean in means.items() if mean <= allowed)
