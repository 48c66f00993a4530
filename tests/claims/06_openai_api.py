"""What the lesson concludes, over its own variables."""

import re

assert [call(scripted(e["reply"]), **REQUEST)[0] for e in SCRIPT] == [e["ending"] for e in SCRIPT]
assert len(SCRIPT) == 15 and not wrong and shown == [e["answer"] for e in SCRIPT], "the second guard is right"
assert [e["name"] for e in SCRIPT if guard(scripted(e["reply"])) != e["answer"]] == ["a tool call, announced"]
assert sum(not e["reply"] or e["reply"]["status_code"] != 200 or "html" in e["reply"] for e in SCRIPT) == 7
assert sum(e["ending"] in ("cut", "filtered", "tool") for e in SCRIPT) == 4, "three look like an answer, one is blank"
assert len(answers) == N_ORDERS and all(day in owner and day not in stranger for day, owner, stranger in answers)
assert all(re.search(r"20\d\d", stranger) for _, _, stranger in answers), "a stranger reads a date that is made up"
assert len(items) == 1 and order["delivery"] not in untrained, "the untrained model calls no tool"
assert len(answers) == len({day for day, _, _ in answers})
assert load("client").content.keys() <= set(safe_call.__code__.co_varnames)
