"""Masks over the real vocabulary: every token that fits and no other, a way to the end, and no room ever overrun."""

from __future__ import annotations

import re

import pytest
import torch

from helpers.display.source import source_of
from helpers.generation import generate, sample, temperature
from helpers.models import fetch
from helpers.old.generation import (
    GrammarError,
    TokenGrammar,
    automaton,
    choice_table,
    grammar_mask,
    jump_ahead,
    minimal_within,
    parse,
    read_table,
    regex_grammar,
    token_tree,
    within,
)
from helpers.old.generation.regular import DEAD, START
from helpers.old.generation.token_grammar import ENDED, NEVER

PATTERNS = ["(re)?turn(ed|s)?", r"VE-\d{5}|none", r'"[^"\\\n]{0,4}",( ?é|ü){2}', "x(ab)*"]


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(fetch("chat"), local_files_only=True)


def test_every_token_that_the_automaton_can_read_is_allowed_and_no_other(tokenizer):
    tree = token_tree(tokenizer)
    some = set(torch.randperm(tree.size, generator=torch.Generator().manual_seed(0))[:1000].tolist())
    for pattern in PATTERNS:
        grammar = regex_grammar(tokenizer, pattern)
        for state in range(START, len(grammar.machine), 4):
            allowed = grammar.allowed(state)
            looked_at = sorted(some | set(allowed[:300]))
            targets = {i: grammar.machine.read(state, tree.texts[i]) if tree.texts[i] else DEAD for i in looked_at}
            wanted = [i for i, target in targets.items() if grammar.to_end[target] < NEVER]
            if grammar.machine.accepts[state]:
                wanted = sorted({*wanted, tokenizer.eos_token_id})
            assert [i for i in allowed if i in targets or i == tokenizer.eos_token_id] == wanted, (pattern, state)


def test_the_shortest_way_to_the_end_is_the_shortest(tokenizer):
    for pattern in PATTERNS:
        grammar = regex_grammar(tokenizer, pattern)
        assert grammar.to_end[DEAD] == NEVER
        for state in range(START, len(grammar.machine)):
            ways = [1] if grammar.machine.accepts[state] else []
            following = {grammar.step(state, i) for i in grammar.allowed(state)} - {ENDED}
            ways += [1 + int(grammar.to_end[target]) for target in following]
            assert grammar.to_end[state] == min(ways)


def test_what_is_left_of_the_room_decides_which_tokens_are_allowed(tokenizer):
    grammar = regex_grammar(tokenizer, "(re)?turn(ed|s)?")
    words = [tokenizer.decode([i]) for i in grammar.allowed(grammar.start, room=2)]
    assert words == ["return", "turn", "returns"]  # one token and the end
    assert set(words) < {tokenizer.decode([i]) for i in grammar.allowed(grammar.start, room=3)}
    assert grammar.allowed(grammar.start, room=30) == grammar.allowed(grammar.start)
    with pytest.raises(GrammarError, match="room for 1 tokens, and the shortest text takes 2"):
        grammar.mask(grammar.start, room=1)


def test_states_with_the_same_mask_keep_one(tokenizer):
    grammar = regex_grammar(tokenizer, '"[a-z]{0,40}"')
    masks = {id(grammar.mask(state)) for state in range(START, len(grammar.machine))}
    assert len(masks) < len(grammar.machine) - 10
    assert all(grammar.mask(state) is grammar.mask(state) for state in range(START, 9))


def test_a_token_that_does_not_fit_is_refused_and_the_end_stays_the_end(tokenizer):
    grammar = regex_grammar(tokenizer, "ab?")
    (a,) = tokenizer("a")["input_ids"]
    for token in (a + 1, tokenizer.eos_token_id, 10**6):
        with pytest.raises(GrammarError, match="does not fit"):
            grammar.step(grammar.start, token)
    ended = grammar.read([a, tokenizer.eos_token_id])
    assert ended == ENDED == grammar.step(ended, tokenizer.eos_token_id)
    assert grammar.allowed(ended) == [tokenizer.eos_token_id]
    with pytest.raises(GrammarError, match="does not fit"):
        grammar.step(ended, a)


def test_special_tokens_are_never_written_even_where_their_text_would_fit(tokenizer):
    grammar = regex_grammar(tokenizer, r"<\|im_(start|end)\|>")
    said: list[int] = []
    state = grammar.start
    while state != ENDED:
        allowed = grammar.allowed(state)
        assert state == grammar.start or allowed
        assert not set(allowed) & set(tokenizer.all_special_ids) or allowed == [tokenizer.eos_token_id]
        said.append(allowed[-1])
        state = grammar.step(state, said[-1])
    assert grammar.text(said).decode() in ("<|im_start|>", "<|im_end|>")


