"""worth_retrying: which failures go away by waiting."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def worth_retrying(status: int | None, code: str | None = None) -> bool:
    """Can the same request succeed if it is sent again a little later?

    status: the HTTP status of the failure, None where no reply came (a timeout, a broken connection). code: the name
    that the service gives the error, often None.
    Decide by the table above. A status that is not in it: from 500 on it is the service's failure, too; below, the
    request's own.
    """
    if code == "insufficient_quota":
        return False
    return status is None or status in (408, 409, 429) or status >= 500


ANSWER = """
def worth_retrying(status, code=None):
    if code == "insufficient_quota":
        return False
    if status is None:
        return True
    return status in (408, 409, 429) or status >= 500
"""
QUOTA = '    if code == "insufficient_quota":\n        return False\n'
SILENT = "    if status is None:\n        return True\n"
SLIPS = [
    (QUOTA, "", "an account without money gets 429 as well, and would wait forever: look at the code first."),
    (
        QUOTA,
        "    if code is not None:\n        return False\n",
        "only “insufficient_quota” is final; other codes, such as “rate_limit_exceeded”, name a failure that passes.",
    ),
    (SILENT, "", "the status may be None, which cannot be compared with a number: ask for it first."),
    (
        "        return True\n",
        "        return False\n",
        "a lost reply is worth another try: with an idempotency key, it is not paid twice.",
    ),
    ("status in (408, 409, 429) or status >= 500", "status >= 400", "a request that is wrong stays wrong: 400, 404 …"),
    ("status in (408, 409, 429) or status >= 500", "status >= 500", "408, 409 and 429 pass as well."),
    (
        "status in (408, 409, 429) or status >= 500",
        "status in (408, 409, 429)",
        "a service that failed (500 and more) may recover.",
    ),
    ("(408, 409, 429)", "(429,)", "408 and 409 pass as well."),
    (
        "(408, 409, 429)",
        "(400, 408, 409, 429)",
        "400 says that the request itself is wrong: sent again, it stays wrong.",
    ),
    (
        "(408, 409, 429)",
        "(401, 408, 409, 429)",
        "401 says that the key is wrong: sent again, it stays wrong.",
    ),
    (
        "status >= 500",
        "status == 500",
        "all statuses from 500 on are the service's own failures, 502, 503 and 529 too.",
    ),
    ("status >= 500", "status > 500", "500 itself is the service's own failure, too."),
    (
        "status >= 500",
        "status in (500, 502, 503, 504)",
        "services use other numbers above 500 as well, 529 for instance: compare with >=.",
    ),
]
REFUSED = [("return status in", "return not status in", "")]
RIGHT = [
    """
def worth_retrying(status, code=None):
    passing = status is None or status >= 500 or status in {408, 409, 429}
    return passing and code != "insufficient_quota"
""",
]


def cases(rng: Generator) -> list[tuple]:
    final = [400, 401, 403, 404, 413, 422]
    return [
        (None,),
        (429, "rate_limit_exceeded"),
        (429, "insufficient_quota"),
        (429,),
        *((status,) for status in (408, 409, 500, 502, 503, 529)),
        (500, "server_error"),
        *((int(status),) for status in rng.permutation(final)),
        (404, "model_not_found"),
    ]


EXERCISE = Exercise(
    reference=worth_retrying,
    minutes=2,
    difficulty=1,
    hints=(
        "Which failures say something about your request, and which about the moment?",
        "Ask in this order: is the money used up? Did no reply come at all? Is it one of the three statuses below 500 "
        "that pass, or 500 and more?",
        "Return False for the code “insufficient_quota”. Return True where the status is None. For all others, it is "
        "worth it if the status is one of 408, 409 and 429, or at least 500.",
    ),
    proves="failures of the moment are retried, and wrong requests, wrong keys and empty accounts are not",
)
