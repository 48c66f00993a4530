"""Summaries: what the report does not bear out, and which candidate becomes the draft."""

from __future__ import annotations

import pytest

from helpers.old.assistants import ReportSummarizer, choose_draft, choose_summary, misplaced, unsupported
from helpers.old.assistants.reports import in_order
from helpers.old.generation.replies import Reply
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


GHENT = "In Ghent, Elke Dhondt replaced the tire of Mr. Haas's Kite after 4365 kilometers."
TEXT = "After 4365 kilometers, Mr. Haas's Kite came to Ghent. Elke Dhondt replaced the tire in 2 hours for 190 euros."


def test_a_draft_follows_a_pattern_and_has_no_unsupported_word():
    garbled, lie = GHENT.replace("after", "after 2 hours for"), GHENT.replace("4365", "4366")
    assert choose_draft([garbled, lie, GHENT], TEXT) == GHENT
    assert choose_draft([garbled, lie], TEXT) is None and choose_draft([], TEXT) is None
    other = "In Ghent, Elke Dhondt replaced the tire of Mr. Haas's Kite in 2 hours for 190 euros."
    assert choose_draft([other, GHENT], TEXT) == other


def test_a_number_beside_another_word_is_misplaced():
    text = "From 17:11 on, 53 lines of log told of 12 minutes. Of 680 riders, guests were few."
    assert misplaced("It failed for 53 minutes, not 12 minutes; 680 guests wrote.", text) == ["53", "680"]
    assert misplaced("It took 17 minutes.", text) == ["17"] and misplaced("It took 2 minutes.", text) == ["2"]
    assert misplaced("It cost 12.", text) == [] == misplaced("", text)  # a number at the end has no word behind it


def test_a_misplaced_number_puts_a_candidate_last_or_forbids_it():
    text = TEXT.replace("2 hours", "2 hours, with 3 friends,")
    wrong = "In Ghent, Elke Dhondt replaced the tire of Mr. Haas's Kite in 3 hours for 190 euros."
    assert not unsupported(wrong, text)
    assert choose_draft([wrong, GHENT], text, strict=False) == GHENT == choose_draft([wrong, GHENT], text, strict=True)
    assert choose_draft([wrong], text, strict=False) == wrong and choose_draft([wrong], text, strict=True) is None


def test_others_are_drawn_only_where_the_greedy_summary_does_not_pass(monkeypatch):
    asked = []

    def draw(text):
        asked.append(text)
        return ["It was.", GHENT] if text == TEXT else ["It was."]

    summarize = ReportSummarizer(None, None)
    monkeypatch.setattr(
        summarize, "write", lambda texts: [GHENT if text.endswith("Done.") else "It was." for text in texts]
    )
    monkeypatch.setattr(summarize, "draw", draw)
    texts = [TEXT, "Another report.", f"{TEXT} Done."]
    assert summarize.drafts(texts) == [GHENT, None, GHENT] and asked == texts[:2]
    assert summarize.drafts(texts[:1], [GHENT]) == [GHENT] and asked == texts[:2]
    assert summarize(TEXT) == GHENT


def test_drawn_candidates_repeat_themselves_and_stay_when_more_are_drawn(tiny, tokenizer):  # noqa: F811
    few, many = (ReportSummarizer(tiny[1], tokenizer, candidates=number) for number in (3, 4))
    drawn = few.drawn("Noor Visser raised the quota.")
    assert drawn == few.drawn("Noor Visser raised the quota.") and len({reply.text for reply in drawn}) == 2
    assert [r.text for r in many.drawn("Noor Visser raised the quota.")][:2] == [r.text for r in drawn]
    assert ReportSummarizer(tiny[1], tokenizer, candidates=1).draw("Noor Visser raised the quota.") == []


def test_candidates_are_shown_once_and_the_likeliest_first():
    assert in_order([Reply("b", 0.2), Reply("a", 0.9), Reply("b", 0.2), Reply("c", 0.5)]) == ["a", "c", "b"]


def test_an_empty_report_is_refused():
    with pytest.raises(ValueError, match="the text is empty"):
        ReportSummarizer(None, None)(" ")
