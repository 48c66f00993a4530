"""pay_once: a retry loop that pays twice, because the service cannot know that it was asked before."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def pay_once(job: str, keys: dict[str, str], send: Callable[[str, str], str], tries: int = 4) -> str:
    """The reply to a job. The service bills an idempotency key once, and answers it again for free.

    keys: the key of each job that was begun. It outlives this process, which may be killed while it sends: a job that
    is begun again has to be sent with the key that it had. str(uuid.uuid4()) is a new key.
    send(job, key): the reply. It raises TimeoutError if no reply came in time (the work may be done, and billed), and
    ValueError if the service refuses the job, which it would do each time.
    Only after a TimeoutError the job is sent again, `tries` times in all. Any other error, and the last TimeoutError,
    reaches the caller.
    """
    key = keys.setdefault(job, str(uuid.uuid4()))
    for sent in range(1, tries + 1):
        try:
            return send(job, key)
        except TimeoutError:
            if sent == tries:
                raise
    raise ValueError(f"A job must be sent at least once, and tries is {tries}.")


ANSWER = """
def pay_once(job, keys, send, tries=4):
    if job not in keys:
        keys[job] = str(uuid.uuid4())
    for number in range(tries):
        try:
            return send(job, keys[job])
        except TimeoutError:
            if number == tries - 1:
                raise
"""
NOTED = """    if job not in keys:
        keys[job] = str(uuid.uuid4())
"""
SENT = "            return send(job, keys[job])\n"
CAUGHT = "        except TimeoutError:\n"
LAST = "            if number == tries - 1:\n                raise\n"
NEW_KEY = "            key = str(uuid.uuid4())\n            return send(job, key)\n"
TOO_LATE = "            reply = send(job, key)\n            keys[job] = key\n            return reply\n"
AT_EACH_TRY = (
    "each try draws a new key, so the service takes it for another job: work that was done before the timeout is done, "
    "and paid for, again."
)
AFTER_A_KILL = (
    "a job that is begun again after a kill gets a new key: note the key in `keys` *before* you send, and look there "
    "first."
)
REFUSED_AGAIN = "a job that was refused is sent again: catch TimeoutError only."
SWALLOWED = "after the last try it returns None, and the caller takes the job for done: let the error through."
SLIPS = [
    (
        """
def pay_once(job, keys, send, tries=4):
    for _ in range(tries):
        key = str(uuid.uuid4())
        try:
            reply = send(job, key)
            keys[job] = key
            return reply
        except Exception as error:
            print("trying again after:", error)
""",
        AT_EACH_TRY,
    ),
    (
        """
def pay_once(job, keys, send, tries=4):
    for number in range(tries):
        key = str(uuid.uuid4())
        try:
            reply = send(job, key)
            keys[job] = key
            return reply
        except Exception:
            if number == tries - 1:
                raise
""",
        AT_EACH_TRY,
    ),
    (
        """
def pay_once(job, keys, send, tries=4):
    for _ in range(tries):
        key = str(uuid.uuid4())
        try:
            reply = send(job, key)
            keys[job] = key
            return reply
        except TimeoutError as error:
            print("trying again after:", error)
