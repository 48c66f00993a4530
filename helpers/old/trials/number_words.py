"""A toy translation whose words change places: German number words to digits.

    german(3542)           # ['drei', 'tausend', 'fünf', 'hundert', 'zwei', 'und', 'vierzig']: "two and forty"
    toy = train_translator(300)
    translate(toy.model, [german(3542)])                # ['3542']

Units are said before tens, so a translator cannot go from left to right. The model is the course's T5 with 0.1
million parameters; numbers run from 1 to 9,999, and one in ten is held out (by checksum) for testing.
"""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from helpers.attention import keeping_weights, padding_mask
from helpers.display.frontend import is_static
from helpers.old.foundations.probability import IGNORED
from helpers.old.transformer.encoder_decoder import EncoderDecoder, EncoderDecoderConfig

ONES = "ein zwei drei vier fünf sechs sieben acht neun".split()
TEENS = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split()
TENS = "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
WORDS = [*ONES, "eins", *TEENS, *TENS, "hundert", "tausend", "und"]
PAD, END, FIRST_DIGIT = 0, 1, 2
FIRST_WORD = FIRST_DIGIT + 10
VOCAB_SIZE = FIRST_WORD + len(WORDS)
LARGEST, BATCH, LEARNING_RATE = 9_999, 64, 4e-3


