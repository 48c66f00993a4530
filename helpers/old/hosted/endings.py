"""How a call to the Responses API ended, told from what the client returned and not from the text alone.

    how_it_ended(response)     # "whole", "cut", "filtered", "refused", "tool", "empty" or "failed"

Status 200 is no ending: a reply may be cut, declined, a wish for a tool or empty, and what came back may be a gateway's
page, which the client hands over as a text. What it does not do: judge whether a whole answer is right.
"""

from __future__ import annotations

from typing import Any


def how_it_ended(response: Any) -> str:
    """What came of a call: one of the seven words above. response: what `client.responses.create` returned."""
    status = getattr(response, "status", None)
    if status not in ("completed", "incomplete"):
        return "failed"
    if status == "incomplete":
        return "filtered" if getattr(response.incomplete_details, "reason", None) == "content_filter" else "cut"
    messages = [item for item in response.output if item.type == "message"]
    if any(part.type == "refusal" for item in messages for part in item.content):
        return "refused"
    if any(item.type == "function_call" for item in response.output):
        return "tool"
    said = "".join(part.text for item in messages if item.phase != "commentary" for part in item.content)
    return "whole" if said.strip() else "empty"
