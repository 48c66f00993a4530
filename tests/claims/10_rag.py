"""What the lesson concludes, over its own variables."""

from helpers.assistants.handbook import THRESHOLD as ASSISTANTS
from helpers.assistants.handbook import in_force
from helpers.mine import load

assert len(dev) == 131 and chunks == assistant.index.chunks and (load("index").folder / "index.db").exists()
assert load("index").content == {"groups": ["."]} and "2026" in ended.stdout and "board/" not in ended.stdout
assert [sum(found(partial(fused, c=c), dev)) for c in (10, 60)] == [89, 81], "c was chosen on dev"
assert all(may_answer(c, q.question) == in_force(documents[c.document], q.question) for q in dev[::9] for c in chunks)
assert counts.loc["hard", "dense"] == sum(found(dense, [q for q in velunda.load_questions("test") if q.answerable]))
assert (right.sum() == [50, 63]).all() and (test.right <= test["reranked right"]).all(), "no right quote is lost"
assert (counts.bm25 < counts.dense).all() and total.dense < total.reranked, "words < meaning < reranked"
assert abs(THRESHOLD - ASSISTANTS) < 0.1 and outcome(dev_rows, THRESHOLD)[:2] == (19, 19) and wilson(18, 19).low < 0.8
assert answer("Until when is a gift card valid?")[1][0] and answer("Do you sell skis?") is None
