"""What 05_inference says in prose, held against the model, the canon, the recorded runs and the library."""

from __future__ import annotations

import json
import re
from collections import Counter
from statistics import mean, stdev

import numpy as np
import pytest
import torch
from helpers.metrics.calibration import reliability
from helpers.trials.openings import HELD_OUT, OPENINGS, share_repeated, trial
from helpers.trials.proofreading import confused_words, log_prob
from helpers.trials.proofreading import mail as mailed
from helpers.trials.records import Record
from helpers.trials.routing import LABELS

from helpers.files import ROOT
from helpers.generation import generate, greedy, min_p, repetition_penalty, reply_text, top_k, top_p
from helpers.models import fetch
from helpers.stats import bootstrap
from helpers.transformer import Llama
from helpers.velunda import canon, load_tickets

SYSTEM = (ROOT / "data/prompts/support_assistant.txt").read_text(encoding="utf-8").strip()


@pytest.fixture(scope="module")
def chat():
    from transformers import AutoTokenizer

    folder = fetch("chat")
    return Llama.from_pretrained(folder).requires_grad_(False), AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def tickets() -> list[str]:
    lines = (ROOT / "data/velunda/tickets/train.jsonl").read_text(encoding="utf-8").splitlines()
    return list({t["family"]: t["text"] for t in map(json.loads, lines)}.values())


def recorded() -> dict[tuple, dict]:
    runs = json.loads((ROOT / "data/results/05_decoding.json").read_text(encoding="utf-8"))["runs"]
    return {tuple(run["case"].items()): run for run in runs}


def drawn(t: float, p: float) -> dict:
    return recorded()[("temperature", t), ("top_p", p)]


# 1 and 2: the pipeline -----------------------------------------------------------------------------------------------


def test_a_text_generation_pipeline_draws_at_random_unless_told_otherwise():
    from transformers import TextGenerationPipeline

    own = TextGenerationPipeline._default_generation_config
    assert own.do_sample and own.temperature == 0.7


def test_a_models_file_overrules_the_pipeline_and_the_call_overrules_the_file():
    from transformers import pipeline

    writer, seen = pipeline("text-generation", model=fetch("chat")), []
    make = writer.model._get_logits_processor

    def watched(*args, **options):
        steps = make(*args, **options)
        seen.append({type(step).__name__: step for step in steps})
        return steps

    writer.model._get_logits_processor = watched
    writer("Hello", max_new_tokens=1)
    assert seen[-1]["TemperatureLogitsWarper"].temperature == 0.7 and seen[-1]["TopKLogitsWarper"].top_k == 50
    writer.model.generation_config.temperature = 0.4
    writer("Hello", max_new_tokens=1)
    assert seen[-1]["TemperatureLogitsWarper"].temperature == 0.4
    writer("Hello", max_new_tokens=1, temperature=0.3)
    assert seen[-1]["TemperatureLogitsWarper"].temperature == 0.3


def test_the_first_token_of_the_greedy_reply_has_40_percent_and_the_next_candidates_less_than_5(chat):
    model, tokenizer = chat
    turns = [{"role": "user", "content": "Name one thing to check before a bicycle tour."}]
    prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt")["input_ids"]
    best = model(prompt)[0, -1].log_softmax(-1).topk(2)
    assert tokenizer.decode(best.indices[0]) == "One" and best.values[0].item() == pytest.approx(-0.92, abs=0.005)
    assert best.values[1].exp() < 0.05


# 3: transforms -------------------------------------------------------------------------------------------------------


def test_min_p_adapts_to_how_sure_the_model_is_and_top_k_does_not(chat):
    model, tokenizer = chat
    left = {}
    for text in ("The capital of France is", "My favorite color is"):
        logits = model(torch.tensor([tokenizer(text)["input_ids"]]))[:, -1]
        for name, transform in {"k": top_k(10), "p": top_p(0.9), "m": min_p(0.1)}.items():
            left.setdefault(name, []).append(int((transform(logits) > -torch.inf).sum()))
    assert left["m"] == [1, 10] and left["k"] == [10, 10]
    assert left["p"][0] == 10 and left["p"][1] > 100


