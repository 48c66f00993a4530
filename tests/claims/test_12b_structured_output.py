"""What 12b_structured_output and README.md may say of notes in a form, held against what was recorded."""

from __future__ import annotations

import ast
import json
import math
import re
from statistics import fmean

import pytest
from helpers.trials import notes_recorded as recorded
from helpers.trials import ticket_notes as notes
from helpers.trials import tickets_recorded as taught
from helpers.trials.records import Record

from helpers.exercises.checking import registry
from helpers.generation import read_table
from helpers.velunda import load_tickets, order_numbers, products_named
from tests.benchmarks import sweep_json
from tests.tools.notebook import ROOT, course, output_texts

RUNS = recorded.RECORD.read()["runs"]


@pytest.fixture(scope="module")
def page():
    return course().page("12b_structured_output")


def gate(run, label=None):
    """Of each split: letters, notes that go out at the limit from dev, and how many of those are right.

    label: the run that the intent is taken from, if it is another one.
    """
    fields = ("intent", "product", "order_number")

    def letters(split):
        source = {field: (label or run) if field == "intent" else run for field in fields}
        right = zip(*(source[field][split]["right"][field] for field in fields), strict=True)
        sure = zip(*(source[field][split]["sure"][field] for field in fields), strict=True)
        return [(set(row) == {"1"}, math.prod(p)) for row, p in zip(right, sure, strict=True)]

    def out(split, limit):
        return [good for good, sure in letters(split) if sure >= limit]

    limit = min(sure for _, sure in letters("dev") if fmean(out("dev", sure)) >= 0.95)
    return {split: (len(letters(split)), len(out(split, limit)), sum(out(split, limit)))
            for split in ("dev", "test", "fresh")}  # fmt: skip


def ident(run):
    return " ".join(map(str, run["case"].values()))


def test_the_sixty_letters_are_two_of_each_of_thirty_phrasings_of_dev():
    families = [ticket["family"] for ticket in notes.sixty()]
    assert len(families) == 60 and len(set(families)) == 30
    assert all(ticket in load_tickets("dev") for ticket in notes.sixty())


def test_every_case_was_run():
    assert [run["case"] for run in RUNS] == sweep_json.CASES


@pytest.mark.parametrize("run", RUNS, ids=ident)
def test_marks_follow_from_the_replies(run):
    again = sweep_json.judged(run["replies"])
    assert all(run[name] == marks for name, marks in again.items())


@pytest.mark.parametrize("run", [run for run in RUNS if run["case"]["way"] in ("mask", "letter")], ids=ident)
def test_what_a_mask_holds_matches_its_expression_and_is_valid(run):
    order = sweep_json.order(run["case"]["fields"])
    for ticket, reply in zip(notes.sixty(), run["replies"], strict=True):
        text = ticket["text"] if run["case"]["way"] == "letter" else None
        assert re.fullmatch(notes.note_pattern(order, text), reply) and notes.problem(reply) is None


def test_the_label_by_score_differs_from_the_written_note_in_the_label_alone():
    for examples in (True, False):
        for fields in ("evidence first", "label first"):
            written, scored = recorded.find("letter", fields), recorded.find("scored", fields, examples)
            for before, after in zip(written["replies"], scored["replies"], strict=True):
                before, after = json.loads(before), json.loads(after)
                assert list(before) == list(after)
                assert all(before[field] == after[field] for field in before if field != "wants")


def test_solved_examples_stand_in_no_split_and_are_valid_and_copied():
    texts = {ticket["text"] for split in ("train", "dev", "test", "fresh") for ticket in load_tickets(split)}
    for letter, (evidence, intent, product, number) in notes.SHOTS:
        assert letter not in texts and evidence in letter
        note = {"evidence": evidence, "wants": notes.WANTS[intent], "product": product, "order_number": number}
        assert notes.problem(notes.note_text(note)) is None
        assert products_named(letter) == [product] * bool(product) and order_numbers(letter) == [number] * bool(number)


