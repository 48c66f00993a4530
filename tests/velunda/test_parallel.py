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
NAMES = re.compile(r"Velunda (?:Kite|Otter)|VE-[0-9]+")


def digits(sentence: str) -> Counter[str]:
    """Each number with how often it stands in the sentence: the order may differ between languages."""
    return Counter(re.findall(r"\d+", sentence))


def test_there_are_24_sentences_in_eight_languages():
    assert list(TEXTS) == ["English", "Spanish", "German", "Turkish", "Russian", "Arabic", "Hindi", "Chinese"]
    assert {name: len(sentences) for name, sentences in TEXTS.items()} == dict.fromkeys(TEXTS, 24)
    assert [entry["code"] for entry in LANGUAGES.values()] == ["en", "es", "de", "tr", "ru", "ar", "hi", "zh"]


@pytest.mark.parametrize("language", TEXTS)
def test_numbers_and_product_names_equal_the_english_ones(language: str):
    for english, sentence in zip(TEXTS["English"], TEXTS[language], strict=True):
        assert digits(sentence) == digits(english), sentence
        assert Counter(NAMES.findall(sentence)) == Counter(NAMES.findall(english)), sentence


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_texts_are_nfc_without_control_characters_or_stray_spaces(texts: list[str]):
    for text in texts:
        assert unicodedata.is_normalized("NFC", text)
        unseen = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn")}
        assert not unseen, text
        assert not re.search(r"[ \t\u00a0]$", text, re.MULTILINE) and text[0] != " "


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
