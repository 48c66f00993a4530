"""take_events: server-sent events. Bytes arrive cut anywhere, and an event is whole at its empty line."""

from __future__ import annotations

from collections.abc import Callable

from numpy.random import Generator

from helpers.exercises.checking.spec import Exercise


def take_events(buffer: bytes) -> tuple[list[str], bytes]:
    """Take the whole events out of what has arrived: (the data of each, the bytes that are left for later).

    An event ends with an empty line. Its data stand in lines that begin with "data:", and one space behind the colon is
    not part of them; several such lines are joined by a line break. All other lines are ignored, and an event without
    data is none. Lines end with \\n or \\r\\n. The text is UTF-8.
    """
    *whole, rest = buffer.replace(b"\r\n", b"\n").split(b"\n\n")
    events = []
    for block in whole:
        lines = [line for line in block.decode().split("\n") if line.startswith("data:")]
        if lines:
            events.append("\n".join(line.removeprefix("data:").removeprefix(" ") for line in lines))
    return events, rest


ANSWER = r"""
def take_events(buffer):
    blocks = buffer.replace(b"\r\n", b"\n").split(b"\n\n")
    rest = blocks.pop()
    events = []
    for block in blocks:
        data = []
        for line in block.decode("utf-8").split("\n"):
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
        if data:
            events.append("\n".join(data))
    return events, rest
"""
ONE_LINE = (
    "each event is taken for a single `data:` line that ends with \\n. Make \\r\\n to \\n first, and go through "
    "the lines of an event: several may be data, and others are not."
)
FIRST_ANSWERS = [  # the likeliest ones: right for `data: {…}` and \\n alone
    f"""
def take_events(buffer):
    *blocks, rest = buffer.split(b"\\n\\n")
    return [{taken} for block in blocks], rest
"""
    for taken in (
        "block.decode()[6:]",
        'block.decode().removeprefix("data: ")',
        'block.decode().removeprefix("data:").strip()',
        'block.decode().removeprefix("data:").lstrip()',
        'block.decode().removeprefix("data:").removeprefix(" ")',
    )
]
SLIPS = [
    (
        "    rest = blocks.pop()\n",
        '    blocks.pop()\n    rest = b""\n',
        "what stands behind the last empty line is lost: its end has not arrived yet. Keep it as the rest.",
    ),
    (
        "    rest = blocks.pop()\n",
        '    rest = b""\n',
        "what stands behind the last empty line is taken for an event, though its end has not arrived yet.",
    ),
    (
        '.replace(b"\\r\\n", b"\\n")',
        "",
        "lines may end with \\r\\n as well; then an empty line is \\r\\n\\r\\n.",
    ),
    (
        r"""
def take_events(buffer):
    text = buffer.decode("utf-8", errors="replace").replace("\r\n", "\n")
    *blocks, rest = text.split("\n\n")
    events = []
    for block in blocks:
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            events.append("\n".join(data))
    return events, rest.encode()
""",
        "a character may be cut in the middle of its bytes: decode an event when it is whole, not before.",
    ),
    (
        r"""
def take_events(buffer):
    text = buffer.decode("utf-8").replace("\r\n", "\n")
    *blocks, rest = text.split("\n\n")
    events = []
    for block in blocks:
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            events.append("\n".join(data))
    return events, rest.encode()
""",
        "a character may be cut in the middle of its bytes: decode an event when it is whole, not before.",
    ),
    (
        '.split("\\n"):',
        ".splitlines():",
        "`str.splitlines` cuts at U+2028 and U+0085 as well, which JSON may hold as they are: split at \\n.",
    ),
    *((answer, ONE_LINE) for answer in FIRST_ANSWERS),
    *(
        (
            [('.replace(b"\\r\\n", b"\\n")', ""), ('line[5:].removeprefix(" ")', taken)],
            "lines may end with \\r\\n as well; and of white space behind the colon, one space goes if it is there.",
        )
        for taken in ("line[5:].lstrip()", "line[5:].strip()", "line[6:]")
    ),
    ('.removeprefix(" ")', "", "one space behind the colon belongs to the format."),
    ('.removeprefix(" ")', ".strip()", "only one space behind the colon goes; all other white space is data."),
    ('.removeprefix(" ")', ".lstrip()", "only one space behind the colon goes; all other white space is data."),
    ('"\\n".join(data)', '"".join(data)', "several data lines are joined by a line break."),
    (
        '        if data:\n            events.append("\\n".join(data))\n',
        "        events.extend(data)\n",
        "several data lines are one event, joined by a line break.",
    ),
    (
        '        if data:\n            events.append("\\n".join(data))\n',
        '        events.append("\\n".join(data))\n',
        "a comment alone, or an empty line more, is no event.",
    ),
    (
        '            if line.startswith("data:"):\n                data.append(line[5:].removeprefix(" "))\n',
        '            data.append(line.removeprefix("data:").removeprefix(" "))\n',
        "only lines that begin with “data:” are data; comments, names and ids are not.",
    ),
]
REFUSED = [
    ('block.decode("utf-8")', "block", "TypeError"),
    (  # decodes too early as well, but in another place
        "    rest = blocks.pop()\n",
        '    rest = blocks.pop().decode("utf-8").encode()\n',
        "the bytes end in the middle of a character",
    ),
]
RIGHT = [
    r"""
def take_events(buffer):
    events, data, used, at = [], [], 0, 0
    while (end := buffer.find(b"\n", at)) >= 0:
        line, at = buffer[at:end].removesuffix(b"\r"), end + 1
        if line.startswith(b"data:"):
            data.append(line[len(b"data:") :].removeprefix(b" ").decode())
        elif not line:
            if data:
                events.append("\n".join(data))
            data, used = [], at
    return events, buffer[used:]
""",
]


