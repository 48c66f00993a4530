"""The libraries that professionals use for constrained decoding, each behind the same methods as ours.

    for peer in peers(tokenizer):              # ours, and those of the extra "compare" that are installed
        matcher = peer.json(schema)            # or peer.regex(pattern); raises ValueError for what it refuses
        mask = matcher.mask()                  # (V,) bool
        matcher.step(token)                    # and matcher.restart()

Each writes JSON without whitespace. llguidance is told not to force tokens, so that its masks are comparable.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import numpy as np


class Ours:
    """`helpers.old.generation.TokenGrammar`."""

    name = "ours"

    def __init__(self, tokenizer: Any) -> None:
        from helpers.old.generation import token_tree

        self.tokenizer = tokenizer
        token_tree(tokenizer)

    def json(self, schema: dict) -> Any:
        from helpers.old.generation import json_grammar

        return _OurMatcher(json_grammar(self.tokenizer, schema))

    def regex(self, pattern: str) -> Any:
        from helpers.old.generation import regex_grammar

        return _OurMatcher(regex_grammar(self.tokenizer, pattern))


class _OurMatcher:
    def __init__(self, grammar: Any) -> None:
        self.grammar, self.state = grammar, grammar.start

    def mask(self) -> np.ndarray:
        return self.grammar.mask(self.state).numpy()

    def restart(self) -> None:
        self.state = self.grammar.start

    def step(self, token: int) -> None:
        self.state = self.grammar.step(self.state, token)


class XGrammar:
    """xgrammar (Dong et al., 2024): a pushdown automaton, masks of context-free parts computed in advance."""

    name = "xgrammar"

    def __init__(self, tokenizer: Any) -> None:
        import xgrammar

        self.package, self.size = xgrammar, len(tokenizer)
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=self.size)
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)

    def json(self, schema: dict) -> Any:
        return self._matcher(
            lambda: self.compiler.compile_json_schema(
                json.dumps(schema), any_whitespace=False, separators=(",", ":"), strict_mode=True
            )
        )

    def regex(self, pattern: str) -> Any:
        return self._matcher(lambda: self.compiler.compile_regex(pattern))

    def _matcher(self, compiled: Any) -> Any:
        try:
            return _XMatcher(self.package, self.package.GrammarMatcher(compiled()), self.size)
        except RuntimeError as error:
            raise ValueError(str(error)[:200]) from error


class _XMatcher:
    def __init__(self, library: Any, matcher: Any, size: int) -> None:
        self.matcher, self.size = matcher, size
        self.bits = library.allocate_token_bitmask(1, size)

    def mask(self) -> np.ndarray:
        self.matcher.fill_next_token_bitmask(self.bits, 0)
        return _unpacked(self.bits.numpy(), self.size)

    def restart(self) -> None:
        self.matcher.reset()

    def step(self, token: int) -> None:
        if not self.matcher.accept_token(token):
            raise ValueError(f"The token {token} was allowed and is not accepted.")


class LLGuidance:
    """llguidance (Microsoft, 2024): derivatives of regular expressions in a lexer, an Earley parser above it."""

    name = "llguidance"

    def __init__(self, tokenizer: Any) -> None:
        import llguidance
        import llguidance.hf
        import llguidance.numpy

        self.package, self.size = llguidance, len(tokenizer)
        self.tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=self.size)

    def json(self, schema: dict) -> Any:
        tight = {**schema, "x-guidance": {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}}
        return self._matcher(f"start: %json {json.dumps(tight)}")

    def regex(self, pattern: str) -> Any:
        return self._matcher(f"start: /{pattern}/")

    def _matcher(self, rule: str) -> Any:
        matcher = self.package.LLMatcher(self.tokenizer, '%llguidance {"no_forcing": true}\n' + rule)
        if error := matcher.get_error():
            raise ValueError(error[:200])
        return _LLMatcher(self.package, matcher, self.size)


class _LLMatcher:
    def __init__(self, library: Any, matcher: Any, size: int) -> None:
        self.package, self.matcher, self.size = library, matcher, size
        self.bits = library.numpy.allocate_token_bitmask(1, size)

    def mask(self) -> np.ndarray:
        self.package.numpy.fill_next_token_bitmask(self.matcher, self.bits, 0)
        return _unpacked(self.bits, self.size)

    def restart(self) -> None:
        self.matcher.reset()

    def step(self, token: int) -> None:
        if not self.matcher.consume_token(token):
            raise ValueError(self.matcher.get_error()[:200])


class Outlines:
    """outlines (Willard and Louf, 2023): an automaton over tokens, of which every state's mask is computed before."""

    name = "outlines"

    def __init__(self, tokenizer: Any) -> None:
        import outlines_core
        import outlines_core.json_schema

        from helpers.old.generation import token_tree

        self.package, self.size = outlines_core, len(tokenizer)
        by_text: dict[bytes, list[int]] = {}
        for i, text in enumerate(token_tree(tokenizer).texts):
            if text:
                by_text.setdefault(text, []).append(i)
        self.vocabulary = outlines_core.Vocabulary(tokenizer.eos_token_id, by_text)

    def json(self, schema: dict) -> Any:
        try:
            pattern = self.package.json_schema.build_regex_from_schema(json.dumps(schema), whitespace_pattern="")
        except Exception as error:  # the library raises several kinds
            raise ValueError(str(error)[:200]) from error
        return self.regex(pattern)

    def regex(self, pattern: str) -> Any:
        return _OutlinesMatcher(self.package.Guide(self.package.Index(pattern, self.vocabulary)), self.size)


class _OutlinesMatcher:
    def __init__(self, guide: Any, size: int) -> None:
        self.guide, self.size = guide, size

    def mask(self) -> np.ndarray:
        found = np.zeros(self.size, bool)
        found[self.guide.get_tokens()] = True
        return found

    def restart(self) -> None:
        self.guide.reset()

    def step(self, token: int) -> None:
        self.guide.advance(token)


def _unpacked(bits: np.ndarray, size: int) -> np.ndarray:
    return np.unpackbits(bits.view(np.uint8).reshape(-1), bitorder="little")[:size].astype(bool)


def peers(tokenizer: Any, names: tuple[str, ...] = ("ours", "xgrammar", "llguidance", "outlines")) -> Iterator[Any]:
    """Ours, then each of the others that is installed."""
    for kind in (Ours, XGrammar, LLGuidance, Outlines):
        library = {"ours": "helpers", "outlines": "outlines_core"}.get(kind.name, kind.name)
        if kind.name in names and importlib.util.find_spec(library):
            yield kind(tokenizer)