def test_the_rule_that_the_letters_mask_follows_holds_for_most_of_train(page):
    train = load_tickets("train")
    named = [ticket for ticket in train if products_named(ticket["text"])]
    unmeant = sum(ticket["label"]["product"] is None for ticket in named)
    assert round(100 * unmeant / len(named)) == 3 and "a product, 3 % are labeled with none" in page.prose


def test_sixty_tokens_at_99_percent_stay_in_the_form_with_55_percent(page):
    assert f"{0.99**60:.0%}" == "55%" and "0.99⁶⁰, which is 55 %" in page.prose


def test_tries_were_drawn_with_three_seeds_and_say_what_the_text_says(page):
    runs, once = recorded.every("retried"), recorded.marks(recorded.find("examples"), "valid")
    assert [run["case"]["seed"] for run in runs] == [0, 1, 2] and len({tuple(run["replies"]) for run in runs}) == 3
    with pytest.raises(LookupError, match="`every`"):
        recorded.find("retried")
    found = [recorded.marks(run, "valid") for run in runs]
    assert all(all(marks) for first, *marks in zip(once, *found, strict=True) if first)  # valid at first: kept
    never = sum(not any(marks) for marks in zip(*found, strict=True))
    assert f"{never} of the 60 letters got no valid note with any of the three seeds" in page.prose
    assert f"for {fmean(run['tries'] for run in runs) / 60:.1f} replies per letter on average" in page.prose
    valid = [sum(marks) for marks in found]
    alt = next(cell for cell in page.code if cell.id == "bars").outputs[0].metadata["image/png"]["alt"]
    assert f"3 tries: {fmean(valid):.0f} ({min(valid)}–{max(valid)} over 3 seeds) valid" in alt


def test_the_readme_says_what_the_notebook_shows():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    valid = {way: sum(recorded.marks(recorded.find(way), "valid")) for way in ("asked", "examples", "mask")}
    tries = [sum(recorded.marks(run, "valid")) for run in recorded.every("retried")]
    scored = recorded.find("scored", "label first", examples=False)
    mask, best = (sum(recorded.all_right(run)) for run in (recorded.find("mask"), scored))
    assert f"{valid['asked']} of 60 replies are valid notes without examples, {valid['examples']} with three" in readme
    assert f"{min(tries)} to {max(tries)} with three tries (three seeds), and {valid['mask']} behind a mask" in readme
    assert f"of which {mask} are right, and {best}" in readme
    ours, theirs = (gate(run)["fresh"] for run in (taught.adapter(), taught.cheap()))
    assert f"sends out {ours[1]} of {ours[0]} notes about new letters, {ours[2]} of them right" in readme
    assert f"sends out {theirs[1]}, {theirs[2]} of them right" in readme


def test_the_order_of_fields_gains_where_the_text_says_so(page):
    gaps = []
    for way, examples in (("letter", None), ("scored", True), ("scored", False)):
        first, last = (recorded.find(way, order, examples) for order in ("evidence first", "label first"))
        gaps.append(recorded.gap(recorded.marks(first, "wants"), recorded.marks(last, "wants")))
    said = [f"{100 * x:.0f}" for x in (gaps[1].difference, gaps[1].low, gaps[1].high)]
    assert f"gains {said[0]} points (95 % CI {said[1]}–{said[2]})" in page.prose
    assert f"from −{-100 * gaps[2].low:.0f} to +{100 * gaps[2].high:.0f} points" in page.prose
    assert gaps[0].low < 0 < gaps[0].high and gaps[2].low < 0 < gaps[2].high
    rights = {ident(run): sum(recorded.marks(run, "wants")) for run in RUNS}
    assert "label first" in max(rights, key=rights.get)


