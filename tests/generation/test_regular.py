"""Regular expressions as automata: they match what the standard library matches, and say what they do not support."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.old.generation import GrammarError, automaton, parse
from helpers.old.generation.regular import DEAD, NOTHING, START, alt, both, literal, parse_search, repeat, seq, utf8

LETTERS = "ab0_-é\n \u2028😀"
ATOMS = st.sampled_from(
    ["a", "b", "0", "é", "😀", r"\d", r"\w", r"\s", r"\n", r"\-", "[ab]", "[^a]", "[a-b0é]", "[^é-]"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=0, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,2}", "{2,}", "{0,3}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=70, deadline=None, derandomize=True)
@given(PATTERNS, st.lists(st.text(LETTERS, max_size=6), min_size=8, max_size=8))
def test_a_text_matches_where_the_standard_library_says_so(pattern, texts):
    machine = automaton(parse(pattern))
    for text in [*texts, *(texts[0][:n] for n in range(len(texts[0])))]:
        assert machine.matches(text) == bool(re.fullmatch(pattern, text, re.ASCII)), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"VE-\d{5}", "VE-48213"),
        ("(re)?turn(ed|s)?", "returned"),
        ("a|", ""),
        ("[]a]+", "]a]"),
        ("[^]a]", "b"),
        (r"\x41\u00e9", "Aé"),
        ("^ab$", "ab"),
        ("a+?b", "aab"),
        ("a}]", "a}]"),
        (r"[\d.-]+", "1.5-2"),
    ],
)
def test_each_way_of_writing_a_pattern_is_read_as_the_standard_library_reads_it(pattern, text):
    machine = automaton(parse(pattern))
    assert machine.matches(text) and re.fullmatch(pattern, text)
    assert not machine.matches(text + "#") and not machine.matches("#" + text)


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("(?=a)b", "a lookahead"),
        ("(?<!a)b", "a negative lookbehind"),
        ("(?P<x>a)", "a named group"),
        ("(?i)a", "flags"),
        (r"(a)\1", "back-reference"),
        (r"a\b", r"escape \\b"),
        (r"\p{L}", r"escape \\p"),
        ("a**", "second repetition"),
        ("*a", "nothing before it"),
        ("a{,3}", "no count"),
        ("x{3,1}", "at least 3 and at most 1"),
        ("a^b", "anchor \\^"),
        ("a$b", r"anchor \$"),
        ("(a$)", r"anchor \$"),
        ("[z-a]", "backwards"),
        ("[[:alpha:]]", "alpha"),
        (r"\xg1", "without its digits"),
        ("a)", "closing parenthesis"),
        ("(a", "breaks off"),
        ("[a", "breaks off"),
        ("a\\", "breaks off"),
    ],
)
def test_what_is_not_supported_is_named_in_one_sentence(pattern, named):
    with pytest.raises(GrammarError, match=named) as refused:
        parse(pattern)
    assert str(refused.value).count("\n") == 0 and repr(pattern) in str(refused.value)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 0x10FFFF), st.integers(0, 3000)), min_size=1, max_size=3))
def test_a_range_of_characters_holds_its_edges_and_not_their_neighbors(stretches):
    ranges = [(low, min(low + width, 0x10FFFF)) for low, width in stretches]
    if all(0xD800 <= low and high <= 0xDFFF for low, high in ranges):
        assert utf8(ranges) is NOTHING
        return
    machine = automaton(utf8(ranges))
    near = {edge + n for pair in ranges for edge in pair for n in (-1, 0, 1)} | {0x7F, 0x80, 0x7FF, 0x800, 0xFFFF}
    for point in near:
        if 0 <= point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF:
            assert machine.matches(chr(point)) == any(low <= point <= high for low, high in ranges)


def test_no_surrogate_can_be_written():
    machine = automaton(utf8([(0, 0x10FFFF)]))
    assert not machine.accepts[machine.read(START, b"\xed\xa0\x80")]
    assert machine.read(START, b"\xed\xa0") == machine.read(START, b"\xff") == DEAD


def test_what_must_follow_ends_where_there_is_a_choice_or_the_text_may_end():
    machine = automaton(parse("(re)?turn(ed|s)?"))
    assert machine.forced(START) == b""
    assert machine.forced(machine.read(START, b"ret")) == b"urn"
    assert machine.forced(machine.read(START, b"turne")) == b"d"
    assert automaton(parse("aé")).forced(START) == "aé".encode()


def test_from_every_state_a_text_can_be_finished():
    never = seq(literal("a"), both(literal("b"), literal("c")))  # begins well and can never end
    machine = automaton(alt(never, literal("ab")))
    assert machine.matches("ab") and not machine.matches("ac")
    for state in range(START, len(machine)):
        reached, new = {state}, {state}
        while new:
            new = {machine.read(s, bytes([b])) for s in new for b in machine.next_bytes(s)} - reached
            reached |= new
        assert any(machine.accepts[s] for s in reached) and DEAD not in reached


@pytest.mark.parametrize("node", [NOTHING, both(literal("ab"), literal("cd")), both(literal("ab"), literal("abc"))])
def test_a_language_without_texts_is_an_error(node):
    with pytest.raises(GrammarError, match="No text matches"):
        automaton(node)


def test_too_many_states_are_an_error_and_no_endless_loop():
    with pytest.raises(GrammarError, match="more than 1,000 states"):
        automaton(parse("(a|b)*a(a|b){20}"), max_states=1000)


def test_the_search_finds_a_pattern_anywhere_unless_it_is_anchored():
    anything = utf8([(0, 0x10FFFF)])
    for pattern in ("ab", "^ab", "ab$", "^ab$", "^a|b$", "a|^b"):
        machine = automaton(parse_search(pattern, utf8, anything))
        for text in ("ab", "xab", "abx", "xabx", "a", "b", "ax", "xa", "bx", "xb", "x", ""):
            assert machine.matches(text) == bool(re.search(pattern, text)), (pattern, text)


def test_equal_expressions_are_one_object_and_simplified():
    a, b = literal("a"), literal("bc")
    assert alt(a, b) is alt(b, a) and alt(a, a) is a and seq(a, NOTHING) is NOTHING
    assert seq(seq(a, b), a) is seq(a, seq(b, a)) and repeat(a, 1, 1) is a and both(a, a) is a
