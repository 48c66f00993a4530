"""The whole test run, as `make test` starts it: what may run side by side, then what must be alone, with its minutes.

    python -m tests.tools.phases [--workers N]

1. ruff, which ends the run where it finds something;
2. every test but the notebooks', side by side;
3. the notebooks, one kernel a worker;
4. what is marked `alone`: notebooks that assert a time.

With HANDS_ON_TEST_MINUTES=60 the notebooks of 3 and 4 are those that still fit (`selection`), and none is started after
that; what did not run is named at the end. Each phase's minutes are printed in one line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from tests.tools import runners, selection
from tests.tools.notebook import ROOT, Course

NOTHING_COLLECTED = 5  # pytest's exit status
NOTEBOOKS = "tests/test_notebooks.py"


@dataclass
class Phases:
    """The phases of one run so far: name, seconds and whether all was well."""

    done: list[tuple[str, float, bool]] = field(default_factory=list)

    def run(self, name: str, module: str, *arguments: str, **env: str) -> bool:
        """Run `python -m module`; a phase in which there was nothing to do is well."""
        start = time.monotonic()
        command = [sys.executable, "-m", module, *arguments]
        status = subprocess.run(command, cwd=ROOT, env=os.environ | env, check=False).returncode
        well = status == 0 or (module == "pytest" and status == NOTHING_COLLECTED)
        self.done.append((name, time.monotonic() - start, well))
        return well

    def lines(self) -> list[str]:
        width = max(len("all of it"), *(len(name) for name, _, _ in self.done))
        lines = [
            f"{name:<{width}}  {seconds / 60:6.1f} min{'' if well else '  FAILED'}" for name, seconds, well in self.done
        ]
        return [*lines, f"{'all of it':<{width}}  {sum(seconds for _, seconds, _ in self.done) / 60:6.1f} min"]


def minutes_allowed(text: str | None) -> float | None:
    """HANDS_ON_TEST_MINUTES as a number, None where it is unset. Raises ValueError for anything else."""
    if not (text or "").strip():
        return None
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise ValueError(f"HANDS_ON_TEST_MINUTES is a number of minutes, not {text!r}.")
    return minutes


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.phases", description="The whole test run.")
    parser.add_argument("--workers", type=int, default=2, help="tests side by side (default 2; 0: one after the other)")
    workers = parser.parse_args(arguments).workers
    try:
        allowed = minutes_allowed(os.environ.get("HANDS_ON_TEST_MINUTES"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    end = time.time() + allowed * 60 if allowed else None
    side = ["-m", "not alone", "-n", str(workers)]
    beside = f", {workers} side by side" if workers > 1 else ""

    phases, left = Phases(), []
    runners.NOT_RUN.unlink(missing_ok=True)
    if phases.run("ruff", "ruff", "check", "."):
        phases.run(f"tests{beside}", "pytest", "tests", f"--ignore={NOTEBOOKS}", *side, "--dist", "worksteal", NB="")
        names, env = Course().names, {"NB": ""}
        if end is not None:
            order = selection.in_turn(names, selection.changed_notebooks(names), selection.commit())
            alone = {name for name in names if runners.asserts_a_time(Course().page(name))}
            seconds = selection.expected_seconds(names)
            names, left = selection.fitting(order, seconds, alone, end - time.time(), workers)
            env = {"NB": ",".join(names), "HANDS_ON_TEST_END": str(end)}
        if names:
            grouped = ["--dist", "loadgroup", "--no-loadscope-reorder"]
            phases.run(f"notebooks{beside}", "pytest", NOTEBOOKS, *side, *grouped, **env)
            phases.run("alone", "pytest", "tests", "-m", "alone", **env)
    print("\n" + "\n".join(phases.lines()))
    if left := [*left, *runners.not_run()]:
        print(f"not run, for HANDS_ON_TEST_MINUTES={allowed:g}: {', '.join(sorted(set(left)))}")
    return 0 if all(well for _, _, well in phases.done) else 1


if __name__ == "__main__":
    sys.exit(main())