def test_the_model_has_a_favorite_label_and_picks_evidence_without_regard(page):
    found = [json.loads(reply) for reply in recorded.find("letter")["replies"]]
    favorite = sum(note["wants"] == "to know where the order is" for note in found)
    assert f"{favorite} of the 60 notes" in page.prose
    places = [notes.sentences(t["text"]).index(n["evidence"]) for t, n in zip(notes.sixty(), found, strict=True)]
    assert places.count(0) == places.count(2) and "the first sentence and the third equally often" in page.prose
    counts = [places.count(place) for place in range(4)]
    assert sum(counts) == 60
    assert f"({counts[0]} notes each; {counts[1]} the second, {counts[3]} the fourth)" in page.prose


def test_each_step_of_the_label_is_told_apart(page):
    runs = [recorded.find("letter"), recorded.find("scored", examples=True), recorded.find("scored", examples=False)]
    runs.append(recorded.find("scored", "label first", examples=False))
    wants = [sum(recorded.marks(run, "wants")) for run in runs]
    assert "`wants` goes from {}, written, to {}.".format(*wants[:2]) in page.prose
    assert f"prompt that is scored.** That brings it to {wants[2]}." in page.prose
    assert f"put the label before the evidence.** That brings it to {wants[3]}," in page.prose
    assert f"The best of the six ways, {wants[3]}, has the label first" in page.prose
    scored = [run for run in RUNS if run["case"]["way"] == "scored"]
    bare = [sum(recorded.marks(run, "uncorrected")) for run in scored]
    assert f"is right for {min(bare)} to {max(bare)} of the 60" in page.prose
    helped = sum(sum(recorded.marks(run, "wants")) > count for run, count in zip(scored, bare, strict=True))
    assert (helped, len(scored)) == (3, 4) and "helps in three of the four rows" in page.prose
    of_six = [run for run in RUNS if run["case"]["way"] in ("letter", "scored")]
    rights = [sum(recorded.all_right(run)) for run in of_six]
    mask, first = (sum(recorded.all_right(run)) for run in (recorded.find("mask"), runs[0]))
    assert len(of_six) == 6 and mask == 0 and max(rights) == sum(recorded.all_right(runs[-1]))
    assert f"{first} where rules read what rules can read, and {max(rights)} in the best of six ways" in page.prose


def test_a_check_without_labels_finds_faults_in_most_notes_of_the_schemas_mask(page):
    check = registry()["untrue_fields"].reference
    faulty = sum(
        bool(check(reply, ticket["text"], *notes.named(ticket["text"])))
        for ticket, reply in zip(notes.sixty(), recorded.find("mask")["replies"], strict=True)
    )
    assert f"finds a fault in {faulty} of them" in page.prose


def test_how_the_fields_of_the_schemas_mask_are_wrong_and_what_the_check_sees_of_it(page):
    check = registry()["untrue_fields"].reference
    wrong = {"product": [], "order_number": []}
    seen = unfair = cut = 0
    for ticket, reply in zip(notes.sixty(), recorded.find("mask")["replies"], strict=True):
        note, meant, named = json.loads(reply), notes.wanted(ticket), notes.named(ticket["text"])
        found = check(reply, ticket["text"], *named)
        cut += len(note["evidence"]) == notes.MOST_CHARACTERS
        for (field, faults), allowed in zip(wrong.items(), named, strict=True):
            if note[field] != meant[field]:
                faults.append("null" if note[field] is None else "named" if note[field] in allowed else "invented")
                seen += field in found
            else:
                unfair += field in found
    numbers, products = wrong["order_number"], wrong["product"]
    assert f"({numbers.count('null')} of its {len(numbers)} wrong numbers)" in page.prose
    both = f"{products.count('invented')} and {products.count('null')} of {len(products)} wrong ones"
    assert both in page.prose
    assert f"Of the {len(numbers) + len(products)} wrong products and numbers, the check finds {seen}" in page.prose
    assert unfair == 0 and f"In {cut} notes the evidence is exactly as long as the schema allows" in page.prose


