"""pay_once: a retry loop that pays twice, because the service cannot know that it was asked before."""

from __future__ import annotations

import hashlib
import json
import uuid  # noqa: F401  (answers use it)
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def pay_once(
    job: str, item: str, request: dict[str, Any], send: Callable[[dict[str, Any], str], str], tries: int = 4
) -> str:
    """The reply to a request. The service bills an idempotency key once, and answers it again for free.

    The key is made of job, item and the whole request, and of nothing else: a process that is begun again after a kill
    makes the same key, and a changed request gets another one. json.dumps(request, sort_keys=True) is the request as a
    text, and hashlib.sha256(text.encode()).hexdigest() a digest of a text, the same in every process.
    send(request, key): the reply. It raises TimeoutError if no reply came in time (the work may be done, and billed),
    and ValueError if the service refuses the request, which it would do each time.
    Only after a TimeoutError the request is sent again, `tries` times in all. Any other error, and the last
    TimeoutError, reaches the caller.
    """
    text = json.dumps(request, sort_keys=True)
    key = f"{job}-{item}-{hashlib.sha256(text.encode()).hexdigest()}"
    for sent in range(1, tries + 1):
        try:
            return send(request, key)
        except TimeoutError:
            if sent == tries:
                raise
    raise ValueError(f"A request must be sent at least once, and tries is {tries}.")


ANSWER = """
def pay_once(job, item, request, send, tries=4):
    text = json.dumps(request, sort_keys=True)
    key = f"{job}-{item}-{hashlib.sha256(text.encode()).hexdigest()}"
    for number in range(tries):
        try:
            return send(request, key)
        except TimeoutError:
            if number == tries - 1:
                raise
"""
TEXT = "    text = json.dumps(request, sort_keys=True)\n"
KEY = '    key = f"{job}-{item}-{hashlib.sha256(text.encode()).hexdigest()}"\n'
SENT = "            return send(request, key)\n"
CAUGHT = "        except TimeoutError:\n"
LAST = "            if number == tries - 1:\n                raise\n"
NEW_KEY = "            key = str(uuid.uuid4())\n            return send(request, key)\n"
RANDOM = "    key = str(uuid.uuid4())\n"
AT_EACH_TRY = (
    "each try draws a new key, so the service takes it for another piece of work: what was done before the timeout is "
    "done, and paid for, again."
)
AFTER_A_KILL = (
    "a request that is begun again after a kill gets a new key: make the key of job, item and request, and do not draw "
    "it."
)
NO_REQUEST = "a request that was changed is answered with the old one's reply: the *whole* request belongs in the key."
NO_ITEM = "two items with equal requests share one key, and the second one is never done: the item belongs in the key."
NO_JOB = "tomorrow's job gets this night's replies: the job belongs in the key."
SALTED = (
    "Python's `hash` of a text differs from process to process, so a request that is begun again after a kill gets "
    "another key: take hashlib."
)
UNSORTED = "equal dictionaries can have their entries in another order: `sort_keys=True` gives them one text."
REFUSED_AGAIN = "a request that was refused is sent again: catch TimeoutError only."
NO_REFUSAL = "the service has refused, and the caller gets None and takes it for done: let the refusal through."
SWALLOWED = "after the last try it returns None, and the caller takes the request for done: let the error through."
SLIPS = [
    (
        """
def pay_once(job, item, request, send, tries=4):
    for _ in range(tries):
        key = str(uuid.uuid4())
        try:
            return send(request, key)
        except Exception as error:
            print("trying again after:", error)
""",
        AT_EACH_TRY,
    ),
    (
        """
def pay_once(job, item, request, send, tries=4):
    for number in range(tries):
        key = str(uuid.uuid4())
        try:
            return send(request, key)
        except Exception:
            if number == tries - 1:
                raise
""",
        AT_EACH_TRY,
    ),
    (
        """
def pay_once(job, item, request, send, tries=4):
    for _ in range(tries):
        key = str(uuid.uuid4())
        try:
            return send(request, key)
        except TimeoutError as error:
            print("trying again after:", error)
""",
        AT_EACH_TRY,
    ),
    ([(TEXT + KEY, ""), (SENT, NEW_KEY)], AT_EACH_TRY),
    (TEXT + KEY, RANDOM, AFTER_A_KILL),
    ([(TEXT + KEY, RANDOM), ("except TimeoutError", "except Exception")], AFTER_A_KILL),
    ([(TEXT + KEY, RANDOM), (LAST, "            continue\n")], AFTER_A_KILL),
    (
        [(TEXT + KEY, RANDOM), ("except TimeoutError", "except Exception"), (LAST, "            continue\n")],
        AFTER_A_KILL,
    ),
    (TEXT + KEY, '    key = f"{job}-{item}"\n', NO_REQUEST),
    ("json.dumps(request, sort_keys=True)", 'str(request["text"])', NO_REQUEST),
    ("{job}-{item}-", "{job}-", NO_ITEM),
    ("{job}-{item}-", "{item}-", NO_JOB),
    ("hashlib.sha256(text.encode()).hexdigest()", "hash(text)", SALTED),
    (", sort_keys=True", "", UNSORTED),
    ("json.dumps(request, sort_keys=True)", "str(request)", UNSORTED),
    (
        LAST,
        LAST.replace("raise\n", "raise RuntimeError('gave up')\n"),
        "the caller gets another error than the last TimeoutError: `raise` without a name lets that one through.",
    ),
    (TEXT + KEY, '    key = "the-key"\n', "all requests share one key, so each gets the first one's reply."),
    ("except TimeoutError", "except Exception", REFUSED_AGAIN),
    (LAST, "            continue\n", SWALLOWED),
    ([("except TimeoutError", "except Exception"), (LAST, "            continue\n")], REFUSED_AGAIN),
    (CAUGHT + LAST, "        except ValueError:\n            return None\n" + CAUGHT + LAST, NO_REFUSAL),
    (
        CAUGHT + LAST,
        "        except TimeoutError:\n            raise\n",
        "after a timeout it gives up at once: with the same key, another try costs nothing.",
    ),
    (
        [("range(tries)", "range(tries + 1)"), ("number == tries - 1", "number == tries")],
        "the request is sent more than `tries` times: the first sending counts.",
    ),
    (CAUGHT + LAST, "        except ValueError:\n            pass\n" + CAUGHT + LAST, REFUSED_AGAIN),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("send(request, key)", "send(key, request)", "a request and a key"),
    (CAUGHT + LAST, "        except BaseException:\n            pass\n", ""),
]
RIGHT = [
    """
def pay_once(job, item, request, send, tries=4):
    whole = json.dumps([job, item, request], sort_keys=True)
    key = hashlib.sha256(whole.encode()).hexdigest()
    for _ in range(tries - 1):
        try:
            return send(request, key)
        except TimeoutError as error:
            print("trying again after:", error)
    return send(request, key)
""",
    """
def pay_once(job, item, request, send, tries=4):
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job} {item} {sorted(request.items())}"))
    while True:
        tries -= 1
        try:
            return send(request, key)
        except TimeoutError:
            if not tries:
                raise
""",
]


