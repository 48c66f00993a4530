"""What the lesson concludes, over its own variables."""

from helpers.assistants.handbook import THRESHOLD as ASSISTANTS
from helpers.mine import load

assert sizes == {32: (36, 64), 64: (47, 62), 128: (56, 56), 384: (67, 41)}, "more text wins, and so do smaller chunks"
assert len(dev) == len(test) == 131 and chunks == assistant.index.chunks
assert sum(found(fused, chunks, dev, 6)) == 89 == sum(map(max, by_words, by_meaning)) - 1, "fusion has all but one"
assert all(counts[s, k][:4] == [(record.loc[s, "test"][n] <= k).sum() for n in ("bm25", "dense", "fused", "filtered")]
           for s, k in counts), "live, each step finds what was recorded"  # fmt: skip
assert [(record.query("split == 'dev'")[n] <= 3).sum() for n in ("filtered", "reranked")] == [74, 79]
assert [(record.query("split == 'dev'")[n] <= 6).sum() for n in ("filtered", "reranked")] == [88, 88]
assert abs(THRESHOLD - ASSISTANTS) < 0.1 and refused(on_dev, THRESHOLD) == (19, 19)
assert answer("Until when is a gift card valid?")[1][0] and answer("Do you sell skis?") is None
assert load("index").content["threshold"] == THRESHOLD and load("index").origin == "yours"
