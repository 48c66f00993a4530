"""What the recorded notes about sixty letters gave (data/results/12b_json.json, written by `make sweeps`), read back.

    run = find("examples")                     # one way of asking: its replies, and marks letter by letter
    runs = every("retried")                    # one way whose replies are sampled: one run per seed
    marks(run, "valid"), marks(run, "wants")   # [True, False, …]: does it fit the schema? is the field right?
    gap(marks(run, "wants"), marks(other, "wants"))      # paired by family
    taught("adapter")                          # the same letters read by 07's adapter, or by "TF-IDF and rules"

What it does not do: measure anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from helpers.old.trials import tickets_recorded
from helpers.old.trials.records import Record
from helpers.old.trials.ticket_notes import sixty
from helpers.old.velunda.tickets import load_tickets
from helpers.stats.intervals import PairedDifference, paired_bootstrap

RECORD = Record("12b_json")


def every(way: str, fields: str = "evidence first", examples: bool | None = None) -> list[dict[str, Any]]:
    """All runs of one way: one, or one per seed where replies are sampled. Raises LookupError where there is none."""
    wanted = {"way": way, "fields": fields} | ({} if examples is None else {"examples": examples})
    found = [run for run in RECORD.read()["runs"] if wanted.items() <= run["case"].items()]
    if not found:
        raise LookupError(f"{RECORD.path.name} has no run of {wanted}.")
    return found


def find(way: str, fields: str = "evidence first", examples: bool | None = None) -> dict[str, Any]:
    """The run of one way. Raises LookupError where there is none, and where there are several, of several seeds."""
    found = every(way, fields, examples)
    if len(found) > 1:
        raise LookupError(f"{RECORD.path.name} has {len(found)} runs of {way!r}: `every` gives them all.")
    return found[0]


def marks(run: Mapping[str, Any], what: str) -> list[bool]:
    """Letter by letter: "valid", "copied" (the evidence stands in the letter), or whether a judged field is right."""
    return [mark == "1" for mark in run[what]]


def gap(a: Sequence[bool], b: Sequence[bool]) -> PairedDifference:
    """The share of `a` minus that of `b`, paired by family of phrasing."""
    return paired_bootstrap(_by_family(a), _by_family(b))


def taught(system: str) -> dict[str, list[bool]]:
    """The judged fields as 07's shipped adapter has them right, or its best cheap way."""
    run = {"adapter": tickets_recorded.adapter, "TF-IDF and rules": tickets_recorded.cheap}[system]()
    families = {ticket["family"] for ticket in sixty()}
    ours = [i for i, ticket in enumerate(load_tickets("dev")) if ticket["family"] in families]
    columns = {"wants": "intent", "product": "product", "order_number": "order_number"}
    found = {field: [run["dev"]["right"][name][i] == "1" for i in ours] for field, name in columns.items()}
    return found | {"all": [all(row) for row in zip(*found.values(), strict=True)]}


def _by_family(found: Sequence[bool]) -> list[float]:
    rows: dict[str, list[bool]] = defaultdict(list)
    for ticket, mark in zip(sixty(), found, strict=True):
        rows[ticket["family"]].append(mark)
    return [fmean(row) for row in rows.values()]