class Killed(BaseException):
    """kill -9: the process ends in the middle of what it does."""


class Endless(BaseException):
    """What ends a loop that would send forever."""


class Service:
    """Does what its script says at each request, bills each key once, and answers a key again as it did before."""

    def __init__(self, script: list[str]) -> None:
        self.script, self.done, self.sent = list(script), {}, 0

    def send(self, request: dict[str, Any], key: str) -> str:
        if not isinstance(key, str) or not isinstance(request, dict) or "text" not in request:
            raise TypeError(f"send takes a request and a key, a dict and a text; it got {request!r} and {key!r}")
        self.sent += 1
        if self.sent > 50:
            raise Endless("The request was sent 50 times.")
        event = self.script.pop(0) if self.script else "replies"
        if event == "refuses":
            raise ValueError("The request is refused.")
        if event != "times out before the work":
            self.done.setdefault(key, f"reply {len(self.done) + 1}, to {request['text']} with {request['limit']}")
        if event.startswith("times out"):
            raise TimeoutError("No reply came in time.")
        if event == "works, and the process is killed":
            raise Killed
        return self.done[key]


@contextmanager
def _process(pay: Callable, number: int) -> Iterator[None]:
    """In a process of its own, Python's `hash` of a text is another one."""
    names = getattr(pay, "__globals__", {})
    before = {name: names[name] for name in ("hash",) if name in names}
    if not before:
        names["hash"] = lambda thing: hash((number, thing))
    try:
        yield
    finally:
        if not before:
            names.pop("hash", None)


def drive(pay: Callable, calls: list[tuple[str, str, dict[str, Any]]], service: list[str]) -> dict[str, Any]:
    """The calls in turn, at a service that does what its list says; a killed process begins its call again."""
    there, told = Service(service), []
    for job, item, request in calls:
        for number in range(3):
            again = dict(list(request.items())[:: -1 if number % 2 else 1])  # made anew, in another order
            try:
                with _process(pay, number):
                    told.append(pay(job, item, again, there.send))
            except Killed:
                continue
            except (TimeoutError, ValueError, RuntimeError) as error:
                told.append(type(error).__name__)
            break
        else:
            told.append("killed three times")
    return {"the caller gets": told, "requests sent": there.sent, "billed": len(there.done)}


def cases(rng: Generator) -> list[tuple]:
    one, two = [f"T{int(n)}" for n in rng.choice(900, size=2, replace=False) + 100]
    before, after = "times out before the work", "times out after the work"
    killed = "works, and the process is killed"
    hello, bye, short = ({"text": t, "limit": n} for t, n in (("Hello", 100), ("Bye", 100), ("Hello", 20)))
    a, b = ("night", one, hello), ("night", two, bye)
    return [
        ([a], ["replies"]),
        ([a], [after, "replies"]),
        ([a], [before, "replies"]),
        ([a], [after, before, after, "replies"]),
        ([a, b], ["replies", after, "replies"]),
        ([a, a], ["replies", "replies"]),
        ([a], [killed, "replies"]),
        ([a], [killed, killed, "replies"]),
        ([a, b], [after, killed, after, "replies", "replies"]),
        ([a, ("night", one, bye)], ["replies", "replies"]),
        ([a, ("night", one, short)], ["replies", "replies"]),
        ([a, ("night", two, hello)], ["replies", "replies"]),
        ([a, ("morning", one, hello)], ["replies", "replies"]),
        ([a, b], ["refuses", "replies"]),
        ([a], [after, "refuses", "replies"]),
        ([a], [before] * 4),
        ([a], [after] * 4),
    ]


EXERCISE = Exercise(
    reference=pay_once,
    minutes=9,
    difficulty=2,
    drive=drive,
    hints=(
        "There are four defects. Follow one request whose first try times out *after* its work was done: which key "
        "does the service see at the second try?",
        "First: a request has one key, for all its tries. Second: another process, begun after a kill, has to come "
        "to the same key, so nothing in it may be drawn. Third: which errors can go away? Fourth: what is returned at "
        "the end?",
        "Before the loop, make the key: job, item, and the digest of the request's text. In the loop, send with that "
        "key, return what comes, and catch TimeoutError only. At the last try, `raise` without a name lets the error "
        "through.",
    ),
    proves="a request has one key over tries and kills, is billed once, and the caller hears of what cannot be mended",
)