# 4: loops, variety, perplexity ---------------------------------------------------------------------------------------


def test_greedy_loops_in_most_openings_and_a_penalty_ends_that(chat):
    found = trial(*chat, greedy, 64)
    assert sum(share_repeated(row) >= 0.5 for row in found.written) == 7
    odds = found.log_probs.exp()
    assert odds[:, -16:].mean() > odds[:, :16].mean() + 0.15  # "surer in the loop than outside"
    penalized = trial(*chat, lambda logits, ids: greedy(repetition_penalty(1.2)(logits, ids)), 64)
    assert sum(share_repeated(row) >= 0.5 for row in penalized.written) == 0


def test_greedy_is_least_varied_and_most_probable_and_drawing_with_temperature_costs_probability():
    runs = recorded()
    plain = runs[(("temperature", 0),)]
    for case, run in runs.items():
        if case != (("temperature", 0),):
            assert mean(run["distinct"]) > plain["distinct"][0] + 0.1
            assert mean(run["perplexity"]) > plain["perplexity"][0]
    for p in (0.5, 0.8, 0.95, 1.0):
        costs = [mean(drawn(t, p)["perplexity"]) for t in (0.5, 0.7, 1.0, 1.3)]
        assert costs == sorted(costs)


def test_settings_lie_on_nearly_one_curve_min_p_included_and_the_penalty_far_below_it():
    def at(run: dict) -> tuple[float, float]:
        return mean(run["distinct"]), float(np.log(mean(run["perplexity"])))

    x, y = np.array(sorted(at(run) for case, run in recorded().items() if dict(case).get("top_p"))).T
    smooth = np.polynomial.Polynomial.fit(x, y, 4)
    assert np.abs(smooth(x) - y)[x < 0.97].max() < 0.4  # in log perplexity, whose range over these points is 3.6
    shares, surprise = np.array([at(run) for case, run in recorded().items() if dict(case).get("min_p")]).T
    assert len(shares) == 3 and np.abs(smooth(shares) - surprise).max() < 0.4
    penalty = recorded()[("temperature", 0), ("penalty", 1.2)]
    assert smooth(penalty["distinct"][0]) - np.log(penalty["perplexity"][0]) > 1.0


def test_the_next_best_setting_for_support_is_as_good_and_greedy_breaks_the_limit():
    def lowest(run: dict) -> float:
        return mean(run["distinct"]) - stdev(run["distinct"]) / len(run["distinct"]) ** 0.5

    drawing = {case: run for case, run in recorded().items() if len(run["distinct"]) > 1}
    assert len(drawing) == len(recorded()) - 2  # greedy, and greedy with a penalty
    for at_least, wanted in {0.6: ("top_p", 0.5), 0.8: ("min_p", 0.1)}.items():
        allowed = sorted((mean(run["perplexity"]), case) for case, run in drawing.items() if lowest(run) >= at_least)
        assert wanted in allowed[0][1]
        if at_least == 0.6:
            assert allowed[1][1] == (("temperature", 0.5), ("top_p", 0.8))
            assert f"{allowed[0][0]:.2f}" == f"{allowed[1][0]:.2f}"  # "the same perplexity to two digits"
    assert recorded()[(("temperature", 0),)]["distinct"][0] < 0.5  # "repeats more than half of its pairs"


def test_on_the_other_openings_greedy_repeats_and_loops_less(chat):
    found = trial(*chat, greedy, 64, HELD_OUT)
    assert f"{found.distinct:.0%}" == "62%" and sum(share_repeated(row) >= 0.5 for row in found.written) == 3
    assert f"{recorded()[(('temperature', 0),)]['distinct'][0]:.0%}" == "45%"


def test_what_was_chosen_is_judged_on_twelve_other_openings():
    assert len(HELD_OUT) == len(set(HELD_OUT)) == len(OPENINGS) == 12 and not set(HELD_OUT) & set(OPENINGS)


