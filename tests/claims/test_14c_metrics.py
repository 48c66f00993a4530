"""What 14c_metrics and README.md may say of metrics, leaks and guards, held against data, page and outputs."""

from __future__ import annotations

import re

import numpy as np

from helpers import metrics
from helpers.evaluation import load_suite, paired_difference
from helpers.files import RESULTS, read_json
from helpers.metrics import ROUGE, Containment, Metric, TokenF1
from helpers.trials import metric_lies
from helpers.trials.six_answers import load_six
from helpers.velunda import load_tickets
from helpers.velunda.tickets import MORE
from tests.tools import hygiene
from tests.tools.notebook import ROOT

README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
RUNS = {run["case"]["leak"]: run for run in read_json(RESULTS / "14_contamination.json")["runs"]}
MARKS = {
    leak: {part: np.array(list(row), dtype=int) for part, row in run["right"].items()} for leak, run in RUNS.items()
}


# Seven metrics -------------------------------------------------------------------------------------------------------


def test_four_of_seven_metrics_prefer_the_salad_to_a_right_answer(page, printed, prose):
    [alt] = [text for cell in page.code if cell.id == "scores-figure" for text in hygiene.alt_texts(cell)]
    found = dict(re.findall(r"(?:table of scores\. |; )([\w\- ]+): (A right [^;]+)", alt))
    ahead = []
    for name, row in found.items():
        a, salad = (float(re.search(rf"{label} ([\d.]+)", row)[1].rstrip(".")) for label in ("A right", "word salad"))
        ahead += [name] if salad > a else []
    assert len(found) == 7 and "4 metrics" in printed["scores"]
    assert ahead == ["chrF", "ROUGE-1", "token F1", "BERTScore"]
    assert "perfect by ROUGE-1 and by token F1" in prose and "ahead of A by chrF and BERTScore, too" in prose


def test_a_salad_gets_less_than_half_of_a_copy_by_rouge_l_and_b_loses_one_word_of_22(prose):
    case = load_six()
    words = re.findall(r"[a-z0-9]+", case.reference.lower())
    b = re.findall(r"[a-z0-9]+", case.answers[1].text.lower())
    assert len(words) == len(b) == 22 and sum(x != y for x, y in zip(words, b, strict=True)) == 1
    assert "B loses one word of twenty-two" in prose


def test_the_worked_example_of_rouge_l(prose):
    [score] = ROUGE().each(predictions=["wait 4 long hours"], references=["wait at least 4 hours"])["rougeL"]
    assert f"F1 is 2 · 3 / (4 + 5) = {score:.2f}" in prose


def test_bleu_gives_zero_to_right_answers(printed):
    zeros = [line for line in printed["bleu-equal"].splitlines() if line.startswith("  0.0")]
    assert any("Give it a long rest" in line for line in zeros) and any("At least 4 hours." in line for line in zeros)
    assert "equal to its reference: 0.0" in printed["bleu-equal"]


def test_a_dangerous_answer_that_passes_all_three_exists(printed):
    """By ROUGE-L and containment; BERTScore needs the network, and the exercise's text asks for all three."""
    case = load_six()
    bad = case.reference.replace("at least", "at most").replace("must not be", "must be")
    given = {"predictions": [bad, case.answers[0].text]}
    theirs, good = ROUGE().each(**given, references=[case.reference] * 2)["rougeL"]
    assert theirs > good
    assert Containment().each(**given, references=[list(case.accepted)] * 2)["containment"] == [1, 1]
    assert "No answer yet" in printed["dangerous"]


def test_hindi_takes_as_many_tokens_as_the_text_says(printed, prose):
    rows = [line.split(maxsplit=3) for line in printed["bits"].splitlines()[1:]]
    assert f"cuts it into {rows[-1][0]} small pieces" in prose
    assert float(rows[4][2]) > 2 * float(rows[0][2]), "the salad costs more than twice as many bits"


# Contamination -------------------------------------------------------------------------------------------------------


