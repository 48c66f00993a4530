"""The report as one HTML page for people: nothing is fetched, nothing runs, and it reads well in black and white.

    html = page(as_json(new, old, verdict))

It begins with the decision, then shows what it rests on: scores with intervals drawn on one scale, slices, the items
that got worse side by side, the surest wrong answers, and last what is needed to do it again. Every text of a suite or
a model is escaped, so that an answer that holds a script is shown and not run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

MARKS = {"passed": "✔ Passed", "failed": "✘ Failed", "cannot be judged": "? Cannot be judged"}
SHOWN = 10  # regressions on the page; the JSON has all
STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; padding: .3rem 0; opacity: .8; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { border: 3px solid; padding: .6rem 1rem; margin: 1.2rem 0; } .verdict strong { font-size: 1.25rem; }
.item { border-left: 4px solid var(--line); padding: .1rem 0 .1rem 1rem; margin: 1rem 0; }
.item dt { font-weight: 600; } .item dd { margin: 0 0 .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.tag { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .4rem; font-size: .85rem; }
svg { display: block; width: 12rem; height: 1.4rem; } svg * { stroke: currentColor; fill: currentColor; }
small, .about { opacity: .8; }
"""


def page(content: Mapping[str, Any]) -> str:
    """The page of what `helpers.old.evaluation.reports.as_json` gives."""
    suite, models, gate = content["suite"], content["models"], content["gate"]
    names = " against ".join(escape(models[role]["name"]) for role in ("new", "old") if role in models)
    parts = [
        f"<h1>{names}</h1>",
        f"<p class='about'>Suite {escape(suite['name'])}, {suite['items']} items, {escape(content['date'])}</p>",
        _decision(gate) if gate else "",
        _scores(models),
        _slices(content),
        _regressions(gate["regressions"]) if gate else "",
        *(_worst(model) for model in models.values()),
        _again(content),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{names} on {escape(suite['name'])}</title>\n<style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _decision(gate: Mapping[str, Any]) -> str:
    return (
        f"<div class='verdict'><strong>{MARKS[gate['result']]}</strong><br>{escape(gate['sentence'])}<br>"
        f"<small>The margin of {_points(gate['margin'])} points was fixed before the run. Exit status "
        f"{gate['status']}.</small></div>"
    )


def _scores(models: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for model in models.values():
        for name, found in model["scores"].items():
            first = escape(model["name"]) if name == model["score"] else ""
            bold = f"<strong>{escape(name)}</strong>" if name == model["score"] else escape(name)
            rows.append([first, bold, *_share(found)])
    about = "Shares of all items with 95 % intervals; the score in bold is the one that the gate compares."
    return "<h2>Scores</h2>" + _table(
        ["Model", "Share", "Value", "Interval", "0 % to 100 %"], rows, about, number=(2, 3)
    )


def _slices(content: Mapping[str, Any]) -> str:
    rows = []
    gate = content["gate"]
    for name in content["suite"]["slices"]:
        for place, model in enumerate(content["models"].values()):
            share = model["slices"][name]
            change = _change(gate["slices"][name]) if gate and not place else ""
            rows.append(
                [escape(name) if not place else "", escape(model["name"]), str(share["n"]), *_share(share), change]
            )
    head = ["Slice", "Model", "Items", "Right", "Interval", "0 % to 100 %"] + (["Difference in points"] if gate else [])
    rows = rows if gate else [row[:-1] for row in rows]
    about = "A mean hides what a slice shows."
    if gate:
        about += " Differences are paired, item by item; their intervals are wider than 95 %, since there are several."
    return "<h2>Slices</h2>" + _table(head, rows, about, number=(2, 3, 4, 6))


def _regressions(found: Sequence[Mapping[str, Any]]) -> str:
    if not found:
        return "<h2>What got worse</h2><p>No item.</p>"
    items = [
        _item(row, {"Expected": row["expected"], "Old answer": row["old"], "New answer": row["new"]})
        for row in found[:SHOWN]
    ]
    more = f"<p><small>{len(found) - SHOWN} more in the JSON file.</small></p>" if len(found) > SHOWN else ""
    return f"<h2>What got worse: {len(found)} item{'s' * (len(found) > 1)}</h2>{''.join(items)}{more}"


def _worst(model: Mapping[str, Any]) -> str:
    if not model["worst"]:
        return f"<h2>Wrong answers of {escape(model['name'])}</h2><p>None.</p>"
    items = [_item(row, {"Expected": row["expected"], "Answer": row["answer"]}) for row in model["worst"]]
    about = "The ones that it was surest of come first, where it says how sure it is."
    return f"<h2>Wrong answers of {escape(model['name'])}</h2><p class='about'>{about}</p>{''.join(items)}"


def _item(row: Mapping[str, Any], texts: Mapping[str, Any]) -> str:
    sure = "" if row["confidence"] is None else f" · confidence {row['confidence']:.3g}"
    said = "".join(f"<dt>{name}</dt><dd>{escape(_said(text))}</dd>" for name, text in texts.items())
    return (
        f"<div class='item'><p><strong>{escape(row['input'])}</strong><br><small>{escape(row['id'])} · "
        f"<span class='tag'>{escape(row['slice'])}</span>{sure}</small></p><dl>{said}</dl></div>"
    )


def _said(text: Any) -> str:
    """An answer in words: a list of accepted ones, fields, or that there is none."""
    if isinstance(text, list):
        return "one of: " + " · ".join(text) if text else "(nothing answers this: the right answer is to abstain)"
    if isinstance(text, Mapping):
        return "\n".join(f"{field}: {'–' if value is None else value}" for field, value in text.items())
    return "(no answer)" if text is None else text if isinstance(text, str) else json.dumps(text)


def _again(content: Mapping[str, Any]) -> str:
    rows = []
    for model in content["models"].values():
        cost = model["cost"]
        seconds = "not measured" if cost["seconds per item"] is None else f"{cost['seconds per item']:.2f}"
        tokens = "not counted" if cost["tokens per item"] is None else f"{cost['tokens per item']:,.0f}"
        rows.append(
            [
                escape(model["name"]),
                seconds,
                tokens,
                str(cost["asked now"]),
                str(cost["kept from before"]),
            ]
        )
    head = ["Model", "Seconds per item", "Tokens per item", "Asked now", "Kept from before"]
    versions = ", ".join(f"{escape(name)} {escape(version)}" for name, version in content["versions"].items())
    machine = ", ".join(f"{escape(str(value))} {escape(name)}" for name, value in content["machine"].items())
    table = _table(head, rows, "Seconds as measured when each item was answered.", (1, 2, 3, 4))
    about = f"Seed {content['seed']}; items {escape(content['suite']['digest'])}; {versions}; {machine}."
    return f"<h2>Cost, and how to repeat it</h2>{table}<p class='about'>{about}</p>"


# Small things --------------------------------------------------------------------------------------------------------


def _table(head: Iterable[str], rows: Iterable[Sequence[str]], about: str, number: Sequence[int] = ()) -> str:
    """A table of cells that are HTML already; number: the columns that are set to the right."""

    def cells(row: Iterable[str], tag: str) -> str:
        return "".join(f"<{tag}{' class=number' if i in number else ''}>{cell}</{tag}>" for i, cell in enumerate(row))

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    top = f"<caption>{escape(about)}</caption><thead><tr>{cells(head, 'th')}</tr></thead>"
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _share(found: Mapping[str, float]) -> list[str]:
    return [f"{found['mean']:.0%}", f"{found['low']:.0%}–{found['high']:.0%}", _drawn(found)]


def _drawn(found: Mapping[str, float]) -> str:
    """The interval as a line and the mean as a dot, on a scale from 0 to 100 %."""
    low, mean, high = (2 + 96 * found[name] for name in ("low", "mean", "high"))
    label = f"{found['mean']:.0%}, interval {found['low']:.0%} to {found['high']:.0%}"
    return (
        f'<svg viewBox="0 0 100 12" role="img" aria-label="{label}" preserveAspectRatio="none">'
        '<line x1="2" y1="11" x2="98" y2="11" stroke-width=".4"/>'
        '<line x1="50" y1="9.5" x2="50" y2="11" stroke-width=".4"/>'
        f'<line x1="{low:.1f}" y1="5" x2="{high:.1f}" y2="5" stroke-width="1.2"/>'
        f'<rect x="{mean - 0.8:.1f}" y="2" width="1.6" height="6"/></svg>'
    )


def _change(found: Mapping[str, Any]) -> str:
    low, mean, high = (_points(found[name], sign=True) for name in ("low", "difference", "high"))
    return f"{mean} ({low} to {high})"


def _points(share: float, sign: bool = False) -> str:
    text = f"{100 * share:+.1f}" if sign else f"{100 * share:g}"
    return text.replace("-", "−")
