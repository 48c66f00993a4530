"""What the lesson concludes, over its own variables."""

assert not {NOTE, *dev[:, 0]} & {pair[0] for pair in [*train_pairs, *test]} and NOTE not in dev[:, 0], "dev is new"
assert means[40, 0.002] > means[10, 0.002] and means[40, 0.008] > means[10, 0.008] and means[40, 0.0005] < 7
assert sum(before) == 0 and sum(after) > 8 and sum(losses[-5:]) / 5 < losses[0] / 10
assert stopped > 20 and sum(after) / 2 < len(dev) - len(wrong) < four, "it stops; the form is learned before the words"
assert sum(served) == 0, "a space at the end breaks it"
assert shares["at random"] - shares["by family"] > 0.2, "the leak"
assert len(letters) == 77 == len({*letters.family} - {*many.family}), "one of each phrasing, none of it taught"
assert right["the adapter"].mean() > 0.7 and (b & ~a).sum() > 2 * (a & ~b).sum()
assert gain.low < 0 < gain.difference and spent["the adapter"].mean() < 0.8
