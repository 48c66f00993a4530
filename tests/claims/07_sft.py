"""What the lesson concludes, over its own variables."""

assert (
    on_dev["the adapter"][0].sum()
    > 50
    > 45
    > on_dev["TF-IDF, rules"][0].sum()
    > 35
    > on_dev["constant, rules"][0].sum()
)
assert shares["at random"] - shares["by family"] > 0.2, "the leak"
assert len(dev) == 72 and len(test) == 77 and len({ticket["family"] for ticket in test}) == 77, "one of each phrasing"
assert not {ticket["family"] for ticket in test} & {ticket["family"] for ticket in all_train + dev}, "no family in two"
assert sum(losses[-5:]) / 5 < losses[0] / 3, "the form is learned"
assert on_test["the adapter"][0].mean() > 0.7 and (b & ~a).sum() > 2 * (a & ~b).sum()
assert runs.set_index("rate").right_240[0.008] < runs.set_index("rate").right_120[0.008], "too high a rate loses again"
assert all(runs[runs.way != "model"].right_240.iloc[0] > 2 * right for right in runs[runs.way == "model"].right_240)
