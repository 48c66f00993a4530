"""Give every launch link and clone address another repository: `make links REPO=owner/name BRANCH=main`.

The Makefile's own two lines say what the addresses are now, and are rewritten last.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.tools.notebook import ROOT

HOST = r"(github\.com[/:]|githubusercontent\.com/|research\.google\.com/github/|mybinder\.org/v2/gh/)"
FOLDER = r"(/(?:(?:blob|tree|raw|edit|archive/refs/heads)/)?|/[^\s)]*[?&]branch=)"


def linked_files(root: Path = ROOT) -> list[Path]:
    """The Makefile is the last, so that an interrupted run can be repeated."""
    return [root / "README.md", root / "pyproject.toml", *sorted(root.glob("notebooks/*.*")), root / "Makefile"]


def declared(root: Path = ROOT) -> tuple[str, str]:
    """REPO and BRANCH as the Makefile declares them."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    repo, branch = (re.search(rf"^{name} \?= (\S+)$", text, re.MULTILINE)[1] for name in ("REPO", "BRANCH"))
    return repo, branch


def rewritten(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """`text` with every address of the old repository and branch turned into the new one's."""
    repo, branch = (re.escape(item) + r"(?![\w-]|\.(?!git\b|zip\b)\w)" for item in old)
    if re.search(HOST + repo, text):
        text = re.sub(rf'(--branch(?:[ =]|\\?", \\?")){branch}', rf"\g<1>{new[1]}", text)
    text = re.sub(HOST + repo + FOLDER + branch, rf"\g<1>{old[0]}\g<2>{new[1]}", text)
    text = re.sub(HOST + repo, rf"\g<1>{new[0]}", text)
    text = re.sub(rf"^REPO \?= {repo}", f"REPO ?= {new[0]}", text, flags=re.MULTILINE)
    return re.sub(rf"^BRANCH \?= {branch}", f"BRANCH ?= {new[1]}", text, flags=re.MULTILINE)


def main(repo: str, branch: str, root: Path = ROOT) -> None:
    if not re.fullmatch(r"[\w-]+/[\w.-]*\w", repo) or not re.fullmatch(r"\w[\w./-]*", branch):
        sys.exit(f"{repo} {branch} is no owner/name with a branch: make links REPO=owner/name BRANCH=main")
    old = declared(root)
    for file in linked_files(root):
        text = file.read_text(encoding="utf-8") if file.suffix != ".png" else ""
        if (after := rewritten(text, old, (repo, branch))) != text:
            file.write_text(after, encoding="utf-8", newline="\n")
            print(f"rewrote {file.relative_to(root)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
