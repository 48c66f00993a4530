assert possible.sum() == 50 and abs(ratio - 0.7) < 1e-3, "top-k 50 and temperature 0.7, which nobody set"
assert (odds["1.5, then top-p 0.9"] > 0).sum() > 2000 > 100 > (odds["1.5, then min-p 0.1"] > 0).sum()
assert len(pairs) == 72 and all(len(tokenizer.encode(" " + word)) == 1 for word in pairs.opposite)
assert all(hits.mean() <= greedy_right[name] for name in splits for hits in n_right[name].values())
assert n_right["held out"]["min-p 0.1", 1.5].mean() > n_right["held out"]["top-p 0.9", 1.5].mean() + 10
assert (temperature, cut, greedy_right) == (0.5, "top-p 0.9", {"dev": 20, "held out": 40})
assert n_loops["greedy"] > max(n_loops["greedy, penalty 1.2"], n_loops["drawn as chosen"])
