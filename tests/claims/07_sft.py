"""What the lesson concludes, over its own variables."""

assert on_dev["the adapter"][0].sum() > 50 > 45 > on_dev["TF-IDF, rules"][0].sum() > 35
assert 10 > on_dev["constant, rules"][0].sum()
assert shares["at random"] - shares["by family"] > 0.2, "the leak"
assert len(dev) == 72 and len(test) == 77 and len({ticket["family"] for ticket in test}) == 77, "one of each phrasing"
assert not {ticket["family"] for ticket in test} & {ticket["family"] for ticket in all_train + dev}, "no family in two"
assert sum(losses[-5:]) / 5 < losses[0] / 3, "the form is learned"
assert on_test["the adapter"][0].mean() > 0.7 and (b & ~a).sum() > 2 * (a & ~b).sum()
assert control.right_all < on_dev["the adapter"][0].sum() and control.right_test < on_test["the adapter"][0].sum()
assert (few_rows[few_rows.way != "model"].right_240.iloc[0] > 2 * few_rows[few_rows.way == "model"].right_240).all()
