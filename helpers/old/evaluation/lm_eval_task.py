"""The tickets' suite as a multiple-choice task, for the harness here and for the library `lm-eval`, which agree.

    model = likelihood_model(model, tokenizer, "SmolLM2")              # scores nine choices, writes nothing
    run = run_suite(model, load_suite("tickets"), scorer=picks_intent)
    run.share("acc"), run.share("acc_norm")

    name = write_task("build/lm_eval", load_suite("tickets"))          # a YAML file and its data
    lm_eval_accuracy("build/lm_eval", name, fetch("chat"))             # {"acc": …, "acc_norm": …}, by lm-eval

What a ticket is about is one of nine short texts. Each is scored by the log-probability of its tokens behind the
ticket, so that no reply has to be read. `acc` takes the choice with the largest sum; `acc_norm` divides each sum by the
choice's length in characters, since a long text is improbable for being long. The two often pick different choices,
so a published accuracy without the name of its rule cannot be compared with yours. Neither takes off what a choice gets
behind every ticket, which for a small model decides nearly everything (`helpers.old.prompting.pmi`, notebooks 05 and
12).

lm-eval (Gao et al., 2021; package `lm-eval`, extra `compare`) reads tasks from YAML and models from a folder, so that
no network is needed: `lm-eval run --model hf --model_args pretrained=FOLDER --tasks velunda_intents --include_path
build/lm_eval`. A prompt that ends in a space or a newline is a trap: lm-eval moves it to the choices, whose scores then
hold one token more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.old.evaluation.suites import Item, Suite, SuiteError
from helpers.old.evaluation.systems import Model, Reply

TASK = "velunda_intents"
ASK = "Message from a customer of a bicycle maker:\n{message}\n\nThe message in one short sentence:"
CHOICES = {
    "order_status": "Where is my order?",
    "change_order": "I want to change my order.",
    "delivery_problem": "Something was wrong with the delivery.",
    "return": "I want to send something back.",
    "repair": "Something has to be repaired.",
    "billing": "There is a problem with a payment.",
    "advice": "I have a question before I buy.",
    "account": "I have a problem with the app.",
    "other": "This is nothing for you to do.",
}


def likelihood_model(model: Any, tokenizer: Any, name: str) -> Model:
    """What gives to each text the log-probabilities of CHOICES behind it: a reply whose answer maps intent → nats.

    model: a decoder of the course (`Llama`, `FastLlama`) in float32, with its tokenizer.
    """
    from helpers.old.prompting.scoring import label_scores

    texts = [f" {choice}" for choice in CHOICES.values()]

    def answer(messages: Sequence[str]) -> list[Reply]:
        prompts = [tokenizer(ASK.format(message=message))["input_ids"] for message in messages]
        scores = label_scores(model, tokenizer, prompts, texts)  # (N, 9), nats
        tokens = sum(len(tokenizer(text)["input_ids"]) for text in texts)
        return [
            Reply(dict(zip(CHOICES, row.tolist(), strict=True)), tokens=len(prompt) + tokens)
            for row, prompt in zip(scores, prompts, strict=True)
        ]

    identity = {"choices": CHOICES, "ask": ASK, "name": name, "weights": ""}
    return Model(name, identity, lambda: answer)


def picks_intent(item: Item, reply: Reply) -> dict[str, float]:
    """A scorer: is the likeliest choice right, by the sum of its log-probabilities, and by their sum per character?"""
    nats = reply.answer
    by_sum = max(nats, key=nats.get)
    by_length = max(nats, key=lambda intent: nats[intent] / len(CHOICES[intent]))
    right = item.fields["intent"]
    return {"acc": float(by_sum == right), "acc_norm": float(by_length == right)}


# The same for lm-eval ------------------------------------------------------------------------------------------------

YAML = """\
task: {task}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: choices
doc_to_target: answer
target_delimiter: " "
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""


def write_task(folder: str | os.PathLike, suite: Suite) -> str:
    """A task of lm-eval with the items of the suite, as two files in a folder; returns the task's name.

    Raises SuiteError for a suite without an intent.
    """
    if suite.kind != "fields":
        raise SuiteError(f"The suite {suite.name} has no intents to choose among: take one of tickets.")
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{TASK}.jsonl"
    rows = [
        {
            "id": item.id,
            "prompt": ASK.format(message=item.input),
            "choices": list(CHOICES.values()),
            "answer": list(CHOICES).index(item.fields["intent"]),
        }
        for item in suite.items
    ]
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    (folder / f"{TASK}.yaml").write_text(YAML.format(task=TASK, data=json.dumps(str(data))), encoding="utf-8")
    return TASK


def lm_eval_accuracy(folder: str | os.PathLike, task: str, model_folder: str | os.PathLike) -> dict[str, Any]:
    """lm-eval's own acc and acc_norm on a task that `write_task` wrote, and the log-probabilities behind them.

    model_folder: a model in the library's format, such as `fetch("chat")`; it is read in float32, without a network.
    → {"acc": …, "acc_norm": …, "nats": [[…9], …]}, a row per item. Raises ImportError where lm-eval is missing.
    """
    with _offline(Path(folder)):
        import lm_eval
        from lm_eval.tasks import TaskManager

        found = lm_eval.simple_evaluate(
            model="hf",
            model_args={"pretrained": str(model_folder), "dtype": "float32"},
            tasks=[task],
            task_manager=TaskManager(include_path=str(folder), include_defaults=False),
            batch_size=16,
            device="cpu",
            bootstrap_iters=0,
        )
    scores, samples = found["results"][task], sorted(found["samples"][task], key=lambda row: row["doc_id"])
    nats = [[float(answer[0]) for answer in row["filtered_resps"]] for row in samples]
    return {"acc": scores["acc,none"], "acc_norm": scores["acc_norm,none"], "nats": nats}


@contextmanager
def _offline(folder: Path) -> Any:
    """The libraries' hub switched off, and their data cache in the task's folder, which can be deleted."""
    from unittest.mock import patch

    import datasets
    from huggingface_hub import constants

    cache = str(folder / "cache")
    with (
        patch.dict(os.environ, {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}),
        patch.object(constants, "HF_HUB_OFFLINE", True),
        patch.object(datasets.config, "HF_DATASETS_CACHE", Path(cache)),
    ):
        yield
