"""How 4 bits change the weights of a small GPT that never were in fewer than 32, by code and block size, and its
surprise at new draws from the text it was trained on (it has seen a part of their bytes): the pre-norm stack of
notebook 02b, trained for 400 steps."""

from __future__ import annotations

NAME = "08b_small_gpt"
CASES = [{"case": "own GPT", "steps": 400}]
BLOCKS = (256, 128, 64, 32)


def run(case: dict) -> dict:
    import torch

    from helpers.old.quantization import fake_quantize_
    from helpers.old.trials import deep_stacks, small_gpt

    model = deep_stacks.deep_stack("pre-norm")
    losses = list(deep_stacks.train(model, case["steps"], warmup=50))
    weights = torch.cat([w.detach().flatten() for w in model.blocks.parameters() if w.dim() == 2])
    ids = torch.cat(deep_stacks.batches(seed=1, steps=40))

    def surprise() -> float:
        with torch.inference_mode():
            return round(float(deep_stacks.loss_of(model.eval(), ids)), 4)

    found = {"none": surprise()}
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name, trip in small_gpt.TRIPS.items():
        fake_quantize_(model.blocks, lambda weight, trip=trip: trip(weight.flatten(), 64).view(weight.shape))
        found[name] = surprise()
        model.load_state_dict(kept)
    return {
        "losses": [round(losses[0], 4), round(losses[-1], 4)],
        "weights": len(weights),
        "changes": {
            str(block): {name: round(share, 5) for name, share in small_gpt.changes(weights, block).items()}
            for block in BLOCKS
        },
        "nats a byte": found,
    }
