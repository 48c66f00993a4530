"""What fits into a token, what it costs in bits, and what a model makes of tokens.

    bytes_per_token(texts, tokenizer.encode)                 # how much text fits into a token, on average
    unigram_bits(word_counts(text), scores)                  # bits per byte of a text under a Unigram vocabulary
    bits_per_byte(model, rows, tokenizer.encode, texts)      # of a language model, with `rows` as its table
    ask_to_repeat(model, tokenizer, ids)                     # what a chat model writes when it should repeat a token

A *token* is no unit that tokenizers share, so counts and losses per token cannot be compared between them. Bytes of
UTF-8 can: the text has equally many, whoever cuts it.

What it does not do: train, move or change a model; its weights are left as they are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from helpers.old.foundations.probability import cross_entropy
from helpers.old.tokenization.unigram import PART, WORDS
from helpers.tokenization.bpe import BPETokenizer


def word_counts(text: str) -> Counter[str]:
    """Words of `text` with their occurrences as Unigram's training sees them: long runs in parts of 64 characters."""
    part = re.compile(rf"(?s).{{1,{PART}}}")
    return Counter(piece for word in WORDS.finditer(text) for piece in part.findall(word.group()))


@torch.no_grad()
def bits_per_byte(
    model: Any, rows: Tensor, encode: Callable[[str], list[int]], texts: Sequence[str], start: int = 0
) -> list[float]:
    """Bits per byte that `model` needs for each text, if `rows` were its (tied) table and `encode` its tokenizer.

    rows: (V, d), float32, on the model's device; start: the row of the model's own table that stands before each text
    (<|endoftext|>). Equals the library's loss · tokens / ln 2 / bytes where rows and encode are the model's own, up to
    the rounding of the model's number format.
    """
    ids = [torch.tensor(encode(text), device=rows.device) for text in texts]
    batch = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)  # (N, T); padding at the end is seen by no token
    first = model.get_input_embeddings().weight[start].expand(len(texts), 1, -1)  # (N, 1, d)
    given = torch.cat([first, rows[batch].to(first.dtype)], dim=1)  # (N, 1 + T, d)
    hidden = model.base_model(inputs_embeds=given).last_hidden_state.float()  # (N, 1 + T, d)
    nats = [cross_entropy(h[: len(i)] @ rows.T, i).item() * len(i) for h, i in zip(hidden, ids, strict=True)]
    return [loss / math.log(2) / len(text.encode("utf-8")) for loss, text in zip(nats, texts, strict=True)]


def ask_to_repeat(model: Any, tokenizer: BPETokenizer, ids: Sequence[int], new_tokens: int = 6) -> list[list[int]]:
    """What the chat model writes, greedily, when it is asked to repeat each token: one list of new ids a token.

    The token goes in by its id, between two pieces of text, so that no neighbor can change how it is cut.
    """
    before = '<|im_start|>user\nRepeat this string back to me: "'
    after = '"<|im_end|>\n<|im_start|>assistant\nHere is the string: "'
    head, tail = (tokenizer.encode(part, allowed_special="all") for part in (before, after))
    prompts = torch.tensor([[*head, i, *tail] for i in ids], device=model.device)  # (B, T), all of one length
    written = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=tokenizer.special_tokens["<|im_end|>"],
    )
    return written[:, prompts.shape[1] :].tolist()


def bytes_per_token(texts: Iterable[str], encode: Callable[[str], Sequence[int]]) -> float:
    """Bytes of all texts in UTF-8, divided by their tokens; each text is encoded by itself.

    Raises ValueError where the texts have no token.
    """
    n_bytes = n_tokens = 0
    for text in texts:
        n_bytes += len(text.encode("utf-8"))
        n_tokens += len(encode(text))
    if n_tokens == 0:
        raise ValueError("There is no token in these texts, so there are no bytes per token.")
    return n_bytes / n_tokens
