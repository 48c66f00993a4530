"""What 05_inference says in prose, held against the model, the canon, the recorded runs and the library."""

from __future__ import annotations

import json
from statistics import mean

import numpy as np
import pytest
import torch

from helpers.corpora import language_reference
from helpers.files import ROOT
from helpers.generation import generate, greedy, min_p, repetition_penalty, reply_text, temperature, top_k, top_p
from helpers.metrics import chance_error, distinct_n, expected_calibration_error, reliability, text_perplexity
from helpers.models import fetch
from helpers.transformer import Llama, RMSNorm, residual_stream
from helpers.trials.openings import OPENINGS, share_repeated, trial
from helpers.velunda import canon

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


def test_the_support_prompt_has_about_160_tokens(chat):
    assert 155 <= len(chat[1](SYSTEM)["input_ids"]) <= 165


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


def test_settings_lie_on_nearly_one_curve_and_the_penalty_far_below_it():
    points = sorted(
        (mean(run["distinct"]), np.log(mean(run["perplexity"])))
        for case, run in recorded().items()
        if dict(case).get("top_p")
    )
    x, y = np.array(points).T
    smooth = np.polynomial.Polynomial.fit(x, y, 4)
    assert np.abs(smooth(x) - y)[x < 0.97].max() < 0.4  # in log perplexity, whose range over these points is 3.6
    penalty = recorded()[("temperature", 0), ("penalty", 1.2)]
    assert smooth(penalty["distinct"][0]) - np.log(penalty["perplexity"][0]) > 1.0


def test_people_write_less_probable_text_than_the_model_and_high_temperature_still_less(chat, tickets):
    model, tokenizer = chat
    ids = torch.tensor(tokenizer(" ".join(tickets))["input_ids"][: 12 * 64])
    people = text_perplexity(model(ids[None])[0], ids)
    assert 2 * mean(drawn(1.0, 1.0)["perplexity"]) < people < 0.2 * mean(drawn(1.3, 1.0)["perplexity"])
    assert distinct_n(ids.view(12, 64), 2) > 0.8


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
    assert "Kite 500" not in SYSTEM and "Paris" not in SYSTEM
    prices = {v["name"]: v["price_eur"] for p in canon()["products"] for v in p.get("variants", ())}
    assert prices["Kite 500"] == 2790 and "Paris" not in [shop["city"] for shop in canon()["shops"]]


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


def judge(chat, texts: list[str], t: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    model, tokenizer = chat
    sure, right = [], []
    for text in texts:
        ids = torch.tensor(tokenizer(text)["input_ids"])
        logits = temperature(t)(model(ids[None])[0, :-1])
        sure.append(logits.softmax(-1).amax(-1))
        right.append(logits.argmax(-1) == ids[1:])
    return torch.cat(sure).numpy(), torch.cat(right).numpy()


def test_on_the_manual_the_odds_keep_their_word_and_on_tickets_they_promise_too_much(chat, tickets):
    passages = [text[:1100] for _, text in list(language_reference())[5:45:5]]
    sure, right = judge(chat, passages)
    assert expected_calibration_error(sure, right) < 3 * chance_error(sure)
    sure, right = judge(chat, tickets[:40])
    assert expected_calibration_error(sure, right) > 3 * chance_error(sure)
    assert sure.mean() > right.mean() + 0.05
    some = next(b for b in reliability(sure, right) if b.low == 0.4)
    assert 0.35 < some.accuracy / some.confidence < 0.7  # "about half as often"


def test_a_temperature_above_1_takes_away_a_part_of_the_error_on_other_tickets(chat, tickets):
    before, after = (expected_calibration_error(*judge(chat, tickets[1:40:2], t)) for t in (1.0, 1.1))
    assert after < 0.8 * before and after > 0.02


# 7: larger models ----------------------------------------------------------------------------------------------------


def test_a_square_in_the_stream_overflows_float16_and_a_norm_without_float32_forgets_everything(chat, monkeypatch):
    model, tokenizer = chat
    ids = torch.tensor([tokenizer(OPENINGS[5])["input_ids"]])
    largest = float(residual_stream(model, ids)[:, 0, 0].abs().max())
    assert largest < 65_504 < largest**2
    half = Llama.from_pretrained(fetch("chat"), dtype=torch.float16).requires_grad_(False)
    capital = torch.tensor([tokenizer("The capital of France is")["input_ids"]])
    assert tokenizer.decode(half(capital)[0, -1].argmax()) == " Paris"
    monkeypatch.setattr(
        RMSNorm, "forward", lambda self, x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight
    )
    odds = half(capital)[0, -1].float().softmax(-1)
    assert odds.isfinite().all() and float(odds.max()) == pytest.approx(1 / 49_152)
    assert tokenizer.decode(model(capital)[0, -1].argmax()) == " Paris"  # float32 does not mind