def test_beam_search_finds_a_more_probable_text_which_is_a_closed_loop():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # in float32: the roundings of bfloat16 differ from processor to processor, and with them the texts
    model = AutoModelForCausalLM.from_pretrained(fetch("chat"), dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(fetch("chat"))
    start = tokenizer(OPENINGS[5], return_tensors="pt")
    length, found = start["input_ids"].shape[1], {}
    for beams in (1, 5):
        ids = model.generate(**start, max_new_tokens=48, num_beams=beams, do_sample=False)
        with torch.no_grad():
            log_p = model(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])
        found[beams] = log_p[length - 1 :].sum().item()
    assert found[5] > found[1] + 1 and share_repeated(ids[0, length:]) > 0.9


# 5: stops and the assistant ------------------------------------------------------------------------------------------


def test_without_a_template_the_model_plays_both_parts(chat):
    model, tokenizer = chat
    talk = "Customer: My brake squeaks.\nVelunda: Please bring it to a workshop.\n"
    talk += "Customer: How heavy is the Kite?\nVelunda:"
    start = tokenizer(talk)["input_ids"]
    written = generate(model, start, 40)[0, len(start) :].tolist()
    assert "\nCustomer:" in tokenizer.decode(written)
    assert not any(tokenizer.decode([i]) == "\nCustomer:" for i in written)
    assert "Customer" not in reply_text(tokenizer, written, ["\nCustomer:"])
    weights = [v["weight_kg"] for b in canon()["products"] if b["name"] == "Kite" for v in b["variants"]]
    assert all(round(w) in (21, 22) for w in weights)


def test_the_support_prompt_says_what_the_canon_says():
    rules = {term["id"]: term["rule"] for term in canon()["terms"]}
    assert rules["returns-days"] in SYSTEM and rules["repair-inspection"] in SYSTEM
    assert "24 months" in rules["warranty-drive"] and "60 months" in rules["warranty-frame"]
    assert "The warranty on the motor and the battery runs for 24 months, on the frame for 60 months." in SYSTEM
    assert (
        "Delivery costs 49 euros for a bicycle" in rules["delivery-cost"] and "costs 49 euros for a bicycle." in SYSTEM
    )
    assert "Monday to Saturday, 8 to 18 o'clock" in rules["support-hours"]
    assert "Monday to Saturday, 8 to 18 o'clock" in SYSTEM and "within one business day" in rules["support-hours"]
    assert "Kite 500" not in SYSTEM and SYSTEM.count("\n- ") == 5 and "one or two short sentences" in SYSTEM
    prices = {v["name"]: v["price_eur"] for p in canon()["products"] for v in p.get("variants", ())}
    assert prices["Kite 500"] == 2790


def test_the_assistant_repeats_one_fact_denies_another_and_invents_a_price(chat):
    model, tokenizer = chat
    said = {}
    for key, question in {
        "warranty": "How long is the warranty on the battery?",
        "return": "I rode my new Kite 20 kilometers. Can I still return it?",
        "inspection": "When is the first inspection due, and what does it cost?",
        "price": "How much does a Kite 500 cost?",
    }.items():
        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
        said[key] = reply_text(tokenizer, generate(model, prompt, 40)[0, len(prompt) :].tolist())
    assert "24 months" in said["warranty"]
    assert said["return"].startswith("No") and "cannot return" in said["return"]
    assert "49 euros" in said["inspection"] and "free" not in said["inspection"]
    assert "price" in said["price"] and "do not know" not in said["price"]


# 6: calibration ------------------------------------------------------------------------------------------------------


def test_on_messages_the_confidence_is_too_high(chat, tickets):
    model, tokenizer = chat
    gaps, points = [], []
    for text in tickets[:24]:
        ids = torch.tensor(tokenizer(text)["input_ids"])
        sure, best = model(ids[None])[0, :-1].softmax(-1).max(-1)
        gaps.append((sure - (best == ids[1:]).float()).mean().item())
        points.append(torch.stack([sure, best == ids[1:]]))
    low, high = bootstrap(gaps)
    assert 0.05 < low < high
    confidences, came = torch.cat(points, dim=1)
    found = reliability(confidences.numpy(), came.bool().numpy())
    assert all(point.accuracy < point.confidence for point in found)  # "at every level"


