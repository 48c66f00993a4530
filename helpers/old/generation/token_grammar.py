"""From bytes to tokens: which of 49,152 tokens may come next, found by one walk over a prefix tree of the vocabulary.

    grammar = TokenGrammar(tokenizer, automaton(parse("(re)?turn(ed|s)?")))
    grammar.allowed(grammar.start)             # ids, rising: "t", "tur", "turn", "re", "ret", "return" …
    state = grammar.step(grammar.start, id)    # and on
    grammar.mask(state)                        # (V,) bool, kept for the next time that this state comes

A token is allowed where the automaton can read all its bytes. Tokens that begin alike share a branch of the tree, so a
branch that the automaton refuses is left with all its tokens at once. Bytes that no state of the grammar tells apart
share a branch, too: where any letter may follow, "cat" and "dog" are one walk (`_Tree`).

Each state also knows how many tokens the shortest way to the end takes. Given the `room` that is left, only tokens are
allowed from which the end can still be reached; so a text never breaks off.

What it does not do: tokenizers without byte-level BPE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from helpers.old.generation.regular import DEAD, START, Automaton, GrammarError
from helpers.tokenization import spelled

ENDED = -1  # the state behind the token that ends a text
NEVER = 1 << 30  # tokens to the end, where there is no end


class TokenTree:
    """The tokens of a vocabulary as a prefix tree over bytes, level by level.

    size: ids. texts: what each id writes, None for special tokens. parent, byte: of each node, the root is node 0;
    levels: where each level of nodes begins; node: (size,), the node at which each token ends, −1 for special ones.
    """

    def __init__(self, tokenizer: Any) -> None:
        """Raises GrammarError for a tokenizer whose tokens are not spelled in bytes."""
        self.size = len(tokenizer)
        added = getattr(tokenizer, "added_tokens_decoder", {})
        special = {i for i, token in added.items() if token.special} | set(tokenizer.all_special_ids)
        self.texts: list[bytes | None] = [None] * self.size
        for i, token in enumerate(tokenizer.convert_ids_to_tokens(list(range(self.size)))):
            if i not in special and token is not None:
                try:
                    self.texts[i] = token.encode() if i in added else spelled(token)
                except KeyError as error:
                    raise GrammarError(
                        f"The token {token!r} is not spelled in bytes: grammars need byte-level BPE, as in SmolLM2, "
                        "Llama 3 and Qwen."
                    ) from error
        self._grow()

    def _grow(self) -> None:
        """Level by level: tokens that agree in their first bytes share a node."""
        ids = np.array([i for i, text in enumerate(self.texts) if text])
        lengths = np.array([len(self.texts[i]) for i in ids])
        joined = np.frombuffer(b"".join(self.texts[i] for i in ids), np.uint8)
        begins = np.cumsum(lengths) - lengths
        self.node = np.full(self.size, -1, np.int32)
        parent, byte, self.levels = [[0]], [[0]], [0, 1]
        at = np.zeros(len(ids), np.int64)  # the node that each token has reached
        for depth in range(lengths.max()):
            longer = np.flatnonzero(lengths > depth)
            keys, where = np.unique(at[longer] * 256 + joined[begins[longer] + depth], return_inverse=True)
            at[longer] = self.levels[-1] + where
            parent.append(keys // 256)
            byte.append(keys % 256)
            self.levels.append(self.levels[-1] + len(keys))
        self.node[ids] = at
        self.parent, self.byte = np.concatenate(parent).astype(np.int32), np.concatenate(byte).astype(np.uint8)


_trees: WeakKeyDictionary[Any, TokenTree] = WeakKeyDictionary()


def token_tree(tokenizer: Any) -> TokenTree:
    """The prefix tree of a tokenizer's vocabulary, built once."""
    if tokenizer not in _trees:
        _trees[tokenizer] = TokenTree(tokenizer)
    return _trees[tokenizer]


