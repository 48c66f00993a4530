"""The tickets' suite as a multiple-choice task of the library `lm-eval` (Gao et al., 2021; extra `compare`).

    name = write_task("build/lm_eval", load_suite("tickets"))          # a YAML file and its data

What a ticket is about is one of nine short texts, scored by the log-probability of its tokens after the ticket. `acc`
takes the largest sum, `acc_norm` divides each by the choice's length in characters. A prompt that ends in a space or
a newline is a trap: lm-eval moves it to the choices, whose scores then hold one token more.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from helpers.old.evaluation.suites import Suite, SuiteError

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