def test_characters_that_no_token_can_write_are_a_dead_end_that_is_never_entered(tokenizer):
    known = {text for text in token_tree(tokenizer).texts if text}
    missing = next(chr(point) for point in range(0x40000, 0x110000, 0x40000) if chr(point).encode()[:1] not in known)
    with pytest.raises(GrammarError, match="no tokens"):
        regex_grammar(tokenizer, f"a{missing}")
    grammar = regex_grammar(tokenizer, f"a{missing}|abc")
    assert grammar.machine.matches(f"a{missing}")
    grammar.read(tokenizer("abc")["input_ids"])
    (a,) = tokenizer("a")["input_ids"]
    assert {tokenizer.decode([i])[:1] for i in grammar.allowed(grammar.step(START, a))} == {"b"}


class Noise(torch.nn.Module):
    """A model that says what it likes: the same logits for the same text, whatever the batch."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows = [
            torch.randn(self.size, generator=torch.Generator().manual_seed(sum(row.tolist()) * 31 + len(row)))
            for row in ids
        ]
        return torch.stack(rows)[:, None]


def test_every_reply_within_a_grammar_matches_whatever_the_room_and_the_sampler(tokenizer):
    model, prompts = Noise(len(tokenizer)), [[5, 6, 7], [9, 9, 9], [1, 2, 3]]
    grammars = [regex_grammar(tokenizer, pattern) for pattern in PATTERNS[:3]]
    for choose in (None, sample(temperature(2.0), generator=torch.Generator().manual_seed(0))):
        for room in (max(grammar.shortest for grammar in grammars), 14, 40):
            sampler = within(grammars, 3, room, **({"choose": choose} if choose else {}))
            ids = generate(model, prompts, room, sampler=sampler, eos_ids=tokenizer.eos_token_id)
            for row, pattern, grammar in zip(ids[:, 3:].tolist(), PATTERNS, grammars, strict=False):
                said = row[: row.index(tokenizer.eos_token_id)]
                assert re.fullmatch(pattern, grammar.text(said).decode()), (pattern, room)


def test_a_row_says_in_a_batch_what_it_says_alone(tokenizer):
    model, prompts = Noise(len(tokenizer)), [[5, 6, 7], [9, 9, 9]]
    grammar = regex_grammar(tokenizer, PATTERNS[1])
    both = generate(model, prompts, 12, sampler=within(grammar, 3, 12), eos_ids=2, pad_id=2)
    for prompt, row in zip(prompts, both.tolist(), strict=True):
        alone = generate(model, prompt, 12, sampler=within(grammar, 3, 12), eos_ids=2, pad_id=2)[0].tolist()
        assert row[: len(alone)] == alone and set(row[len(alone) :]) <= {2}


def test_a_room_too_short_for_any_text_is_refused_before_the_model_runs(tokenizer):
    with pytest.raises(GrammarError, match="room for 3 tokens, and the shortest text takes"):
        within(regex_grammar(tokenizer, r"VE-\d{5}"), 0, room=3)


def test_a_tokenizer_without_bytes_is_refused():
    class Words:
        all_special_ids = [0]
        eos_token_id = 0

        def __len__(self):
            return 2

        def convert_ids_to_tokens(self, ids):
            return ["</s>", "▁hello"]

    with pytest.raises(GrammarError, match="byte-level BPE"):
        TokenGrammar(Words(), automaton(parse("a")))


# The smallest form ---------------------------------------------------------------------------------------------------


def test_the_smallest_form_has_the_masks_of_the_full_one(tokenizer):
    texts = ["yes", "no", "not yet"]
    table, grammar = choice_table(texts), regex_grammar(tokenizer, "yes|no|not yet")
    tokens = [tokenizer.decode([i]) for i in range(len(tokenizer))]
    for special in tokenizer.all_special_ids:
        tokens[special] = "never" if special != tokenizer.eos_token_id else ""
    for begun in ("", "n", "no", "not", "ye", "yes"):
        small = grammar_mask(table, read_table(table, 0, begun), tokens)
        assert torch.equal(torch.tensor(small), grammar.mask(grammar.machine.read(START, begun.encode())))
        assert jump_ahead(table, read_table(table, 0, begun)).encode() == grammar.machine.forced(
            grammar.machine.read(START, begun.encode())
        )
    assert read_table(table, 0, "yet") is None


def test_the_smallest_loop_writes_what_the_full_one_writes(tokenizer):
    model = Noise(len(tokenizer))
    tokens = [tokenizer.decode([i]) if i not in tokenizer.all_special_ids else "\0" for i in range(len(tokenizer))]
    tokens[tokenizer.eos_token_id] = ""
    texts = ["return", "repair", "rent", "order status", "other"]
    grammar = regex_grammar(tokenizer, "|".join(texts))
    found = set()
    for seed in range(4):
        prompt = torch.tensor([[seed, 11]])
        ids = generate(model, prompt, 20, sampler=within(grammar, 2), eos_ids=tokenizer.eos_token_id)
        text = minimal_within(model, prompt, choice_table(texts), tokens)
        assert text == grammar.text(ids[0, 2:].tolist()).decode() and text in texts
        found.add(text)
    assert len(found) > 1


def test_the_smallest_form_is_small():
    parts = (choice_table, read_table, grammar_mask, jump_ahead, minimal_within)
    code = [line for part in parts for line in source_of(part, docstring=False).code.splitlines() if line.strip()]
    assert len(code) <= 60
