"""Which of several labels a message deserves, asked of a model that was never trained on the labels.

    scores = torch.stack([label_log_probs(model, tokenizer, message) for message in messages])     # (N, 9), nats
    usual = scores.mean(0)                                   # what each label gets whatever the message says
    confidences, labels = (scores - usual).softmax(-1).max(-1)

A label is a sentence that such a customer could have written. Its score is the log-probability of that sentence behind
the message. Long and rare sentences get low scores behind every message, so the usual score is taken off: what is left
estimates how much this message speaks for the label (pointwise mutual information). What it does not do: train.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from helpers.old.generation.prefix import BehindPrefix

ASK = "Message from a customer of a bicycle maker:\n{message}\n\nThe message in one short sentence:"
LABELS = {
    "order_status": "Where is my order?",
    "change_order": "Please change or cancel my order.",
    "delivery_problem": "The delivery was wrong, damaged or incomplete.",
    "return": "I want to send it back.",
    "repair": "It is broken, please repair it.",
    "billing": "There is something wrong with my payment or invoice.",
    "advice": "I have a question about your products, shops or prices.",
    "account": "I need help with my login, the app or my data.",
    "other": "This is not a request for the support desk.",
}


@torch.inference_mode()
def label_log_probs(
    model: Any, tokenizer: Any, message: str, labels: Mapping[str, str] = LABELS, ask: str = ASK
) -> Tensor:
    """log p(sentence of the label | message) of each label, in nats: (labels,)."""
    start = tokenizer(ask.format(message=message))["input_ids"]
    rows = [[start[-1], *tokenizer(" " + sentence)["input_ids"]] for sentence in labels.values()]
    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(next(model.parameters()).device)

    behind = BehindPrefix(model, start[:-1])  # the message is read once, for all labels
    logits = behind.forward(ids[:, :-1], behind.new_cache(*ids.shape))  # (labels, T − 1, V)
    log_p = logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]  # of each token that comes
    return torch.stack([log_p[i, : len(row) - 1].sum() for i, row in enumerate(rows)]).cpu()
