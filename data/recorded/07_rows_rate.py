"""What do more rows bring, at which learning rate?

A run teaches the chat model all five fields of a ticket by LoRA in one pass over 240 training rows, four a step. After
120 and 240 it reads the 72 tickets of dev, choosing among allowed values. The rate rises in five steps and then stays.
TF-IDF learns from the same rows, and from the 5,760 of the adapter "tickets" (test: "fresh", one of each phrasing).
"""

import random

import torch
from peft import LoraConfig, get_peft_model
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from helpers.assistants import TicketReader
from helpers.models import chat_model
from helpers.records import record
from helpers.training import chat_labels, collate, renderer, train, undisturbed
from helpers.velunda import FIELDS, load_tickets, order_numbers, products_named, ticket_chat
from tests.benchmarks.sweep_tickets import rows

RATES, ROWS, BATCH = (5e-4, 2e-3, 8e-3), (120, 240), 4
INSTRUCTION = "Label the ticket as JSON."  # without the list of values, which takes most tokens
ADAPTER_ROWS = "TF-IDF and rules on the adapter's rows"


def measure(run: dict, _: list[dict]) -> dict:
    """Tickets of dev that are read without a fault after each of ROWS, and for the model the loss of each step."""
    tickets, dev = random.Random(run["seed"]).sample(load_tickets("train"), max(ROWS)), load_tickets("dev")
    found = {"n_dev": len(dev)}
    if run["way"] == ADAPTER_ROWS:
        learned = rows(720 * 8, 0.4, run["seed"])
        test = list({ticket["family"]: ticket for ticket in reversed(load_tickets("fresh"))}.values())
        return found | {"right_all": counting(learned, dev), "right_test": counting(learned, test), "n_test": len(test)}
    if run["way"] == "TF-IDF and rules":
        return found | {f"right_{n}": counting(tickets[:n], dev) for n in ROWS}
    torch.manual_seed(run["seed"])
    model, tokenizer = chat_model()
    model.set_attn_implementation("eager")  # the faster one for so short rows on a CPU
    model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"))
    render, reader = renderer(tokenizer), TicketReader(model, tokenizer, INSTRUCTION)

    def look(step: int, _: float) -> None:
        if step * BATCH in ROWS:
            with undisturbed(model):
                found[f"right_{step * BATCH}"] = sum(reader.right(dev))

    taught = [chat_labels(render, ticket_chat(ticket, INSTRUCTION)) for ticket in tickets]
    batches = [collate(taught[i : i + BATCH]) for i in range(0, len(taught), BATCH)]
    losses = train(model, batches, [run["rate"] * min(1, (step + 1) / 5) for step in range(len(batches))], look)
    return found | {"losses": [round(loss, 4) for loss in losses]}


def counting(tickets: list[dict], dev: list[dict]) -> int:
    """Tickets of dev that logistic regression on runs of letters, fitted on these, and two rules read without fault."""
    texts, found = [ticket["text"] for ticket in dev], {}
    for field in ("intent", "urgency", "sentiment"):
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        model = make_pipeline(letters, LogisticRegression(C=100, max_iter=2000))
        model.fit([ticket["text"] for ticket in tickets], [ticket["label"][field] for ticket in tickets])
        found[field] = model.predict(texts)
    found["product"] = [next(iter(products_named(text)), None) for text in texts]
    found["order_number"] = [next(iter(order_numbers(text)), None) for text in texts]
    return sum(all(found[f][i] == ticket["label"][f] for f in FIELDS) for i, ticket in enumerate(dev))


if __name__ == "__main__":
    torch.set_num_threads(1)
    runs = [{"way": "TF-IDF and rules", "seed": 0}]
    runs += [{"way": "model", "rate": rate, "seed": 0} for rate in RATES] + [{"way": ADAPTER_ROWS, "seed": 0}]
    record("07_rows_rate", runs, measure)
