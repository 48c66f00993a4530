"""A small text and small models, for the tests of this room."""

from __future__ import annotations

import torch

from helpers.old.pretraining import Characters, TokenData
from helpers.old.transformer import GPT, GPTConfig

WORDS = "the cat sat on a mat and saw that the dog was as fat as a hat; then the cat ran. "


def small_text(n_words: int = 3000, seed: int = 0) -> str:
    """Words in a random order: there is something to learn, and nothing to learn by heart."""
    words = WORDS.split()
    chosen = torch.randint(len(words), (n_words,), generator=torch.Generator().manual_seed(seed))
    return " ".join(words[i] for i in chosen)


def small_data() -> TokenData:
    """Two draws of that text, in characters."""
    train, held_out = small_text(3000, 0), small_text(300, 1)
    return TokenData.of_texts(train, held_out, Characters.train(train + held_out))


def small_gpt(vocab_size: int, seed: int = 0, **options) -> GPT:
    """Two layers of 32 channels."""
    torch.manual_seed(seed)
    return GPT(GPTConfig(vocab_size, **{"d_model": 32, "n_layers": 2, "n_heads": 2, "max_len": 16} | options))
