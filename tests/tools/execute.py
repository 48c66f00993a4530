"""Execute notebooks in place: `make notebooks`, or `python -m tests.tools.execute 10_rag` for one.

Each runs with its own parameters and its kernel in notebooks/, as a reader's would. Cells keep their ids; widget state,
time stamps and the writer's versions are not stored. A notebook that fails stays as it was.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tests.tools.notebook import FOLDER, chosen, code_cells, read
from tests.tools.runners import CELL_SECONDS, environment

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


def execute(path: Path) -> None:
    book = read(path)
    for cell in code_cells(book):
        cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        book,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        extra_arguments=["--Application.log_level=40"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    with tempfile.TemporaryDirectory(prefix="hands-on-", ignore_cleanup_errors=True) as scratch:
        client.execute(env=environment(Path(scratch)))
    book.metadata = nbformat.from_dict(METADATA)
    aside = path.with_suffix(".part")
    aside.write_text(nbformat.v4.writes(book).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    os.replace(aside, path)


if __name__ == "__main__":
    os.environ["NB"] = ",".join(sys.argv[1:])
    for name in chosen():
        print(f"{name}: ", end="", flush=True)
        try:
            execute(FOLDER / f"{name}.ipynb")
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            sys.exit(f"failed, its file is as it was\n{error}")
        print("stored")