class _Tree:
    """The prefix tree as one grammar sees it: over classes of bytes, without bytes that it never takes.

    Tokens that are the same sequence of classes end at the same node. column: the class that leads to a node; first,
    count: its children stand side by side; token: (size,), each token's node, or `nodes` where the grammar never
    takes it.
    """

    def __init__(self, tree: TokenTree, machine: Automaton) -> None:
        width = machine.table.shape[1]
        used = (machine.table != DEAD).any(axis=0)  # (K,)
        columns = machine.classes[tree.byte]
        new = np.full(len(tree.parent), -1)  # old node → node here
        new[0] = 0
        column, parent, self.nodes = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], 1
        for begin, end in pairwise(tree.levels[1:]):
            above, here = new[tree.parent[begin:end]], columns[begin:end]
            kept = (above >= 0) & used[here]
            keys, where = np.unique(above[kept] * width + here[kept], return_inverse=True)
            new[begin:end][kept] = self.nodes + where
            parent.append(keys // width)
            column.append(keys % width)
            self.nodes += len(keys)
        self.column = np.concatenate(column)
        self.count = np.bincount(np.concatenate(parent)[1:], minlength=self.nodes)
        self.first = 1 + np.cumsum(self.count) - self.count
        self.token = np.where(tree.node >= 0, new[tree.node], -1)
        self.token[self.token < 0] = self.nodes
        self.ends = np.zeros(self.nodes + 1, bool)  # nodes at which a token ends
        self.ends[self.token] = True

    def walk(self, table: np.ndarray, states: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Level by level: (index into states, node, state reached) of every token that can be read from there."""
        origin, node, state = np.arange(len(states)), np.zeros(len(states), np.int64), states
        while len(node):
            children = self.count[node]
            within = np.arange(children.sum()) - np.repeat(np.cumsum(children) - children, children)
            origin, state = np.repeat(origin, children), np.repeat(state, children)
            node = np.repeat(self.first[node], children) + within
            state = table[state, self.column[node]]
            alive = state != DEAD
            origin, node, state = origin[alive], node[alive], state[alive]
            ends = self.ends[node]
            yield origin[ends], node[ends], state[ends]


class TokenGrammar:
    """A language, in a tokenizer's tokens. A state is a number; `start` is the first, ENDED the last.

    machine: the automaton over bytes. end_id: the token that ends a text, by default the tokenizer's own. to_end:
    (states,) tokens of the shortest way from each state to the end, the end token included. Raises GrammarError where
    the vocabulary has no tokens for any text of the language.
    """

    def __init__(self, tokenizer: Any, machine: Automaton, end_id: int | None = None) -> None:
        self.tokenizer, self.tree, self.machine = tokenizer, token_tree(tokenizer), machine
        self.end_id = tokenizer.eos_token_id if end_id is None else end_id
        self.start = START
        self._tree = _Tree(self.tree, machine)
        self._kept: dict[int, tuple[Tensor, int]] = {}  # of each state its mask, and the longest way to the end
        self._same: dict[bytes, Tensor] = {}  # states with the same mask share one
        self.to_end = self._tokens_to_end()
        if self.to_end[START] == NEVER:
            raise GrammarError("The vocabulary has no tokens that write a text of this grammar.")
        self.shortest = int(self.to_end[START])

    # What may follow ---------------------------------------------------------------------------------------------

    def mask(self, state: int, room: int | None = None) -> Tensor:
        """(V,) bool, True for the tokens that may follow. room: tokens that may still be written, the end included.

        Raises GrammarError where the room does not suffice for any text.
        """
        if state == ENDED:
            return self._as_mask(np.empty(0, np.int64), end=True)
        if state not in self._kept:
            nodes, targets = self._following(state)
            self._kept[state] = (
                self._shared(self._as_mask(nodes, self._may_end(state))),
                self.to_end[targets].max(initial=0),
            )
        mask, longest = self._kept[state]
        if room is None or room > longest:
            return mask
        self.require_room(room, state)
        nodes, targets = self._following(state)
        return self._as_mask(nodes[self.to_end[targets] < room], self._may_end(state))

    def allowed(self, state: int, room: int | None = None) -> list[int]:
        """Ids of the tokens that may follow, rising. Options and errors as in `mask`."""
        return self.mask(state, room).nonzero()[:, 0].tolist()

    def require_room(self, room: int, state: int = START) -> None:
        """Raises GrammarError where no text has an end within so many tokens."""
        if room < self.to_end[state]:
            raise GrammarError(f"There is room for {room} tokens, and the shortest text takes {self.to_end[state]}.")

    def step(self, state: int, token: int) -> int:
        """The state behind a token. Raises GrammarError for one that is not allowed."""
        if token == self.end_id and (state == ENDED or self.machine.accepts[state]):
            return ENDED
        text = self.tree.texts[token] if 0 <= token < self.tree.size else None
        state = DEAD if state == ENDED or not text else self.machine.read(state, text)
        if self.to_end[state] == NEVER:
            raise GrammarError(f"The token {token} ({text!r}) does not fit the grammar here.")
        return state

    def read(self, said: Sequence[int], state: int = START) -> int:
        """The state behind several tokens."""
        for token in said:
            state = self.step(state, token)
        return state

    def text(self, said: Sequence[int]) -> bytes:
        """What tokens write, the end left out."""
        return b"".join(self.tree.texts[token] or b"" for token in said)

    def texts(self, state: int) -> list[bytes]:
        """What the tokens write that may follow, the end left out."""
        return [text for token in self.allowed(state) if token != self.end_id and (text := self.tree.texts[token])]

    @property
    def nbytes(self) -> int:
        """Bytes of the automaton, the tree and the masks kept so far."""
        tree = self._tree
        arrays = (tree.column, tree.count, tree.first, tree.token, tree.ends, self.to_end)
        return self.machine.nbytes + sum(part.nbytes for part in (*arrays, *self._same.values()))

    def _may_end(self, state: int) -> bool:
        return bool(self.machine.accepts[state])

    def _following(self, state: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes of the tree at which tokens end that may follow, and the states behind them."""
        found = [(node, target) for _, node, target in self._tree.walk(self.machine.table, np.array([state]))]
        nodes, targets = (np.concatenate(part) for part in zip(*found, strict=True))
        leads = self.to_end[targets] < NEVER
        return nodes[leads], targets[leads]

    def _shared(self, mask: Tensor) -> Tensor:
        return self._same.setdefault(np.packbits(mask.numpy()).tobytes(), mask)

    def _as_mask(self, nodes: np.ndarray, end: bool) -> Tensor:
        marked = np.zeros(self._tree.nodes + 1, bool)
        marked[nodes] = True
        mask = marked[self._tree.token]
        mask[self.end_id] = end
        return torch.from_numpy(mask)

    # The way to the end ------------------------------------------------------------------------------------------

    def _tokens_to_end(self, at_once: int = 128) -> np.ndarray:
        """(states,) by breadth-first search backwards from the states that may end, over steps of a whole token."""
        n = len(self.machine)
        steps = []  # source · n + target
        for begin in range(0, n, at_once):
            states = np.arange(begin, min(n, begin + at_once))
            found = [(begin + origin) * n + target for origin, _, target in self._tree.walk(self.machine.table, states)]
            steps.append(np.unique(np.concatenate(found)))
        source, target = np.divmod(np.concatenate(steps), n)
        order = np.argsort(target, kind="stable")
        source, starts = source[order], np.searchsorted(target[order], np.arange(n + 1))
        to_end = np.full(n, NEVER, np.int64)
        newest, distance = np.flatnonzero(self.machine.accepts), 1
        while len(newest):
            to_end[newest] = distance
            before = np.concatenate([source[starts[state] : starts[state + 1]] for state in newest])
            newest, distance = np.unique(before[to_end[before] == NEVER]), distance + 1
        return to_end