def test_what_is_said_of_the_leak(prose):
    suite = load_suite("tickets")
    n_families = len({item.group for item in suite.items})
    assert f"{len(suite.items)} fresh tickets. These come in {n_families} *families*" in prose
    assert RUNS["first tickets"]["added"] == n_families
    assert f"its {len(load_tickets('train')) + len(load_tickets(MORE)):,} training tickets" in prose
    assert RUNS["first tickets"]["found by leaked"] == {"first tickets": n_families, "second tickets": 0}
    rise = {part: MARKS["first tickets"][part].sum() - row.sum() for part, row in MARKS["nothing"].items()}
    assert rise["first tickets"] > rise["second tickets"] > 0


def control():
    suite = load_suite("tickets")
    first, second = ([item.group for item in suite.items if item.id.endswith(end)] for end in ("-1", "-2"))
    halves = [name for name in RUNS if "families" in name]
    assert [RUNS[name]["added"] for name in halves] == [39, 38]
    own = [halves[0] if group in first[0::2] else halves[1] for group in second]
    other = [halves[1] if name == halves[0] else halves[0] for name in own]
    return (np.array([MARKS[name]["second tickets"][i] for i, name in enumerate(names)]) for names in (own, other))


def test_a_sibling_makes_the_difference_and_as_many_other_tickets_do_not(printed, prose):
    sibling, others = control()
    leak, kind = paired_difference(sibling, others), paired_difference(others, MARKS["nothing"]["second tickets"])
    assert str(leak) in printed["control"] and str(kind) in printed["control"]
    assert leak.low > 0 and kind.low < 0 < kind.high
    assert "For about 38 more tickets of the same kind no gain is shown" in prose


def test_what_the_readme_says_of_the_leak():
    found = paired_difference(*control())
    points = [f"{100 * value:.0f}" for value in (found.difference, found.low, found.high)]
    assert f"ahead by {points[0]} points (95 % CI {points[1]}–{points[2]}, recorded)" in README


def test_the_record_holds_a_mark_for_each_ticket():
    for rows in MARKS.values():
        sizes = {part: len(row) for part, row in rows.items()}
        assert sizes == {"first tickets": 77, "second tickets": 77, "older test split": len(load_tickets("test"))}


# Known bad answers ---------------------------------------------------------------------------------------------------


def test_sixteen_questions_five_attacks_and_the_metric_s_base_class(prose):
    assert f"The course has {len(metric_lies.QUESTIONS)} questions" in prose and len(metric_lies.ATTACKS) == 5
    assert issubclass(TokenF1, Metric)


def test_the_guard_halves_two_attacks_and_refuses_right_answers(printed, prose):
    rows = {
        name: [int(cell.split(" of ")[0]) for cell in cells.strip(" |").split("|")]
        for name, cells in re.findall(r"^\| (ROUGE-L|guarded ROUGE-L) (\|.*)$", printed["guarded"], re.MULTILINE)
    }
    for plain, kept in zip(rows["ROUGE-L"][1:3], rows["guarded ROUGE-L"][1:3], strict=True):
        assert kept <= plain / 2
    assert rows["ROUGE-L"][0] == rows["guarded ROUGE-L"][0] and rows["ROUGE-L"][4] == rows["guarded ROUGE-L"][4]
    assert "24 months" in printed["guarded"] and "Nobody over 22 kg" in printed["guarded"]
    assert "Word salad passes as before" in prose and "a second denial" in prose


def test_padding_passes_the_guard_by_its_second_denial(page):
    names = {"metrics": metrics}
    [guard] = [cell.source for cell in page.code if cell.id == "guard"]
    exec(guard, names)
    padded = [(metric_lies.padded(each.reference), each.reference) for each in metric_lies.QUESTIONS]
    assert all(names["passes"](text, reference) for text, reference in padded)
    politeness = "Please do not hesitate"
    assert not any(names["passes"](text.partition(politeness)[0], reference) for text, reference in padded)


def test_most_siblings_share_a_run_of_six_words(prose):
    def runs(text):
        words = text.lower().split()
        return {tuple(words[i : i + 6]) for i in range(len(words) - 5)}

    families = {}
    for item in load_suite("tickets").items:
        families.setdefault(item.group, []).append(runs(item.input))
    shared = [bool(first & second) for first, second in families.values()]
    assert len(shared) == 77 and sum(shared) > len(shared) / 2
    assert "would find many siblings, too" in prose
