"""The parallel texts are aligned, clean and in the right script."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter

import pytest

from helpers.files import DataUnavailable, safe_files
from helpers.velunda import parallel as module
from helpers.velunda import parallel_texts

TEXTS = parallel_texts()
CONTENT = json.loads(module.FILE.read_text(encoding="utf-8"))
LANGUAGES = CONTENT["languages"]
# How the Unicode name of a letter begins: "CYRILLIC SMALL LETTER A", "CJK UNIFIED IDEOGRAPH-8BF7".
LETTER_NAMES = {"Latin": "LATIN", "Cyrillic": "CYRILLIC", "Arabic": "ARABIC", "Devanagari": "DEVANAGARI", "Han": "CJK"}
NAMES = re.compile(r"Velunda (?:Kite|Otter)|VE-[0-9]+")
# Turkish knows no q, w and x, and â only in a few words.
ALPHABETS = {
    "English": "abcdefghijklmnopqrstuvwxyz",
    "Spanish": "abcdefghijklmnopqrstuvwxyzáéíóúüñ",
    "German": "abcdefghijklmnopqrstuvwxyzäöüß",
    "Turkish": "abcdefghijklmnoprstuvyzçğıöşüâ",
    "Russian": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
}
TELLTALE = {"Spanish": "ñáéíó", "German": "ßä", "Turkish": "ışğ"}  # no other of these languages writes them


def digits(sentence: str) -> Counter[str]:
    """Each number with how often it stands in the sentence: the order may differ between languages."""
    return Counter(re.findall(r"\d+", sentence))


def share_of_script(sentence: str, script: str) -> float:
    """Fraction of letters and marks in the script, the names of products and units left out."""
    text = NAMES.sub("", sentence).replace("°C", "")
    letters = [character for character in text if unicodedata.category(character)[0] in "LM"]
    return sum(unicodedata.name(letter).startswith(LETTER_NAMES[script]) for letter in letters) / len(letters)


def test_there_are_24_sentences_in_eight_languages():
    assert list(TEXTS) == ["English", "Spanish", "German", "Turkish", "Russian", "Arabic", "Hindi", "Chinese"]
    assert {name: len(sentences) for name, sentences in TEXTS.items()} == dict.fromkeys(TEXTS, 24)
    assert [entry["code"] for entry in LANGUAGES.values()] == ["en", "es", "de", "tr", "ru", "ar", "hi", "zh"]


def test_no_sentence_stands_twice():
    everything = [text for texts in TEXTS.values() for text in texts]
    assert len(set(everything)) == len(everything) == 8 * 24


@pytest.mark.parametrize("language", TEXTS)
def test_numbers_and_product_names_equal_the_english_ones(language: str):
    for english, sentence in zip(TEXTS["English"], TEXTS[language], strict=True):
        assert digits(sentence) == digits(english), sentence
        assert Counter(NAMES.findall(sentence)) == Counter(NAMES.findall(english)), sentence


def test_all_digits_are_western_and_most_sentences_hold_one():
    assert all(
        re.findall(r"\d", sentence, re.ASCII) == re.findall(r"\d", sentence) for s in TEXTS.values() for sentence in s
    )
    assert sum(bool(digits(sentence)) for sentence in TEXTS["English"]) >= 12


@pytest.mark.parametrize("language", TEXTS)
def test_every_letter_of_a_sentence_is_of_its_script(language: str):
    script = LANGUAGES[language]["script"]
    assert [s for s in TEXTS[language] if share_of_script(s, script) < 1] == []


@pytest.mark.parametrize("language", ALPHABETS)
def test_every_letter_is_of_the_alphabet_of_its_language(language: str):
    for sentence in TEXTS[language]:
        text = NAMES.sub("", sentence).replace("°C", "").replace("İ", "i").lower()
        assert {letter for letter in text if letter.isalpha()} <= set(ALPHABETS[language]), sentence


@pytest.mark.parametrize("language", TELLTALE)
def test_most_sentences_hold_a_letter_that_only_their_language_writes(language: str):
    def count(sentences: list[str]) -> int:
        return sum(any(letter in sentence for letter in TELLTALE[language]) for sentence in sentences)

    assert count(TEXTS[language]) >= 12
    assert [count(TEXTS[other]) for other in ("English", *TELLTALE) if other != language] == [0, 0, 0]


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_texts_are_nfc_without_control_characters_or_stray_spaces(texts: list[str]):
    for text in texts:
        assert unicodedata.is_normalized("NFC", text)
        unseen = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn")}
        assert not unseen, text
        assert not re.search(r"[ \t\u00a0]$", text, re.MULTILINE) and text[0] != " "


def test_every_sentence_ends_like_one_and_a_question_is_a_question_everywhere():
    for language, sentences in TEXTS.items():
        for english, sentence in zip(TEXTS["English"], sentences, strict=True):
            assert sentence[-1] in ".?؟।。？", (language, sentence)
            assert (sentence[-1] in "?؟？") == (english[-1] == "?"), (language, sentence)


def test_english_sentences_have_8_to_30_words():
    assert [s for s in TEXTS["English"] if not 8 <= len(s.split()) <= 30] == []


def test_each_call_gives_new_lists():
    parallel_texts()["English"].clear()
    assert len(parallel_texts()["English"]) == 24


@pytest.mark.parametrize(
    "content, word", [(None, "cannot be read"), ("{", "damaged"), ("[]", "damaged"), ("{}", "damaged")]
)
def test_a_missing_or_damaged_file_gives_one_sentence_with_the_cure(tmp_path, monkeypatch, content, word):
    file = tmp_path / "data" / "velunda" / "parallel_texts.json"
    file.parent.mkdir(parents=True)
    if content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setattr(module, "FILE", file)
    monkeypatch.setattr(safe_files, "ROOT", tmp_path)
    with pytest.raises(DataUnavailable, match=word) as caught:
        parallel_texts()
    assert "git checkout -- data/velunda/parallel_texts.json" in str(caught.value)
    assert str(caught.value).count(". ") == 0 and "\n" not in str(caught.value)
