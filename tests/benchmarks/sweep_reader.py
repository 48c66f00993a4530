"""The adapter "reader": the chat model taught to answer from a text or to say that the text does not tell, on the
questions of data/reading, scored as saved on its dev and test domains and on the handbook's questions. The threshold
for "Not in the text." was chosen on dev."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

NAME = "08_reader"
CASES = [{"passes": 2, "batch": 8, "rate": 2e-3, "rank": 8, "seed": 0}]
SPLITS = ("dev", "test")


def run(case: dict) -> dict:
    from helpers.old.assistants import PassageReader
    from helpers.old.assistants.taught import taught_model
    from tests.benchmarks.tuning import trained
    from tests.tools.model_cards import entry, score_row

    history, folder = train_reader(**case)
    model, tokenizer = taught_model(folder)  # the file, rounded to bfloat16
    reader = PassageReader(model, tokenizer)
    found = {split: judged(reader, split) for split in SPLITS}
    scores = [(name, found["test"].pop(name)) for name in ("pages", "everyday")]
    for name, _ in scores:
        found["dev"].pop(name)
    told = entry(
        folder,
        summary='Answers a question from a text in one short sentence, or says "Not in the text."',
        data=[
            "data/reading, the twelve training domains: sentences, rows of tables written out, whole pages",
            "never shown: the dev and test domains, Velunda's handbook and every question about it",
        ],
        recipe=case,
        scores=[
            score_row(
                {
                    "pages": "right, pages of two unseen domains",
                    "everyday": "right, everyday questions about the handbook, from the right sentence or row",
                }[name],
                score,
            )
            for name, score in scores
        ],
        limits=[
            "It reads texts as helpers.retrieval.units writes them out: sentences, and rows with their columns' names.",
            "Texts of more than a page, and questions that need two places far apart, were not trained. English only.",
        ],
    )
    return trained(history) | found | {"adapter": told}


def train_reader(passes: int, batch: int, rate: float, rank: int, seed: int) -> tuple[Any, Any]:
    """History, and the folder of the adapter. A training that was stopped goes on in build/sweeps."""
    from dataclasses import replace

    import torch

    from helpers.adapters import BASE
    from helpers.lora import add_lora_
    from helpers.old.assistants import passage_chat
    from helpers.old.lora import save_adapter
    from helpers.old.training import encode_chat, train
    from helpers.old.training.losses import loss_behind_prefix
    from helpers.old.trials.reading import load_reading
    from helpers.old.trials.ticket_training import recipe_of, rounded
    from tests.benchmarks.sweeps import KEPT
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(torch.bfloat16)
    groups = grouped_rows(load_reading("train"), passes, batch, seed)
    examples = [
        [encode_chat(tokenizer, passage_chat(row.question, row.text, row.answer), 640) for row in group]
        for group in groups
    ]
    torch.manual_seed(seed)
    add_lora_(model, rank, alpha=2 * rank)
    history = train(
        model,
        examples,
        replace(recipe_of(len(examples), rate=rate, seed=seed), batch=1),
        loss=loss_behind_prefix,
        collate=lambda groups: rounded([example for group in groups for example in group]),
        folder=KEPT / NAME,
        save_every=50,
    )
    folder = KEPT / "adapters" / "reader"
    save_adapter(model, folder, base=BASE)
    return history, folder


def grouped_rows(readings: Sequence[Any], passes: int, batch: int, seed: int) -> list[list[Any]]:
    """Batches of rows in random order: questions about one page together, so that it is read once; others by length.

    Pages are passed once, short texts `passes` times, with other neighbors around the evidence each time.
    """
    from tests.benchmarks.reading_examples import training_rows

    rng, groups = random.Random(f"groups {seed}"), []
    for turn in range(passes):
        rows = training_rows(readings, seed=seed + turn)
        pages: dict[str, list[Any]] = {}
        for row in rows:
            if row.page.startswith("page "):
                pages.setdefault(row.page, []).append(row)
        if turn == 0:
            groups += [some[i : i + batch] for some in pages.values() for i in range(0, len(some), batch)]
        short = sorted((row for row in rows if not row.page.startswith("page ")), key=lambda row: len(row.text))
        blocks = [short[i : i + batch] for i in range(0, len(short), batch)]
        groups += blocks
    rng.shuffle(groups)
    return groups


def judged(reader: Any, split: str) -> dict:
    """How well the reader answers: pages of unseen domains, the handbook's hard and everyday questions, abstention."""
    from helpers.old.assistants import NOT_THERE
    from helpers.old.assistants.handbook import handbook_index
    from helpers.old.metrics import Score
    from helpers.old.metrics.text import answer_f1, contains_answer, exact_match
    from helpers.old.trials.reading import chunk_text, first_word, gold_text, load_reading, right_on_page, right_units
    from helpers.retrieval.units import split_units, write_out
    from helpers.velunda import load_everyday, load_questions

    pages = load_reading(split)
    texts = [f"{r.passage.title}:\n{write_out(split_units(r.passage.text))}" for r in pages]
    on_pages = reader.answer([(r.question, text) for r, text in zip(pages, texts, strict=True)])
    index = handbook_index()

    def top(question: str) -> str:
        return chunk_text(index.search(question, 1)[0].chunk)

    hard = load_questions(split)
    on_hard = reader.answer([(q.question, gold_text(q) if q.answerable else top(q.question)) for q in hard])
    told = [(q, a.text) for q, a in zip(hard, on_hard, strict=True) if q.answerable]
    everyday = load_everyday(split)
    on_units = reader.answer([(q.question, right_units(q) if q.answerable else top(q.question)) for q in everyday])
    plain = [(q, a.text) for q, a in zip(everyday, on_units, strict=True) if q.answerable]
    yes_no = [(q.answer, text) for q, text in told if first_word(q.answer) in ("yes", "no")]
    rows = [(not q.answerable, a.absent) for q, a in zip(hard, on_hard, strict=True)]
    rows += [(not q.answerable, a.absent) for q, a in zip(everyday, on_units, strict=True)]
    page_rows = [(r.kind == "unanswerable", a.absent) for r, a in zip(pages, on_pages, strict=True)]
    return {
        "pages": Score.of((r.passage.id, right_on_page(a.text, r)) for r, a in zip(pages, on_pages, strict=True)),
        "everyday": Score.of((q.question, contains_answer(text, q.accepted)) for q, text in plain),
        "pages, f1": mean(answer_f1(a.text, r.answer) for r, a in zip(pages, on_pages, strict=True)),
        "pages, by kind": by_kind((r.kind, right_on_page(a.text, r)) for r, a in zip(pages, on_pages, strict=True)),
        "hard": {
            "n": len(told),
            "f1": mean(answer_f1(text, q.answer) for q, text in told),
            "exact": sum(exact_match(text, q.answer) for q, text in told),
            "refused": sum(text == NOT_THERE for _, text in told),
            "yes or no": [
                len(yes_no),
                sum(first_word(a) == first_word(t) for a, t in yes_no),
                sum(first_word(a) == "no" for a, _ in yes_no),
            ],
        },
        "everyday questions": {
            "n": len(plain),
            "right": sum(contains_answer(text, q.accepted) for q, text in plain),
            "refused": sum(text == NOT_THERE for _, text in plain),
        },
        "abstention": {
            "handbook": [[int(a), round(p, 4)] for a, p in rows],
            "pages": [[int(a), round(p, 4)] for a, p in page_rows],
        },
        "answers": [[q.question, text] for q, text in [*told, *plain]],
    }


def by_kind(results: Any) -> dict:
    found: dict[str, list[int]] = {}
    for kind, right in results:
        found.setdefault(kind, []).append(int(right))
    return {kind: [sum(marks), len(marks)] for kind, marks in found.items()}


def mean(values: Any) -> float:
    values = list(values)
    return round(sum(values) / len(values), 4)
