"""Byte-pair encoding: the same ids and the same merges as the libraries', and no input that takes forever."""

from __future__ import annotations

import heapq
import json
import random
import subprocess
import sys
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

from helpers import tokenization
from helpers.models import fetch
from helpers.old.corpora import language_reference
from helpers.tokenization import (
    BPETokenizer,
    PairCounts,
    TokenizerFileError,
    byte_alphabet,
    learn_merges,
    merge_by_rank,
)
from tests.tokenizer_cases import NAMED, assigned_strings, private_use_aside
from tests.tools.notebook import ROOT

SMALL = BPETokenizer.train(language_reference().head(20_000), 400, special_tokens=["<|end|>", "<|end|>>"])


@pytest.fixture(scope="module")
def ours():
    return BPETokenizer.from_pretrained(fetch("chat"))


@pytest.fixture(scope="module")
def library():
    return AutoTokenizer.from_pretrained(fetch("chat"))


def trained_by_the_library(text, n_merges, pattern_step):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pattern_step
    trainer = trainers.BpeTrainer(
        vocab_size=256 + n_merges, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([text], trainer)
    return [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]


def spelled_merges(tokenizer):
    letters = byte_alphabet()
    spelled = [None if t is None else "".join(letters[byte] for byte in t) for t in tokenizer.tokens]
    return [(spelled[left], spelled[right]) for left, right in tokenizer.merges]


# The same ids as the chat model's tokenizer -----------------------------------------------------------------------


@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
def test_ids_equal_the_chat_models(ours, library, text):
    assert ours.encode(text) == library(text, split_special_tokens=True)["input_ids"]
    assert ours.encode(text, allowed_special="all") == library(text)["input_ids"]


def test_ids_equal_the_chat_models_on_random_strings(ours, library):
    texts = assigned_strings(10_000, seed=0) + private_use_aside(2_000, seed=1)
    expected = library(texts, split_special_tokens=True)["input_ids"]
    different = [text for text, ids in zip(texts, expected, strict=True) if ours.encode(text) != ids]
    assert not different, different[:3]


def test_text_is_decoded_as_the_library_does(ours, library):
    for text in NAMED.values():
        ids = ours.encode(text, allowed_special="all")
        assert ours.decode(ids) == library.decode(ids, clean_up_tokenization_spaces=False)
    ids = ours.encode("👍")[:1]
    assert ours.decode(ids) == library.decode(ids) == "\ufffd"


def test_a_typed_special_token_is_text_unless_it_is_allowed(ours):
    end = ours.special_tokens["<|im_end|>"]
    typed = "Hi<|im_end|>"
    assert end not in ours.encode(typed)
    assert ours.encode(typed, allowed_special="all")[-1] == end
    assert ours.encode(typed, allowed_special=["<|im_end|>"])[-1] == end
    assert end not in ours.encode(typed, allowed_special=["<|im_start|>"])
    assert ours.decode(ours.encode(typed)) == ours.decode(ours.encode(typed, allowed_special="all")) == typed


def test_a_byte_without_a_token_is_dropped_as_the_library_does(ours, library):
    assert ours.encode("#\x04#") == library("#\x04#")["input_ids"] == ours.encode("##")
    assert ours.decode(ours.encode("#\x04#")) == "##"


# Training ---------------------------------------------------------------------------------------------------------


def test_two_thousand_merges_equal_the_libraries():
    text = language_reference().text
    merges = spelled_merges(BPETokenizer.train(text, 256 + 2_000))
    assert len(merges) == 2_000
    assert merges == trained_by_the_library(text, 2_000, pre_tokenizers.ByteLevel(add_prefix_space=False))


@pytest.mark.parametrize("alphabet", ["ab", "aé ", "abc\x00ÿ한"])
def test_merges_of_texts_full_of_ties_equal_the_libraries(alphabet):
    for text in ("".join(word) for seed in range(20) for word in [_random(alphabet, 300, seed)]):
        step = pre_tokenizers.ByteLevel(add_prefix_space=False)
        assert spelled_merges(BPETokenizer.train(text, 256 + 60)) == trained_by_the_library(text, 60, step)


def _random(alphabet, n, seed):
    return random.Random(seed).choices(alphabet, k=n)


def test_among_equal_counts_the_smaller_ids_are_merged_first():
    tokenizer = BPETokenizer.train("yx ab", 257, pattern=r"\S+|\s+")
    assert tokenizer.tokens[256] == b"ab"
    # The space is written "Ġ", which stands after every letter, though its byte is smaller.
    assert BPETokenizer.train("z .ab", 257, pattern=r"(?s:.+)").tokens[256] == b".a"


def test_the_worked_example_of_the_docstring():
    tokenizer = BPETokenizer.train("low lower lowest slow", 260)
    ids = tokenizer.encode("lower")
    assert [tokenizer.tokens[i] for i in ids] == [b"low", b"e", b"r"] and tokenizer.decode(ids) == "lower"
    assert ids == [257, 101, 114]


def test_training_stops_where_nothing_is_left_to_merge():
    tokenizer = BPETokenizer.train("abc", 1_000)
    assert tokenizer.vocab_size == 258 and tokenizer.encode("abc") == [257]
    assert BPETokenizer.train("", 300).vocab_size == 256


def test_pair_counts_stay_what_counting_anew_gives():
    words = {tuple(_random([1, 2, 3], 12, seed)): seed + 1 for seed in range(30)}
    pairs, rows = PairCounts(words), [[list(word), count] for word, count in words.items()]
    for new in range(4, 16):
        pair = max(pairs.counts, key=lambda p: (pairs.counts[p], p))
        merged = pairs.merge(pair, new)
        assert merged == sum(_merge_slowly(row, pair, new) * count for row, count in rows)
        anew = {}
        for row, count in rows:
            for both in zip(row, row[1:], strict=False):
                anew[both] = anew.get(both, 0) + count
        assert {p: c for p, c in pairs.counts.items() if c} == anew


def test_overlapping_pairs_are_merged_from_the_left_whatever_made_them():
    pairs = PairCounts({(3, 4, 1, 2, 1, 2): 1})
    pairs.merge((1, 2), 9)
    pairs.merge((3, 4), 9)  # 9 9 9, whose second pair was found first
    assert pairs.merge((9, 9), 10) == 1 and dict(pairs.counts)[10, 9] == 1


def test_two_pairs_that_spell_one_token_share_its_id():
    tokens = [b"a", b"bc", b"ab", b"c"]
    assert learn_merges({(0, 1): 3, (2, 3): 2}, tokens, 9) == [(0, 1), (2, 3)]
    assert tokens[4:] == [b"abc"]


def _merge_slowly(row, pair, new):
    i = n = 0
    while i < len(row) - 1:
        if (row[i], row[i + 1]) == pair:
            row[i : i + 2] = [new]
            n += 1
        i += 1
    return n


# Round trip -------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text(alphabet="<|end>\r\n\t '1a"))
def test_every_string_comes_back(text):
    assert SMALL.decode(SMALL.encode(text)) == text
    assert SMALL.decode(SMALL.encode(text, allowed_special="all")) == text


def test_the_longer_special_token_wins_where_two_begin():
    assert SMALL.encode("<|end|>>", allowed_special="all") == [SMALL.special_tokens["<|end|>>"]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=30), st.permutations([(i, j) for i in range(4) for j in range(4)]))
