"""What the lesson concludes, over its own variables."""

assert on_dev["the adapter"].sum() > 50 > 45 > on_dev["TF-IDF, rules"].sum() > 35 > 10 > on_dev["no adapter"].sum()
assert shares["at random"] - shares["by family"] > 0.2, "the leak"
assert len(dev) == 72 and len(test) == 77 and len({ticket["family"] for ticket in test}) == 77, "one of each phrasing"
assert not {ticket["family"] for ticket in test} & {ticket["family"] for ticket in all_train + dev}, "no family in two"
assert len({ticket["family"] for ticket in watched}) == len(watched) == 36
assert curve[30] > curve[10], "the curve on dev rises"
assert on_test["the adapter"][0].mean() > 0.7 and (b & ~a).sum() > 2 * (a & ~b).sum()
assert control.right_all < on_dev["the adapter"].sum() and control.right_test < on_test["the adapter"][0].sum()
assert (few_rows[few_rows.way != "model"].right_240.iloc[0] > 2 * few_rows[few_rows.way == "model"].right_240).all()
