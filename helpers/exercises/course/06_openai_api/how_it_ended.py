"""how_it_ended: what came of a call, told from its status and its items and not from its text alone."""

from __future__ import annotations

from typing import Any

from numpy.random import Generator
from openai.types.responses import Response

from helpers.exercises.checking.spec import Exercise
from helpers.old.hosted import endings


def how_it_ended(response: Any) -> str:
    """How a call ended: "failed", "filtered", "cut", "refused", "tool", "whole" or "empty". The first that fits counts.

    response: what `client.responses.create` returned, a Response or, from a gateway, a text such as a page of HTML.
    "failed": it is no Response, or its status is neither "completed" nor "incomplete".
    "filtered", "cut": the status is "incomplete". "filtered" if incomplete_details.reason is "content_filter", else
    "cut"; incomplete_details may be None.
    "refused": a message has a part of the type "refusal". "tool": an item has the type "function_call".
    "whole": a message whose phase is not "commentary" has text that is more than blanks. "empty": none has.
    """
    return endings.how_it_ended(response)


ANSWER = """
def how_it_ended(response):
    if getattr(response, "status", None) not in ("completed", "incomplete"):
        return "failed"
    if response.status == "incomplete":
        details = response.incomplete_details
        return "filtered" if details is not None and details.reason == "content_filter" else "cut"
    messages = [item for item in response.output if item.type == "message"]
    if any(part.type == "refusal" for item in messages for part in item.content):
        return "refused"
    if any(item.type == "function_call" for item in response.output):
        return "tool"
    said = "".join(part.text for item in messages if item.phase != "commentary" for part in item.content)
    return "whole" if said.strip() else "empty"
"""
REFUSALS = (
    '    if any(part.type == "refusal" for item in messages for part in item.content):\n        return "refused"\n'
)
CALLS = '    if any(item.type == "function_call" for item in response.output):\n        return "tool"\n'
FIRST_ITEM = (
    "the first item need not be the answer: reasoning may stand before it, a tool call in its place, or there is none. "
    "Collect the items of the type message."
)
SLIPS = [
    (
        'if getattr(response, "status", None) not in ("completed", "incomplete"):',
        'if response.status not in ("completed", "incomplete"):',
        "what came back may be a text, such as a gateway's page of HTML, and a text has no status.",
    ),
    (
        'not in ("completed", "incomplete"):',
        'in (None, "failed"):',
        "a response that is still in progress or was cancelled is no answer either: only two statuses have an output.",
    ),
    (
        "details is not None and details.reason",
        "details.reason",
        "incomplete_details may be None: then nobody says why it is incomplete, and it is cut.",
    ),
    (
        '"filtered" if details is not None and details.reason == "content_filter" else "cut"',
        '"cut"',
        "a filter can end a reply, too: look at incomplete_details.reason.",
    ),
    (
        '    if response.status == "incomplete":\n        details = response.incomplete_details\n'
        '        return "filtered" if details is not None and details.reason == "content_filter" else "cut"\n',
        "",
        "a reply that was cut has text as well: look at the status first.",
    ),
    (
        'if item.phase != "commentary" for part',
        "for part",
        "commentary is what the model says before its answer: alone, it is no answer.",
    ),
    ("said.strip()", "said", "blanks and line breaks are no answer: strip the text before you look at it."),
    (
        '    if any(item.type == "function_call" for item in response.output):\n        return "tool"\n',
        "",
        "a tool call has no text, but it is no empty answer: look for items of the type function_call.",
    ),
    (
        '    if any(part.type == "refusal" for item in messages for part in item.content):\n        return "refused"\n',
        '    if any(part.type == "refusal" for item in messages[:1] for part in item.content[:1]):\n'
        '        return "refused"\n',
        "a refusal may stand in any part of any message, not only in the first.",
    ),
    (
        "messages = [item for item in response.output if",
        "messages = [item for item in response.output[:1] if",
        "the answer need not be the first item: reasoning or commentary may stand before it.",
    ),
    (
        'messages = [item for item in response.output if item.type == "message"]',
        "messages = [response.output[0]]",
        FIRST_ITEM,
    ),
]
SLIPS += [
    (
        """
def how_it_ended(response):
    if getattr(response, "status", None) not in ("completed", "incomplete"):
        return "failed"
    if response.status == "incomplete":
        details = response.incomplete_details
        return "filtered" if details is not None and details.reason == "content_filter" else "cut"
    for part in response.output[0].content:
        if part.type == "refusal":
            return "refused"
    if any(item.type == "function_call" for item in response.output):
        return "tool"
    return "whole" if response.output[0].content[0].text.strip() else "empty"
""",
        FIRST_ITEM,
    ),
]
TEXT_FIRST = """
def how_it_ended(response):
    if getattr(response, "status", None) not in ("completed", "incomplete"):
        return "failed"
    messages = [item for item in response.output if item.type == "message"]
    texts = [getattr(part, "text", "") for item in messages if item.phase != "commentary" for part in item.content]
    if "".join(texts).strip():
        return "whole"
    if response.status == "incomplete":
        return "filtered" if getattr(response.incomplete_details, "reason", "") == "content_filter" else "cut"
    if any(part.type == "refusal" for item in messages for part in item.content):
        return "refused"
    return "tool" if any(item.type == "function_call" for item in response.output) else "empty"
"""
STATUS_LATER = "a reply that was cut has text as well: look at the status before you look at the text."
SLIPS += [
    (
        REFUSALS + CALLS,
        CALLS + REFUSALS,
        "the first ending that fits counts: a refusal beside a tool call is “refused”, so look for it first.",
    ),
    (TEXT_FIRST, STATUS_LATER),
    (TEXT_FIRST.replace('("completed", "incomplete")', '("completed", "incomplete", "in_progress")'), STATUS_LATER),
    (
        TEXT_FIRST.replace(
            '    if getattr(response, "status", None) not in ("completed", "incomplete"):\n        return "failed"\n',
            '    if isinstance(response, str):\n        return "failed"\n',
        ).replace(
            '    if any(part.type == "refusal"',
            '    if response.status != "completed":\n        return "failed"\n    if any(part.type == "refusal"',
        ),
        STATUS_LATER,
    ),
    (
        [
            (REFUSALS, ""),
            (CALLS, ""),
            (
                '    return "whole" if said.strip() else "empty"\n',
                f'    if said.strip():\n        return "whole"\n{REFUSALS}{CALLS}    return "empty"\n',
            ),
            ("join(part.text for", 'join(getattr(part, "text", "") for'),
        ],
        "a refusal or a tool call may stand beside text: look for both before you call a reply whole.",
    ),
    (
        [
            (CALLS, ""),
            (
                '    return "whole" if said.strip() else "empty"\n',
                f'    if said.strip():\n        return "whole"\n{CALLS}    return "empty"\n',
            ),
        ],
        "a tool call may stand beside text: it is a wish that waits for its result, so look for it before the text.",
    ),
]
REFUSED = [('return "failed"', 'return "error"', "is wrong")]
RIGHT = [
    """
def how_it_ended(response):
    status = getattr(response, "status", "")
    if status == "incomplete":
        reason = getattr(response.incomplete_details, "reason", "")
        return {"content_filter": "filtered"}.get(reason, "cut")
    if status != "completed":
        return "failed"
    kinds, text = set(), ""
    for item in response.output:
        kinds.add(item.type)
        for part in item.content if item.type == "message" else ():
            kinds.add(part.type)
            if part.type == "output_text" and item.phase != "commentary":
                text += part.text
    if "refusal" in kinds:
        return "refused"
    if "function_call" in kinds:
        return "tool"
    return "whole" if text.strip() else "empty"
""",
]

MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": None}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "order_info", "arguments": "{}"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}


def said(*texts: str, phase: str | None = None) -> dict[str, Any]:
    """A message of these parts; one that begins with "no: " is a refusal."""
    parts = [
        {"type": "refusal", "refusal": text} if text.startswith("no: ") else {"type": "output_text", "text": text}
        for text in texts
    ]
    return MESSAGE | {"phase": phase, "content": parts}


def drive(function: Any, status: str, output: Any, details: Any = None) -> Any:
    """What the function says of a response with this status, output and incomplete_details; of a text as it is."""
    if status == "a text":
        return function(output)
    body = {"id": "resp_1", "object": "response", "status": status, "output": output, "incomplete_details": details}
    return function(Response.construct(**body, error=None, usage=None))


def cases(rng: Generator) -> list[tuple]:
    number = int(rng.integers(10_000, 99_999))
    answer, aside = said(f"Order VE-{number} is on its way."), said("Let me look.", phase="commentary")
    return [
        ("completed", [answer]),
        ("completed", [aside, answer]),
        ("completed", [REASONING, answer]),
        ("incomplete", [answer], {"reason": "max_output_tokens"}),
        ("incomplete", [answer], {"reason": "content_filter"}),
        ("incomplete", [answer]),
        ("completed", [aside]),
        ("completed", [said(" \n")]),
        ("completed", []),
        ("completed", [CALL]),
        ("completed", [aside, CALL]),
        ("completed", [said("no: I cannot help.")]),
        ("completed", [aside, said("Well.", "no: I cannot help.")]),
        ("completed", [CALL, said("no: I cannot help.")]),  # two endings fit, and the first of them counts
        ("completed", [answer, CALL]),
        ("failed", []),
        ("in_progress", [answer]),
        ("cancelled", []),
        ("a text", "<html><body>Bad gateway</body></html>"),
    ]


EXERCISE = Exercise(
    reference=how_it_ended,
    minutes=7,
    difficulty=2,
    drive=drive,
    hints=(
        "Go through the endings in the order of the description, and return at the first that fits.",
        "A text has no `status`: `getattr(response, 'status', None)` asks without an error. Then decide by the status "
        "alone whether it failed or is incomplete; only a completed response has items worth reading.",
        "For a completed one, collect the messages among response.output, look for a part of the type refusal in any "
        "of them, then for an item of the type function_call, and at last join the texts of all messages whose phase "
        "is not commentary.",
    ),
    proves="it tells seven endings apart, whatever stands in the output, and is not misled by status 200",
)
