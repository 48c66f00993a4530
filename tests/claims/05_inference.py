assert possible.sum() == 50 and abs(ratio - 0.7) < 1e-3, "top-k 50 and temperature 0.7, which nobody set"
assert (spread["1.5, then top-p 0.9"] > 0).sum() > 2000 > 100 > (spread["1.5, then min-p 0.1"] > 0).sum()
assert len(pairs) == 72 and all(len(tokenizer.encode(" " + word)) == 1 for word in [*pairs.word, *pairs.opposite])
assert n_right == {"greedy": {"dev": 20, "held out": 40}, "greedy, penalty 1.2": {"dev": 21, "held out": 42}}
assert (table["held out"] < 40).all(), "no drawing setting shown gets more than greedy"
assert all(part["held out"].is_monotonic_decreasing for _, part in table.groupby("cut")), "hotter costs more"
assert (scores.argmax(-1) == token_of(held)).sum() == 11, "the penalty breaks copying"
assert set(ranked.cut[:2]) == {"top-p 0.9", "min-p 0.1"} and set(ranked.temperature[:2]) == {0.5}
assert list(answer_lines([lines[0], "Say no."], 12, ["\nThe"], do_sample=False))[0][1:] == (
    "The capital of France is Paris.",
    "end",
), "a stop string that begins in the prompt does not count"
assert all(
    numpy.ptp([numpy.interp(n, part.tokens, part["held out"]) for _, part in table.groupby("cut")]) < 2
    for n in range(2, 8)
), "at equal variety, up to 7 tokens, the cuts hardly differ"
