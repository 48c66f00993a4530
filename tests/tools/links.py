"""Launch links and clone addresses, all from one place: `REPO` and `BRANCH` in the Makefile.

    python -m tests.tools.links --repo owner/name --branch main      # rewrite them all, the Makefile included
    python -m tests.tools.links --check                              # exit 1 and name what differs from the Makefile

It touches README.md, pyproject.toml, the Makefile and the sources of notebook cells; outputs and formatting stay as
they are, byte for byte.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
OWNER_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
BRANCH_NAME = re.compile(r"(?!.*(?:\.\.|//|\.lock$))[A-Za-z0-9_][A-Za-z0-9._/-]{0,99}(?<![/.])")
HOSTS = (
    r"github\.com[/:]",
    r"raw\.githubusercontent\.com/",
    r"colab\.research\.google\.com/github/",
    r"mybinder\.org/(?:v2|badge)/gh/",
    r"img\.shields\.io/github/[\w/-]+?/",
)
BRANCH_PLACES = (  # what stands between the repository's name and the branch, by host
    r"/(?:blob|tree|raw|edit)/",
    r"/archive/refs/heads/",
)


class LinkError(ValueError):
    """One sentence for the person at the keyboard."""


def declared(root: Path = ROOT) -> tuple[str, str]:
    """REPO and BRANCH as the Makefile declares them. Raises LinkError where a line is missing."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    found = []
    for variable in ("REPO", "BRANCH"):
        match = re.search(rf"^{variable} *\?= *(\S+) *$", text, re.MULTILINE)
        if match is None:
            raise LinkError(f"The Makefile has no line '{variable} ?= …', from which every link is made.")
        found.append(match[1])
    return found[0], found[1]


def validated(repo: str, branch: str) -> tuple[str, str]:
    if not OWNER_NAME.fullmatch(repo) or repo.endswith(".git"):
        raise LinkError(f"{repo!r} is not a repository of the form owner/name: make links REPO=owner/name BRANCH=main.")
    if not BRANCH_NAME.fullmatch(branch):
        raise LinkError(f"{branch!r} is not a branch name: make links REPO=owner/name BRANCH=main.")
    return repo, branch


