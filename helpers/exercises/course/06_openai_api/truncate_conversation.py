"""truncate_conversation: what a conversation forgets when it grows too long, and what belongs together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.random import Generator

from helpers.exercises.checking.compare import kind_name
from helpers.exercises.checking.spec import BadInput, Exercise, Property
from helpers.old.hosted import conversations

Message = dict[str, Any]


def truncate_conversation(messages: list[Message], budget: int, count: Callable[[Message], int]) -> list[Message]:
    """The part of a conversation that fits into `budget` tokens: the system message and the newest turns.

    messages: dicts with a role: "system" (at most one, the first message), "user", "assistant" or "tool".
    count(message): the tokens of one message. A turn begins with a user message and reaches up to the next one, so
    that replies, tool calls and the tools' results stay with their question.

    The system message is kept. Turns are dropped whole, the oldest first, and no more of them than needed. Raises
    ValueError if the system message and the newest turn, where there is one, do not fit. `messages` is not changed.
    """
    return conversations.truncate_conversation(messages, budget, count)


ANSWER = """
def truncate_conversation(messages, budget, count):
    def cost(some):
        return sum(count(message) for message in some)

    system = [message for message in messages if message["role"] == "system"]
    starts = [i for i, message in enumerate(messages) if message["role"] == "user"]
    for start in starts:
        kept = system + messages[start:]
        if cost(kept) <= budget:
            return kept
    if starts or cost(system) > budget:
        raise ValueError("The system message and the newest turn do not fit.")
    return system
"""
FITS = "        if cost(kept) <= budget:"
REFUSAL = """    if starts or cost(system) > budget:
        raise ValueError("The system message and the newest turn do not fit.")
"""
STARTS = '    starts = [i for i, message in enumerate(messages) if message["role"] == "user"]\n'
WHOLE = (
    "messages are dropped one by one, so a reply or a tool's result stays without its question: drop up to the next "
    "user message."
)
NO_SYSTEM = "the first message is a system message only if its role says so: without one, the oldest turn begins there."
SKIPS = (
    "an old short turn is kept where a newer long one is dropped: stop at the first turn that does not fit, so that no "
    "turn is missing in the middle."
)
SLIPS = [
    (
        """
def truncate_conversation(messages, budget, count):
    kept = list(messages)
    while sum(map(count, kept)) > budget:
        del kept[1:3]
        if len(kept) < 2:
            raise ValueError("It does not fit.")
    return kept
""",
        "a turn is not always a pair: with tool calls it has more than two messages. Drop up to the next user message.",
    ),
    (STARTS, "    starts = range(len(system), len(messages))\n", WHOLE),
    (
        """
def truncate_conversation(messages, budget, count):
    kept = list(messages)
    while sum(map(count, kept)) > budget:
        del kept[1 if kept[0]["role"] == "system" else 0]
        if len(kept) <= 1:
            raise ValueError("It does not fit.")
    return kept
""",
        WHOLE,
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    kept, left = [], budget
    for message in reversed(messages):
        if count(message) > left:
            break
        kept.insert(0, message)
        left -= count(message)
    if not kept:
        raise ValueError("It does not fit.")
    return kept
""",
        "the system message is dropped first, though it is to stay; and a turn is cut where the tokens end.",
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    starts = [i for i, message in enumerate(messages) if message["role"] == "user"]
    if sum(map(count, messages)) <= budget:
        return list(messages)
    for start in starts:
        if sum(map(count, messages[start:])) <= budget:
            return messages[start:]
    raise ValueError("It does not fit.")
