"""A small prompt optimizer: try named edits one after the other, keep what helps on dev, stop when nothing does.

    edits = {"question last": last_line("Which rule answers this?"), "be terse": system("Answer in one sentence.")}
    found = optimize(template, edits, measure)         # measure(template) → for each dev item, was the reply right?
    found.prompt, found.history                        # what is left, and each edit that was tried

An edit is kept if its paired difference on dev is above zero, by one of two rules: `interval` asks that the whole 95 %
interval is, `greater` only the difference itself. The second takes luck for progress: whatever was kept because it
scored best on these items scores less on others, as 12 shows.

What it does not do: invent edits, or correct for how many were tried. With twenty edits that change nothing, one
interval in twenty lies off zero, half of them above it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from helpers.old.prompting.templates import Template
from helpers.stats.intervals import PairedDifference, paired_bootstrap

Edit = Callable[[Any], Any]
RULES = ("interval", "greater")


@dataclass(frozen=True)
class Trial:
    """One edit that was tried: its gain over the prompt as it stood, and whether it was kept."""

    edit: str
    gain: PairedDifference
    kept: bool


@dataclass(frozen=True)
class Optimized:
    """prompt: what is left in the end; kept: the names of its edits; history: all trials in their order."""

    prompt: Any
    kept: tuple[str, ...]
    history: tuple[Trial, ...]


def optimize(
    prompt: Any,
    edits: Mapping[str, Edit],
    measure: Callable[[Any], Sequence[bool]],
    *,
    rule: str = "interval",
    rounds: int = 2,
) -> Optimized:
    """Go through the edits, up to `rounds` times; each is tried on the prompt with all edits that were kept before.

    prompt: a Template, or whatever the edits change; an edit gives it changed, or unchanged where it does not apply,
    which is then not measured. measure: the prompt → a score of each dev item, in one order. It ends after a round that
    kept nothing. Raises ValueError for another rule and for no edits.
    """
    if rule not in RULES or not edits:
        raise ValueError(f"optimize() takes at least one edit and a rule of {', '.join(RULES)}, not {rule!r}.")
    scores, kept, history = np.asarray(measure(prompt), dtype=float), [], []
    for _ in range(rounds):
        before = len(kept)
        for name, edit in edits.items():
            changed = prompt if name in kept else edit(prompt)
            if changed == prompt:
                continue
            found = np.asarray(measure(changed), dtype=float)
            gain = paired_bootstrap(found, scores)
            keep = (gain.low if rule == "interval" else gain.difference) > 0
            history.append(Trial(name, gain, keep))
            if keep:
                prompt, scores = changed, found
                kept.append(name)
        if len(kept) == before:
            break
    return Optimized(prompt, tuple(kept), tuple(history))


# Edits of a template -------------------------------------------------------------------------------------------------


def system(text: str) -> Edit:
    """The system turn says this, and nothing else."""
    return lambda template: _turned(template, [("system", text), *_without(template, "system")])


def last_line(text: str) -> Edit:
    """The last turn of the user ends with this, behind what the user wrote."""

    def edit(template: Template) -> Template:
        at = max(i for i, (role, _) in enumerate(template.turns) if role == "user")
        turns = list(template.turns)
        turns[at] = ("user", f"{turns[at][1]}\n\n{text}")
        return _turned(template, turns)

    return edit


def reply_begins(text: str) -> Edit:
    """The reply is begun with this."""
    return lambda template: _turned(template, [*_without(template, "assistant"), ("assistant", text)])


def _without(template: Template, role: str) -> list[tuple[str, str]]:
    return [turn for turn in template.turns if turn[0] != role]


def _turned(template: Template, turns: Sequence[tuple[str, str]]) -> Template:
    return replace(template, turns=tuple(turns))
