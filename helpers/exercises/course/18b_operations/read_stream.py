"""read_stream: half an answer looks like a whole one, unless somebody asks why it ended."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def read_stream(chunks: list[tuple[str, str | None]]) -> tuple[str, str]:
    """The text of a reply, and its state: "whole", "limit" or "broken".

    chunks: (text, finish_reason) as they came. finish_reason is None until the server says why the reply ended: "stop"
    (the model was done, "whole") or "length" (max_tokens was reached, "limit"). A reply with no reason, or with any
    other one, such as "content_filter", is "broken".
    """
    text, state = "", "broken"
    for piece, reason in chunks:
        text += piece
        if reason is not None:
            state = {"stop": "whole", "length": "limit"}.get(reason, "broken")
    return text, state


ANSWER = """
def read_stream(chunks):
    text = "".join(piece for piece, _ in chunks)
    reasons = [reason for _, reason in chunks if reason]
    if not reasons:
        return text, "broken"
    known = {"stop": "whole", "length": "limit"}
    return text, known.get(reasons[-1], "broken")
"""
SLIPS = [
    (
        """
def read_stream(chunks):
    text = "".join(piece for piece, _ in chunks)
    return text, "whole" if text else "broken"
""",
        "a text is no sign that the reply was finished: look for a finish_reason.",
    ),
    (
        'known.get(reasons[-1], "broken")',
        '"limit" if reasons[-1] == "length" else "whole"',
        "a reason that you do not know is no sign of a whole reply: with “content_filter”, a part was left out.",
    ),
    (
        '"length": "limit"',
        '"length": "whole"',
        "“length” means that max_tokens was reached: the state is “limit”.",
    ),
    (
        '    if not reasons:\n        return text, "broken"\n',
        '    if not text:\n        return text, "broken"\n    reasons = reasons or ["stop"]\n',
        "a reply without any finish_reason is broken, however much text it has.",
    ),
    ('return text, "broken"', 'return "", "broken"', "keep what has come, also of a broken reply."),
    (
        "reasons = [reason for _, reason in chunks if reason]",
        'reasons = [reason for piece, reason in chunks if piece and reason] or (["stop"] if not chunks else [])',
        "the chunk with the finish_reason may have no text of its own.",
    ),
    (
        '    return text, known.get(reasons[-1], "broken")',
        '    state = known.get(reasons[-1], "broken")\n    return (text if state != "broken" else ""), state',
        "keep what has come, also where a part was left out.",
    ),
    (
        """
def read_stream(chunks):
    states = {"stop": "whole", "length": "limit"}
    end = chunks[-1][1] if chunks else None
    return "".join([text for text, _ in chunks]), states.get(end, "broken")
""",
        "the reason need not be in the last chunk: one that counts tokens may follow. Look at all of them.",
    ),
]
PLANTED = SLIPS[0]
REFUSED = [("known.get(reasons[-1],", "known.get(len(reasons),", "")]
RIGHT = [
    """
def read_stream(chunks):
    states = {"stop": "whole", "length": "limit"}
    ends = [states.get(reason, "broken") for _, reason in chunks if reason is not None]
    return "".join([text for text, _ in chunks]), (ends or ["broken"])[-1]
""",
]


def cases(rng: Generator) -> list[tuple]:
    words = ["Your ", "order ", f"VE-{int(rng.integers(10000, 99999))} ", "left ", "on ", "Monday."]
    begun = [(word, None) for word in words]
    few = begun[: int(rng.integers(2, 5))]
    return [
        ([*begun, ("", "stop")],),
        ([*begun[:-1], (words[-1], "stop")],),
        (few,),
        (begun,),
        ([*few, ("", "length")],),
        ([*few, ("", "content_filter")],),
        ([*begun[:-1], (words[-1], "content_filter")],),
        ([("", "tool_calls")],),
        ([*few[:-1], (few[-1][0], "length")],),
        ([],),
        ([("", None)],),
        ([*begun, ("", "stop"), ("", None)],),  # a last chunk that counts tokens
        ([("", "stop")],),
    ]


EXERCISE = Exercise(
    reference=read_stream,
    minutes=2,
    difficulty=1,
    hints=(
        "What does the function say of a reply that breaks after three chunks?",
        "Text says nothing about the end. Only one field of a chunk does, and in a broken reply no chunk has it.",
        "Collect the finish_reasons that are not None. “stop”: “whole”. “length”: “limit”. Anything else, or no reason "
        "at all: “broken”.",
    ),
    proves="a reply counts as whole only if the server said why it ended, and what has come is kept",
)
