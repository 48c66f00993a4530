"""What the lesson concludes, over its own variables."""

import re

assert right == len(SCRIPT) == 15, "the reader and the call know all endings"
assert [ending["name"] for text, ending in zip(shown, SCRIPT, strict=True) if text != ending["answer"]] == [
    "a tool call, announced"
]
assert sum(not e["reply"] or e["reply"]["status_code"] != 200 or "html" in e["reply"] for e in SCRIPT) == 7
assert sum(e["ending"] in ("cut", "filtered", "tool") for e in SCRIPT) == 4, "three look like an answer, one is blank"
assert sum(e["ending"].startswith("429") for e in SCRIPT) == 2
assert shown[5] == "One moment, I am looking up your order."
assert owners == N_ORDERS == 3 and order["delivery"] not in other
assert len(RECEIVED) == 3 and seconds == 600
assert re.search(r"20\d\d-\d\d-\d\d", other), "a stranger reads a date that is made up"
assert usage.output_tokens == usage.output_tokens_details.reasoning_tokens == 100
