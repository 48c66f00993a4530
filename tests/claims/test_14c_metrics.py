"""What 14c_metrics and README.md may say of metrics, leaks and guards, held against data, page and outputs."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import sacrebleu
from helpers.evaluation import load_suite, paired_difference
from helpers.trials import metric_lies
from helpers.trials.six_answers import load_six
from helpers.velunda.tickets import MORE

from helpers import metrics
from helpers.files import RESULTS, read_json
from helpers.metrics import ROUGE, Containment, Metric, TokenF1
from helpers.velunda import load_tickets
from tests.tools import hygiene
from tests.tools.notebook import ROOT, course, output_texts

NAMED = ("token F1", "BERTScore")  # of the table in 14
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


def test_a_salad_gets_less_than_half_of_a_copy_by_rouge_l_and_b_has_one_wrong_word_of_22(printed, prose):
    case = load_six()
    words = re.findall(r"[a-z0-9]+", case.reference.lower())
    b = re.findall(r"[a-z0-9]+", case.answers[1].text.lower())
    assert len(words) == len(b) == 22 and sum(x != y for x, y in zip(words, b, strict=True)) == 1
    scores = dict(reversed(line.split("  ")) for line in printed["rouge-equal"].splitlines())
    assert f"the salad gets {scores['word salad']}, less than half" in prose and float(scores["word salad"]) < 0.5
    assert f"B has one wrong word of twenty-two and gets {scores['B dangerous']}" in prose


def test_the_worked_example_of_rouge_l(prose):
    [score] = ROUGE().each(predictions=["wait 4 long hours"], references=["wait at least 4 hours"])["rougeL"]
    assert f"F1 is 2 · 3 / (4 + 5) = {score:.2f}" in prose


def test_the_three_causes_of_small_bleu_scores(printed, prose):
    reference = load_six().reference
    rows = [re.split(r" {2,}", line.strip(), maxsplit=4) for line in printed["bleu-equal"].splitlines()[1:10]]
    zeros = [text for raw, _, penalty, _, text in rows if raw == "0.0" and penalty == "1.00000"]
    assert len(zeros) == 2 and zeros[0].startswith("Give it a long rest") and zeros[1].startswith("before be must")
    short = sacrebleu.corpus_bleu(["at least 4 hours"], [[reference]])
    assert set(short.precisions) == {100.0} and (short.sys_len, short.ref_len) == (4, 24)
    assert f"It gets {short.score:.1f} of 100" in prose and f"exp(1 − 24/4) = {short.bp:.3f}" in prose
    assert ["0.7", "0.7", "0.00674", "100, 100, 100, 100", "at least 4 hours"] in rows
    of = {text.split(maxsplit=1)[0]: [int(share) for share in shares.split(", ")] for *_, shares, text in rows}
    assert [of[first].count(0) for first in ("Give", "I", "before")] == [3, 3, 2]  # C, D and the salad
    assert "Three of its four precisions are 0" in prose and "Three of the four precisions of C and D" in prose
    assert "and two of the salad's" in prose
    assert "for a corpus: 0.0 | for a sentence: 100" in printed["bleu-corpus"]
    for smoothing in ("none", "exp"):  # the second one is the package's usual one
        assert sacrebleu.corpus_bleu(["4 hours"], [["4 hours"]], smooth_method=smoothing).score == 0
    assert "smooth:exp" in printed["bleu-corpus"]


def test_chrf_sees_about_half_of_the_salad_and_still_prefers_it_to_a(printed):
    found = re.findall(r"([\d.]+)  (4 hour|4 minutes|word salad|A|a copy .+)$", printed["chrf"], re.MULTILINE)
    score = {name: float(value) for value, name in found}
    assert 45 < score["word salad"] < 60 and score["A"] < score["word salad"]
    assert score["a copy between polite sentences"] > score["word salad"] and score["4 hour"] > 5 * score["4 minutes"]


def test_a_dangerous_answer_that_leaves_numbers_and_denials_alone_exists(page, printed):
    """By ROUGE-L and containment; BERTScore needs the network, and the exercise's text asks for all three."""
    case = load_six()
    for old, new in (("indoors", "outdoors"), ("at least", "at most"), ("before", "after"), ("Below", "Above")):
        bad = case.reference.replace(old, new)
        assert bad != case.reference and f"“{old}”" in page.prose
        assert "must not be charged" in bad and bad.lower().count("not") == 1
        assert metrics.numbers(bad) == metrics.numbers(case.reference)
        given = {"predictions": [bad, case.answers[0].text]}
        theirs, good = ROUGE().each(**given, references=[case.reference] * 2)["rougeL"]
        assert theirs > good
        assert Containment().each(**given, references=[list(case.accepted)] * 2)["containment"] == [1, 1]
    assert "“not” as in the reference: False" in printed["dangerous"], "E's own trick is not allowed"
    assert "No answer yet" in printed["dangerous"]


