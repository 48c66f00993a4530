"""The tables of data/velunda/README.md, written from canon.json: `python -m tests.tools.canon`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from helpers.velunda import canon
from helpers.velunda.company import FILE

CARD = FILE.parent / "README.md"
BLOCK = re.compile(r"(<!-- from canon\.json: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table; None is shown as a dash."""
    lines = [[*head], ["---"] * len([*head]), *([("–" if x is None else str(x)) for x in row] for row in rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def euros(amount: float) -> str:
    return f"{amount:,} €"


def tables(world: dict[str, Any]) -> dict[str, str]:
    """Each block's text by its name."""
    company = world["company"]
    bicycles, accessories = (
        [p for p in world["products"] if p["group"] == group] for group in ("bicycle", "accessory")
    )
    return {
        "company": table(("what", "value"), [(key, company[key]) for key in company]),
        "numbers": table(
            ("number", "form", "example"), [(n["what"], f"`{n['pattern']}`", n["example"]) for n in world["numbers"]]
        ),
        "bicycles": table(
            (
                "model",
                "kind",
                "released",
                "status",
                "colors",
                "variant",
                "price",
                "weight (kg)",
                "battery (Wh)",
                "range (km)",
            ),
            [
                (p["name"], p["kind"], p["released"], p["status"], ", ".join(p["colors"]), v["name"])
                + (euros(v["price_eur"]), v["weight_kg"], v["battery_wh"], v["range_km"])
                for p in bicycles
                for v in p["variants"]
            ],
        ),
        "accessories": table(
            ("name", "what it is", "released", "price", "weight (kg)", "fits"),
            [
                (
                    p["name"],
                    p["kind"],
                    p["released"],
                    euros(p["variants"][0]["price_eur"]),
                    p["variants"][0]["weight_kg"],
                )
                + (", ".join(p["fits"]) or "everybody",)
                for p in accessories
            ],
        ),
        "spellings": table(
            ("name", "also written"), [(p["name"], ", ".join(p["spellings"])) for p in world["products"]]
        ),
        "parts": table(("spare part", "price"), [(p["name"], euros(p["price_eur"])) for p in world["parts"]]),
        "shops": table(
            ("city", "country", "street", "since", "hours", "workshop", "manager"),
            [
                (
                    s["city"],
                    s["country"],
                    s["street"],
                    s["opened"],
                    s["hours"],
                    "yes" if s["workshop"] else "no",
                    s["manager"],
                    ", ".join(s["mechanics"]) or None,
                )
                for s in world["shops"]
            ],
        ),
        "people": table(("name", "role", "since"), [(p["name"], p["role"], p["since"]) for p in world["people"]]),
        "codes": table(
            ("code", "means", "first step"), [(c["code"], c["meaning"], c["first_step"]) for c in world["error_codes"]]
        ),
        "terms": table(("area", "rule", "id"), [(t["policy"], t["rule"], f"`{t['id']}`") for t in world["terms"]]),
        "history": table(
            ("date", "what changed", "owner"), [(h["date"], h["what"], h["owner"]) for h in world["history"]]
        ),
        "intents": table(("intent", "the customer"), [(f"`{i['name']}`", i["meaning"]) for i in world["intents"]]),
    }


def blocks(text: str) -> list[str]:
    return [match[2] for match in BLOCK.finditer(text)]


def filled(text: str, world: dict[str, Any]) -> str:
    """The README with every block as canon.json has it. Raises KeyError for a block of unknown name."""
    parts = tables(world)
    return BLOCK.sub(lambda match: match[1] + "\n" + parts[match[2]] + "\n" + match[3], text)


if __name__ == "__main__":
    CARD.write_text(filled(CARD.read_text(encoding="utf-8"), canon()), encoding="utf-8")
