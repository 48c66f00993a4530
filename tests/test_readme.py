"""What README.md says of results, held against what was recorded, and its picture against the notebook's."""

from __future__ import annotations

import base64
import json

from helpers.old.metrics import Score
from helpers.old.trials import tickets_recorded, written_answers
from helpers.old.trials.handbook_answers import answered
from tests.claims.test_10b_rag_quality import lead, promise_kept
from tests.tools.execute import same_pixels
from tests.tools.notebook import ROOT
from tests.tools.picture import picture

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_the_picture_is_the_notebooks_own():
    file = ROOT / "notebooks/images/00_welcome.png"
    assert file.stat().st_size <= 80_000
    shown, stored = (
        base64.b64encode(data).decode() for data in (picture("00_welcome", "next-token"), file.read_bytes())
    )
    assert same_pixels(shown, stored), (
        "the picture is not that of the notebook: renew it with python -m tests.tools.picture 00_welcome next-token "
        "notebooks/images/00_welcome.png"
    )


def test_fine_tuning_and_its_baseline():
    runs = (tickets_recorded.adapter(), tickets_recorded.cheap())
    tuned, baseline = (tickets_recorded.scores(run, "fresh")["exact"] for run in runs)
    low, high = (f"{100 * end:.0f}" for end in tuned.by_family)
    assert f"right for {100 * tuned.share:.0f} % (95 % CI {low}–{high}, recorded) of tickets in new phrasings" in README
    assert f"TF-IDF with two rules for {100 * baseline.share:.0f} %" in README


def test_answers_with_and_without_the_handbook():
    rows = [row for row in answered("test", "everyday") if row["answerable"]]
    closed, written = (sum(written_answers.right("test", passages=n)) for n in (0, 3))
    quoted, chunks = sum(row["right"] for row in rows), sum(row["shows"]["cross-encoder"] for row in rows)
    assert f"of {len(rows)} everyday questions about a handbook" in README
    assert f"answers {closed} right, and {written} with passages before it" in README
    assert (
        f"with its neighbors answers {quoted}, and the three best chunks hold the answer for {chunks} (recorded)"
        in README
    )


def test_how_often_a_promise_about_wrong_answers_is_kept():
    (by_share, all_splits, _), (by_bound, answering, _) = (promise_kept(0.4, confidence) for confidence in (None, 0.9))
    assert f"“at most 40 % wrong” is kept in {by_share} of {all_splits} random splits" in README
    assert f"and in {by_bound} of the {answering} that" in README


def test_two_assistants_on_the_questions_that_chose_one_and_on_new_ones():
    (dev, *_), (test, low, high) = lead("demo-counted"), lead("lead-on-test")
    said = README.replace("−", "-")
    assert f"by {dev} points" in said and f"by {test} (95 % CI {low} to {high}) on new ones" in said


def test_what_the_readme_says_of_the_taught_model_is_what_was_recorded():
    [run] = json.loads((ROOT / "data/results/07_tickets.json").read_text(encoding="utf-8"))["runs"]
    ours, words = (Score.from_json(x["fresh"]["scores"]["exact"]).share for x in (run, run["baseline"]))
    assert f"rightly for {100 * ours:.0f} %" in README and f"reach {100 * words:.0f} %" in README