def test_masks_and_jumps_are_what_the_text_says_beside_the_libraries(page):
    peers = Record("12b_constrained")
    ways, totals = peers.find("schemas")["ways"], peers.find("tickets")["totals"]
    order = ("xgrammar", "llguidance", "ours, on the libraries'")
    masks = [f"{ways[name]['mask, µs per token']:.0f}" for name in order]
    compiled = [f"{ways[name]['compile, ms']['median']:.1f}" for name in order]
    told = "xgrammar makes a mask in {} µs and llguidance in {}, where this course's code takes {}"
    assert told.format(*masks) in page.prose
    assert "compile a schema in {} and {} ms instead of {}".format(*compiled) in page.prose
    grammars = peers.find("masks")["grammars"]
    states, other = {}, {}
    for library in ("xgrammar", "llguidance", "outlines"):
        states[library] = sum(masks[library]["of"] for masks in grammars.values())
        other[library] = states[library] - sum(masks[library]["same"] for masks in grammars.values())
    assert set(states.values()) == {229} and len(grammars) == 7
    assert "seven small grammars, and the masks compared in 229 states" in page.prose and other["xgrammar"] == 0
    assert f"llguidance's differ in {other['llguidance']}:" in page.prose
    assert f"outlines' differ in {other['outlines']}, all of one grammar" in page.prose
    assert grammars["letters"]["outlines"]["of"] - grammars["letters"]["outlines"]["same"] == other["outlines"]
    assert grammars["letters"]["outlines"]["only ours"] == [" "]
    assert f"the slowest of 300 random ones took this code {ways['ours']['compile, ms']['most']:.0f} ms" in page.prose
    assert ways["ours"]["valid"] == ways["ours"]["n"] == 300
    fewer = totals["free"]["passes"] / totals["jump-ahead"]["passes"]
    faster = totals["free"]["seconds"] / totals["jump-ahead"]["seconds"]
    assert f"{fewer:.1f} times fewer passes and {faster:.1f} times less time" in page.prose
    assert totals["free"]["n"] == 12 and totals["jump-ahead"]["seconds"] < totals["free"]["seconds"] / 3
    assert abs(totals["constrained"]["seconds"] / totals["free"]["seconds"] - 1) < 0.05


def test_what_goes_out_at_the_limit_from_dev_is_what_the_text_says(page):
    ours, theirs = gate(taught.adapter()), gate(taught.cheap())
    n, out, good = ours["fresh"]
    _, less, fewer = theirs["fresh"]
    assert f"{out} of {n} notes of the held adapter go out at its limit, and {good} of these are right" in page.prose
    shares = {split: [round(100 * run[split][2] / run[split][1]) for run in (ours, theirs)] for split in ours}
    kept = "on dev, where the limits were chosen, {} and {} % of what goes out is right; on fresh {} and {} %, on test "
    kept = (kept + "{} and {} %").format(*sorted(shares["dev"]), *shares["fresh"], *shares["test"])
    assert kept in page.prose.replace("On dev", "on dev")
    assert (
        f"are right ({good / out:.0%}); with TF-IDF and rules, {less} go out and {fewer} are right ({fewer / less:.0%})"
        in page.prose.replace(" %", "%")
    )
    assert f"the desk has to read {n - out} letters instead of {n - less}" in page.prose
    assert (out - good, less - fewer) == (6, 4) and "as far as six and four mistakes can tell" in page.prose
    _, mixed, fine = gate(taught.cheap(), label=taught.adapter())["fresh"]
    assert f"chosen in the same way, {mixed} go out, and {fine} of them are right" in page.prose
    assert f"chosen on the {ours['dev'][0]} dev letters" in page.prose
    assert f"sends out {out} of {n} notes about new letters, {good} of them right" in page.prose