def german(n: int) -> list[str]:
    """The words of 1 ≤ n ≤ 9,999, of which German makes a single long one. Raises ValueError for others.

    >>> german(3542)
    ['drei', 'tausend', 'fünf', 'hundert', 'zwei', 'und', 'vierzig']
    """
    if not 1 <= n <= LARGEST:
        raise ValueError(f"german() knows the numbers from 1 to {LARGEST:,}, not {n}.")
    words: list[str] = []
    for size, name in ((1000, "tausend"), (100, "hundert")):
        if n >= size:
            words += [ONES[n // size - 1], name]
            n %= size
    tens, ones = divmod(n, 10)
    if tens == 1:
        words.append(TEENS[ones])
    elif tens == 0 and ones:
        words.append("eins" if ones == 1 else ONES[ones - 1])
    elif tens:
        words += [*([ONES[ones - 1], "und"] if ones else []), TENS[tens - 2]]
    return words


def word_by_word(words: Sequence[str]) -> str:
    """The cheapest translation: each word's digits in the order in which they are said; a zero is never said."""
    digits = {word: str(i) for i, word in enumerate(ONES, 1)} | {"eins": "1"}
    digits |= {word: str(i) for i, word in enumerate(TEENS, 10)} | {word: str(i) for i, word in enumerate(TENS, 2)}
    return "".join(digits.get(word, "") for word in words)


def spoken_at(n: int) -> list[int | None]:
    """For each digit of n, the place of the word that says it; None for a zero, which no word says.

    >>> spoken_at(3542)
    [0, 2, 6, 4]
    """
    words = german(n)
    places: dict[int, int] = {}  # power of ten: place
    for power, name in ((3, "tausend"), (2, "hundert")):
        if name in words:
            places[power] = words.index(name) - 1
    last = len(words) - 1
    if words[-1] in TENS:
        places |= {1: last} | ({0: last - 2} if "und" in words else {})
    elif words[-1] in TEENS:
        places |= {1: last} | ({0: last} if words[-1] != "zehn" else {})
    elif words[-1] not in ("hundert", "tausend"):
        places[0] = last
    return [places.get(power) for power in range(len(str(n)) - 1, -1, -1)]


def is_held_out(n: int) -> bool:
    """True for one number in ten, chosen by checksum: those are for testing and never trained on."""
    return zlib.crc32(str(n).encode()) % 10 == 0


def unseen_numbers(n: int, seed: int = 0) -> list[int]:
    """`n` different held-out numbers: no training run has seen any of them."""
    return random.Random(f"test {seed}").sample([i for i in range(1, LARGEST + 1) if is_held_out(i)], n)


def encode_words(texts: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
    """Lists of words to ids (B, S), padded on the right, and the mask (B, S), False at padding."""
    mask = padding_mask([len(words) for words in texts], max(map(len, texts)))
    ids = torch.full(mask.shape, PAD)
    ids[mask] = torch.tensor([WORDS.index(word) + FIRST_WORD for words in texts for word in words])
    return ids, mask


def encode_digits(numbers: Sequence[int]) -> Tensor:
    """Numbers to ids (B, 5): their digits, END, and −100 where a loss must skip."""
    labels = torch.full((len(numbers), len(str(LARGEST)) + 1), IGNORED)
    for row, n in zip(labels, numbers, strict=True):
        row[: len(str(n)) + 1] = torch.tensor([int(digit) + FIRST_DIGIT for digit in str(n)] + [END])
    return labels


def digits_to_ids(n: int) -> Tensor:
    """What the decoder reads while it writes n and END: the start, then the digits, (1, T)."""
    return torch.tensor([[PAD, *(int(digit) + FIRST_DIGIT for digit in str(n))]])


def decode_digits(ids: Tensor) -> list[str]:
    """Ids (B, T) to strings of digits; END and what follows it are dropped, and what is no digit is written ?."""
    rows = [row[: row.index(END)] if END in row else row for row in ids.tolist()]
    return ["".join(str(i - FIRST_DIGIT) if 0 <= i - FIRST_DIGIT <= 9 else "?" for i in row) for row in rows]


def tiny_translator(seed: int = 0) -> EncoderDecoder:
    """The course's T5 with two layers per stack, d_model 64, and random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = EncoderDecoderConfig(VOCAB_SIZE, d_model=64, n_layers=2, d_ff=128, n_buckets=16, max_distance=16)
        return EncoderDecoder(config)  # so small that a GPU would not be faster


@dataclass(frozen=True)
class Trained:
    """A trained model and its loss at every step (nats per digit)."""

    model: EncoderDecoder
    losses: tuple[float, ...]


def train_translator(
    steps: int,
    seed: int = 0,
    decoder_input: Callable[[Tensor, int], Tensor] | None = None,
) -> Trained:
    """Trains `tiny_translator` on numbers that are not held out.

    decoder_input(labels, start_id): what the decoder reads when it has to write `labels`; shifted right by default.
    Raises ValueError below one step.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}.")
    rng, model, losses = random.Random(f"train {seed}"), tiny_translator(seed), []
    numbers = [n for n in range(1, LARGEST + 1) if not is_held_out(n)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    # of 10 steps, a tenth is one, and OneCycleLR divides by zero
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=0.2 if steps == 10 else 0.1
    )
    for _ in tqdm(range(steps), desc="training", unit="step", disable=is_static(), file=sys.stdout, leave=False):
        batch = rng.sample(numbers, BATCH)
        source, mask = encode_words([german(n) for n in batch])  # (B, S)
        labels = encode_digits(batch)  # (B, T)
        read = decoder_input(labels, PAD) if decoder_input else model.shift_right(labels)
        logits = model(source, read, mask)  # (B, T, V)
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return Trained(model.eval(), tuple(losses))


@dataclass(frozen=True)
class Inside:
    """What one cross-attention of a model gets and does while it writes one number.

    x: (1, T, C) of the decoder, memory: (1, S, C) of the encoder, mask: (1, S); heads: for each, w_q, w_k and w_v
    (C, d); weights: (H, T, S), what each head took from where.
    """

    x: Tensor
    memory: Tensor
    mask: Tensor
    heads: list[tuple[Tensor, Tensor, Tensor]]
    weights: Tensor


@torch.no_grad()
def look_inside(model: EncoderDecoder, n: int, layer: int = -1) -> Inside:
    """Let the model read the words of n and its digits; keep what the cross-attention of one layer got and did."""
    source, mask = encode_words([german(n)])
    memory, block, states = model.encode(source, mask), model.decoder_blocks[layer], []
    hook = block.cross_norm.register_forward_hook(lambda module, given, result: states.append(result))
    try:
        with keeping_weights(model):
            model.decode(digits_to_ids(n), memory, mask)
            weights = block.cross_attention.weights[0]  # (H, T, S)
    finally:
        hook.remove()
    a, d = block.cross_attention, model.config.head_dim
    rows = torch.arange(a.n_heads * d).split(d)  # a head's part of the matrices
    heads = [(a.q_proj.weight[r].T, a.k_proj.weight[r].T, a.v_proj.weight[r].T) for r in rows]
    return Inside(states[0], memory, mask, heads, weights)
