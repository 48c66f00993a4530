"""How did a call end, and which text belongs to that ending? Status 200 and a text do not make an answer."""

from openai.types.responses import Response

MINUTES, DOTS = 10, 2
PROVES = "all endings are told apart, whatever stands in the output, and commentary is no answer"


def read_ending(response):
    status = getattr(response, "status", None)
    if status is None:
        return "no response", ""
    parts = []
    for item in response.output or []:
        if item.type == "message" and item.phase != "commentary":
            parts += item.content
    text = "".join(part.text for part in parts if part.type == "output_text")
    if status == "failed" and response.error:
        return f"failed {response.error.code}", text
    if status not in ("completed", "incomplete"):
        return status, text
    if status == "incomplete":
        reason = getattr(response.incomplete_details, "reason", None)
        return ("filtered" if reason == "content_filter" else "cut"), text
    refusals = [part.refusal for part in parts if part.type == "refusal"]
    if refusals:
        return "refused", " ".join(refusals)
    if any(item.type == "function_call" for item in response.output or []):
        return "tool", text
    return ("whole" if text.strip() else "empty"), text


HINTS = """
Which endings can you tell from `status` alone? A web page comes as a `str`, and a `str` has no status:
    `getattr(response, "status", None)` asks without an error.
The answer need not be the first item or the last one, so never index `output`. Go through all items, keep the messages
    whose `phase` is not "commentary", and look at the `type` of each part in their `content`.
Three steps: return where there is no status; join the texts; then ask in the order of the list. `output`, `error` and
    `incomplete_details` may be None, and only a part of the type "refusal" has `.refusal`.
"""
SLIPS = """
getattr(response, "status", None) => response.status
    a web page comes as a `str`, which has no status: `getattr(response, "status", None)`.
response.output or []: => response.output:
    `output` may be None: then there are no items.
status == "failed" and response.error => status == "failed"
    `error` may be None: then the ending is only "failed".
return f"failed {response.error.code}", text => return "failed", text
    the code of `response.error` says whether it helps to send the request again: keep it.
return status, text => return "failed", text
    a queued response has not failed: any other status is itself the ending.
 and item.phase != "commentary" =>
    commentary is no answer, and `response.output_text` joins it, too: take the texts of the other messages only.
item.phase != "commentary" => item.phase == "final_answer"
    many servers give no phase: leave out what is commentary, not what is unlabeled.
for item in response.output or []: => for item in (response.output or [])[-1:]:
    the answer need not be the last item: select items by their type.
for item in response.output or []: => for item in (response.output or [])[:1]:
    the answer need not be the first item: reasoning or commentary may come before it.
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
if any( => if False and any(
    a tool call asks for work: it may come without a text or beside one, so look for it before you look at the text.
if any( => if not text and any(
    a tool call may stand beside text: look for it before you look at the text.
if refusals: => if False:
    a refusal comes with the status “completed”: look for parts of the type "refusal".
if text.strip() else "empty"), text => if text.strip() else "empty"), text.strip()
    the text is returned unchanged: `.strip()` only decides between whole and empty.
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


def drive(answer, status, output, details=None, error=None):
    """What is said of a response with this status, output, incomplete_details and error; of a web page as it is."""
    if status == "a str":
        return answer(output)
    body = {"id": "r", "object": "response", "error": error, "usage": None}
    return answer(Response.construct(**body, status=status, output=output, incomplete_details=details))


def shown(status, output, details=None, error=None):
    if status == "a str":
        return f"read_ending({output!r})"
    kinds = [item["type"] + (f" ({item['phase']})" if item.get("phase") else "") for item in output or []]
    about = f"incomplete_details {details}, error {error}"
    return f"read_ending of a response with the status {status!r}, {about} and the items {kinds}"


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
        ("queued", []), ("in_progress", [answer]), ("failed", []), ("cancelled", None),
        ("failed", [answer], None, {"code": "invalid_prompt", "message": "No."}), ("completed", None),
        ("completed", [said(" It is on its way.\n")]), ("a str", "<html>Sign in</html>"),
    ]  # fmt: skip
