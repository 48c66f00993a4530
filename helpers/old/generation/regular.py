"""A regular expression as an automaton over bytes: which bytes may come next, and which state follows each.

    machine = automaton(parse("(re)?turn(ed|s)?"))
    state = machine.read(START, b"return")     # follow the bytes, one lookup each
    machine.accepts[state]                     # True: the text may end here
    machine.forced(machine.read(START, b"ret")) == b"urn"          # nothing else can follow

The state that follows an expression and a byte is the expression's derivative: what is left to be matched once the
byte has been read (Brzozowski, 1964). For "ab*c" and the byte "a" that is "b*c", for "b*c" and "b" it is "b*c" again:
a state that was seen before. So the automaton is found by taking derivatives until no new one appears.

    supported   literals, . [a-z] [^"] \\d \\w \\s \\D \\W \\S \\n \\t \\x41 \\u00e9, ( ) (?: ) | ? * + {m} {m,} {m,n}
    dot         any character but the line ends \\n, \\r, U+2028 and U+2029
    \\d \\w \\s   and their opposites stand for ASCII characters only, on which all dialects agree

What it does not do: anchors inside an expression, lookaround, back-references, flags. Each is named in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

DEAD, START = 0, 1  # states: from the first no text is reached any more, with the second every text begins
MAX_STATES = 50_000
LAST = 0x10FFFF  # the last code point
Ranges = Sequence[tuple[int, int]]  # code points, first and last of each stretch


class GrammarError(ValueError):
    """An expression or a schema that cannot be used, in one sentence that names what is wrong."""


# Expressions ---------------------------------------------------------------------------------------------------------


class Node:
    """One expression over bytes. Equal expressions are the same object, so they are compared by identity.

    kind, parts: "nothing" (no text at all), "empty" (the empty text), "bytes" (a set of bytes, bit b for byte b), "seq"
    (first, rest), "alt" (several), "both" (two), "repeat" (node, low, high or None). nullable: it matches "".
    """

    __slots__ = ("__weakref__", "forms", "kind", "nullable", "number", "parts")

    kind: str
    parts: tuple[Any, ...]
    nullable: bool
    number: int  # in order of creation
    forms: tuple[tuple[int, Node], ...] | None


_known: WeakValueDictionary[tuple, Node] = WeakValueDictionary()
_made = 0


def _node(kind: str, parts: tuple, nullable: bool) -> Node:
    global _made
    key = (kind, *parts)
    found = _known.get(key)
    if found is None:
        found = _known[key] = Node()
        _made += 1
        found.kind, found.parts, found.nullable, found.number, found.forms = kind, parts, nullable, _made, None
    return found


NOTHING = _node("nothing", (), False)
EMPTY = _node("empty", (), True)


def byte_set(values: Iterable[int]) -> Node:
    """One of these bytes."""
    return _bits(sum(1 << value for value in set(values)))


def _bits(mask: int) -> Node:
    return _node("bytes", (mask,), False) if mask else NOTHING


def seq(*nodes: Node) -> Node:
    """One after the other."""
    pieces: list[Node] = []
    for node in nodes:
        while node.kind == "seq":
            pieces.append(node.parts[0])
            node = node.parts[1]
        pieces.append(node)
    rest = EMPTY
    for piece in reversed(pieces):
        if NOTHING in (piece, rest):
            return NOTHING
        if piece is not EMPTY:
            rest = piece if rest is EMPTY else _node("seq", (piece, rest), piece.nullable and rest.nullable)
    return rest


def alt(*nodes: Node) -> Node:
    """One of these."""
    mask, others = 0, {}
    for node in nodes:
        for part in node.parts if node.kind == "alt" else (node,):
            if part.kind == "bytes":
                mask |= part.parts[0]
            elif part is not NOTHING:
                others[part.number] = part
    if EMPTY.number in others and any(part.nullable for part in others.values() if part is not EMPTY):
        del others[EMPTY.number]
    if mask:
        others[_bits(mask).number] = _bits(mask)
    parts = tuple(others[number] for number in sorted(others))
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    return _node("alt", parts, any(part.nullable for part in parts))


def both(a: Node, b: Node) -> Node:
    """What matches `a` and matches `b`, too."""
    if NOTHING in (a, b) or a is b:
        return a if a is b else NOTHING
    a, b = sorted((a, b), key=lambda node: node.number)
    return _node("both", (a, b), a.nullable and b.nullable)


def repeat(node: Node, low: int, high: int | None) -> Node:
    """`node` at least `low` and at most `high` times; None: as often as you like."""
    if high == 0 or node is EMPTY or (node is NOTHING and low == 0):
        return EMPTY
    if (low, high) == (1, 1) or node is NOTHING:
        return node
    return _node("repeat", (node, low, high), low == 0 or node.nullable)


def derivatives(node: Node) -> tuple[tuple[int, Node], ...]:
    """(set of bytes, what is left once one of them was read), sets that do not overlap, for all bytes that may come."""
    if node.forms is None:
        node.forms = tuple(_derivatives(node))
    return node.forms


def _derivatives(node: Node) -> Iterable[tuple[int, Node]]:
    if node.kind == "bytes":
        return [(node.parts[0], EMPTY)]
    if node.kind == "seq":
        first, rest = node.parts
        found = [(mask, seq(left, rest)) for mask, left in derivatives(first)]
        return _apart([*found, *derivatives(rest)]) if first.nullable else found
    if node.kind == "alt":
        return _apart([form for part in node.parts for form in derivatives(part)])
    if node.kind == "both":
        a, b = map(derivatives, node.parts)
        found = [(x & y, both(left, right)) for x, left in a for y, right in b if x & y]
        return [(mask, left) for mask, left in found if left is not NOTHING]
    if node.kind == "repeat":
        one, low, high = node.parts
        fewer = repeat(one, max(low - 1, 0), None if high is None else high - 1)
        return [(mask, seq(left, fewer)) for mask, left in derivatives(one)]
    return []


def _apart(forms: list[tuple[int, Node]]) -> list[tuple[int, Node]]:
    """Sets of bytes that overlap, cut into sets that do not: where two overlap, either continuation may follow."""
    done: list[tuple[int, Node]] = []
    for mask, node in forms:
        cut = []
        for known, left in done:
            shared = known & mask
            mask &= ~shared
            if shared:
                cut.append((shared, alt(left, node)))
            if known & ~shared:
                cut.append((known & ~shared, left))
        done = [*cut, (mask, node)] if mask else cut
    joined: dict[Node, int] = {}
    for mask, node in done:
        joined[node] = joined.get(node, 0) | mask
    return [(mask, node) for node, mask in joined.items()]


# Characters ----------------------------------------------------------------------------------------------------------


def without(ranges: Ranges, removed: Ranges) -> list[tuple[int, int]]:
    """The code points of the first that are not among the second."""
    left = sorted(ranges)
    for low, high in removed:
        left = [
            (first, last)
            for a, b in left
            for first, last in ((a, min(b, low - 1)), (max(a, high + 1), b))
            if first <= last
        ]
    return left


def utf8(ranges: Ranges) -> Node:
    """One character of these ranges, as the one to four bytes that UTF-8 writes. Surrogates are no characters."""
    parts = []
    for low, high in without(ranges, [(0xD800, 0xDFFF)]):
        for first, last in ((0, 0x7F), (0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, LAST)):  # of 1, 2, 3 and 4 bytes
            a, b = max(low, first), min(high, last)
            if a <= b:
                lead, n = chr(a).encode(), len(chr(a).encode())  # behind the first, bytes go from 80 to BF
                parts.append(between(lead, chr(b).encode(), b"\x80" * n, b"\xbf" * n))
    return alt(*parts)


def between(low: bytes, high: bytes, least: bytes, most: bytes) -> Node:
    """The byte strings from `low` to `high`, of one length, in which each byte lies between those of least and most.

    b"17" to b"42" of digits, least b"00", most b"99": 1[7-9]|[2-3][0-9]|4[0-2].
    """
    if not low:
        return EMPTY
    a, b = low[0], high[0]
    if a == b:
        return seq(byte_set([a]), between(low[1:], high[1:], least[1:], most[1:]))
    parts = []
    if low[1:] != least[1:]:
        parts.append(seq(byte_set([a]), between(low[1:], most[1:], least[1:], most[1:])))
        a += 1
    if high[1:] != most[1:]:
        parts.append(seq(byte_set([b]), between(least[1:], high[1:], least[1:], most[1:])))
        b -= 1
    tails = (byte_set(range(x, y + 1)) for x, y in zip(least[1:], most[1:], strict=True))
    return alt(*parts, seq(byte_set(range(a, b + 1)), *tails))


def literal(text: str, write: Callable[[Ranges], Node] = utf8) -> Node:
    """This text. write: how a character becomes bytes."""
    return seq(*(write([(ord(character), ord(character))]) for character in text))


# Reading an expression -----------------------------------------------------------------------------------------------

ASCII = {
    "d": [(48, 57)],
    "w": [(48, 57), (65, 90), (95, 95), (97, 122)],
    "s": [(9, 13), (32, 32)],
}
ASCII |= {name.upper(): without([(0, 127)], ranges) for name, ranges in ASCII.items()}
CONTROLS = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11}
LINE_ENDS = [(10, 10), (13, 13), (0x2028, 0x2029)]
GROUPS = {
    "?=": "a lookahead",
    "?!": "a negative lookahead",
    "?<=": "a lookbehind",
    "?<!": "a negative lookbehind",
    "?P<": "a named group",
    "?<": "a named group",
}


def parse(pattern: str, write: Callable[[Ranges], Node] = utf8) -> Node:
    """The expression that a pattern stands for; it has to match a text whole, as in `re.fullmatch`.

    write: how a character, one of some ranges of code points, becomes bytes. Raises GrammarError for what is not
    supported, and for a pattern that no parser understands.
    """
    return _Parser(pattern, write).whole(around=EMPTY)


def parse_search(pattern: str, write: Callable[[Ranges], Node], anything: Node) -> Node:
    """As in `re.search`: `anything` may stand around the match, except where ^ begins it and $ ends it."""
    return _Parser(pattern, write).whole(around=repeat(anything, 0, None))


class _Parser:
    """Reads from left to right; `at` is where it stands."""

    def __init__(self, pattern: str, write: Callable[[Ranges], Node]) -> None:
        self.pattern, self.write, self.at = pattern, write, 0

    def whole(self, around: Node) -> Node:
        node = self.choice(around)
        if self.at < len(self.pattern):
            raise self.error("a closing parenthesis without an opening one")
        return node

    def error(self, what: str) -> GrammarError:
        return GrammarError(f"The pattern {self.pattern!r} has {what} at character {self.at}, which is not supported.")

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, n: int = 1) -> str:
        """The next n characters. Raises GrammarError at the end."""
        if self.at + n > len(self.pattern):
            raise GrammarError(f"The pattern {self.pattern!r} breaks off: a bracket, group or escape is not finished.")
        self.at += n
        return self.pattern[self.at - n : self.at]

    def choice(self, around: Node | None = None) -> Node:
        """Sequences with | between them. around: what may stand before and behind each, at the outermost level."""
        found = []
        while True:
            before, after = (around or EMPTY,) * 2
            if around and self.peek("^"):
                self.at, before = self.at + 1, EMPTY
            node = self.sequence()
            if around and self.peek("$"):
                self.at, after = self.at + 1, EMPTY
            found.append(seq(before, node, after))
            if not self.peek("|"):
                return alt(*found)
            self.at += 1

    def sequence(self) -> Node:
        found = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            if self.peek("$"):
                break
            found.append(self.counted(self.atom()))
        if self.peek("$") and self.at + 1 < len(self.pattern) and self.pattern[self.at + 1] not in "|":
            raise self.error("the anchor $ before its end")
        return seq(*found)

    def counted(self, node: Node) -> Node:
        """What ?, *, + or {m,n} behind an atom make of it."""
        start, mark = self.at, self.pattern[self.at : self.at + 1]
        if mark not in ("?", "*", "+", "{"):
            return node
        self.at += 1
        low, high = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(mark) or self.bounds()
        if self.peek("?"):  # "as few as possible" changes which match is found, not what matches
            self.at += 1
        if self.at < len(self.pattern) and self.pattern[self.at] in "*+?{":
            raise self.error(f"a second repetition behind {self.pattern[start : self.at]!r}")
        return repeat(node, low, high)

    def bounds(self) -> tuple[int, int | None]:
        inside, brace, _ = self.pattern[self.at :].partition("}")
        low, comma, high = inside.partition(",")
        if not brace or not low.isdecimal() or (high and not high.isdecimal()):
            raise self.error("a { that is no count such as {2,5} (for the character, write \\{)")
        self.at += len(inside) + 1
        found = (int(low), int(low) if not comma else int(high) if high else None)
        if found[1] is not None and found[0] > found[1]:
            raise GrammarError(f"The pattern {self.pattern!r} repeats at least {low} and at most {high} times.")
        return found

    def atom(self) -> Node:
        if self.peek("("):
            return self.group()
        if self.peek("["):
            return self.write(self.bracket())
        if self.peek("^"):
            raise self.error("the anchor ^ behind its beginning")
        character = self.take()
        if character in "?*+{":
            raise self.error(f"the repetition {character} with nothing before it")
        if character == ".":
            return self.write(without([(0, LAST)], LINE_ENDS))
        if character == "\\":
            return self.write(self.escape())
        return self.write([(ord(character), ord(character))])

    def group(self) -> Node:
        self.take()
        if self.peek("?:"):
            self.at += 2
        elif self.peek("?"):
            named = (name for mark, name in GROUPS.items() if self.peek(mark))
            raise self.error(next(named, "a group with flags or conditions"))
        node = self.choice()
        if self.peek("$"):
            raise self.error("the anchor $ in a group")
        if self.take() != ")":
            raise self.error("a group that does not end")
        return node

    def escape(self) -> list[tuple[int, int]]:
        """The characters that stand behind a backslash."""
        mark = self.take()
        if mark in ASCII:
            return ASCII[mark]
        if mark in CONTROLS:
            return [(CONTROLS[mark],) * 2]
        if mark in "xu":
            digits = self.take(2 if mark == "x" else 4)
            if any(digit not in "0123456789abcdefABCDEF" for digit in digits):
                raise self.error(f"\\{mark} without its digits")
            return [(int(digits, 16),) * 2]
        if mark.isalnum():
            raise self.error(f"a back-reference \\{mark}" if mark in "123456789" else f"the escape \\{mark}")
        return [(ord(mark),) * 2]

    def bracket(self) -> list[tuple[int, int]]:
        """One of the characters in brackets, or with ^ one of all others."""
        self.take()
        negated = self.peek("^")
        self.at += negated
        ranges: list[tuple[int, int]] = []
        ascii_only = False
        while not ranges or not self.peek("]"):  # right behind [ or [^, a ] is a character
            item, named = self.member()
            ascii_only = ascii_only or named
            if self.peek("-") and not self.peek("-]"):
                self.take()
                last, also_named = self.member()
                if named or also_named or item[0][0] > last[0][0]:
                    raise self.error("a range that runs backwards, or from or to a class,")
                item = [(item[0][0], last[0][0])]
            ranges += item
        self.take()
        if negated:
            return without([(0, 127 if ascii_only else LAST)], ranges)
        return ranges

    def member(self) -> tuple[list[tuple[int, int]], bool]:
        """One character in brackets, or those of a class such as \\d (then True)."""
        character = self.take()
        if character == "[" and self.peek(":"):
            raise self.error("a class such as [:alpha:]")
        if character != "\\":
            return [(ord(character),) * 2], False
        named = self.pattern[self.at : self.at + 1] in ASCII
        return self.escape(), named


def has_text(node: Node) -> bool:
    """Whether any text matches."""
    seen, stack = {node}, [node]
    while stack:
        here = stack.pop()
        if here.nullable:
            return True
        new = {left for _, left in derivatives(here)} - seen
        seen |= new
        stack += new
    return False


# The automaton -------------------------------------------------------------------------------------------------------


class Automaton:
    """States and the steps between them, as one table, so that a step is one lookup.

    table: (states, classes) int32, the state that follows; DEAD where none does. classes: (256,), the column of each
    byte: bytes that no state tells apart share one. accepts: (states,) bool, True where a text may end. From every
    state but DEAD some text is reached, so nothing that is begun can get stuck.
    """

    def __init__(self, table: np.ndarray, classes: np.ndarray, accepts: np.ndarray) -> None:
        self.table, self.classes, self.accepts = table, classes, accepts

    def __len__(self) -> int:
        return len(self.table)

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self.table.nbytes + self.classes.nbytes + self.accepts.nbytes

    def read(self, state: int, text: bytes) -> int:
        """The state behind these bytes; DEAD once they have left the language."""
        for byte in text:
            state = int(self.table[state, self.classes[byte]])
        return state

    def matches(self, text: str) -> bool:
        """Whether the text belongs to the language, whole."""
        return bool(self.accepts[self.read(START, text.encode())])

    def next_bytes(self, state: int) -> list[int]:
        """Bytes that may come next, rising."""
        return np.flatnonzero(self.table[state, self.classes] != DEAD).tolist()

    def forced(self, state: int) -> bytes:
        """The bytes that have to follow: as long as there is one way to go on, and none to end."""
        found = bytearray()
        while not self.accepts[state] and len(following := self.next_bytes(state)) == 1:
            found += bytes(following)
            state = self.read(state, bytes(following))
        return bytes(found)


def automaton(node: Node, max_states: int = MAX_STATES) -> Automaton:
    """The automaton of an expression. Raises GrammarError where no text matches it, or it has too many states."""
    states, rows, sources = (
        {node: START},
        [[], []],
        [[], []],
    )  # rows: (set of bytes, next state); sources: who leads here
    queue = [node]
    for here, left in enumerate(queue, START):
        for mask, target in derivatives(left):
            if target not in states:
                if len(states) == max_states:
                    raise GrammarError(
                        f"This grammar has more than {max_states:,} states: lower its counts, such as maxLength and "
                        "maxItems, or the depth."
                    )
                states[target] = len(rows)
                queue.append(target)
                rows.append([])
                sources.append([])
            rows[here].append((mask, states[target]))
            sources[states[target]].append(here)
    accepts = np.array([False, *(left.nullable for left in queue)])
    alive, stack = accepts.copy(), np.flatnonzero(accepts).tolist()
    while stack:  # backwards from the ends: what is not reached is a dead end
        for source in sources[stack.pop()]:
            if not alive[source]:
                alive[source] = True
                stack.append(source)
    if not alive[START]:
        raise GrammarError("No text matches this grammar, so there is no way to its end.")
    return _tabulate(rows, accepts, alive)


def _tabulate(rows: list[list[tuple[int, int]]], accepts: np.ndarray, alive: np.ndarray) -> Automaton:
    """Steps as a table with one column for each class of bytes; states from which no text is reached are left out."""
    number = np.where(alive, np.cumsum(alive), DEAD)
    masks = {mask: None for row in rows for mask, target in row if alive[target]}
    sets = [np.unpackbits(np.frombuffer(m.to_bytes(32, "little"), np.uint8), bitorder="little") for m in masks]
    columns, classes = np.unique(np.array(sets).reshape(len(sets), 256), axis=1, return_inverse=True)  # (sets, K)
    members = {mask: np.flatnonzero(column) for mask, column in zip(masks, columns, strict=True)}
    table = np.zeros((int(alive.sum()) + 1, columns.shape[1]), np.int32)
    for state in np.flatnonzero(alive):
        for mask, target in rows[state]:
            if alive[target]:
                table[number[state], members[mask]] = number[target]
    return Automaton(table, classes.reshape(256), np.concatenate(([False], accepts[alive])))