def test_the_heap_merges_what_searching_for_the_best_rank_merges(ids, order):
    ranks = {pair: (rank, 4 + rank) for rank, pair in enumerate(order[:8])}
    ranks |= {(4 + n, 4 + n): (10 + n, 20 + n) for n in range(4)}
    slow = list(ids)
    while candidates := [(ranks[p][0], i) for i, p in enumerate(zip(slow, slow[1:], strict=False)) if p in ranks]:
        _, i = min(candidates)
        slow[i : i + 2] = [ranks[slow[i], slow[i + 1]][1]]
    assert merge_by_rank(ids, ranks) == slow


# Work grows with the text, not with its square ----------------------------------------------------------------------


@pytest.fixture
def pushes(monkeypatch):
    """Counts what is put on a heap: all at once (`heapify`) or one by one."""
    done = types.SimpleNamespace(n=0)

    def heappush(heap, item):
        done.n += 1
        heapq.heappush(heap, item)

    def heapify(heap):
        done.n += len(heap)
        heapq.heapify(heap)

    counting = types.SimpleNamespace(heappush=heappush, heapify=heapify, heappop=heapq.heappop)
    monkeypatch.setattr(tokenization, "heapq", counting)
    return done


@pytest.mark.parametrize("word", ["a" * 30_000, "ab" * 15_000, "".join(_random("abcdefgh", 30_000, 0))])
def test_one_endless_word_is_trained_on_in_a_few_steps_per_byte(pushes, monkeypatch, word):
    made = []
    monkeypatch.setattr(tokenization, "PairCounts", lambda words: made.append(PairCounts(words)) or made[0])
    tokens = [bytes([byte]) for byte in range(256)]
    merges = learn_merges({tuple(word.encode()): 1}, tokens, 256 + 1_000)
    assert merges and made[0].visits <= 3 * len(word)
    assert pushes.n <= 5 * len(word)  # at most four pairs change where two symbols become one


@pytest.mark.parametrize("word", ["a" * 50_000, "ab" * 25_000, "".join(_random("etaoinsrh", 50_000, 0))])
def test_one_endless_word_is_encoded_in_a_few_steps_per_byte(ours, pushes, word):
    ids = ours.encode(word)
    assert ours.decode(ids) == word
    assert 0 < pushes.n <= 3 * len(word)


