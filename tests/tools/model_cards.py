"""The adapters in data/adapters and their model cards, made from the records in data/results.

    python -m tests.tools.model_cards build/sweeps/adapters/tickets     # copy it to data/adapters and write its card
    python -m tests.tools.model_cards                                   # write every card anew

A sweep that trains an adapter says so in the record of that run: {"adapter": entry(folder, summary=…, …)}. The entry
holds the checksum of the file that was scored, so no other file can be shipped under its scores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers import adapters
from helpers.adapters import CARD, CHECKSUM, CONFIG, WEIGHTS, Adapter, AdapterUnavailable, read_adapter
from helpers.files import RESULTS, shown, write_together
from helpers.models import SOURCES
from helpers.old.metrics import Score
from tests.tools.lessons import MACHINE_PATH

MOST_BYTES = 5_000_000
LICENSE = "apache-2.0"
BY_HAND = {
    "tools": {"sha256": "1a6b9fef1d48b5eae4561465d367411ed641c241adc0670ce97fe05ae0de9efa"}
}  # the script is history


def entry(
    folder: Path,
    *,
    summary: str,
    data: Sequence[str],
    recipe: Mapping[str, Any],
    scores: Sequence[Mapping[str, Any]],
    limits: Sequence[str],
) -> dict[str, Any]:
    """What a sweep records of the adapter in `folder`, besides what every record has.

    summary: one sentence, what it is for. data: what it was trained on, and what it was never shown. recipe: settings
    by name. scores: rows of `score_row`, measured with the saved file. limits: what it cannot do.
    """
    described = {"summary": summary, "data": list(data), "recipe": dict(recipe), "scores": list(scores)}
    return {"name": folder.name, "sha256": file_sha256(folder / WEIGHTS), **described, "limits": list(limits)}


def score_row(what: str, score: Score) -> dict[str, Any]:
    """A share with the interval that draws whole families."""
    low, high = score.by_family
    return {"what": what, "right": score.right, "n": score.n, "low": round(low, 4), "high": round(high, 4)}


def file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recorded(results: Path | None = None) -> dict[str, dict[str, Any]]:
    """For each adapter that a record names: the entry, with the record's command, date, machine, versions, and the
    seconds of the run that trained it. Raises ValueError where two runs name the same one."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((results or RESULTS).glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        for run in record.get("runs", []):
            if not (told := run.get("adapter")):
                continue
            if told["name"] in found:
                raise ValueError(f"Two runs trained the adapter {told['name']}: name one of them otherwise.")
            whole = {key: record[key] for key in ("command", "date", "machine", "python", "versions")}
            found[told["name"]] = told | whole | {"seconds": run["seconds"], "record": path.name}
    return found


def card(adapter: Adapter, told: Mapping[str, Any]) -> str:
    """The model card, as Markdown with a front matter that the hub's tools read."""
    base = SOURCES["chat"]
    size = (adapter.folder / WEIGHTS).stat().st_size / 1e6
    n_numbers = sum(rank * (n_in + n_out) for rank, n_in, n_out in adapter.layers.values())
    recipe = {
        "rank": adapter.rank,
        "alpha": f"{adapter.alpha:g}",
        "corrected layers": f"{len(adapter.layers)} ({', '.join(adapter.targets)})",
        "trained numbers": f"{n_numbers:,}",
        **told["recipe"],
    }
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    parts = [
        f"---\nlicense: {LICENSE}\nlibrary_name: peft\npipeline_tag: text-generation\nlanguage: en\n"
        f"base_model: {adapter.base}\n{CHECKSUM}: {adapter.checksum}\nsummary: {json.dumps(told['summary'])}\n---",
        f"# {adapter.name}",
        told["summary"],
        f'    from helpers.models import chat_model\n\n    model, tokenizer = chat_model(adapter="{adapter.name}")',
        "## Base",
        f"{base.name} (Apache-2.0) as this course has it: unpacked from the 4-bit weights in `{base.requirement}`. "
        f"The checksum above is `helpers.adapters.weights_checksum` of it; other weights are refused. The file is "
        f"bfloat16, {size:.1f} MB.",
        "## Recipe",
        table(("setting", "value"), recipe.items()),
        "## Data",
        bullets(told["data"]),
        "## Scores",
        table(("what", "share", "95 % interval", "of"), [score_cells(row) for row in told["scores"]]),
        "## Limits",
        bullets(told["limits"]),
        "## How to train it again",
        f"    {told['command']}",
        f"Recorded in `data/results/{told['record']}` on {told['date']}: {told['seconds']:,.0f} seconds, scores "
        f"included, on {told['machine']}; Python {told['python']}, {versions}.",
        "## License",
        "Apache-2.0, as the base, the data and the course are.",
    ]
    return "\n\n".join(parts) + "\n"