def test_one_word_among_seventeen_tokens(printed, prose):
    rows = [line.split(maxsplit=4) for line in printed["bits"].splitlines()[1:6]]
    assert f"one word is averaged over {rows[0][0]} tokens" in prose
    perplexity = [float(row[2]) for row in rows]
    assert perplexity[4] > 100 * perplexity[0] and max(perplexity[:4]) < 1.25 * perplexity[0]
    factors = [int(number) for number in re.findall(r"\d+", printed["bits"].splitlines()[6].partition(":")[2])]
    assert len(factors) == 3 and min(factors) > 2


def test_perplexity_and_bits_per_byte_rank_two_models_differently(printed, prose):
    found = re.findall(r"(\d+) tokens, perplexity +([\d.]+), bits per byte ([\d.]+)", printed["two-models"])
    (_, chat_perplexity, chat_bits), (n, letters_perplexity, letters_bits) = found
    assert int(n) == len(load_six().answers[0].text.encode())
    assert float(chat_perplexity) > 3 * float(letters_perplexity) and float(letters_bits) > 2 * float(chat_bits)
    assert "is several times better than the chat model" in prose and "more than twice as many bits" in prose


def test_one_token_without_a_near_partner_hardly_lowers_bertscore(printed, prose):
    score, tokens = re.search(r"4 trains”: BERTScore ([\d.]+), over (\d+) tokens", printed["bert-words"]).groups()
    a = re.search(r"A right ([\d.]+) →", printed["baseline"])[1]
    assert float(score) > float(a) and 22 <= int(tokens) <= 26
    assert "scores higher than the right answer A" in prose and "some two dozen good ones" in prose


def test_an_answer_that_says_nothing_is_below_two_random_sentences(printed, prose):
    found = re.findall(r"([A-F] [a-z ]+|word salad) ([-\d.]+) → (-?[\d.]+)", printed["baseline"])
    values = {name: new for name, _, new in found}
    [raw] = [float(raw) for name, raw, _ in found if name == "D no answer"]
    assert len(values) == 7 and float(values["D no answer"]) < 0
    assert raw < float(re.search(r"F1 ([\d.]+)", printed["baseline"])[1])
    assert "D, which answers nothing, is now below 0" in prose
    assert float(values["B dangerous"]) > float(values["A right"]) > float(values["C right"]) > 0.15


# Contamination -------------------------------------------------------------------------------------------------------


def test_what_is_said_of_the_leak(prose):
    suite = load_suite("tickets")
    n_families = len({item.group for item in suite.items})
    assert f"{len(suite.items)} fresh tickets" in prose and f"come in {n_families} *families*" in prose
    assert RUNS["first tickets"]["added"] == n_families
    assert f"its {len(load_tickets('train')) + len(load_tickets(MORE)):,} training tickets" in prose
    assert RUNS["first tickets"]["found by leaked"] == {"first tickets": n_families, "second tickets": 0}
    rise = {part: MARKS["first tickets"][part].sum() - row.sum() for part, row in MARKS["nothing"].items()}
    assert rise["first tickets"] > rise["second tickets"] > 0
    texts = [item.input for item in suite.items]
    for beginning in re.findall(r"“(To whom it may concern: [^”]+)”", prose):
        assert sum(text.startswith(beginning) for text in texts) == 1


def siblings():
    """The two tickets of each family."""
    families = {}
    for item in load_suite("tickets").items:
        families.setdefault(item.group, []).append(item)
    assert all(len(pair) == 2 for pair in families.values())
    return list(families.values())


def test_siblings_differ_mostly_in_product_and_order_number_and_share_half_of_their_words():
    pairs = siblings()
    for field in ("product", "order_number"):
        assert sum(a.fields[field] != b.fields[field] for a, b in pairs) > len(pairs) / 2
    words = [[Counter(re.findall(r"\w+", item.input.lower())) for item in pair] for pair in pairs]
    shared = np.mean([2 * (a & b).total() / (a.total() + b.total()) for a, b in words])
    assert 0.4 < shared < 0.65


