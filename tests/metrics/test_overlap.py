"""BLEU, chrF and ROUGE: equal to their packages on random texts; what they do with other scripts and empty texts."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from helpers.old.metrics import BLEU, ROUGE, ChrF, unicode_words

WORDS = "the a battery charges in 4.5 hours, 2 years warranty; don't open! €49 Velunda C2 brake brakes braking".split()


def random_texts(n: int, several: bool, seed: int) -> tuple[list[str], list[list[str]]]:
    """Pairs that share some of their words: a text, and one to three that were made from it by losing and swapping."""
    rng = np.random.default_rng(seed)
    predictions, references = [], []
    for _ in range(n):
        words = rng.choice(WORDS, rng.integers(0, 16)).tolist()
        predictions.append(" ".join(words))
        made = []
        for _ in range(rng.integers(1, 4) if several else 1):
            kept = [word if rng.random() < 0.7 else str(rng.choice(WORDS)) for word in words if rng.random() < 0.9]
            made.append(" ".join(kept) or str(rng.choice(WORDS)))
        references.append(made)
    return predictions, references


@pytest.mark.parametrize("several", [False, True])
def test_bleu_equals_sacrebleu_on_200_random_pairs(several):
    predictions, references = random_texts(200, several, seed=1)
    columns = [[row[i] if i < len(row) else None for row in references] for i in range(3 if several else 1)]
    theirs = sacrebleu.corpus_bleu(predictions, columns)
    ours = BLEU().compute(predictions=predictions, references=references)
    assert ours["bleu"] == pytest.approx(theirs.score, abs=1e-9) and ours["brevity_penalty"] == pytest.approx(theirs.bp)
    assert 5 < ours["bleu"] < 95
    each = [sacrebleu.sentence_bleu(text, row).score for text, row in zip(predictions, references, strict=True)]
    assert BLEU().each(predictions=predictions, references=references)["bleu"] == pytest.approx(each, abs=1e-9)


@pytest.mark.parametrize("several", [False, True])
def test_chrf_equals_sacrebleu_on_200_random_pairs(several):
    predictions, references = random_texts(200, several, seed=2)
    columns = [[row[i] if i < len(row) else None for row in references] for i in range(3 if several else 1)]
    ours = ChrF().compute(predictions=predictions, references=references)["chrf"]
    assert ours == pytest.approx(sacrebleu.corpus_chrf(predictions, columns).score, abs=1e-9)
    each = [sacrebleu.sentence_chrf(text, row).score for text, row in zip(predictions, references, strict=True)]
    assert ChrF().each(predictions=predictions, references=references)["chrf"] == pytest.approx(each, abs=1e-9)
    plus = ChrF(word_order=2).compute(predictions=predictions, references=references)["chrf"]
    assert plus == pytest.approx(sacrebleu.corpus_chrf(predictions, columns, word_order=2).score, abs=1e-9) != ours


@pytest.mark.parametrize("stemmer", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_rouge_equals_rouge_score_on_200_random_pairs(several, stemmer):
    predictions, references = random_texts(200, several, seed=3)
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stemmer)
    theirs = [[scorer.score(one, text) for one in row] for text, row in zip(predictions, references, strict=True)]
    ours = ROUGE(stemmer=stemmer).each(predictions=predictions, references=references)
    total = ROUGE(stemmer=stemmer).compute(predictions=predictions, references=references)
    for kind in ("rouge1", "rouge2", "rougeL"):
        best = [max(scores[kind].fmeasure for scores in row) for row in theirs]
        assert ours[kind] == pytest.approx(best, abs=1e-12)
        assert total[kind] == pytest.approx(np.mean(best))


def test_a_case_by_hand():
    # four words each, three in common, in order; pairs: "sat on" and "on mats" of three each
    found = ROUGE().compute(predictions=["cats sat on mats"], references=["dogs sat on mats"])
    assert found == pytest.approx({"rouge1": 3 / 4, "rouge2": 2 / 3, "rougeL": 3 / 4})
    # 1-grams 4/5, 2-grams 3/4, 3-grams 2/3, 4-grams 1/2; five words each, so no brevity penalty
    found = BLEU().compute(predictions=["we sat on soft mats"], references=["cats sat on soft mats"])["bleu"]
    assert found == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_three_equal_words_have_no_four_gram_so_the_corpus_score_is_zero_and_the_sentence_score_is_not():
    same = {"predictions": ["two years warranty"], "references": ["two years warranty"]}
    assert BLEU().compute(**same)["bleu"] == 0
    assert BLEU().each(**same)["bleu"] == pytest.approx([100])


def test_empty_texts_score_zero():
    for prediction, reference in (("", "a cat"), ("a cat", ""), ("", "")):
        for metric in (BLEU(), ChrF(), ROUGE()):
            asked = {"predictions": [prediction], "references": [reference]}
            assert {score for name, score in metric.compute(**asked).items() if name != "brevity_penalty"} == {0.0}
            assert all(scores == [0.0] for scores in metric.each(**asked).values())


CHINESE = ["电池可以在四小时内充满。", "电池可以在五小时内充满。"]
ARABIC = ["تشحن البطارية في أربع ساعات", "تشحن البطارية في خمس ساعات"]


def test_chinese_needs_another_tokenizer_for_bleu_and_a_warning_says_which():
    with pytest.warns(UserWarning, match='tokenize="zh"'):
        assert BLEU().compute(predictions=CHINESE[:1], references=CHINESE[1:])["bleu"] == 0
    assert BLEU(tokenize="zh").compute(predictions=CHINESE[:1], references=CHINESE[1:])["bleu"] > 50
    thai = "แบตเตอรี่ชาร์จเต็มในสี่ชั่วโมง"
    with pytest.warns(UserWarning, match='tokenize="char"'):
        BLEU().compute(predictions=[thai], references=[thai])
    assert BLEU(tokenize="char").compute(predictions=[thai], references=[thai])["bleu"] == pytest.approx(100)


@pytest.mark.parametrize("pair", [CHINESE, ARABIC], ids=["Chinese", "Arabic"])
def test_rouge_calls_equal_texts_of_other_scripts_different_and_says_so(pair):
    with pytest.warns(UserWarning, match="tokenizer=unicode_words"):
        found = ROUGE().compute(predictions=pair, references=pair)
    assert set(found.values()) == {0.0}
    mended = ROUGE(tokenizer=unicode_words)
    assert set(mended.compute(predictions=pair, references=pair).values()) == {1.0}
    assert 0.5 < mended.compute(predictions=pair[:1], references=pair[1:])["rougeL"] < 1


@pytest.mark.parametrize("pair", [CHINESE, ARABIC], ids=["Chinese", "Arabic"])
def test_chrf_works_in_every_script(pair, recwarn):
    assert ChrF().compute(predictions=pair, references=pair)["chrf"] == pytest.approx(100)
    assert 30 < ChrF().compute(predictions=pair[:1], references=pair[1:])["chrf"] < 95
    assert not recwarn.list


def test_latin_and_arabic_words_raise_no_warning_in_bleu(recwarn):
    assert BLEU().compute(predictions=ARABIC, references=ARABIC)["bleu"] == pytest.approx(100)
    ROUGE().compute(predictions=["Der Akku hält.", "49 €", "?!"], references=["Die Akkus halten.", "49", ""])
    assert not recwarn.list


def test_the_signature_names_what_a_score_depends_on():
    metric = BLEU(tokenize="zh", lowercase=True)
    assert metric.signature == "nothing was scored yet"
    metric.compute(predictions=["a"], references=[["a", "b"]])
    assert "nrefs:2|case:lc" in metric.signature and "tok:zh" in metric.signature
    assert f"version:{sacrebleu.__version__}" in metric.signature


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="13a.*not 'klingon'"):
        BLEU(tokenize="klingon")
    with pytest.raises(ValueError, match="stem in yours"):
        ROUGE(tokenizer=unicode_words, stemmer=True)


def test_unicode_words_cuts_scripts_without_spaces_into_characters():
    assert unicode_words("Der Akku hält 80 km!") == ["der", "akku", "hält", "80", "km"]
    assert unicode_words("电池 80km。") == ["电", "池", "80km"]
    assert unicode_words("البطارية؟ نعم") == ["البطارية", "نعم"]
    assert unicode_words("...") == []