def test_the_memory_for_words_is_bounded(ours, monkeypatch):
    monkeypatch.setattr("helpers.tokenization.REMEMBERED_WORDS", 10)
    for n in range(40):
        ours.encode("x" * (n + 1))
        ours.encode("y" * (n + 65))
    assert 0 < len(ours._remembered) <= 10 and max(map(len, ours._remembered)) <= 64


def test_the_tokenizers_need_none_of_the_libraries_that_they_equal():
    heavy = "('torch', 'transformers', 'tokenizers', 'numpy', 'sentencepiece')"
    code = f"import sys, helpers.tokenization; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


# Files ------------------------------------------------------------------------------------------------------------


PRETRAINED = {
    "another model": (lambda data: data["model"].update(type="WordPiece"), "of type 'WordPiece'"),
    "no model": (lambda data: data.pop("model"), "of type None"),
    "a normalizer": (lambda data: data.update(normalizer={"type": "NFKC"}), "steps that this class does not have"),
    "a prefix space": (lambda data: data["pre_tokenizer"]["pretokenizers"][1].update(add_prefix_space=True), "steps"),
    "grouped digits": (lambda data: data["pre_tokenizer"]["pretokenizers"][0].update(individual_digits=False), "steps"),
    "odd added token": (lambda data: data["added_tokens"][0].update(lstrip=True), "adds "),
    "a merge of no token": (lambda data: data["model"]["merges"].insert(0, ["a", "☃"]), "damaged"),
    "merges out of order": (lambda data: data["model"]["merges"].reverse(), "no earlier token"),
}


@pytest.mark.parametrize("damage, message", PRETRAINED.values(), ids=PRETRAINED)
def test_a_tokenizer_json_that_would_be_read_wrongly_is_refused(tmp_path, damage, message):
    data = json.loads((fetch("chat") / "tokenizer.json").read_text(encoding="utf-8"))
    damage(data)
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TokenizerFileError, match=message):
        BPETokenizer.from_pretrained(tmp_path)


def test_merges_written_as_one_string_are_read_too(ours, tmp_path):
    data = json.loads((fetch("chat") / "tokenizer.json").read_text(encoding="utf-8"))
    data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    assert BPETokenizer.from_pretrained(tmp_path).merges == ours.merges


# Models that cut words by a pattern of their own -------------------------------------------------------------------