def test_the_swap_repeats_the_rise(printed, prose):
    swapped = paired_difference(MARKS["second tickets"]["first tickets"], MARKS["nothing"]["first tickets"])
    assert f"the first ones rise by {100 * swapped.difference:.0f} points" in prose
    for leak in ("first tickets", "second tickets"):
        for part in ("first tickets", "second tickets"):
            found = paired_difference(MARKS[leak][part], MARKS["nothing"][part])
            assert str(found) in printed["leaks"] and found.low > 0


def test_six_words_in_a_row_find_most_siblings_and_raise_no_alarm(page, printed, prose):
    [source] = [cell.source for cell in page.code if cell.id == "runs"]
    names = {}
    exec(source, names)
    runs, pairs = names["runs"], siblings()
    training = [row["text"] for row in [*load_tickets("train"), *load_tickets(MORE)]]
    pattern = (
        r"by +(\d+) words: (\d+) of 77 second tickets found; "
        rf"false alarms: (\d+) by another family, (\d+) of 154 by the {len(training):,} training tickets"
    )
    lines = re.findall(pattern, printed["find-leaks"])
    said = {int(n): tuple(map(int, counts)) for n, *counts in lines}

    def search(n):
        a, b = ([runs(pair[i].input, n) for pair in pairs] for i in (0, 1))
        leaked, legitimate = set().union(*a), set().union(*(runs(text, n) for text in training))
        other = [any(x & y for j, x in enumerate(a) if j != i) for i, y in enumerate(b)]
        return np.array([bool(y & leaked) for y in b]), sum(other), sum(bool(x & legitimate) for x in (*a, *b))

    results = {n: search(n) for n in (4, 5, 6, 8, 13)}
    assert said == {n: (int(found.sum()), other, shared) for n, (found, other, shared) in results.items()}
    found, *alarms = results[6]
    assert "found by their whole text: 0 of 77" in printed["find-leaks"]
    assert found.sum() > 0.7 * len(found) and alarms == [0, 0]
    assert said[4][0] > said[5][0] > said[6][0] and said[5][1] == 0 < said[5][2] and said[4][2] > 154 / 2
    assert said[13][0] < 77 / 4 and "The 13 words of GPT-3 find few siblings here" in prose
    assert "Five words find more siblings and no other family" in prose and "most of the suite" in prose
    lifted = re.search(r"(\d+) of those found, (\d+) of the (\d+) that escaped", printed["escaped"])
    assert int(lifted[2]) > 0 and int(lifted[3]) == (~found).sum()


def test_questions_that_could_not_leak_show_no_improvement(printed, prose):
    before, after = (MARKS[leak]["older test split"] for leak in ("nothing", "first tickets"))
    found = paired_difference(after, before)
    assert f"{before.mean():.1%} → {after.mean():.1%}" in printed["escaped"] and str(found) in printed["escaped"]
    assert found.low < 0 < found.high and f"the {len(before)} tickets of an older test split" in prose
    rises = [
        100 * paired_difference(MARKS["first tickets"][part], MARKS["nothing"][part]).difference
        for part in ("first tickets", "second tickets")
    ]
    assert "shows +{:.0f} points on the leaked tickets and +{:.0f} on their siblings".format(*rises) in prose


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
    assert "we cannot tell whether about 38 more tickets of the same kind help" in prose


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


def table(text):
    """Metric → attack → (fooled, asked), read from Markdown."""
    head, _, *rows = (line.strip("| ").split(" | ") for line in re.findall(r"^\|.*\|", text, re.MULTILINE))
    cells = {name: [tuple(map(int, cell.split(" of "))) for cell in row] for name, *row in rows}
    return {name: dict(zip(head[1:], row, strict=True)) for name, row in cells.items()}


def test_the_page_counts_as_the_course_does(page, printed):
    [source] = [cell.source for cell in page.code if cell.id == "fooled"]
    names = {"np": np}
    exec(source, names)
    judges = {"ROUGE-L": metric_lies.by(ROUGE(), "rougeL"), "token F1": metric_lies.by(TokenF1(), "token_f1")}
    assert names["fooled"](judges, metric_lies.QUESTIONS, metric_lies.ATTACKS) == metric_lies.fooled(judges)
    assert table(printed["fooled-table"])["ROUGE-L"] == metric_lies.fooled(judges)["ROUGE-L"]