def test_the_notes_of_the_first_table_and_the_derivative_of_the_page_agree(page):
    """The words of section 2, by the code of section 3: every text may end where it ends, and nowhere else."""
    space = {}
    for cell in page.code:
        if cell.id in ("derivative", "derivative-table"):
            exec(cell.source, space)
    expression = ("then", ("or", "a", ("then", "a", "b")), ("or", "", "c"))
    table = space["table_of"](expression, "abc")
    for text in ("a", "ab", "ac", "abc"):
        assert "" in table[read_table(table, 0, text)]
    assert all(read_table(table, 0, text) is None for text in ("b", "aa", "acb", "abcc"))
    twice = space["table_of"](("or", "a", "a"), "a")
    assert twice == {0: {"a": 1}, 1: {"": 1}}


def test_rules_alone_read_what_stands_in_the_sixty_letters():
    for ticket in notes.sixty():
        product, number = (found[0] if found else None for found in notes.named(ticket["text"]))
        assert (product, number) == (ticket["label"]["product"], ticket["label"]["order_number"])


def test_rules_are_the_line_to_beat_where_a_field_stands_in_the_text(page):
    both = {}
    for name, run in {"rules": taught.cheap(), "adapter": taught.adapter()}.items():
        marks = run["fresh"]["right"]
        both[name] = sum(a == b == "1" for a, b in zip(marks["product"], marks["order_number"], strict=True))
    n = len(load_tickets("fresh"))
    told = "the rules are right in both fields for {} of {}, and the adapter for {}."
    assert told.format(both["rules"], n, both["adapter"]) in page.prose
    masked, found = recorded.find("letter"), recorded.taught("adapter")
    by_mask, by_adapter = (
        sum(map(min, product, number))
        for product, number in (
            (recorded.marks(masked, "product"), recorded.marks(masked, "order_number")),
            (found["product"], found["order_number"]),
        )
    )
    assert f"the letter's mask reaches {by_mask} and the adapter {by_adapter}:" in page.prose
    assert f"the adapter's label beside the rules gives {sum(found['wants'])} of 60" in page.prose


def test_the_likeliest_label_is_no_better_than_the_written_one(page):
    labels = list(notes.WANTS.values())
    written = [json.loads(reply)["wants"] for reply in recorded.find("letter")["replies"]]
    scores = recorded.find("scored", examples=True)["scores"]
    likeliest = [labels[row.index(max(row))] for row in scores]
    other = sum(a != b for a, b in zip(written, likeliest, strict=True))
    right = [
        sum(label == notes.wanted(t)["wants"] for label, t in zip(chosen, notes.sixty(), strict=True))
        for chosen in (likeliest, written)
    ]
    assert other == 11 and "For eleven letters the mask led to another label" in page.prose
    assert "{} are right instead of {}".format(*right) in page.prose


def test_the_example_with_small_numbers_is_worked_out_rightly(page):
    whole = {"to go": 0.5 * 0.02, "a bell": 0.25 * 0.2, "a lamp": 0.25 * 0.1}
    total = sum(whole.values())
    assert "0.085 together" in page.prose and round(total, 3) == 0.085
    assert f"0.01 / 0.085, or {100 * whole['to go'] / total:.0f} %" in page.prose
    assert f"“ go” follows for certain: {100 * 0.5 / 0.75:.0f} %" in page.prose


def test_the_masked_note_of_the_first_letter_says_what_the_letter_does_not(page):
    [cell] = [cell for cell in page.code if cell.id == "ways-live"]
    said = next(line for line in "\n".join(output_texts(cell)).splitlines() if line.startswith("mask"))
    note = json.loads(said[said.index("{") :])
    [letter] = [
        ast.literal_eval(node.value)
        for cell in page.code
        if cell.id == "prompt"
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "LETTER"
    ]
    assert note["evidence"] not in letter and note["order_number"] is None and order_numbers(letter)


def test_no_exercise_is_answered_in_the_stored_outputs(page):
    assert all("not attempted" in "\n".join(output_texts(cell)) for cell, _ in page.exercises)
