"""Streaming: pieces join to the reply, never split what a reader calls a character, and never show what ends it."""

from __future__ import annotations

import random

import pytest
import regex
import torch
from tokenizers import Tokenizer, decoders, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from helpers.generation import ReplyText, reply_text, stream
from helpers.models import fetch
from helpers.tokenization import BPETokenizer
from tests.scripted_models import Bytes, Saying, text

TEXTS = {
    "English": "The e-bike's range is 80 km, or 50 mi.\n\n  It costs €1,999.00!\tOK?",
    "one letter": "a",
    "emoji": "Ride 🚲 on 🌧️ days 🙂.",
    "joined emoji": "👩‍👩‍👧‍👦 and 🏳️‍🌈 and 👍🏽👍🏿!",
    "flags": "🇰🇷🇩🇪🇧🇷 won",
    "combining marks": "cafe\u0301, n\u0303, Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢, a\u0323\u0302 end",
    "Korean": "한국어 문장과 자모 \u1112\u1161\u11ab\u1100\u116e\u11a8 끝",
    "Arabic": "اَلْعَرَبِيَّةُ لُغَةٌ",
    "Hindi and Thai": "क्षि हिन्दी ที่นี่ กำลัง",
    "Chinese": "漢字𠮷野家",
    "line ends": "a\r\nb\r\n\r\nc\rd\n",
    "a real replacement character": "so \ufffd\ufffd it is \ufffd",
    "ends in the middle of a family": "x 👩\u200d",
}


