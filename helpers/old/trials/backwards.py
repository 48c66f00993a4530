"""A T5 small enough to train while you watch: it learns to write a string backwards.

What it is: the real encoder-decoder of `transformers` (Raffel et al., 2020) with about 0.2 million parameters,
trained from random weights on strings made on the spot. What it is not: a language model. It knows 26 letters.
"""

from __future__ import annotations

import random
import string
import sys
import zlib
from dataclasses import dataclass

from helpers.display.frontend import is_static

PAD, END, FIRST_LETTER = 0, 1, 2
SHORTEST, LONGEST = 3, 6


def is_held_out(text: str) -> bool:
    """True for one string in ten, chosen by checksum: those are for testing and never trained on."""
    return zlib.crc32(text.encode()) % 10 == 0


def random_strings(n: int, rng: random.Random, held_out: bool = False) -> list[str]:
    """`n` strings of 3 to 6 lower-case letters, all of them held out from training or none."""
    strings: list[str] = []
    while len(strings) < n:
        text = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(SHORTEST, LONGEST)))
        if is_held_out(text) == held_out:
            strings.append(text)
    return strings


def encode(strings: list[str]):
    """Letters to ids: (B, 7) int64, each string closed by END and filled up with PAD."""
    import torch

    ids = torch.full((len(strings), LONGEST + 1), PAD)
    for row, text in zip(ids, strings, strict=True):
        row[: len(text) + 1] = torch.tensor([string.ascii_lowercase.index(c) + FIRST_LETTER for c in text] + [END])
    return ids  # (B, 7)


def decode(ids) -> list[str]:
    """Ids (B, T) back to strings: PAD, END and whatever follows END are dropped."""
    texts = []
    for row in ids.tolist():
        row = row[1:] if row and row[0] == PAD else row  # the decoder starts from PAD
        row = row[: row.index(END)] if END in row else row
        texts.append("".join(string.ascii_lowercase[i - FIRST_LETTER] for i in row if i >= FIRST_LETTER))
    return texts


def tiny_t5(seed: int = 0):
    """A `T5ForConditionalGeneration` of two layers a side, 64 wide, with random weights."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(seed)
    size = FIRST_LETTER + len(string.ascii_lowercase)
    config = T5Config(
        vocab_size=size,
        d_model=64,
        d_kv=16,
        num_heads=4,
        d_ff=128,
        num_layers=2,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=16,
        relative_attention_max_distance=16,
        pad_token_id=PAD,
        eos_token_id=END,
        decoder_start_token_id=PAD,
    )
    return T5ForConditionalGeneration(config)


@dataclass(frozen=True)
class TrainedToy:
    """A trained model and its loss at every step (nats a letter)."""

    model: object
    losses: tuple[float, ...]


def train_reversal(steps: int, seed: int = 0, batch_size: int = 64, progress: bool = True) -> TrainedToy:
    """Trains `tiny_t5` to write strings backwards, on strings that are never held out.

    steps: optimizer steps, at least 1. progress: draw a bar, unless HANDS_ON_STATIC is set.
    """
    import torch
    from tqdm import tqdm

    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}.")
    rng, model, losses = random.Random(f"train {seed}"), tiny_t5(seed), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps, pct_start=0.1)
    hidden = not progress or is_static()
    for _ in tqdm(range(steps), desc="training", unit="step", disable=hidden, file=sys.stdout, leave=False):
        strings = random_strings(batch_size, rng)
        ids = encode(strings)  # (B, 7)
        labels = encode([s[::-1] for s in strings])  # (B, 7)
        labels = labels.masked_fill(labels == PAD, -100)  # the loss skips the padding
        loss = model(input_ids=ids, attention_mask=(ids != PAD).long(), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return TrainedToy(model.eval(), tuple(losses))


def write_backwards(model, strings: list[str]) -> list[str]:
    """What the model makes of each string, decoded greedily."""
    ids = encode(strings)
    return decode(model.generate(input_ids=ids, attention_mask=(ids != PAD).long(), max_new_tokens=LONGEST + 1))


def unseen_strings(n: int, seed: int = 0) -> list[str]:
    """`n` held-out strings: no training run has seen any of them."""
    return random_strings(n, random.Random(f"test {seed}"), held_out=True)
