"""Rating pairs blind: in the pair's own order, kept after each click, never lost to a damaged file."""

from __future__ import annotations

import pytest

from helpers.old.evaluation import load_pairs, my_ratings, rating_form, write_rating
from helpers.old.evaluation.rating import build, exchanged, plain_text, static_html

PAIRS = load_pairs("test")[:12]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "evaluation" / "ratings.json"


def test_a_rating_is_kept_in_the_pairs_own_order(file):
    assert {exchanged(pair) for pair in PAIRS} == {True, False}
    for pair in PAIRS:
        write_rating(pair.id, "first", file)
    assert my_ratings(file) == {pair.id: "b" if exchanged(pair) else "a" for pair in PAIRS}
    write_rating(PAIRS[0].id, "equal", file)
    write_rating(PAIRS[1].id, "", file)
    kept = my_ratings(file)
    assert kept[PAIRS[0].id] == "tie" and PAIRS[1].id not in kept and len(kept) == 11


def test_the_answer_that_is_called_first_is_shown_first():
    for pair in PAIRS:
        one, other = (pair.b, pair.a) if exchanged(pair) else (pair.a, pair.b)
        [first], [second] = (
            [line[15:] for line in plain_text([pair]).splitlines() if line.strip().startswith(name)]
            for name in ("first ", "second ")
        )
        assert " ".join(one.text.split()).startswith(first[:20])
        assert " ".join(other.text.split()).startswith(second[:20])


def test_no_system_is_named():
    for shown in (plain_text(PAIRS), static_html(PAIRS)):
        assert not any(f">{name}<" in shown or f"  {name}  " in shown for name in ("quoted", "reader", "slip", "short"))


def test_a_click_rates_and_goes_on(file):
    text, row, moves, said = build(PAIRS, file).children
    choices, (back, onward) = row.children, moves.children
    assert "1 of 12" in text.value and "0 of 12 rated" in said.value and back.disabled
    choices[1].click()
    assert "2 of 12" in text.value and "1 of 12 rated" in said.value
    assert my_ratings(file) == {PAIRS[0].id: "a" if exchanged(PAIRS[0]) else "b"}
    back.click()
    assert [button.button_style for button in choices] == ["", "primary", "", ""]
    onward.click()
    assert "2 of 12" in text.value
    assert "2 of 12" in build(PAIRS, file).children[0].value, "it goes on at the first pair that is not rated"


def test_a_damaged_file_is_set_aside(file, capsys):
    file.parent.mkdir(parents=True)
    file.write_text('{"ratings": {"p001": "better"}}', encoding="utf-8")
    assert my_ratings(file) == {} and "set aside" in capsys.readouterr().out
    assert list(file.parent.glob("ratings.corrupt-1.json"))


@pytest.mark.parametrize(("pair", "said"), [("p999", "first"), (PAIRS[0].id, "a")])
def test_what_is_no_rating_is_refused(file, pair, said):
    with pytest.raises(ValueError, match="There is no pair 'p999'|A rating is one of first, second"):
        write_rating(pair, said, file)


def test_no_pairs_no_form():
    with pytest.raises(ValueError, match="no pairs to rate"):
        rating_form([])


def test_answers_are_whole_and_the_section_that_raters_had_unfolds():
    by_id = {pair.id: pair for pair in load_pairs()}
    shown = plain_text([by_id["p091"]])
    assert all(" ".join(answer.text.split()) in shown for answer in (by_id["p091"].a, by_id["p091"].b))
    assert "the whole section" in static_html([by_id["p102"]])
    unanswered = next(pair for pair in by_id.values() if pair.passage is None)
    assert "the whole section" not in static_html([unanswered])
