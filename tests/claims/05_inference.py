import numpy

assert possible.sum() == 50 and abs(ratio - 0.7) < 1e-3, "top-k 50 and temperature 0.7, which nobody set"
assert (spread["1.5, then top-p 0.9"] > 0).sum() > 2000 > 100 > (spread["1.5, then min-p 0.1"] > 0).sum()
assert len(pairs) == 72 and all(len(tokenizer.encode(" " + word)) == 1 for word in [*pairs.word, *pairs.opposite])
assert n_right == {"dev": 20, "held out": 40}
assert (table["held out"] < 40).all() and all(p["held out"].is_monotonic_decreasing for _, p in table.groupby("cut"))
assert all(numpy.ptp([numpy.interp(n, p.tokens, p["held out"]) for _, p in table.groupby("cut")]) < 2 for n in (4, 7))
assert set(ranked.cut[:2]) == {"top-p 0.9", "min-p 0.1"} and set(ranked.temperature[:2]) == {0.5}
assert next(answer_lines(lines[:3:2], answer_here, ["\nThe"], do_sample=False, max_new_tokens=12)) == (
    1,
    "The capital of France is Paris.",
    "end",
)