def rewritten(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """`text` with every address of the old repository and branch turned into the new one's."""
    (old_repo, old_branch), (new_repo, new_branch) = old, new
    end = r"(?![\w-])(?!\.(?!git\b)\w)"  # "owner/name" ends here; "owner/name.git" and "owner/name." do too
    branch_end = r"(?![\w-])(?!\.\w(?!ip\b))"  # "main" ends here; "main.zip" does too
    repo = re.escape(old_repo) + end

    def replace(pattern: str, build: Callable[[re.Match[str]], str]) -> None:
        nonlocal text
        text = re.sub(pattern, build, text)

    for place in BRANCH_PLACES:
        replace(
            rf"((?:{'|'.join(HOSTS)}){repo}{place}){re.escape(old_branch)}{branch_end}", lambda m: m[1] + new_branch
        )
    replace(
        rf"(raw\.githubusercontent\.com/{repo}/(?:refs/heads/)?){re.escape(old_branch)}{branch_end}",
        lambda m: m[1] + new_branch,
    )
    replace(
        rf"(mybinder\.org/v2/gh/{repo}/){re.escape(quote(old_branch, safe=''))}{branch_end}",
        lambda m: m[1] + quote(new_branch, safe=""),
    )
    replace(
        rf"(github\.com/{repo}[^\s\"')]*[?&]branch=){re.escape(old_branch)}{branch_end}", lambda m: m[1] + new_branch
    )
    replace(rf"(--branch(?:[ =]|[\"'], *[\"'])){re.escape(old_branch)}(?=[\s\"'])", lambda m: m[1] + new_branch)
    replace(
        rf"(\bREPO, BRANCH = [\"']){repo}([\"'], [\"']){re.escape(old_branch)}(?=[\"'])",
        lambda m: m[1] + new_repo + m[2] + new_branch,
    )
    replace(rf"(^|\W)(BRANCH *= *[\"']){re.escape(old_branch)}(?=[\"'])", lambda m: m[1] + m[2] + new_branch)
    replace(rf"(^|\W)(REPO *= *[\"']){repo}(?=[\"'])", lambda m: m[1] + m[2] + new_repo)
    replace(rf"((?:{'|'.join(HOSTS)})){repo}", lambda m: m[1] + new_repo)
    return text


def rewritten_notebook(raw: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The notebook's file with the sources of its cells rewritten and every other byte as it was."""
    book = json.loads(raw)
    dump = _same_formatting(raw, book)
    changed = False
    for cell in book["cells"]:
        lines = cell["source"]
        text = "".join(lines)
        after = rewritten(text, old, new)
        if after != text:
            cell["source"] = after.splitlines(keepends=True) if isinstance(lines, list) else after
            changed = True
    return dump(book) if changed else raw


def _same_formatting(raw: str, book: dict) -> Callable[[dict], str]:
    tail = raw[len(raw.rstrip()) :]
    for indent in (1, 2, 4, None):
        for escaped in (False, True):

            def dump(value: dict, indent: int | None = indent, escaped: bool = escaped) -> str:
                return json.dumps(value, indent=indent, ensure_ascii=escaped) + tail

            if dump(book) == raw:
                return dump
    raise LinkError("A notebook is not formatted as Jupyter writes it; run make notebooks, then make links again.")


def linked_files(root: Path = ROOT) -> list[Path]:
    files = [
        root / "README.md",
        root / "pyproject.toml",
        *sorted((root / "notebooks").glob("*.ipynb")),
        root / "Makefile",
    ]
    return [file for file in files if file.exists()]


def rewrite(root: Path, repo: str, branch: str) -> list[Path]:
    """Rewrite every link under `root`; returns the files that changed. All are computed before any is written."""
    old, new = declared(root), validated(repo, branch)
    results = {}
    for file in linked_files(root):
        raw = file.read_bytes().decode("utf-8")
        if file.suffix == ".ipynb":
            text = rewritten_notebook(raw, old, new)
        else:
            text = rewritten(raw, old, new)
        if file.name == "Makefile":
            text = re.sub(r"^(REPO *\?= *)\S+", lambda m: m[1] + repo, text, flags=re.MULTILINE)
            text = re.sub(r"^(BRANCH *\?= *)\S+", lambda m: m[1] + branch, text, flags=re.MULTILINE)
        if text != raw:
            results[file] = text
    for file, text in results.items():
        temporary = file.with_name(file.name + ".part")
        temporary.write_bytes(text.encode("utf-8"))
        os.replace(temporary, file)
    return list(results)


def differences(root: Path = ROOT) -> list[str]:
    """Addresses that do not carry the Makefile's repository and branch, one sentence each."""
    repo, branch = declared(root)
    problems = []
    for file in linked_files(root):
        where = file.relative_to(root).as_posix()
        for text in _texts(file):
            problems += [f"{where}: {found}" for found in _strange(text, repo, branch)]
        problems += [f"{where}: {found}" for found in _strange_setup(file, repo)]
    return problems


def _strange_setup(file: Path, repo: str) -> list[str]:
    """The set-up cell knows one address, the one that it clones."""
    if file.suffix != ".ipynb":
        return []
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    source = "".join(line for cell in cells if cell.get("id") == "setup" for line in cell["source"])
    found = re.findall(r"github\.com[/:]([A-Za-z0-9-]+/[\w.-]*\w)", source)
    return [f"the set-up cell names {name} instead of {repo}." for name in found if name.removesuffix(".git") != repo]


def _texts(file: Path) -> list[str]:
    raw = file.read_text(encoding="utf-8")
    return ["".join(cell["source"]) for cell in json.loads(raw)["cells"]] if file.suffix == ".ipynb" else [raw]


def _strange(text: str, repo: str, branch: str) -> list[str]:
    """Launch links, raw addresses and clone addresses are always ours; a plain link is when owner or name is ours."""
    found = []
    pair = r"([A-Za-z0-9-]+/[\w.-]*\w)"
    launch = rf"(?:colab\.research\.google\.com/github/|mybinder\.org/v2/gh/|raw\.githubusercontent\.com/){pair}"
    cloning = rf"git[\"', ]+clone\b[\s\S]{{0,200}}?github\.com[/:]{pair}"
    for match in re.finditer(rf"{launch}|{cloning}", text):
        name = (match[1] or match[2]).removesuffix(".git")
        if name != repo:
            found.append(f"{match[0]} is not an address of {repo}.")
    owner, name = repo.split("/")
    for match in re.finditer(rf"(?<![\w.])github\.com/{pair}", text):
        their_owner, their_name = match[1].removesuffix(".git").split("/", 1)
        if (their_owner == owner) != (their_name == name):
            found.append(f"{match[0]} is not an address of {repo}.")
    quoted = re.escape(quote(branch, safe=""))
    plain = re.escape(branch)
    places = (
        (rf"colab\.research\.google\.com/github/{re.escape(repo)}/blob/(?!{plain}/)\S+", branch),
        (rf"mybinder\.org/v2/gh/{re.escape(repo)}/(?!{quoted}[?)\"'\s])\S+", branch),
        (rf"raw\.githubusercontent\.com/{re.escape(repo)}/(?!(?:refs/heads/)?{plain}/)\S+", branch),
        (rf"(?<!m/)github\.com/{re.escape(repo)}/(?:blob|tree|raw|edit)/(?!{plain}[/)\"'\s])\S+", branch),
        (rf"git[\"', ]+clone\b[^\n]*--branch(?:[ =]|[\"'], *[\"'])(?!{plain}[\s\"'])\S+", branch),
    )
    for pattern, wanted in places:
        found += [f"{match[0]} is not on the branch {wanted}." for match in re.finditer(pattern, text)]
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.links", description="Rewrite launch links and clone addresses."
    )
    parser.add_argument("--repo", help="owner/name; left out: as the Makefile says")
    parser.add_argument("--branch", help="left out: as the Makefile says")
    parser.add_argument("--check", action="store_true", help="change nothing, name what differs from the Makefile")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        repo, branch = declared(options.root)
        if options.check:
            problems = differences(options.root)
            print("\n".join(problems) or f"Every link is one of {repo}, branch {branch}.")
            return 1 if problems else 0
        changed = rewrite(options.root, options.repo or repo, options.branch or branch)
    except LinkError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Rewrote {len(changed)} files." if changed else "Nothing to rewrite.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
