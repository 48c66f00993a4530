"""How did a call end, and which text belongs to that ending? Status 200 and a text do not make an answer."""

from openai.types.responses import Response

MINUTES, DOTS = 9, 2
PROVES = "eight endings are told apart, whatever stands in the output, and commentary is no answer"


def read_ending(response):
    status = getattr(response, "status", None)
    if status in ("queued", "in_progress"):
        return "running", ""
    if status not in ("completed", "incomplete"):
        return "failed", ""
    messages = [item for item in response.output if item.type == "message" and item.phase != "commentary"]
    parts = [part for message in messages for part in message.content]
    text = "".join(part.text for part in parts if part.type == "output_text")
    if status == "incomplete":
        reason = getattr(response.incomplete_details, "reason", None)
        return ("filtered" if reason == "content_filter" else "cut"), text
    refusals = [part.refusal for part in parts if part.type == "refusal"]
    if refusals:
        return "refused", " ".join(refusals)
    if any(item.type == "function_call" for item in response.output):
        return "tool", text
    return ("whole" if text.strip() else "empty"), text


HINTS = """
Which endings can you tell from `status` alone, before you look at the output? A web page comes as a `str`, and a `str`
    has no status: `getattr(response, "status", None)` asks without an error.
The answer need not be the first item or the last one, so never index `output`. Go through all items, keep the messages
    whose `phase` is not "commentary", and look at the `type` of each part in their `content`.
Three steps: return where the status is neither "completed" nor "incomplete"; join the texts; then ask in the order of
    the list. `incomplete_details` may be None, and only a part of the type "refusal" has `.refusal`.
"""
SLIPS = """
getattr(response, "status", None) => response.status
    a web page comes as a `str`, which has no status: `getattr(response, "status", None)`.
("queued", "in_progress") => ("in_progress",)
    a queued response has not failed: it waits for its turn.
status not in ("completed", "incomplete") => status == "failed"
    a canceled response is no answer, and a web page has no status at all: only two statuses have an output.
 and item.phase != "commentary" =>
    commentary is what the model says on the way: it is no answer, and does not belong into the text.
item.phase != "commentary" => item.phase == "final_answer"
    many servers give no phase: leave out what is commentary, not what is unlabeled.
messages for part in => messages[:1] for part in
    there may be several messages: look at all of them.
[item for item in response.output if item => [item for item in response.output[-1:] if item
    the answer need not be the last item: select items by their type.
[item for item in response.output if item => [item for item in response.output[:1] if item
    the answer need not be the first item: hidden thoughts or commentary may come before it.
getattr(response.incomplete_details, "reason", None) => response.incomplete_details.reason
    incomplete_details may be None: then nobody says why, and the reply counts as cut.
("filtered" if reason == "content_filter" else "cut") => "cut"
    a filter may stop a reply, too: look at incomplete_details.reason.
("filtered" if reason == "content_filter" else "cut"), text => ("filtered" if reason == "content_filter" else "cut"), ""
    keep the text that came before the cut.
if status == "incomplete" => if status == "incomplete" and not text
    half a reply has text as well: ask for the status first.
"refused", " ".join(refusals) => "refused", text
    the sentence of a refusal stands in `part.refusal`, not in a text.
```
    if any(item.type == "function_call" for item in response.output):
        return "tool", text
=>
```
    a tool call asks for work: it may come without a text or beside one, so look for it before you look at the text.
```
    if any(item.type == "function_call" for item in response.output):
=>
    if not text and any(item.type == "function_call" for item in response.output):
```
    a tool call may stand beside text: look for it before you look at the text.
```
    if refusals:
        return "refused", " ".join(refusals)
=>
```
    a refusal comes with the status “completed”: look for parts of the type "refusal".
text.strip() => text
    blanks and line breaks are no answer: strip the text before you judge it.
"""
REFUSED = """
"whole" if text.strip() else "empty" => "answer" if text.strip() else "empty"
    expected 'whole'
"""


def said(*texts, phase="final_answer"):
    """A message; a text that begins with "no: " is a refusal."""
    parts = []
    for text in texts:
        kind = (
            {"type": "refusal", "refusal": text} if text.startswith("no: ") else {"type": "output_text", "text": text}
        )
        parts.append(kind)
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "phase": phase, "content": parts}


def drive(answer, status, output, details=None):
    """What is said of a response with this status, output and incomplete_details; of a web page as it is."""
    if status == "a str":
        return answer(output)
    body = {"id": "r", "object": "response", "error": None, "usage": None}
    return answer(Response.construct(**body, status=status, output=output, incomplete_details=details))


def shown(status, output, details=None):
    if status == "a str":
        return f"read_ending({output!r})"
    kinds = [item["type"] + (f" ({item['phase']})" if item.get("phase") else "") for item in output]
    return f"read_ending of a response with the status {status!r}, incomplete_details {details} and the items {kinds}"


def cases(rng):
    answer = said(f"Order VE-{rng.integers(10_000, 99_999)} is on its way.")
    aside, bare = said("Let me look.", phase="commentary"), said("It is on its way.", phase=None)
    call = {"type": "function_call", "id": "f", "call_id": "c", "name": "order_info", "arguments": "{}"}
    thoughts, refusal = {"type": "reasoning", "id": "t", "summary": []}, said("no: I cannot help.")
    return [
        ("completed", [answer]), ("completed", [thoughts, aside, answer]), ("completed", [bare]),
        ("incomplete", [thoughts, answer], {"reason": "max_output_tokens"}), ("incomplete", [answer]),
        ("incomplete", [aside, answer], {"reason": "content_filter"}), ("completed", [answer, said(" Anything else?")]),
        ("incomplete", [thoughts], {"reason": "max_output_tokens"}), ("completed", [answer, thoughts]),
        ("completed", [aside]), ("completed", [said(" \n")]), ("completed", []), ("completed", [aside, call]),
        ("completed", [bare, call]), ("completed", [refusal]), ("completed", [aside, said("Well.", "no: I cannot.")]),
        ("queued", []), ("in_progress", [answer]), ("failed", []), ("cancelled", []), ("a str", "<html>Sign in</html>"),
    ]  # fmt: skip
