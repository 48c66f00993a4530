"""Text as numbers: what goes in comes out, every token is seen once per epoch, and bad input is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from helpers.files import DataUnavailable
from helpers.old.corpora import language_reference
from helpers.old.pretraining import Characters, NGram, TokenData, Tokens, own_text, python_reference
from helpers.tokenization import BPETokenizer
from tests.pretraining.texts import small_text


@given(st.text(min_size=1))
def test_characters_give_a_text_back(text):
    tokenizer = Characters.train(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.vocab_size == len(set(text))


def test_a_character_that_was_never_seen_is_named():
    with pytest.raises(ValueError, match="3 characters has no 'z'"):
        Characters.train("abc").encode("abz")


@given(st.integers(2, 200), st.integers(1, 40), st.integers(1, 5), st.integers(0, 3))
def test_an_epoch_shows_every_token_once_but_for_the_edges(n, length, batch, seed):
    tokens = Tokens(np.arange(n, dtype=np.uint16), n)
    if n <= length:
        with pytest.raises(ValueError, match="do not fit into a text of"):
            tokens.batch(0, batch, length, seed)
        return
    windows = tokens.n_windows(length)
    rows = torch.cat([tokens.batch(step, 1, length, seed) for step in range(windows)])
    assert torch.equal(rows[:, 1:], rows[:, :-1] + 1)  # whole pieces of the text, in its order
    targets = rows[:, 1:].flatten().tolist()
    assert len(set(targets)) == len(targets) == windows * length
    assert n - 1 - len(targets) < 2 * length


def test_a_batch_is_a_function_of_its_step_and_seed_alone():
    tokens = Tokens(np.arange(1000, dtype=np.uint16), 1000)
    first = tokens.batch(5, 8, 16, seed=1)
    tokens.batch(6, 8, 16, seed=1)
    assert torch.equal(tokens.batch(5, 8, 16, seed=1), first)
    assert not torch.equal(tokens.batch(5, 8, 16, seed=2), first)
    joined = torch.cat([tokens.batch(step, 8, 16, seed=1) for step in (2, 3)])
    assert torch.equal(tokens.batch(1, 16, 16, seed=1), joined)  # a larger batch is two small ones


def test_the_starting_points_differ_from_epoch_to_epoch():
    tokens = Tokens(np.arange(1000, dtype=np.uint16), 1000)
    windows = tokens.n_windows(16)
    starts = [{int(row[0]) % 16 for row in tokens.batch(epoch, windows, 16)} for epoch in range(6)]
    assert all(len(start) == 1 for start in starts) and len(set.union(*starts)) > 1


def test_windows_read_the_text_from_end_to_end():
    rows = Tokens(np.arange(50, dtype=np.uint16), 50).windows(16)
    assert rows.shape == (3, 17) and rows[:, 1:].flatten().tolist() == list(range(1, 49))


@pytest.mark.parametrize(
    ("train", "held_out", "make", "said"),
    [
        ("", "abab", Characters.train, "0 tokens to train on and 4 held out"),
        ("abab", "a", Characters.train, "4 tokens to train on and 1 held out"),
        ("abcdefg", "abc", lambda text: BPETokenizer.train(text, 256), "256 tokens and the text only 7"),
    ],
)
def test_too_little_text_is_refused(train, held_out, make, said):
    with pytest.raises(ValueError, match=said):
        TokenData.of_texts(train, held_out, make(train + held_out))


def test_hardly_anything_of_the_held_out_reference_stands_in_what_is_trained_on():
    """Stretches of 50 characters, white space read as one space: a cut at nine tenths finds more than a tenth."""

    def shared(train: str, held_out: str) -> float:
        train, held_out = " ".join(train.split()), " ".join(held_out.split())
        seen = {train[i : i + 50] for i in range(len(train) - 50)}
        asked = [held_out[i : i + 50] in seen for i in range(0, len(held_out) - 50, 7)]
        return sum(asked) / len(asked)

    data = python_reference()
    train, held_out = (data.tokenizer.decode(part.ids.tolist()) for part in (data.train, data.held_out))
    assert shared(train, held_out) < 0.04
    whole = language_reference().text
    cut = len(whole) * 9 // 10
    assert shared(whole[:cut], whole[cut:]) > 0.08


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "no UTF-8 text"),
        (b"MZ\0\0\x01", "zero bytes"),
        (b"A short text.\n", "has 14 characters; .* at least 10,000"),
        ("".join(chr(0x4E00 + i % 3000) for i in range(20_000)).encode(), "3,000 different characters, and 96% of it"),
    ],
)
def test_a_text_of_ones_own_that_cannot_be_trained_on_is_named_in_one_sentence(tmp_path, content, said):
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataUnavailable, match=f"mine.txt.*{said}" if content is not None else said) as error:
        own_text(file)
    assert str(error.value).count("\n") == 0
    with pytest.raises(DataUnavailable, match="There is no file"):
        own_text(tmp_path)  # a folder


def test_a_text_of_ones_own_is_cut_where_a_line_ends_and_its_rare_characters_are_told(tmp_path, capsys):
    lines = [f"{i} {small_text(8, i)}" for i in range(400)]
    rare = "".join(chr(0x4E00 + i) for i in range(90))
    (tmp_path / "mine.txt").write_text("\n".join([*lines, rare, *lines[:40]]), encoding="utf-8")
    data = own_text(tmp_path / "mine.txt", alphabet=60)
    train, held_out = (data.tokenizer.decode(part.ids.tolist()) for part in (data.train, data.held_out))
    assert train.endswith("\n") and 0.09 < len(held_out) / len(train + held_out) < 0.11
    assert held_out.endswith("\n".join(lines[:40])) and train.startswith(lines[0])
    told = capsys.readouterr().out
    assert data.vocab_size == 61 and "rare characters of mine.txt are read as □" in told
    (tmp_path / "plain.txt").write_text("\n".join(lines), encoding="utf-8")
    plain = own_text(tmp_path / "plain.txt")
    assert not capsys.readouterr().out and "□" not in plain.tokenizer.alphabet


def test_the_largest_alphabet_of_ones_own_text_leaves_room_for_a_table_of_order_8(tmp_path):
    often = "".join(chr(0x100 + i) for i in range(117))
    (tmp_path / "mine.txt").write_text("\n".join([often * 2] * 60) + chr(0x4E00), encoding="utf-8")
    data = own_text(tmp_path / "mine.txt")
    assert data.vocab_size == 118
    NGram.count(data.train, data.vocab_size, 8)
