"""How much rank is enough, in which matrices, at which strength: the chat model taught for 16 steps of 8 rows to answer
from one sentence or table row of data/reading, with LoRA of several ranks, in attention or feed-forward layers alone at
the same number of parameters, with a wrong alpha, and with all weights trained, each at one learning rate. The score is
the loss on questions of two unseen domains. Then adapters that were made ill on purpose."""

from __future__ import annotations

from typing import Any

NAME = "08_ranks"
STEPS, N_DEV = 16, 64
RATE = 1e-3  # of LoRA; full tuning gets a tenth
EVERYWHERE = {"case": "lora", "targets": "all", "scale": 2.0}
SAME_SIZE = (  # as many parameters as rank 8 everywhere
    {"case": "lora", "targets": "attention", "scale": 2.0, "rank": 21},
    {"case": "lora", "targets": "feed-forward", "scale": 2.0, "rank": 13},
)
WRONG_ALPHA = tuple({"case": "lora", "targets": "all", "scale": scale, "rank": 8} for scale in (20.0, 0.2))
ILL = ("padding trained", "no template")
CASES = [
    {"case": "untrained"},
    *({**EVERYWHERE, "rank": rank, "rate": RATE} for rank in (1, 64)),
    {"case": "full", "rate": RATE / 10},
    {**EVERYWHERE, "rank": 8, "rate": RATE},
    *({"case": "ill", "mistake": mistake} for mistake in ILL),
    *({**other, "rate": RATE} for other in (*SAME_SIZE, *WRONG_ALPHA)),
    {**EVERYWHERE, "rank": 4, "rate": RATE},
    {**EVERYWHERE, "rank": 16, "rate": RATE},
    *({"case": "lora", "targets": "all", "scale": 16 / rank, "rank": rank, "rate": RATE} for rank in (1, 64)),
    {"case": "cut", "rate": RATE / 10},
]
KEPT_RANKS = (1, 2, 4, 8, 16, 64)


def run(case: dict) -> dict:
    kinds = {"untrained": untrained, "lora": lora, "full": full, "cut": cut, "ill": ill}
    return kinds[case["case"]](**{name: value for name, value in case.items() if name != "case"})


def untrained() -> dict:
    import torch

    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(torch.bfloat16)
    return scored(model, tokenizer)


def lora(targets: str, rank: int, scale: float, rate: float) -> dict:
    from helpers.lora import lora_parameters

    model, tokenizer = with_lora(targets, rank, scale)
    history = taught(model, encoded(tokenizer, training()), rate)
    size = sum(parameter.numel() for parameter in lora_parameters(model))
    found = {"parameters": size, "losses": rounded_list(history.losses)} | scored(model, tokenizer)
    if (targets, rank, scale) == ("all", 8, 2.0):  # the healthy one of the ill; ten times alpha: as in a wrong file
        found |= {"as saved": looks(model, tokenizer, 16), "alpha × 10": looks(model, tokenizer, 160)}
    return found


def full(rate: float) -> dict:
    """All weights, in float32 with matrix products in bfloat16, because bfloat16 weights swallow small steps."""
    model, tokenizer, losses = fully_trained(rate)
    size = sum(parameter.numel() for parameter in model.parameters())
    return {"parameters": size, "losses": losses} | scored(model, tokenizer)


def cut(rate: float) -> dict:
    """What full fine-tuning changed in the matrices of all blocks, cut to its best approximation of each rank."""
    import torch

    from helpers.lora import ALL_LINEAR
    from tests.benchmarks.tuning import base_model

    model, tokenizer, _ = fully_trained(rate)
    start = dict(base_model(torch.float32)[0].named_parameters())
    parts = {}
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.split(".")[-2] in ALL_LINEAR:
                parts[name] = torch.linalg.svd(weight - start[name], full_matrices=False)
            else:
                weight.copy_(start[name])  # embeddings and norms, which LoRA leaves alone
        found = {"all": scored(model, tokenizer)}
        for rank in KEPT_RANKS:
            for name, (u, s, v) in parts.items():
                model.get_parameter(name).copy_(start[name] + u[:, :rank] * s[:rank] @ v[:rank])
            found[str(rank)] = scored(model, tokenizer)
    energy = {rank: sum((s[:rank] ** 2).sum() for _, s, _ in parts.values()) for rank in (*KEPT_RANKS, 10**6)}
    shares = {str(rank): round(float(energy[rank] / energy[10**6]), 4) for rank in KEPT_RANKS}
    return {"kept": found, "share of the squares": shares}


