"""The chat model's loss with each of its attention heads silenced in turn: on the second half of random tokens that
repeat (other tokens than the notebook's) and on Velunda's sentences in English. One case a layer, besides "none",
which silences nothing. Lists hold one mean in nats a text; induction is the head's score on the same tokens."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from transformers import AutoTokenizer

from helpers.attention import keeping_weights
from helpers.models import fetch
from helpers.old.transformer import induction_score, losses_from, repeated_tokens, silenced, states_before_layers
from helpers.old.velunda import parallel_texts
from helpers.transformer import Llama

NAME = "02_heads"
TEXTS, WRITTEN, LENGTH, SEED = 8, 4, 16, 1  # the notebook draws with seed 0
CASES = ["none", *range(30)]


def run(case: str | int) -> dict:
    model, ids, states = start()
    if case == "none":
        return losses(model, ids, states[0], 0)
    heads = []
    for head in range(model.config.n_heads):
        with silenced(model, case, head):
            heads.append(losses(model, ids, states[case], case))
    return {"induction": scores(model, ids, states, case), "heads": heads}


@cache
def start() -> tuple[Llama, Tensor, list[Tensor]]:
    """The model, the ids (repeated tokens above, sentences below) and what each layer reads."""
    model = Llama.from_pretrained(fetch("chat"))
    repeated = repeated_tokens(TEXTS, LENGTH, model.config.vocab_size, SEED)
    written = AutoTokenizer.from_pretrained(fetch("chat"))(" ".join(parallel_texts()["English"]))["input_ids"]
    ids = torch.cat([repeated, torch.tensor(written[: WRITTEN * 2 * LENGTH]).view(WRITTEN, 2 * LENGTH)])
    return model, ids, states_before_layers(model, ids)


def losses(model: Llama, ids: Tensor, state: Tensor, layer: int) -> dict:
    found = losses_from(model, ids, state, layer)  # (B, T − 1)
    return {
        "repeated": [round(loss, 4) for loss in found[:TEXTS, LENGTH:].mean(1).tolist()],
        "written": [round(loss, 4) for loss in found[TEXTS:].mean(1).tolist()],
    }


@torch.no_grad()
def scores(model: Llama, ids: Tensor, states: list[Tensor], layer: int) -> list[float]:
    block, rope = model.blocks[layer], model.rope(torch.arange(ids.shape[1]))
    with keeping_weights(block) as (attention,):
        block(states[layer][:TEXTS], causal=True, rope=rope)
        return [round(score, 4) for score in induction_score(attention.weights, LENGTH).mean(0).tolist()]
