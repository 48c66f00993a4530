"""What the lesson concludes, over its own variables."""

from helpers.assistants.handbook import THRESHOLD as ASSISTANTS
from helpers.assistants.handbook import in_force
from helpers.mine import load

assert len(dev) == 131 and chunks == assistant.index.chunks and (load("index").folder / "index.db").exists()
assert [sum(found(partial(fused, c=c), dev)) for c in (10, 60)] == [89, 81], "c was chosen on dev"
assert all(may_answer(c, q.question) == in_force(documents[c.document], q.question) for q in dev[::9] for c in chunks)
assert all(counts[s] == [(record.loc[s, "test"][n.lower()] <= 6).sum() for n in names] for s in counts), "as recorded"
assert quotes == {"everyday": [27, 30], "hard": [23, 33]} and firsts == {"everyday": [25, 27], "hard": [15, 29]}
assert outdated == 3 and all(counts[s][0] < counts[s][1] for s in counts), "meaning finds more than words in both"
assert abs(THRESHOLD - ASSISTANTS) < 0.1 and outcome(dev_rows, THRESHOLD)[:2] == (19, 19)
assert wilson(18, 19).low < 0.8 and outcome(record.query("split == 'test'"), THRESHOLD)[3:] == (71, 38)
assert answer("Until when is a gift card valid?")[1][0] and answer("Do you sell skis?") is None