""",
        AT_EACH_TRY,
    ),
    ([(NOTED, ""), (SENT, NEW_KEY)], AT_EACH_TRY),
    ([(NOTED, "    key = str(uuid.uuid4())\n"), (SENT, TOO_LATE)], AFTER_A_KILL),
    (
        [(NOTED, "    key = str(uuid.uuid4())\n"), (SENT, TOO_LATE), ("except TimeoutError", "except Exception")],
        AFTER_A_KILL,
    ),
    ([(NOTED, "    key = str(uuid.uuid4())\n"), (SENT, TOO_LATE), (LAST, "            continue\n")], AFTER_A_KILL),
    (
        [
            (NOTED, "    key = str(uuid.uuid4())\n"),
            (SENT, TOO_LATE),
            ("except TimeoutError", "except Exception"),
            (LAST, "            continue\n"),
        ],
        AFTER_A_KILL,
    ),
    ("    if job not in keys:\n        keys[job] =", "    keys[job] =", AFTER_A_KILL),
    (NOTED, "", "a job that is begun for the first time has no key yet: draw one, and note it in `keys`."),
    (
        NOTED,
        "    if job in keys:\n        return keys[job]\n    keys[job] = str(uuid.uuid4())\n",
        "`keys` holds keys, not replies: a job that was begun has to be sent again, with its old key.",
    ),
    (
        LAST,
        LAST.replace("raise\n", "raise RuntimeError('gave up')\n"),
        "the caller gets another error than the last TimeoutError: `raise` without a name lets that one through.",
    ),
    (
        "str(uuid.uuid4())",
        '"the-key"',
        "all jobs share one key: the service answers the second job with the first one's reply.",
    ),
    ("except TimeoutError", "except Exception", REFUSED_AGAIN),
    (LAST, "            continue\n", SWALLOWED),
    ([("except TimeoutError", "except Exception"), (LAST, "            continue\n")], REFUSED_AGAIN),
    (
        "        except TimeoutError:\n" + LAST,
        "        except TimeoutError:\n            raise\n",
        "after a timeout the job is given up at once: with the same key, another try costs nothing.",
    ),
    (
        [("range(tries)", "range(tries + 1)"), ("number == tries - 1", "number == tries")],
        "the job is sent more than `tries` times: the first sending counts.",
    ),
    (
        "        except TimeoutError:\n",
        "        except TimeoutError:\n            keys.pop(job)\n            keys[job] = str(uuid.uuid4())\n",
        "after a timeout a new key is drawn, so work that was done is paid for twice: keep the key.",
    ),
    (
        "        except TimeoutError:\n" + LAST,
        "        except ValueError:\n            pass\n        except TimeoutError:\n" + LAST,
        REFUSED_AGAIN,
    ),
]
PLANTED = SLIPS[0]
REFUSED = [
    ("send(job, keys[job])", "send(keys[job], job)", "another text"),
    (CAUGHT + LAST, "        except BaseException:\n            pass\n", ""),
]
RIGHT = [
    """
def pay_once(job, keys, send, tries=4):
    key = keys.setdefault(job, str(uuid.uuid4()))
    for _ in range(tries - 1):
        try:
            return send(job, key)
        except TimeoutError as error:
            print("trying again after:", error)
    return send(job, key)
""",
    """
def pay_once(job, keys, send, tries=4):
    key = f"job-{job}"
    while True:
        tries -= 1
        try:
            return send(job, key)
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

    def send(self, job: str, key: str) -> str:
        if not isinstance(key, str) or not isinstance(job, str) or not job.startswith("T"):
            raise TypeError(f"send takes a job and a key, both texts; it got another text for the job: {job!r}")
        self.sent += 1
        if self.sent > 50:
            raise Endless("The job was sent 50 times.")
        event = self.script.pop(0) if self.script else "replies"
        if event == "refuses":
            raise ValueError("The job is refused.")
        if event != "times out before the work":
            self.done.setdefault(key, f"the reply to {job}")
        if event.startswith("times out"):
            raise TimeoutError("No reply came in time.")
        if event == "works, and the process is killed":
            raise Killed
        return self.done[key]


def drive(pay: Callable, jobs: list[str], service: list[str]) -> dict[str, Any]:
    """The jobs in turn, at a service that does what its list says; a killed process begins its job again."""
    there, keys, told = Service(service), {}, []
    for job in jobs:
        for _process in range(3):
            try:
                reply = pay(job, keys, there.send)
                told.append("the job's key" if reply in keys.values() else reply)
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
    return [
        ([one], ["replies"]),
        ([one], [after, "replies"]),
        ([one], [before, "replies"]),
        ([one], [after, before, after, "replies"]),
        ([one, two], ["replies", after, "replies"]),
        ([one], [killed, "replies"]),
        ([one, two], [after, killed, after, "replies", "replies"]),
        ([one, two], ["refuses", "replies"]),
        ([one], [after, "refuses", "replies"]),
        ([one], [before] * 4),
        ([one], [after] * 4),
    ]


EXERCISE = Exercise(
    reference=pay_once,
    minutes=8,
    difficulty=2,
    drive=drive,
    hints=(
        "There are four defects. Follow one job whose first try times out *after* its work was done: which key does "
        "the service see at the second try?",
        "First: a job has one key, for all its tries. Second: where does the next process find it, if this one is "
        "killed while it sends? Third: which errors can go away? Fourth: what is returned at the end?",
        "Before the loop, look the job up in `keys`, and note a new key there if it has none. In the loop, send with "
        "that key, return what comes, and catch TimeoutError only. At the last try, `raise` without a name lets the "
        "error through.",
    ),
    proves="a job keeps its key over tries and kills, is billed once, and the caller hears of what cannot be mended",
)