def drive(function: Callable, pieces: list[bytes]) -> list[list[str]]:
    """The events that are whole after each piece."""
    found, buffer = [], b""
    for piece in pieces:
        events, buffer = function(buffer + piece)
        found.append(events)
    return found


def shown(pieces: list[bytes]) -> str:
    """The calls that the learner's function gets, so that they can be repeated."""
    calls = [f"take_events({pieces[0]!r})", *(f"take_events(rest + {piece!r})" for piece in pieces[1:4])]
    return ", then ".join(calls) + (f", then {len(pieces) - 4} more" if len(pieces) > 4 else "")


def cases(rng: Generator) -> list[tuple]:
    def cut(stream: str | bytes, n: int) -> list[bytes]:
        raw = stream.encode() if isinstance(stream, str) else stream
        places = sorted(rng.choice(range(1, len(raw)), size=min(n, len(raw) - 1), replace=False).tolist())
        return [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]

    plain = 'data: {"text":"Par"}\n\ndata: {"text":"is"}\n\ndata: [DONE]\n\n'
    rich = ": hello\n\nevent: note\ndata: first\ndata:  second \nid: 7\n\n\ndata:tight\n\n: data: none\n\ndata\n\n"
    accents = "data: Außen −8 °C\n\ndata: 🚲 fährt\n\n"
    return [
        ([plain.encode()],),
        ([b"data: one\n\ndata: tw", b"o\n\n", b"data: three\n", b"\n"],),
        ([b"data: a\r\n\r\ndata: b\r\n\r\n"],),
        (["data: Gruß\n\ndata: M".encode() + b"\xc3", b"\xbcnzen\n\n"],),  # cut in the middle of a character
        ([rich.encode()],),
        (cut(rich, 9),),
        (cut(rich.replace("\n", "\r\n"), 12),),
        (cut(accents, 14),),
        ([bytes([byte]) for byte in accents.encode()],),
        ([b"data: x\r\n\r", b"\ndata: y\r\n", b"\r\n"],),
        (cut(plain, 6),),
        (['data: {"text":"one\u2028two\x85three"}\n\n'.encode()],),  # line ends to `str.splitlines`, none to the format
        ([b""],),
    ]


EXERCISE = Exercise(
    reference=take_events,
    minutes=8,
    difficulty=3,
    hints=(
        "How can you tell that an event has arrived whole? What do you do with the bytes behind it?",
        "Stay with bytes until an event is whole, since a character may be cut. Make all line ends alike, split at "
        "empty lines, and keep the last part: it is not finished.",
        r'`*blocks, rest = buffer.replace(b"\r\n", b"\n").split(b"\n\n")`. Decode each block, take the lines that '
        'begin with `"data:"`, cut those five characters and at most one space off, and join them with a line break.',
    ),
    proves="events are found however the bytes were cut, with both line ends, comments and several data lines",
    drive=drive,
    shown=shown,
)
