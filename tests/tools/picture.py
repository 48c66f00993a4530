"""Copy a figure out of an executed notebook, for README.md.

    python -m tests.tools.picture 02b_transformer move-a-fact notebooks/images/02b_move_a_fact.png

Takes the first PNG in the output of the cell with that id.
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from tests.tools.notebook import ROOT, read


def picture(name: str, cell_id: str) -> bytes:
    """The first PNG that the cell shows. Raises LookupError if there is no such cell or it shows none."""
    cells = [cell for cell in read(ROOT / "notebooks" / f"{name}.ipynb").cells if cell.get("id") == cell_id]
    found = [
        output.data["image/png"]
        for cell in cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    if not found:
        raise LookupError(f"{name} has no cell {cell_id!r} that shows a picture.")
    return base64.b64decode(found[0])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.picture", description=__doc__.splitlines()[0])
    parser.add_argument("notebook", metavar="NAME")
    parser.add_argument("cell", metavar="CELL_ID")
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    try:
        options.file.write_bytes(picture(options.notebook, options.cell))
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