def byte_fallback() -> PreTrainedTokenizerFast:
    """A tokenizer of the kind of Llama 2: words with ▁ for their space, and bytes for what it has no token for."""
    words = ["▁The", "▁bike", "▁is", "▁", *"abcdefghijklmnopqrstuvwxyz.,!?"]
    vocab = {"<unk>": 0, "</s>": 1} | {f"<0x{i:02X}>": 2 + i for i in range(256)}
    vocab |= {word: len(vocab) + i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.BPE(vocab, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="</s>")


def fallback_ids(tokenizer: PreTrainedTokenizerFast, words: str) -> list[int]:
    vocab = tokenizer.get_vocab()
    return [vocab["▁The"]] + [
        token
        for character in words.replace(" ", "▁")
        for token in ([vocab[character]] if character in vocab else [2 + byte for byte in character.encode()])
    ]


@pytest.fixture(scope="module")
def chat():
    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


@pytest.fixture(scope="module")
def own():
    return BPETokenizer.train(" ".join(TEXTS.values()) * 3, 330)


def pieces(tokenizer, ids: list[int], **options) -> list[str]:
    """What `stream` gives for a model that says these ids."""
    V = max([*ids, 300]) + 1
    return list(stream(Saying(ids, V=V), tokenizer, [1], len(ids), ignore_eos=True, **options))


def assert_no_character_is_split(shown: list[str]) -> None:
    whole = "".join(shown)
    starts, at = {match.start() for match in regex.finditer(r"\X", whole)} | {len(whole)}, 0
    for piece in shown:
        assert piece
        at += len(piece)
        assert at in starts, (shown, at)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("tokenizer", ["chat", "own", "bytes", "byte fallback"])
def test_pieces_join_to_the_reply_and_split_no_character(name, tokenizer, request):
    if tokenizer == "bytes":
        tokenizer, ids = Bytes(), list(TEXTS[name].encode())
    elif tokenizer == "byte fallback":
        tokenizer = byte_fallback()
        ids = fallback_ids(tokenizer, TEXTS[name])
    else:
        tokenizer = request.getfixturevalue(tokenizer)
        ids = tokenizer.encode(TEXTS[name])
    shown = pieces(tokenizer, ids)
    assert "".join(shown) == reply_text(tokenizer, ids)
    assert_no_character_is_split(shown)
    assert len(shown) > 1 or len(regex.findall(r"\X", "".join(shown))) < 3  # it does stream


def test_the_check_of_split_characters_sees_one():
    for split in (["e", "\u0301"], ["👩\u200d", "👩"], ["🇰", "🇷"], ["\r", "\n"]):
        with pytest.raises(AssertionError):
            assert_no_character_is_split(split)


@pytest.mark.parametrize("seed", range(8))
def test_random_tokens_join_to_what_the_tokenizer_decodes(seed, chat):
    """Half-characters, special tokens, bytes that no token spells: whatever a confused model may say."""
    draw = random.Random(seed)
    awkward = [i for i in range(len(chat)) if "\ufffd" in chat.decode([i])] + chat.all_special_ids
    ids = [draw.choice(awkward) if draw.random() < 0.6 else draw.randrange(len(chat)) for _ in range(150)]
    shown = pieces(chat, ids)
    assert "".join(shown) == chat.decode(ids, skip_special_tokens=True)
    assert_no_character_is_split(shown)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_that_never_ends_shows_as_the_tokenizer_decodes_it(cut):
    ids = list("so 🚲".encode())[:-cut]
    assert pieces(Bytes(), ids) == ["s", "o", " \ufffd"]
    tokenizer = byte_fallback()
    ids = fallback_ids(tokenizer, " so 🚲")[:-cut]
    assert "".join(pieces(tokenizer, ids)) == "The so " + "\ufffd" * (4 - cut)


def test_a_piece_is_shown_when_the_next_token_has_come():
    reply, shown = ReplyText(Bytes()), []
    for token in text("Go é!"):
        reply.put(token)
        shown.append(reply.take())
    assert shown == ["", "G", "o", "", " ", "é"]
    assert reply.take(last=True) == "!" and reply.take(last=True) == ""


def test_special_tokens_are_not_shown(chat):
    assert "".join(pieces(chat, [1, *chat.encode("Hello"), 2, *chat.encode(" you"), 2])) == "Hello you"


def test_what_ends_the_reply_is_not_shown():
    ids = text("Yes, sir. No")
    for end in ({"eos_ids": ord(".")}, {"stop": ord(".")}, {"stop": "."}, {"stop": ["sir?", ". "]}):
        shown = list(stream(Saying(ids), Bytes(), [1], len(ids), **end))
        assert "".join(shown) == "Yes, sir"
    assert list(stream(Saying(ids), Bytes(), [1], len(ids), stop="Y")) == []


def test_a_stop_string_that_begins_and_does_not_come_is_shown_late():
    ids = text("a\nUse b")
    assert pieces(Bytes(), ids, stop="\nUser:") == ["a", "\nUse", " ", "b"]


@pytest.mark.parametrize("seed", range(30))
def test_no_part_of_a_stop_string_is_ever_shown(seed):
    """Texts and stop strings over three letters, so that they overlap, begin again and end in each other."""
    draw = random.Random(seed)
    stops = ["".join(draw.choices("ab\n", k=draw.randint(1, 5))) for _ in range(draw.randint(1, 3))]
    tokenizer = BPETokenizer.train("".join(draw.choices("ab\n", k=400)), 270)
    words = "".join(draw.choices("ab\n", k=80))
    ids = tokenizer.encode(words)
    shown = pieces(tokenizer, ids, stop=stops)
    until = next((n for n in range(1, len(ids) + 1) if any(stop in tokenizer.decode(ids[:n]) for stop in stops)), None)
    so_far = tokenizer.decode(ids[:until])
    first = min((so_far.find(stop) for stop in stops if stop in so_far), default=len(so_far))
    assert "".join(shown) == so_far[:first] == reply_text(tokenizer, ids[:until], stops)


def test_nothing_runs_before_the_first_piece_is_asked_for_and_no_more_than_asked():
    calls = []

    class Watched(Saying):
        def __call__(self, ids, cache=None):
            calls.append(ids.shape[1])
            return super().__call__(ids)

    running = stream(Watched(text("Hello there")), Bytes(), [1], 11)
    assert calls == []
    assert next(running) == "H" and calls == [1, 2]
    assert torch.is_inference_mode_enabled() is False  # a paused stream leaves the reader's mode alone
    running.close()


def test_a_stop_string_that_is_a_special_token_stops_at_its_id(chat):
    ids = [*chat.encode("Hi"), 1, *chat.encode("user")]
    assert "".join(pieces(chat, ids, stop="<|im_start|>")) == "Hi"