def fully_trained(rate: float) -> tuple[Any, Any, list[float]]:
    from dataclasses import replace

    import torch

    from helpers.old.trials.low_rank import train_in_groups
    from helpers.old.trials.ticket_training import recipe_of
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(torch.float32)
    examples = encoded(tokenizer, training())
    recipe = replace(recipe_of(STEPS, rate=rate), autocast=True)
    history = train_in_groups(model.requires_grad_(True), examples, recipe)
    return model, tokenizer, rounded_list(history.losses)


def ill(mistake: str) -> dict:
    """An adapter of rank 8 that was trained with a mistake, and what can be measured of it from outside."""
    model, tokenizer = with_lora("all", 8, 2.0)
    examples = encoded(tokenizer, training(), template=mistake != "no template")
    if mistake == "padding trained":
        examples = [padded(example, tokenizer.eos_token_id, 176) for example in examples]
    history = taught(model, examples, RATE)
    return {"losses": rounded_list(history.losses), "as saved": looks(model, tokenizer, 16)}


def looks(model: Any, tokenizer: Any, alpha: float) -> dict:
    """Losses on dev: as it is, with a tenth of alpha, without the chat template. And some replies."""
    from helpers.lora import lora_layers

    found = {}
    for name, factor, template in (("loss", 1, True), ("loss at a tenth", 0.1, True), ("loss, no template", 1, False)):
        for layer in lora_layers(model).values():
            layer.alpha = alpha * factor
        found[name] = scored(model, tokenizer, template)["loss"]
    return found | {"replies": replies(model, tokenizer, 6)}


# What every case does -------------------------------------------------------------------------------------------------


def with_lora(targets: str, rank: int, scale: float) -> tuple[Any, Any]:
    import torch

    from helpers.lora import ALL_LINEAR, ATTENTION, FEED_FORWARD, add_lora_
    from tests.benchmarks.tuning import base_model

    names = {"all": ALL_LINEAR, "attention": ATTENTION, "feed-forward": FEED_FORWARD}[targets]
    model, tokenizer = base_model(torch.bfloat16)
    torch.manual_seed(0)
    return add_lora_(model, rank, alpha=scale * rank, targets=names), tokenizer


def training() -> list[Any]:
    from helpers.old.trials.low_rank import SIZE, short_rows

    return short_rows("train", STEPS * SIZE)


def encoded(tokenizer: Any, rows: Any, template: bool = True) -> list[Any]:
    """Rows as examples; without the template the prompt is the bare text, as in many a first attempt."""
    from helpers.old.training.chats import Example
    from helpers.old.trials.low_rank import encode_rows

    if template:
        return encode_rows(tokenizer, rows)
    made = []
    for row in rows:
        prompt = tokenizer(f"{row.text}\n\nQuestion: {row.question}\nAnswer:")["input_ids"]
        answer = [*tokenizer(f" {row.answer}")["input_ids"], tokenizer.eos_token_id]
        made.append(Example(prompt + answer, [-100] * len(prompt) + answer))
    return made


def padded(example: Any, pad: int, length: int) -> Any:
    """The example filled up to `length` with a token that is trained, as where labels are a copy of the padded ids."""
    from helpers.old.training.chats import Example

    more = [pad] * (length - len(example))
    return Example(example.ids + more, example.labels + more)


def taught(model: Any, examples: list[Any], rate: float) -> Any:
    from helpers.old.training.losses import loss_behind_prefix
    from helpers.old.trials.low_rank import train_in_groups
    from helpers.old.trials.ticket_training import recipe_of

    return train_in_groups(model, examples, recipe_of(STEPS, rate=rate), loss=loss_behind_prefix)


def scored(model: Any, tokenizer: Any, template: bool = True) -> dict:
    """Mean loss over questions of dev (nats per label), that of each, and how many answers are word for word right."""
    from helpers.old.trials.low_rank import row_losses, short_rows

    losses, right = row_losses(model, encoded(tokenizer, short_rows("dev", N_DEV), template))
    return {
        "loss": round(losses.mean().item(), 4),
        "by row": rounded_list(losses.tolist()),
        "word for word": int(right.sum()),
    }


def replies(model: Any, tokenizer: Any, n: int) -> list[list[str]]:
    """What it says to n questions of dev, without a threshold for refusing."""
    from helpers.old.assistants import passage_chat
    from helpers.old.generation.replies import greedy_replies
    from helpers.old.trials.low_rank import short_rows

    rows = short_rows("dev", n)
    chats = [passage_chat(row.question, row.text) for row in rows]
    prompts = [list(tokenizer.apply_chat_template(c, add_generation_prompt=True, return_dict=False)) for c in chats]
    found = greedy_replies(model, tokenizer, prompts, 32, n)
    return [[row.question, row.answer, reply.text] for row, reply in zip(rows, found, strict=True)]


def rounded_list(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]