""",
        "the system message is dropped with the oldest turn: keep it, and count its tokens first.",
    ),
    (
        FITS,
        "        if cost(messages[start:]) <= budget:",
        "the system message takes tokens, too: what you keep is above the budget.",
    ),
    (
        "enumerate(messages) if",
        "enumerate(messages) if i and",
        "a conversation without a system message begins with its first turn: that one may be kept, too.",
    ),
    (FITS, "        if cost(kept) < budget:", "exactly the budget fits as well: compare with <=."),
    (
        "    for start in starts:\n",
        "    for start in reversed(starts):\n",
        "you return as soon as the newest turn fits: keep as many turns as fit.",
    ),
    (
        REFUSAL,
        "    if starts:\n        return kept\n",
        "if even the newest turn does not fit, the result is above the budget: raise ValueError.",
    ),
    (
        REFUSAL,
        "    if starts:\n        return system\n",
        "the newest turn must not be dropped: raise ValueError where it does not fit.",
    ),
    (
        REFUSAL,
        '    if starts:\n        raise ValueError("It does not fit.")\n',
        "a system message that is alone may be too long as well: raise ValueError.",
    ),
    (
        REFUSAL,
        '    raise ValueError("It does not fit.")\n',
        "a conversation without any turn fits if its system message does.",
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    while sum(map(count, messages)) > budget:
        starts = [i for i, message in enumerate(messages) if message["role"] == "user"]
        if len(starts) < 2:
            raise ValueError("It does not fit.")
        del messages[starts[0] : starts[1]]
    return messages
""",
        "it deletes from the list that it was given, which belongs to the caller: work on a copy, `list(messages)`.",
    ),
    (
        "return sum(count(message) for message in some)",
        'return sum(count(message["content"]) for message in some)',
        "`count` takes a whole message, not its content: roles and tool calls cost tokens, too.",
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    kept = list(messages)
    while sum(map(count, kept)) > budget:
        kept.pop(1)
        while len(kept) > 1 and kept[1]["role"] != "user":
            kept.pop(1)
        if len(kept) < 2:
            raise ValueError("It does not fit.")
    return kept
""",
        NO_SYSTEM,
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    kept = list(messages)
    while sum(map(count, kept)) > budget:
        kept.pop(1)
        while len(kept) > 1 and kept[1]["role"] != "user":
            kept.pop(1)
    return kept
""",
        NO_SYSTEM,
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    kept, left = [], budget - count(messages[0])
    for message in reversed(messages[1:]):
        if count(message) > left:
            break
        kept.insert(0, message)
        left -= count(message)
    return messages[:1] + kept
""",
        WHOLE,
    ),
    (
        "return sum(count(message) for message in some)",
        "return count(some)",
        "`count` takes one message, not a list: add up the counts of all messages.",
    ),
    (
        "return sum(count(message) for message in some)",
        "return len(some)",
        "the budget is in tokens, not in messages: add up `count(message)`.",
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    system = [message for message in messages if message["role"] == "system"]
    turns = []
    for message in messages[len(system) :]:
        if message["role"] == "user":
            turns.append([])
        turns[-1].append(message)
    left = budget - sum(map(count, system))
    if left < 0 or turns and sum(map(count, turns[-1])) > left:
        raise ValueError("It does not fit.")
    kept = []
    for turn in reversed(turns):
        if sum(map(count, turn)) <= left:
            left -= sum(map(count, turn))
            kept = turn + kept
    return system + kept
""",
        SKIPS,
    ),
    (
        """
def truncate_conversation(messages, budget, count):
    system = [message for message in messages if message["role"] == "system"]
    turns = []
    for message in messages[len(system) :]:
        if message["role"] == "user":
            turns.append([])
        turns[-1].append(message)
    left = budget - sum(map(count, system))
    if left < 0 or turns and sum(map(count, turns[-1])) > left:
        raise ValueError("It does not fit.")
    kept = []
    for turn in reversed(turns):
        if sum(map(count, turn)) > left:
            break
        left -= sum(map(count, turn))
        kept = kept + turn
    return system + kept
""",
        "the turns are in the wrong order: the oldest one that is kept comes first.",
    ),
    (
        'message["role"] == "user"]',
        'message["role"] != "system" and message["role"] != "tool"]',
        "a turn begins with a user message only: a reply or a tool call belongs to the question before it.",
    ),
]
REFUSED = [
    ("    return system\n", "    return None\n", "returns None"),
    ("            return kept\n", "            return messages[start:]\n", "system message"),
]
RIGHT = [
    """
def truncate_conversation(messages, budget, count):
    kept = list(messages)
    while sum(map(count, kept)) > budget:
        starts = [i for i, message in enumerate(kept) if message["role"] == "user"]
        if len(starts) < 2:
            raise ValueError("It does not fit.")
        del kept[starts[0] : starts[1]]
    return kept
""",
    """
def truncate_conversation(messages, budget, count):
    system, turns = [], []
    for message in messages:
        if message["role"] == "system":
            system.append(message)
        elif message["role"] == "user":
            turns.append([message])
        else:
            turns[-1].append(message)
    left = budget - sum(count(message) for message in system)
    chosen = []
    while turns:
        needed = sum(count(message) for message in turns[-1])
        if needed > left:
            break
        left -= needed
        chosen = turns.pop() + chosen
    if left < 0 or (turns and not chosen):
        raise ValueError("too small a budget")
    return system + chosen
""",
]

BETWEEN = " | "


def drive(truncate: Any, conversation: str, budget: int) -> Any:
    """What is kept of a conversation, which is written as "system 5 | user 12 | assistant 30": roles and tokens."""
    messages = [{"role": part.split()[0], "content": part} for part in conversation.split(BETWEEN) if part]
    before = [dict(message) for message in messages]
    try:
        kept = truncate(messages, budget, lambda message: int(message["content"].split()[1]))
    except ValueError:
        if _least(conversation) > budget:  # rightly refused
            raise
        return TURNED_AWAY
    if messages != before:
        return CHANGED
    if kept is None:
        return None
    if not isinstance(kept, list):
        return f"{ODD}: it is {kind_name(kept)}"
    for item in kept:
        if item not in messages:
            return f"{ODD}: it holds {kind_name(item)} that is none of the messages"
    return BETWEEN.join(message["content"] for message in kept)


CHANGED = "`messages` was changed"
TURNED_AWAY = "ValueError, though it fits"
ODD = "no list of messages"


def _parts(text: Any) -> list[str]:
    if not isinstance(text, str) or text in ("", CHANGED, TURNED_AWAY) or ODD in text:
        return []
    return text.split(BETWEEN)


