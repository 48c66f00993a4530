"""What the lesson concludes, over its own variables."""

assert max(p_token[first : first + n]) < 0.01 and min(p_token[second + 1 : second + n]) > 0.95
assert max(p_other[second - len(ids) : second - len(ids) + n]) < 0.01, "without the first one, it is not known"
assert leaky == ["A", "B", "C"] and len(texts) == N_NAMES == 16 and len(others(copiers)) == 13, (
    "every name has four tokens"
)
assert all(results["all heads"].mean(1) > results["without 5 copiers"].mean(1)), "every name loses"
assert (
    results["without 5 copiers"].mean()
    < 0.2
    < 0.6
    < min(results[label].mean() for label in ("without copiers but 18.6", "without 13 others of these layers"))
)
assert results["without 16.0, which looks back"].mean() < 0.6 < 0.85 < results["without 11.1, which looks back"].mean()
assert abs(results["without 16.0 and the copiers"].mean() - results["without 5 copiers"].mean()) < 0.05
assert backward == [(16, 0), (11, 1)] and copiers[0] == (18, 6)
assert min(copy_score[one] for one in copiers) > 0.5 and abs(of_copiers - 0.8) < 0.02, "11.1 is not needed"
assert leak(model, text[:, :8], size)[0] < 1e-5 < 0.1 < change and noise < 1e-5, "the last change is the planted one's"
