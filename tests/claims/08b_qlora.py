"""What the lesson concludes, over its own variables."""

assert n_equal == n_bytes == 7_077_888, "every packed byte is bitsandbytes'"
assert kept_bytes(four_bit, half) == 0 < kept_bytes(lora, half) < 50_000 < 1_700_000 < kept_bytes(naive, half)
assert all(abs(measured[way] / planned[way] - 1) < 0.15 for way in ways), "the plan holds within 15 %"
assert measured["QLoRA"] < 0.75 * measured["LoRA, 16 bits"] < 0.8 * measured["4 bits, matrices kept"]
assert rest > 0.5 * planned["QLoRA"], "activations and logits are most of QLoRA's plan"
assert sum(plans["LoRA"].values()) > 1.4e10 + 1e10 > 1.6e10 > sum(plans["QLoRA"].values())
assert not any(before) and sum(after) >= 8, "it learns the cards"
