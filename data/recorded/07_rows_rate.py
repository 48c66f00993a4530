"""What do more rows bring, at which learning rate, and what do cheaper ways reach?

A run teaches the chat model to write job cards by LoRA, in 30 steps of four rows, so 10 rows are read twelve times and
40 three times. The rate rises in five steps, then falls to 0. The seed chooses rows, their order, and how the adapter
starts. Counted: notes whose card is right in all four fields. Cheaper ways: the untrained model with four of the train
notes in its prompt, and a tagger: logistic regression marks the words of part and trouble, lists find bicycle and day.
"""

import random
import re

import numpy as np
import pandas as pd
import torch
from peft import LoraConfig, get_peft_model
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from helpers.files.paths import DATA
from helpers.models import chat_model
from helpers.records import record
from helpers.training import chat_labels, collate, evaluate, renderer, train, warm_then_fall

ROWS, RATES, SEEDS, STEPS, BATCH = (10, 40), (5e-4, 2e-3, 8e-3), (0, 1), 30, 4
JOB = "Job card: bicycle | part | trouble | day"
BIKES = "Kite Otter Heron Wren Lynx Puffin Magpie".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday today tomorrow".split()
DAY_OF = {day[:3].lower(): day for day in DAYS} | {day.lower(): day for day in DAYS}


def pairs(split: str) -> list[list[str]]:
    """Notes with their cards."""
    return pd.read_json(DATA / f"velunda/job_cards/{split}.jsonl", lines=True).values.tolist()


def chat_of(note: str, card: str, examples: list[list[str]]) -> list[dict]:
    turns = [{"role": "system", "content": JOB}]
    for asked, answer in [*examples, (note, card)]:
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return turns


def measure(run: dict, _: list[dict]) -> dict:
    """Cards that are right, on dev (for the cheaper ways on test, too), and the loss of each step."""
    torch.manual_seed(run["seed"])
    draw = random.Random(run["seed"])
    chosen = draw.sample(pairs("train"), run["rows"])
    if run["way"] == "tagger":
        tagger = fit(chosen, run["C"])
        return {name: sum(tag(tagger, note) == card for note, card in pairs(split)) for name, split in SPLITS}
    model, tokenizer = chat_model()
    model.set_attn_implementation("eager")  # the faster one for so short rows on a CPU
    render = renderer(tokenizer)

    def batches(rows: list) -> list:
        return [collate(rows[i : i + BATCH], tokenizer.pad_token_id) for i in range(0, len(rows), BATCH)]

    def n_right(split: str, examples: list) -> int:
        rows = []
        for pair in pairs(split):
            ids, labels = chat_labels(render, chat_of(*pair, examples))
            start = len(render(chat_of(*pair, examples)[:-1], open=True))  # the last answer alone counts
            rows.append((ids, [-100] * start + labels[start:]))
        return sum(evaluate(model, batches(rows))[1])

    if run["way"] == "prompt":
        return {name: n_right(split, chosen) for name, split in SPLITS}
    lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, lora)
    taught = [chat_labels(render, chat_of(*pair, [])) for pair in chosen]
    order: list = []
    while len(order) < STEPS * BATCH:
        order += draw.sample(taught, len(taught))
    losses = train(model, batches(order)[:STEPS], warm_then_fall(run["rate"], STEPS))
    return {"right": n_right("dev", []), "losses": [round(loss, 4) for loss in losses]}


def words_of(note: str) -> list[str]:
    return re.findall(r"[\w'-]+|[^\w\s]", note.replace("'s ", " 's "))


def clues(words: list[str], i: int, before: str) -> dict[str, int]:
    """Word i, three on each side, how they end, and the marks of the two words before: P part, T trouble, - neither."""
    found = {f"before: {before[-1:]}": 1, f"two before: {before[-2:]}": 1}
    for k in range(i - 3, i + 4):
        word = words[k] if 0 <= k < len(words) else "END"
        word = "BICYCLE" if word in BIKES else "DAY" if word.lower() in DAY_OF else word.lower()
        found |= {f"{k - i}: {word}": 1, f"{k - i} ends: {word[-2:]}": 1, f"{k - i} ends: {word[-3:]}": 1}
    return found


def fit(chosen: list[list[str]], C: float):
    x, y = [], []
    for note, card in chosen:
        words = words_of(note)
        low, marks = [word.lower() for word in words], ["-"] * len(words)
        for mark, value in zip("PT", card.split(" | ")[1:3], strict=True):
            part = words_of(value.lower())
            start = next(i for i in range(len(words)) if low[i : i + len(part)] == part)
            marks[start : start + len(part)] = mark * len(part)
        x += [clues(words, i, "".join(marks[:i])) for i in range(len(words))]
        y += marks
    return make_pipeline(DictVectorizer(), LogisticRegression(C=C, max_iter=5000)).fit(x, y)


def tag(tagger, note: str) -> str:
    """The likeliest card in which part and trouble are one stretch of words each."""
    words, beam = words_of(note), [(0.0, "")]
    for i in range(len(words)):
        odds = tagger.predict_log_proba([clues(words, i, marks) for _, marks in beam])
        longer = [(p + q, marks + m) for (p, marks), row in zip(beam, odds, strict=True)
                  for m, q in zip(tagger.classes_, row, strict=True)]  # fmt: skip
        whole = [one for one in longer if max(len(re.findall(f"{mark}+", one[1])) for mark in "PT") < 2]
        beam = sorted(whole, reverse=True)[:30]
    best = next((marks for _, marks in beam if "P" in marks and "T" in marks), beam[0][1])
    part, trouble = (" ".join(np.array(words)[[m == mark for m in best]]) for mark in "PT")
    bicycle = next((word for word in words if word in BIKES), "-")
    day = next((DAY_OF[word.lower()] for word in words if word.lower() in DAY_OF), "-")
    return f"{bicycle} | {part[:1].lower() + part[1:] if part[1:2].islower() else part} | {trouble} | {day}"


SPLITS = (("right", "dev"), ("right_test", "test"))

if __name__ == "__main__":
    torch.set_num_threads(1)
    runs = [{"way": "trained", "rows": n, "rate": rate, "seed": s} for s in SEEDS for n in ROWS for rate in RATES]
    runs += [{"way": "prompt", "rows": 4, "seed": s} for s in SEEDS]
    runs += [{"way": "tagger", "rows": n, "C": C, "seed": s} for s in SEEDS for n in ROWS for C in (1, 10, 100)]
    record("07_rows_rate", runs, measure)
