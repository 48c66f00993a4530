"""Summaries: what the report does not bear out, and which candidate becomes the draft."""

from __future__ import annotations

import pytest

from helpers.assistants import ReportSummarizer, choose_summary, unsupported
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401


@pytest.mark.parametrize(
    ("summary", "text", "found"),
    [
        ("The app was dead for 17 minutes.", "For 170 minutes it was dead.", ["17"]),
        ("Ghent paid 12 euros to Mr. Haas.", "Mr. Haas paid 12 euros.", []),  # the first word is left out
        ("In Ghent, Haas rode.", "haas rode in Graz.", ["Ghent", "Haas"]),
        ("12 of 12", "11", ["12", "12"]),
        ("It showed E04.", "It showed E05.", ["E04"]),
        ("", "text", []),
    ],
)
def test_unsupported_words_are_told_in_order(summary, text, found):
    assert unsupported(summary, text) == found


def test_the_first_clean_candidate_is_chosen_or_none():
    text = "Mr. Haas paid 12 euros in Ghent."
    assert choose_summary(["Mr. Lang paid 12.", "It cost 12.", "In Ghent, Haas paid."], text) == 1
    assert choose_summary(["In Ghent, it was."], text) == 0
    assert choose_summary(["It cost 13.", "It was Lang."], text) is None and choose_summary([], text) is None


def test_the_greedy_summary_is_the_draft_if_it_is_clean_and_else_the_likeliest_clean_one(monkeypatch):
    said = {"It cost 12 euros.": ["It cost 13.", "It cost 12."], "No number.": ["It cost 9."], "In 3 days.": []}
    greedy = {"It cost 12 euros.": "It cost 11.", "No number.": "It was 7.", "In 3 days.": "In 3 days it ends."}
    summarize = ReportSummarizer(None, None)
    monkeypatch.setattr(summarize, "write", lambda texts: [greedy[text] for text in texts])
    monkeypatch.setattr(summarize, "draw", lambda text: said[text])
    assert summarize.drafts(list(said)) == ["It cost 12.", None, "In 3 days it ends."]


def test_drawn_candidates_differ_and_repeat_themselves(tiny, tokenizer):  # noqa: F811
    summarize = ReportSummarizer(tiny[1], tokenizer, candidates=3)
    drawn = summarize.draw("Noor Visser raised the quota.")
    assert drawn == summarize.draw("Noor Visser raised the quota.") and len(set(drawn)) == len(drawn) > 1


def test_an_empty_report_is_refused():
    with pytest.raises(ValueError, match="the text is empty"):
        ReportSummarizer(None, None)(" ")
