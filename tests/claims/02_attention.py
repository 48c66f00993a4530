"""What the lesson concludes, over its own variables."""

assert p_first.max() < 0.01 and p_second[1:].min() > 0.95, "the name is found in the text"
assert leaky == ["A", "B", "C"]
assert len(texts) == N_NAMES == 16 and len(p_rest) == 10 + N_DRAWS, "every name has four tokens"
assert all(p_rest["the whole model"].mean(1) > p_rest["without 5 copiers"].mean(1)), "every name loses"
assert min(p.mean() for label, p in p_rest.items() if "random" in label or "11.1" in label) > 0.8
assert (
    p_rest["without 5 copiers"].mean()
    < 0.2
    < 0.7
    < min(p.mean() for label, p in p_rest.items() if "alone" in label or "next five" in label)
)
assert p_rest["without 16.0, which looks back"].mean() < 0.6
assert backward[:2] == [(16, 0), (11, 1)] and copiers[0] == (18, 6)
assert min(copy_score[one] for one in copiers) > 0.5 and abs(of_copiers.mean() - 0.71) < 0.02, "11.1 is not needed"
assert leak(planted, text, size) > LIMITS[torch.bfloat16] > rounding and leak(model, text, size) < 1e-6