def test_the_model_finds_its_false_answers_more_probable_than_true_ones(chat):
    model, tokenizer = chat
    for question, true in {
        "I rode my new Kite 20 kilometers. Can I still return it?": "Yes, you can return it within 30 days.",
        "When is the first inspection due, and what does it cost?": "It is due after 300 kilometers and is free.",
        "How much does a Kite 500 cost?": "I do not know. A colleague will reply within one business day.",
    }.items():
        turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
        start = tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"]
        written = reply_text(tokenizer, generate(model, start, 40)[0, len(start) :].tolist())
        means = []
        for reply in (written, true):
            ids = tokenizer(reply)["input_ids"]
            log_p = model(torch.tensor([[*start, *ids]]))[0, len(start) - 1 : -1].log_softmax(-1)
            means.append(log_p.gather(-1, torch.tensor(ids)[:, None]).mean().item())
        assert means[0] > means[1] + 0.3


# 7: scored labels and confused words ---------------------------------------------------------------------------------


def test_a_label_that_is_written_or_has_the_highest_score_is_guessing_and_the_usual_score_mends_that():
    sweep, names = Record("05_routing"), list(LABELS)
    tickets = load_tickets("test")
    truth = torch.tensor([names.index(ticket["label"]["intent"]) for ticket in tickets])
    assert set(Counter(ticket["family"] for ticket in tickets).values()) == {2}  # "one text with two fillings"
    for split, each in {"dev": 8, "test": 18}.items():  # "all nine desks are equally frequent"
        intents = Counter(ticket["label"]["intent"] for ticket in load_tickets(split))
        assert set(intents) == set(names) and set(intents.values()) == {each}

    runs = sweep.read()["runs"]

    def run(**case):
        return next(r for r in runs if r["case"] == case)

    replies = run(way="written", split="test", every=3)["replies"]
    assert len(replies) == 54
    first = [re.findall("|".join(names), reply)[:1] for reply in replies]
    n_written = sum([t["label"]["intent"]] == found for t, found in zip(tickets[::3], first, strict=True))
    scores = torch.tensor(run(way="sentence", split="test")["scores"])
    usual = torch.tensor(run(way="sentence", split="dev")["scores"]).mean(0)
    highest, evidence = scores.argmax(-1), (scores - usual).argmax(-1)
    assert n_written < 54 / 9 and (highest == names.index("order_status")).float().mean() > 0.8
    share = (evidence == truth).float().mean().item()
    assert 0.36 < share < 0.45 and (highest == truth).float().mean() < 0.2  # "four in ten"
    encoder = (torch.tensor(run(way="encoder", split="test")["scores"]).argmax(-1) == truth).float().mean().item()
    assert abs(encoder - share) < 0.04  # "does as well"
    learned = {n: mean(run(way="tf-idf", labeled=n)["hits"]) / 162 for n in (72, 144)}
    assert learned[72] < share < learned[144]  # "overtakes both with 144"
    assert learned[144] > encoder


def test_a_threshold_that_keeps_its_rule_on_dev_does_not_on_test():
    runs = {tuple(r["case"].values()): r for r in Record("05_routing").read()["runs"]}
    scores = {split: torch.tensor(runs["sentence", split]["scores"]) for split in ("dev", "test")}
    right = {}
    for split, rows in scores.items():
        truth = torch.tensor([list(LABELS).index(ticket["label"]["intent"]) for ticket in load_tickets(split)])
        confidence, picked = (rows - scores["dev"].mean(0)).softmax(-1).max(-1)
        for t in (0.0, 0.5, 0.6):
            hits = (picked == truth)[confidence >= t].tolist()
            right[split, t] = sum(hits), len(hits)
    shares = {key: k / n for key, (k, n) in right.items()}
    assert shares["dev", 0.5] < 0.7 <= shares["dev", 0.6] and right["dev", 0.6] == (21, 29)
    assert right["test", 0.6] == (34, 70) and shares["test", 0.0] < shares["test", 0.6] < 0.7
    assert shares["dev", 0.0] > shares["test", 0.0] + 0.05  # "dev is easier"


