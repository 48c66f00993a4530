"""No damage to a tokenizer's file goes unnoticed: it is refused in one sentence, or what is loaded works."""

from __future__ import annotations

import copy
import json

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from helpers.old.corpora import language_reference
from helpers.old.tokenization import UnigramTokenizer
from helpers.tokenization import BPETokenizer, TokenizerFileError, WordPieceTokenizer

TEXT = language_reference().head(20_000)
SAMPLE = "The x <s> naïve 한 [MASK] abc\n\x00"
ODD = [
    *(None, True, -1, 10**9, 1.5, float("nan"), float("inf"), "x", "", [], {}, [None], [-1], [[1]], [[1, 2]]),
    *(["a", "a"], {"a": 1}, {"a": None}, {"a": -1}, {"a": 10**9}, {"type": "Sequence"}, [{"type": "ByteLevel"}]),
]


def by_the_library(model, trainer, pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer, tokenizer.normalizer = pre_tokenizer, normalizer or None
    tokenizer.train_from_iterator([TEXT], trainer)
    return json.loads(tokenizer.to_str())


def unigram_json():
    pieces = [("<unk>", 0.0), *((f"<0x{byte:02X}>", 0.0) for byte in range(256)), ("a", -2.0), ("ab", -3.0)]
    return json.loads(Tokenizer(models.Unigram(pieces, 0, byte_fallback=True)).to_str())


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
OURS = {
    "bpe": lambda: BPETokenizer.train(TEXT, 300, special_tokens=["<s>", "<e>"]),
    "wordpiece": lambda: WordPieceTokenizer.train(TEXT, 300),
    "unigram": lambda: UnigramTokenizer.train(TEXT, 400, special_tokens=["<s>"]),
}
THEIRS = {
    "bpe": lambda: by_the_library(
        models.BPE(),
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<s>"],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ),
    "wordpiece": lambda: by_the_library(
        models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100),
        trainers.WordPieceTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False),
        pre_tokenizers.BertPreTokenizer(),
        normalizers.BertNormalizer(),
    ),
    "unigram": unigram_json,
}
CLASSES = {"bpe": BPETokenizer, "wordpiece": WordPieceTokenizer, "unigram": UnigramTokenizer}


def places(data):
    """Paths to every key of the two upper levels, and to the first, middle and last entry of what lies below."""
    for key, value in data.items():
        yield (key,)
        inner = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
        for n in sorted({0, len(inner) // 2, len(inner) - 1}) if inner else []:
            yield (key, inner[n])
    for key in data.get("model") or {}:
        yield ("model", key)


def damaged(data):
    """`data` with one place at a time replaced by something odd, or left out."""
    for path in places(data):
        for odd in [*ODD, ...]:
            changed = copy.deepcopy(data)
            around = changed
            for key in path[:-1]:
                around = around[key]
            if odd is ...:
                del around[path[-1]]
            else:
                around[path[-1]] = odd
            yield changed


def refused_or_sound(load, again):
    """Did `load` refuse in one sentence? If not, what it loaded must encode, decode and survive saving."""
    try:
        tokenizer = load()
    except TokenizerFileError as error:
        assert "\n" not in str(error)
        return True
    try:
        ids = tokenizer.encode(SAMPLE, allowed_special="all")
    except ValueError as error:
        assert "leaves out" in str(error)  # a pattern that is one, but covers too little: told when it meets such text
        return False
    assert all(0 <= i < tokenizer.vocab_size for i in ids)
    assert isinstance(tokenizer.decode(range(tokenizer.vocab_size)), str)
    tokenizer.save(again)
    assert type(tokenizer).load(again).encode(SAMPLE, allowed_special="all") == ids
    return False


@pytest.mark.parametrize("kind", OURS)
def test_whatever_is_wrong_in_a_saved_file_is_refused_or_harmless(kind, tmp_path):
    path = tmp_path / "t.json"
    OURS[kind]().save(path)
    whole = path.read_text(encoding="utf-8")
    refused = total = 0
    for changed in damaged(json.loads(whole)):
        path.write_text(json.dumps(changed), encoding="utf-8")
        refused += refused_or_sound(lambda: CLASSES[kind].load(path), tmp_path / "again.json")
        total += 1
    assert 0.6 * total < refused < total


@pytest.mark.parametrize("kind", THEIRS)
def test_whatever_is_wrong_in_a_tokenizer_json_is_refused_or_harmless(kind, tmp_path):
    path, data = tmp_path / "tokenizer.json", THEIRS[kind]()
    path.write_text(json.dumps(data), encoding="utf-8")
    assert not refused_or_sound(lambda: CLASSES[kind].from_pretrained(tmp_path), tmp_path / "again.json")
    refused = 0
    for changed in damaged(data):
        path.write_text(json.dumps(changed), encoding="utf-8")
        refused += refused_or_sound(lambda: CLASSES[kind].from_pretrained(tmp_path), tmp_path / "again.json")
    assert refused > 50


@pytest.mark.parametrize("kind", OURS)
def test_a_file_cut_off_anywhere_is_refused(kind, tmp_path):
    path = tmp_path / "t.json"
    OURS[kind]().save(path)
    whole = path.read_text(encoding="utf-8")
    for folder_file, load in (
        ("t.json", lambda: CLASSES[kind].load(path)),
        ("tokenizer.json", lambda: CLASSES[kind].from_pretrained(tmp_path)),
    ):
        for length in (0, 1, 10, len(whole) // 2, len(whole) - 1):
            (tmp_path / folder_file).write_text(whole[:length], encoding="utf-8")
            with pytest.raises(TokenizerFileError, match="cut off or no JSON"):
                load()


@pytest.mark.parametrize("kind", OURS)
def test_all_three_are_made_and_asked_the_same_way(kind, tmp_path):
    tokenizer = OURS[kind]()
    for missing in (
        lambda: type(tokenizer).load(tmp_path / "none.json"),
        lambda: type(tokenizer).from_pretrained(tmp_path),
    ):
        with pytest.raises(TokenizerFileError, match="no tokenizer file"):
            missing()
    for refused, error, message in (
        (lambda: type(tokenizer).train(b"abc", 300), TypeError, "takes a string, not bytes"),
        (lambda: type(tokenizer).train("abc", "300"), TypeError, "whole number"),
        (lambda: type(tokenizer).train("abc", 4), ValueError, "at least"),
        (lambda: tokenizer.encode(["abc"]), TypeError, "takes a string, not list"),
        (lambda: tokenizer.encode("\ud800"), ValueError, "lone surrogate"),
        (lambda: tokenizer.decode([tokenizer.vocab_size]), ValueError, f"no token {tokenizer.vocab_size}"),
        (lambda: tokenizer.decode([-1]), ValueError, "no token -1"),
        (lambda: tokenizer.decode([1.5]), TypeError, "whole numbers"),
        (lambda: tokenizer.decode(7), TypeError, "whole numbers"),
    ):
        with pytest.raises(error, match=message) as caught:
            refused()
        assert "\n" not in str(caught.value)
