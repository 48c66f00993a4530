"""refuses_the_unknown: a clause of a contract, in the form that `helpers.old.hosted.replay` takes."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise
from helpers.old.hosted.contracts import LEAST, Asking
from helpers.old.hosted.parameters import names_of
from helpers.old.hosted.scripted import Scripted


def refuses_the_unknown(asking: Asking) -> None:
    """A clause: the service refuses an argument that it does not know, instead of ignoring it.

    asking.create("…", extra_body={"no_such_argument": 1}) sends one argument that no service knows. The clause holds
    if this request ends in openai.BadRequestError or openai.UnprocessableEntityError (the statuses 400 and 422), and
    a request without the argument is answered. Then nothing is raised, and None is returned. If it does not
    hold, raise AssertionError with a sentence, or let the client's own error through.
    """
    asking.create("Name a color.")
    try:
        asking.create("Name a color.", extra_body={"no_such_argument": 1})
    except (openai.BadRequestError, openai.UnprocessableEntityError):
        return
    raise AssertionError("it ignores an argument that it does not know")


ANSWER = """
def refuses_the_unknown(asking):
    asking.create("Name a color.")
    try:
        asking.create("Name a color.", extra_body={"no_such_argument": 1})
    except (openai.BadRequestError, openai.UnprocessableEntityError):
        return
    raise AssertionError("it ignores an argument that it does not know")
"""
CONTROL = '    asking.create("Name a color.")\n    try'
LOUD = '    raise AssertionError("it ignores an argument that it does not know")\n'
BOTH = "except (openai.BadRequestError, openai.UnprocessableEntityError):"
NO_CONTROL = (
    "a service that refuses every request passes your clause: first send the same request without the argument, "
    "outside of the `try`; it has to be answered."
)
TOO_WIDE = (
    "you take any error for a refusal, also a failure of the service or a limit on requests: catch only "
    "openai.BadRequestError and openai.UnprocessableEntityError."
)
SILENT = (
    "if the request with the argument is answered, the clause does not hold: raise AssertionError behind the `try`, "
    "where no `except` of yours catches it."
)
SLIPS = [
    (
        """
def refuses_the_unknown(asking):
    asking.create("Name a color.")
    try:
        asking.create("Name a color.", extra_body={"no_such_argument": 1})
        raise AssertionError("it ignores an argument that it does not know")
    except Exception:
        return
""",
        SILENT + " And " + TOO_WIDE,
    ),
    (
        """
def refuses_the_unknown(asking):
    asking.create("Name a color.")
    asking.create("Name a color.", extra_body={"no_such_argument": 1})
    raise AssertionError("it ignores an argument that it does not know")
""",
        "a refusal is what the clause wants: catch the two errors around the second request, and return there.",
    ),
    (CONTROL, "    try", NO_CONTROL),
    (BOTH, "except openai.APIError:", TOO_WIDE),
    (BOTH, "except openai.APIStatusError:", TOO_WIDE),
    (BOTH, "except Exception:", TOO_WIDE),
    ([(CONTROL, "    try"), (BOTH, "except openai.APIError:")], NO_CONTROL + " And " + TOO_WIDE),
    (LOUD, "", SILENT),
    (LOUD, "    return False\n", SILENT),
    (
        BOTH,
        "except openai.BadRequestError:",
        "some services refuse with 422 instead of 400: catch openai.UnprocessableEntityError as well.",
    ),
    (
        'asking.create("Name a color.", extra_body={"no_such_argument": 1})',
        'asking.create("Name a color.", 5, extra_body={"no_such_argument": 1})',
        "your request has a limit below 16 tokens, which some services refuse: then it is the limit that they refuse, "
        "and not the argument.",
    ),
    (
        """
def refuses_the_unknown(asking):
    asking.create("Name a color.")
    try:
        asking.create("Name a color.", extra_body={"no_such_argument": 1})
        assert False, "it ignores an argument that it does not know"
    except (openai.BadRequestError, openai.UnprocessableEntityError, AssertionError):
        return
""",
        SILENT,
    ),
    (
        """
def refuses_the_unknown(asking):
    try:
        asking.create("Name a color.")
        asking.create("Name a color.", extra_body={"no_such_argument": 1})
    except (openai.BadRequestError, openai.UnprocessableEntityError):
        return
    raise AssertionError("it ignores an argument that it does not know")
""",
        NO_CONTROL,
    ),
]
REFUSED = [("        return\n", "        raise\n", "is wrong")]
RIGHT = [
    """
def refuses_the_unknown(asking):
    words = "Which color does the sky have?"
    ignored = True
    try:
        asking.create(words, most=32, extra_body={"no_such_argument": 1})
    except openai.APIStatusError as error:
        assert error.status_code in (400, 422), f"it fails with {error.status_code}"
        ignored = False
    assert not ignored, "it answers all the same"
    assert asking.text(asking.create(words, most=32)), "without the argument, nothing comes either"
""",
]

REFUSALS = {
    "refuses the argument with 400": 400,
    "refuses the argument with 422": 422,
    "fails with 500 at the argument": 500,
    "answers 429 to the second request": 429,
}
IGNORES, REFUSES_ALL, LIMITS = "ignores the argument", "refuses every request", "ignores it, and refuses low limits"


class Service(httpx2.BaseTransport):
    """A scripted service of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind, self.inner = kind, Scripted(least=LEAST if kind == LIMITS else 1)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.read())
        api = "chat" if request.url.path.endswith("/chat/completions") else "responses"
        unknown = set(body) - set(names_of(api))
        status = REFUSALS.get(self.kind) if unknown else None
        if self.kind == REFUSES_ALL:
            status = 400
        if status:
            return httpx2.Response(status, json={"error": {"message": "No.", "code": None}})
        return self.inner.handle_request(request)


def drive(clause: Any, kind: str, api: str) -> str:
    """Whether the clause holds at a service of this kind, as `replay` would say it."""
    web = httpx2.Client(transport=Service(kind))
    client = openai.OpenAI(api_key="scripted", base_url=Scripted.base_url, http_client=web, max_retries=0)
    try:
        clause(Asking(client, "nimbus-2", api))
    except (AssertionError, openai.APIError):
        return "it does not hold"
    return "it holds"


def shown(kind: str, api: str) -> str:
    return f"refuses_the_unknown(asking) at a service that {kind} ({api})"


def cases(rng: Generator) -> list[tuple]:
    kinds = [*REFUSALS, IGNORES, REFUSES_ALL, LIMITS]
    return [(kind, api) for api in ("chat", "responses") for kind in kinds]


EXERCISE = Exercise(
    reference=refuses_the_unknown,
    minutes=8,
    difficulty=2,
    drive=drive,
    shown=shown,
    hints=(
        "Two requests are needed: one that has to be answered, and one that has to be refused. Which comes first?",
        "A service that refuses everything must not pass, so send the request without the argument first, outside of "
        "any `try`. Then send the one with the argument, and catch exactly the two errors of the description.",
        "Call `asking.create(words)`. In a `try`, call `asking.create(words, extra_body={…})`; in the `except` for the "
        "two errors, return. Behind it, raise AssertionError with a sentence, since the request was answered.",
    ),
    proves="a service passes if it refuses just the argument, and not if it ignores it, fails, or refuses everything",
)