def test_the_way_of_asking_was_chosen_on_dev():
    runs = {r["case"]["way"]: r for r in Record("05_routing").read()["runs"] if r["case"].get("split") == "dev"}
    truth = torch.tensor([list(LABELS).index(ticket["label"]["intent"]) for ticket in load_tickets("dev")])
    right = {}
    for way, run in runs.items():
        scores = torch.tensor(run["scores"])
        right[way] = int(((scores - scores.mean(0)).argmax(-1) == truth).sum())
    assert set(right) == {"sentence", "about", "wants"} and right["sentence"] == max(right.values())


def words_scored(split: str) -> list[dict]:
    runs = Record("05_proofreading").read()["runs"]
    return [word | run["case"] for run in runs if run["case"]["split"] == split for word in run["words"]]


def n_changed(words: list[dict], threshold: float) -> int:
    return sum(1 / (1 + np.exp(np.subtract(*word["scores"]))) >= threshold for word in words)


def test_the_threshold_for_repairs_is_the_lowest_that_damages_no_right_word_on_dev():
    fine = [word for word in words_scored("dev") if not word["mistake"]]
    assert n_changed(fine, 0.7) > 0 == n_changed(fine, 0.9)


def test_on_clean_sentences_the_model_repairs_nearly_all_and_counting_fewer():
    clean = [word for word in words_scored("test") if word["text"] != "mail"]
    mistakes, fine = [w for w in clean if w["mistake"]], [w for w in clean if not w["mistake"]]
    assert len(mistakes) == len(fine) == 60 and n_changed(mistakes, 0.9) >= 0.9 * 60 and n_changed(fine, 0.5) <= 1
    ahead = [(n_changed([word], 0.9) - word["counted"]) for word in mistakes]
    assert bootstrap(ahead)[0] > 0.1 and sum(word["counted"] for word in fine) > 10


def test_in_mail_automatic_repairs_do_more_harm_than_good_and_seven_suggestions_hold_all_three_mistakes():
    mail = [run for run in Record("05_proofreading").read()["runs"] if run["case"] == {"text": "mail", "split": "test"}]
    words = mail[0]["words"]
    mistakes, fine = [w for w in words if w["mistake"]], [w for w in words if not w["mistake"]]
    assert len(words) == 189 and len(mistakes) == 3 and len({w["text"] for w in words}) <= 81 == len(mailed("test"))
    assert n_changed(mistakes, 0.9) == 0 and n_changed(fine, 0.9) == 2  # damaged: one in a hundred
    assert n_changed(mistakes, 0.5) == 3 and n_changed(words, 0.5) == 7


def test_the_recorded_scores_are_the_models(chat):
    recorded_words = Record("05_proofreading").read()["runs"]
    [sentences] = [run for run in recorded_words if run["case"] == {"text": "sentences", "split": "dev"}]
    for word in sentences["words"][:2]:
        row = confused_words("dev")[word["text"]]
        texts = [row["sentence"].replace("*", choice) for choice in (word["word"], word["other"])]
        assert [log_prob(*chat, text) for text in texts] == pytest.approx(word["scores"], abs=0.01)


def test_confused_words_have_one_gap_a_sentence_and_either_word_is_right_as_often():
    lines = (ROOT / "data/velunda/confused_words.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [sum(row["split"] == split for row in rows) for split in ("dev", "test")] == [24, 60]
    assert len({row["sentence"] for row in rows}) == len(rows)
    assert all(row["sentence"].count("*") == 1 and row["right"] in row["words"] for row in rows)
    assert sum(row["right"] == row["words"][0] for row in rows) == len(rows) / 2