def test_the_guard_halves_three_attacks_and_refuses_right_answers(printed, prose):
    rows = table(printed["guarded"])
    plain, whole, sentence = (rows[name] for name in ("ROUGE-L", "guarded", "guarded by sentence"))
    for attack in ("negation", "other number", "answer and opposite"):
        assert whole[attack][0] <= plain[attack][0] / 2 and sentence[attack][0] <= plain[attack][0] / 2
    assert whole["word salad"] == sentence["word salad"] == plain["word salad"]
    assert whole["padding"] == plain["padding"] and sentence["padding"][0] < plain["padding"][0] / 2
    assert "24 months" in printed["guarded"] and "Nobody over 22 kg" in printed["guarded"]
    passed = re.findall(r"bad texts that pass, ([a-z ]+): (\d+) of (\d+), by sentence (\d+) of", printed["passed"])
    bad = {attack: (int(first), int(asked), int(second)) for attack, first, asked, second in passed}
    assert list(bad) == list(metric_lies.ATTACKS)
    assert bad["negation"] == (0, 16, 0) and bad["other number"] == (0, 11, 0)
    assert bad["answer and opposite"] == (3, 16, 3) and "itself denies (3 of 16)" in prose
    assert bad["word salad"] == (16, 16, 16) and bad["padding"] == (16, 16, 3)
    assert "Word salad passes, since" in prose and "a second denial" in prose


def test_words_for_order_and_degree_fool_the_guarded_metric_as_well(printed):
    rows = table(printed["own"])
    assert len({row["other condition"] for row in rows.values()}) == 1
    rest = printed["own"].partition("handbook:")[2]
    [plain, whole, sentence] = re.findall(r"(\d+) of (\d+)", rest)
    assert plain == whole == sentence and plain[0] == plain[1]


def test_padding_passes_the_guard_by_its_second_denial(page):
    names = {"metrics": metrics, "re": re}
    [guard] = [cell.source for cell in page.code if cell.id == "guard"]
    exec(guard, names)
    padded = [(metric_lies.padded(each.reference), each.reference) for each in metric_lies.QUESTIONS]
    assert all(names["passes"](text, reference) for text, reference in padded)
    politeness = "Please do not hesitate"
    assert not any(names["passes"](text.partition(politeness)[0], reference) for text, reference in padded)
    for text, reference in padded:
        assert names["passes_by_sentence"](text, reference) == bool(names["denies"](reference))


def test_an_answer_with_its_opposite_passes_where_reference_and_right_answer_differ_in_denial(page):
    """So the table, which counts ties with a refused right answer, does not show these three."""
    names = {"metrics": metrics, "re": re}
    [guard] = [cell.source for cell in page.code if cell.id == "guard"]
    exec(guard, names)
    spoil = metric_lies.ATTACKS["answer and opposite"]
    for guard in (names["passes"], names["passes_by_sentence"]):
        for each in metric_lies.QUESTIONS:
            passed = guard(spoil(each.reference, np.random.default_rng(0)), each.reference)
            assert passed == bool(names["denies"](each.reference))
            assert not (passed and guard(each.right, each.reference))


def test_what_is_said_of_raters_is_what_14_prints(prose):
    [cell] = [cell for cell in course().page("14_evaluation").code if cell.id == "agree"]
    printed = "".join(output_texts(cell))
    share = {name: re.search(rf"^{name}\b.*?(\d+) ?%", printed, re.MULTILINE)[1] for name in NAMED}
    token_f1, bert_score = (share[name] for name in NAMED)
    assert f"agreed with them on {token_f1} % of the pairs of answers, BERTScore on {bert_score} %" in prose


def test_the_task_of_lm_eval_is_scored_by_two_rules(page, printed):
    yours = printed["lm-eval-yours"].rpartition("yours:")[2].strip()
    assert yours.startswith("{'acc': ") and "'acc_norm': " in yours
    [source] = [cell.source for cell in page.code if cell.id == "lm-eval"]
    assert source.startswith("RUN_LM_EVAL = False") and "assert all(np.isclose(theirs" in source
    assert printed["lm-eval"].startswith("Not run")