def score_cells(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    share, low, high = (100 * x for x in (row["right"] / row["n"], row["low"], row["high"]))
    return row["what"], f"**{share:.0f} %**", f"{low:.0f}–{high:.0f}", str(row["n"])


def table(head: Sequence[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines).replace("| --- ", "|---")


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)


def install(source: Path, results: Path | None = None) -> Path:
    """Copy the adapter in `source` to data/adapters, under the folder's name, with a card.

    Raises ValueError where it breaks a rule; what stood there before is intact then.
    """
    read = read_adapter(source)
    told = recorded(results).get(read.name)
    if broken := broken_rules(read, told):
        raise ValueError(" ".join(broken))
    text = card(read, told)
    folder = adapters.ADAPTERS / read.name
    write_together(
        folder,
        {
            CARD: lambda path: path.write_text(text, encoding="utf-8"),
            WEIGHTS: lambda path: shutil.copy(source / WEIGHTS, path),
            CONFIG: lambda path: shutil.copy(source / CONFIG, path),
        },
    )
    return folder


def broken_rules(adapter: Adapter, told: Mapping[str, Any] | None) -> list[str]:
    """What speaks against shipping an adapter, in sentences."""
    from safetensors import safe_open

    name, weights = adapter.name, adapter.folder / WEIGHTS
    config, size = (adapter.folder / CONFIG).read_text(encoding="utf-8"), weights.stat().st_size
    with safe_open(weights, framework="np") as file:
        kinds = {file.get_slice(key).get_dtype() for key in file.keys()}
    found = []
    if told is None:
        found.append(f"No record in data/results tells how {name} was trained.")
    elif told["sha256"] != file_sha256(weights):
        found.append(f"The scores in the record of {name} are another file's.")
    if size > MOST_BYTES:
        found.append(f"{name} takes {size:,} bytes, more than {MOST_BYTES:,}.")
    if kinds != {"BF16"}:
        found.append(f"{name} is stored as {', '.join(sorted(kinds))}, not as BF16 alone.")
    if not (adapter.checksum and adapter.base):
        found.append(f"{name} does not say what it was trained for: write it with save_adapter(…, base=BASE).")
    if MACHINE_PATH.search(config):
        found.append(f"{CONFIG} of {name} holds a path of one machine.")
    return found


def problems(results: Path | None = None) -> list[str]:
    """What is wrong with the adapters that the course ships, in sentences."""
    found, told = [], recorded(results)
    for name in adapters.shipped():
        try:
            read = read_adapter(name)
        except AdapterUnavailable as error:
            found.append(str(error))
            continue
        broken = broken_rules(read, told.get(name) or BY_HAND.get(name))
        if extra := sorted({path.name for path in read.folder.iterdir()} - {CONFIG, WEIGHTS, CARD}):
            broken.append(f"{name} holds {extra[0]}, which does not belong there.")
        path = read.folder / CARD
        if not broken and name in told and (not path.exists() or path.read_text("utf-8") != card(read, told[name])):
            broken.append(f"The card of {name} is not what its record says: run `python -m tests.tools.model_cards`.")
        found += broken
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.model_cards", description="Cards of the adapters.")
    parser.add_argument("source", nargs="?", type=Path, help="the adapter to copy to data/adapters")
    source = parser.parse_args(arguments).source
    try:
        if source is not None:
            print(f"wrote {shown(install(source))}")
            return 0
        told = recorded()
        for name in told.keys() & set(adapters.shipped()):
            (adapters.ADAPTERS / name / CARD).write_text(card(read_adapter(name), told[name]), encoding="utf-8")
    except (AdapterUnavailable, ValueError) as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
