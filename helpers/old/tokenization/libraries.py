"""The libraries' own trainers, set so that their tokenizers can be held beside the course's.

    theirs = library_bpe(ours)                                     # our BPE as a tokenizer of `transformers`

Defaults that would make the comparison unfair are switched off: cleaning the text beforehand, a space put before each
line, tokens for the beginning and the end counted among those of the text.

What it does not do: read published tokenizers (`AutoTokenizer` does, or the classes' own `from_pretrained`).
"""

from __future__ import annotations

from typing import Any

from helpers.tokenization import BPETokenizer, byte_alphabet


def library_bpe(tokenizer: BPETokenizer, **special: str) -> Any:
    """Our byte-level BPE as a `PreTrainedTokenizerFast`, which trainers and `generate` of `transformers` take.

    special: roles of special tokens, as in pad_token="<pad>". The same ids for every text without special tokens.
    Raises ValueError for a role of a token that there is not, and for a tokenizer that was read from a model's file.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    if missing := set(special.values()) - set(tokenizer.special_tokens):
        raise ValueError(f"The tokenizer has no special token {sorted(missing)[0]!r}: train it with one.")
    if tokenizer.split_digits or tokenizer.whole_words or tokenizer.nfc:
        raise ValueError("Only a tokenizer made by train() is turned into the library's; others come from a file.")
    names = {i: name for name, i in tokenizer.special_tokens.items()}
    alphabet = byte_alphabet()
    spelling = ["".join(alphabet[byte] for byte in token or b"") for token in tokenizer.tokens]
    vocab = {names.get(i) or token: i for i, token in enumerate(spelling)}
    merges = [(spelling[left], spelling[right]) for left, right in tokenizer.merges]
    theirs = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    words = pre_tokenizers.Split(Regex(tokenizer.pattern), behavior="isolated")
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    theirs.decoder = decoders.ByteLevel()
    theirs.add_special_tokens([*tokenizer.special_tokens])
    return PreTrainedTokenizerFast(tokenizer_object=theirs, **special)