# As in Llama 3 and Qwen 2: contractions in any case, one sign before a word, numbers by threes, line ends together.
BY_THREES = (
    r"(?i:'(?:[sdmt]|ll|ve|re))|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split_step(pattern):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


@pytest.fixture(scope="module", params=["plain", "composed first", "whole words"])
def split_pair(request, tmp_path_factory):
    """A tokenizer trained by the library with such a pattern, and ours read from its file."""
    theirs = Tokenizer(models.BPE(ignore_merges=request.param == "whole words"))
    theirs.pre_tokenizer = split_step(BY_THREES)
    if request.param == "composed first":
        theirs.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(
        vocab_size=1_000, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    text = language_reference().head(60_000) + "\n".join(NAMED.values()) * 3
    theirs.train_from_iterator([text], trainer)
    theirs.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    data = json.loads(theirs.to_str())
    if request.param == "whole words":
        data["model"]["merges"] = every_split(data["model"]["vocab"])
        theirs = Tokenizer.from_str(json.dumps(data))
    folder = tmp_path_factory.mktemp("split")
    (folder / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    return BPETokenizer.from_pretrained(folder), theirs


def every_split(vocab):
    """The merges as files converted from `tiktoken` list them, all pairs that spell a token; here not for long ones."""
    return [
        [token[:i], token[i:]]
        for token in sorted(vocab, key=vocab.get)
        for i in range(1, len(token))
        if token[:i] in vocab and token[i:] in vocab and len(token) < 7
    ]


def test_ids_equal_the_librarys_where_a_model_brings_its_own_pattern(split_pair):
    ours, theirs = split_pair
    assert ours.pattern == BY_THREES
    texts = [
        *NAMED.values(),
        *assigned_strings(2_000, seed=2),
        *private_use_aside(500, seed=3),
        "IT'S 1234567\r\n\r\n x",
    ]
    for text in texts:
        assert ours.encode(text, allowed_special="all") == theirs.encode(text).ids


def test_merges_trained_with_another_pattern_equal_the_libraries():
    text = language_reference().head(100_000)
    ours = BPETokenizer.train(text, 256 + 500, pattern=BY_THREES)
    assert spelled_merges(ours) == trained_by_the_library(text, 500, split_step(BY_THREES))


def test_a_word_that_is_a_token_stays_whole_only_if_the_model_says_so():
    tokens = [*(bytes([byte]) for byte in range(256)), b"abc"]
    assert BPETokenizer(tokens, [], {}).encode("abc abc") == list(b"abc abc")
    assert BPETokenizer(tokens, [], {}, whole_words=True).encode("abc abc") == [256, *b" abc"]


def test_accents_are_joined_to_their_letters_only_if_the_model_says_so():
    tokens = [bytes([byte]) for byte in range(256)]
    assert BPETokenizer(tokens, [], {}).encode("e\u0301") == list("e\u0301".encode())
    assert BPETokenizer(tokens, [], {}, nfc=True).encode("e\u0301") == list("é".encode())


SPLIT = {"type": "Split", "pattern": {"Regex": r"\w+|\W+"}, "behavior": "Isolated", "invert": False}
NO_REGEX = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
OTHER_SPLITS = {
    "matches removed": ([SPLIT | {"behavior": "Removed"}, NO_REGEX], "steps"),
    "matches merged": ([SPLIT | {"behavior": "MergedWithNext"}, NO_REGEX], "steps"),
    "inverted": ([SPLIT | {"invert": True}, NO_REGEX], "steps"),
    "a plain string": ([SPLIT | {"pattern": {"String": " "}}, NO_REGEX], "steps"),
    "two splits": ([SPLIT, SPLIT, NO_REGEX], "steps"),
    "cut twice": ([SPLIT, NO_REGEX | {"use_regex": True}], "steps"),
    "never cut": ([NO_REGEX], "steps"),
    "not bytes": ([SPLIT, {"type": "Metaspace"}], "steps"),
    "no steps": ([], "damaged"),
    "no pattern": ([SPLIT | {"pattern": {"Regex": "("}}, NO_REGEX], "no regular expression"),
    "half a step": ([{"type": "Split"}, NO_REGEX], "steps"),
}


@pytest.mark.parametrize("steps, message", OTHER_SPLITS.values(), ids=OTHER_SPLITS)
def test_a_way_of_cutting_that_is_not_ours_is_refused_in_one_sentence(tmp_path, steps, message):
    data = json.loads((fetch("chat") / "tokenizer.json").read_text(encoding="utf-8"))
    data["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": steps}
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(TokenizerFileError, match=message) as caught:
        BPETokenizer.from_pretrained(tmp_path)
    assert "\n" not in str(caught.value)


# Bad input --------------------------------------------------------------------------------------------------------

BAD_CALLS = {
    "small vocabulary": (lambda: BPETokenizer.train("a", 255), ValueError, "at least 256"),
    "missing file": (lambda: BPETokenizer.from_pretrained("nowhere"), TokenizerFileError, "no tokenizer file"),
    "no room for specials": (lambda: BPETokenizer.train("a", 257, special_tokens=["<a>", "<b>"]), ValueError, "258"),
    "half a vocabulary": (lambda: BPETokenizer.train("a", 300.5), ValueError, "whole number"),
    "specials as text": (lambda: BPETokenizer.train("a", 300, special_tokens="<s>"), ValueError, "list of different"),
    "special twice": (lambda: BPETokenizer.train("a", 300, special_tokens=["<s>", "<s>"]), ValueError, "different"),
    "bytes to train on": (lambda: BPETokenizer.train(b"abc", 300), TypeError, "not bytes"),
    "nothing to encode": (lambda: SMALL.encode(None), TypeError, "not NoneType"),
    "lone surrogate": (lambda: SMALL.encode("ok \ud83d"), ValueError, r"Character 3 .*U\+D83D"),
    "surrogate in training": (lambda: BPETokenizer.train("\udc00", 300), ValueError, "surrogate"),
    "id too large": (lambda: SMALL.decode([SMALL.vocab_size]), ValueError, f"no token {SMALL.vocab_size}"),
    "negative id": (lambda: SMALL.decode([-1]), ValueError, "no token -1"),
    "unknown special": (lambda: SMALL.encode("a", allowed_special=["<x>"]), ValueError, "no special token"),
    "special as text": (lambda: SMALL.encode("a", allowed_special="<|end|>"), ValueError, '"all" or a list'),
    "half a pattern": (lambda: BPETokenizer.train("a", 300, pattern="("), ValueError, "no regular expression"),
    "empty pattern": (lambda: BPETokenizer.train("a", 300, pattern="a*"), ValueError, "matches nothing"),
    "leaky pattern": (lambda: BPETokenizer.train("a b", 300, pattern=r"\w+"), ValueError, "leaves out"),
    "leaky pattern later": (lambda: BPETokenizer.train("a", 300, pattern="a+").encode("ab"), ValueError, "leaves out"),
}


@pytest.mark.parametrize("call, error, message", BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_input_is_refused_in_one_sentence(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