def _least(conversation: str) -> int:
    """The tokens of what has to be kept: the system message and the newest turn."""
    parts = _parts(conversation)
    newest = max((i for i, part in enumerate(parts) if part.startswith("user")), default=len(parts))
    return _cost(BETWEEN.join([part for part in parts[:newest] if part.startswith("system")] + parts[newest:]))


def _spoken(text: Any) -> list[str]:
    return [part for part in _parts(text) if not part.startswith("system")]


def _cost(text: Any) -> int:
    return sum(int(part.split()[1]) for part in _parts(text))


def _is_the_end(result: Any, conversation: str) -> bool:
    spoken, kept = _spoken(conversation), _spoken(result)
    return kept == spoken[len(spoken) - len(kept) :]


def _seen(result: Any, conversation: str, budget: int) -> str:
    without = "" if conversation.startswith("system") else " This conversation has no system message."
    return f"Yours keeps “{result}” of it.{without}"


PROPERTIES = [
    Property(
        "what fits is not refused",
        lambda result, *_: result != TURNED_AWAY,
        evidence=lambda _, conversation, budget: (
            f"Yours raises ValueError, but the system message and the newest turn take {_least(conversation)} tokens, "
            f"and {_least(conversation)} tokens fit into a budget of {budget}."
        ),
    ),
    Property(
        "the list that was given is left as it is",
        lambda result, *_: result != CHANGED,
        "you delete from `messages` itself, which belongs to the caller: work on a copy, `list(messages)`.",
        evidence=lambda *_: "After the call, `messages` is another one.",
    ),
    Property(
        "the result is a list of some of the messages that were given",
        lambda result, *_: not str(result).startswith(ODD),
        evidence=lambda result, *_: f"Yours is {result}.",
    ),
    Property(
        "the system message is kept, as the first one",
        lambda result, conversation, _: (
            result == CHANGED or _parts(result)[:1] == _parts(conversation)[:1] or conversation[:6] != "system"
        ),
        evidence=_seen,
    ),
    Property(
        "what is kept takes at most `budget` tokens",
        lambda result, conversation, budget: _cost(result) <= budget,
        evidence=lambda result, conversation, budget: (
            f"Yours keeps “{result}”, which takes {_cost(result)} tokens; the budget is {budget}."
        ),
    ),
    Property(
        "no turn is split: what is kept of the turns begins with a user message",
        lambda result, *_: not _spoken(result) or _spoken(result)[0].startswith("user"),
        evidence=_seen,
    ),
    Property(
        "what is kept is the end of the conversation, in its order and without a gap",
        lambda result, conversation, _: _is_the_end(result, conversation),
        evidence=_seen,
    ),
]


def cases(rng: Generator) -> list[tuple]:
    def written(roles: str) -> tuple[str, list[int]]:
        names = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
        tokens = [int(n) for n in rng.integers(5, 30, size=len(roles))]
        return BETWEEN.join(f"{names[role]} {n}" for role, n in zip(roles, tokens, strict=True)), tokens

    plain, tokens = written("suauau")
    tools, drawn = written("suauattauat")
    bare = "user 9 | assistant 8 | user 7 | assistant 6"
    return [
        (plain, sum(tokens)),  # all of it, exactly
        (plain, sum(tokens) - 1),
        (plain, tokens[0] + sum(tokens[3:])),  # without the first turn, exactly
        (plain, tokens[0] + tokens[5]),
        ("system 5 | user 4 | assistant 6 | user 60 | assistant 9 | user 3", 30),  # a long turn between short ones
        (tools, sum(drawn) - 1),
        (tools, drawn[0] + sum(drawn[4:])),  # room for a call and its results, not for their question
        (tools, drawn[0] + sum(drawn[5:])),  # room for the results, not for their call
        (tools, drawn[0] + sum(drawn[8:]) + 1),
        (bare, 29),
        (bare, 30),
        ("system 7", 7),
        ("system 3 | user 9 | user 8 | assistant 7", 18),  # two questions, one answer
    ]


EXERCISE = Exercise(
    reference=truncate_conversation,
    minutes=9,
    difficulty=2,
    drive=drive,
    properties=PROPERTIES,
    raises=[
        BadInput(
            ("system 5 | user 4 | assistant 3 | user 9 | assistant 8", 21),
            ValueError,
            "the system message and the newest turn take 22 tokens",
        ),
        BadInput(("user 5 | assistant 3 | tool 6", 13), ValueError, "the only turn takes 14 tokens"),
        BadInput(("system 7", 6), ValueError, "the system message alone takes 7 tokens"),
    ],
    hints=(
        "At which messages may the part that you keep begin? List their positions first.",
        "It may begin at any user message. Try these positions from the oldest on: the system message with everything "
        "from there to the end. The first one that fits keeps the most.",
        "Collect the system message in a list of its own and the positions of user messages in another. For each "
        "position, add up `count` over the system message and `messages[position:]`, and return the first that is at "
        "most the budget. If none fits, raise ValueError; without any user message, the system message alone counts.",
    ),
    proves="the system message stays, turns go whole, the oldest first, as few as needed; what cannot fit is refused",
)
