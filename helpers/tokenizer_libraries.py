"""The libraries' own trainers, set so that their tokenizers can be held beside the course's.

    theirs = library_wordpiece(text, 2048)                        # a tokenizers.Tokenizer
    theirs = sentencepiece_unigram(text.split("\n"), 1792)         # a sentencepiece.SentencePieceProcessor

Defaults that would make the comparison unfair are switched off: cleaning the text beforehand, a space put before each
line, tokens for the beginning and the end counted among those of the text.

What it does not do: read published tokenizers (`AutoTokenizer` does, or the classes' own `from_pretrained`).
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from helpers.wordpiece import BERT_SPECIAL, UNKNOWN


def library_wordpiece(text: str, vocab_size: int, marks_together: bool = False) -> Any:
    """WordPiece as the `tokenizers` library trains it, with BERT's normalizer.

    Each punctuation mark is a word of its own, as in BERT; marks_together: a run of them is one word.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace() if marks_together else pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=[*BERT_SPECIAL], show_progress=False)
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def sentencepiece_unigram(lines: Iterable[str], n_tokens: int) -> Any:
    """Unigram as `sentencepiece` trains it, with `n_tokens` tokens for the text; empty lines are left out."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for line in lines if line]),
        model_writer=model,
        model_type="unigram",
        vocab_size=n_tokens + 3,  # <unk>, <s> and </s> stand for nothing in the text
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        allow_whitespace_only_pieces=True,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
