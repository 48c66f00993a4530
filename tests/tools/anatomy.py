"""Rules about how a lesson is built: its frame, its question, its minutes, its sections and its end."""

from __future__ import annotations

import ast
import re
from urllib.parse import unquote

from tests.tools import links
from tests.tools.notebook import (
    SLOW,
    Page,
    calls,
    computed_minutes,
    headings,
    is_solution,
    label,
    output_texts,
    stated_minutes,
    tags,
)

MINUTES_AT_MOST = 75
MINUTES_UNDER_QUICK, MINUTES_OVER_SLOW = 0.25, 0.10
SECTIONS_AT_MOST = 7
UNNUMBERED = re.compile(r"(?:Quiz|Key points|References|Next|Appendix\b.*)")
NOT_A_VERB = {"a", "an", "the", "how", "what", "why", "when", "you", "your", "to", "about", "some", "understanding"}


def question_first(page: Page) -> list[str]:
    """The first cell starts with `# Title`, and the next line that is not empty asks one question."""
    lines = [line.strip() for line in page.title_cell.splitlines() if line.strip()]
    if not page.nb.cells or page.nb.cells[0].cell_type != "markdown" or not lines or not re.match(r"# \S", lines[0]):
        return ["The first cell is not markdown that starts with '# Title'."]
    question = lines[1].strip("*_ ") if len(lines) > 1 else ""
    if not question.endswith("?"):
        return [f"The first line after the title is not a question: {question[:80]!r}."]
    return []


def launch_badges(page: Page) -> list[str]:
    """The title cell links to Colab and Binder, at this repository, this branch and this very notebook."""
    repo, branch = links.declared(page.course.root)
    file = f"notebooks/{page.path.name}"
    cell = unquote(page.title_cell)
    colab = f"https://colab.research.google.com/github/{repo}/blob/{branch}/{file}"
    binder = rf"https://mybinder\.org/v2/gh/{re.escape(repo)}/{re.escape(branch)}\?(?:urlpath=lab/tree/|labpath=){re.escape(file)}"
    problems = [] if colab in cell else [f"The title cell lacks the Colab link {colab}."]
    if not re.search(binder, cell):
        problems.append(
            f"The title cell lacks the Binder link https://mybinder.org/v2/gh/{repo}/{branch}?urlpath=lab/tree/{file}."
        )
    return problems


def facts_line(page: Page) -> list[str]:
    """One line of the title cell reads "**30 minutes** · needs: … · peak memory 0.9 GB"."""
    if re.search(
        r"^\*\*\d+ minutes\*\* · needs: \S.* · peak memory (?:about )?\d\.\d GB\s*$", page.title_cell, re.MULTILINE
    ):
        return []
    return ['The title cell lacks a line like "**30 minutes** · needs: nothing · peak memory 0.9 GB".']


def minutes_add_up(page: Page) -> list[str]:
    """The minutes in the title lie between those of a quick reader and of a slow one, and are at most 75.

    Quick: 25 % under words / 200 + half a minute per code cell + the exercises. Slow: 10 % over words / 180 + a minute
    per code cell + the exercises.
    """
    quick, slow, stated = computed_minutes(page), computed_minutes(page, SLOW), stated_minutes(page)
    low, high = (1 - MINUTES_UNDER_QUICK) * quick, (1 + MINUTES_OVER_SLOW) * slow
    problems = []
    if stated is not None and not low <= stated <= high:
        problems.append(
            f"The title says {stated} minutes, but words, code cells and exercises add up to {low:.0f} to {high:.0f}."
        )
    if (most := max(quick, stated or 0)) > MINUTES_AT_MOST:
        problems.append(
            f"The notebook takes {most:.0f} minutes, more than {MINUTES_AT_MOST}: split it at a natural joint."
        )
    return problems


def objectives(page: Page) -> list[str]:
    """The title cell lists three to five objectives, each starting with a verb in its plain form."""
    items = re.findall(r"^[-*] +(.+)$", page.title_cell, re.MULTILINE)
    problems = [] if 3 <= len(items) <= 5 else [f"The title cell lists {len(items)} objectives instead of 3 to 5."]
    for item in items:
        first = re.sub(r"[^\w]", "", item.split()[0]).lower()
        if first in NOT_A_VERB or first.endswith("ing"):
            problems.append(f"The objective {item[:60]!r} does not start with a verb such as 'Measure' or 'Explain'.")
    return problems


def setup_first(page: Page) -> list[str]:
    """The first code cell has the id and the tag `setup` and is, to the letter, the first notebook's."""
    if not page.code:
        return ["There is no set-up cell."]
    first = page.code[0]
    if first.get("id") != "setup" or "setup" not in tags(first):
        return [f"The first code cell, {label(first)}, is not the set-up cell with the id and the tag 'setup'."]
    extra = [label(cell) for cell in page.code[1:] if "setup" in tags(cell)]
    if extra:
        return [f"There is a second set-up cell: {extra[0]}."]
    if first.source != page.course.canonical_setup:
        return [f"The set-up cell differs from that of {page.course.names[0]}."]
    return []


def parameters_second(page: Page) -> list[str]:
    """The second code cell has the id and the tag `parameters` and reads `SCALE = "laptop"`."""
    tagged = [cell for cell in page.code if "parameters" in tags(cell)]
    if len(page.code) < 2 or [cell.get("id") for cell in tagged] != ["parameters"] or tagged[0] is not page.code[1]:
        return ["The second code cell is not the only one with the id and the tag 'parameters'."]
    if tagged[0].source.strip() != 'SCALE = "laptop"':
        return ['The parameters cell is not SCALE = "laptop".']
    return []


def sections(page: Page) -> list[str]:
    """At most seven sections `## N · …`, counted from 1; other `##` headings only frame them."""
    found = headings(page)
    numbers = [int(match[1]) for text in found if (match := re.match(r"(\d+) · \S", text))]
    problems = []
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        problems.append(f"The sections '## N · …' are numbered {numbers} instead of 1, 2, 3 and so on.")
    if len(numbers) > SECTIONS_AT_MOST:
        problems.append(f"There are {len(numbers)} sections, more than {SECTIONS_AT_MOST}.")
    for text in found:
        if not re.match(r"\d+ · \S", text) and not UNNUMBERED.fullmatch(text):
            problems.append(
                f"The heading {text!r} is neither '## N · …' nor Quiz, Key points, References, Next or Appendix …."
            )
    return problems


def stops(page: Page) -> list[str]:
    """`catch_up(5, "02b")` is the first code of section 5 of 02b, and the text before that section marks the stop."""
    problems, section, first, stop = [], 0, True, False
    for cell in page.nb.cells:
        if cell.cell_type == "markdown" and not is_solution(cell):
            begun = re.findall(r"^## (\d+) ·", cell.source, re.MULTILINE)
            section, first = (int(begun[-1]), True) if begun else (section, first)
            stop = stop or "A good place to stop" in cell.source
        elif cell.cell_type == "code":
            for call in calls(cell, "catch_up"):
                said = [getattr(argument, "value", None) for argument in call.args]
                if said != [section, page.number]:
                    problems.append(f"In {label(cell)} catch_up should be called with ({section}, {page.number!r}).")
                if not first:
                    problems.append(f"The catch_up of {label(cell)} is not the first code of its section.")
                if not stop:
                    problems.append(f"No text before {label(cell)} says 'A good place to stop'.")
            first = False
    return problems


def predictions(page: Page) -> list[str]:
    count = sum(len(calls(cell, "predict")) for cell in page.code)
    return (
        []
        if count >= 2
        else [f"The reader predicts {count} times before running; at least two predict(…) calls are needed."]
    )


def quiz(page: Page) -> list[str]:
    """One call quiz("NN") with the notebook's own number and at most one quiz("NN_placement"), shown in the output."""
    found = [(cell, _first_argument(call)) for cell in page.code for call in calls(cell, "quiz")]
    own = [cell for cell, name in found if name == page.number]
    placement = [cell for cell, name in found if name == f"{page.number}_placement"]
    strange = [cell for cell, name in found if name not in (page.number, f"{page.number}_placement")]
    if strange or not own:
        where = f", which {label(strange[0])} does not call" if strange else ": there are 0 calls of it"
        return [f'The quiz of this notebook is quiz("{page.number}"){where}.']
    problems = [f"There are {len(own)} calls of quiz(…) instead of one."] if len(own) > 1 else []
    if len(placement) > 1:
        problems.append(f"There are {len(placement)} placement quizzes instead of one.")
    shown = [*own, *placement]
    return problems + [
        f"The quiz of {label(cell)} shows nothing."
        for cell in shown
        if not any(text.strip() for text in output_texts(cell))
    ]


def _first_argument(call: ast.Call) -> object:
    return call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None


def closing(page: Page) -> list[str]:
    """The end, in this order: the quiz, `## Key points`, `## References` with years."""
    problems = []
    order = [text for text in headings(page) if text in ("Key points", "References")]
    if order != ["Key points", "References"]:
        problems.append(f"The notebook ends with {order} instead of '## Key points' and then '## References'.")
    else:
        problems += _quiz_before_key_points(page) + _references(page)
    return problems


def _quiz_before_key_points(page: Page) -> list[str]:
    quizzes = [i for i, cell in enumerate(page.nb.cells) if cell.cell_type == "code" and calls(cell, "quiz")]
    points = [
        i for i, cell in enumerate(page.nb.cells) if cell.cell_type == "markdown" and "## Key points" in cell.source
    ]
    problems = ["The key points stand before the quiz."] if quizzes and points[0] < quizzes[-1] else []
    text = page.prose.split("## Key points", 1)[1].split("\n## ", 1)[0]
    if len(re.findall(r"^(?:[-*]|\d+\.) +\S", text, re.MULTILINE)) < 3:
        problems.append("There are fewer than three key points.")
    return problems


def _references(page: Page) -> list[str]:
    text = page.prose.split("## References", 1)[1].split("\n## ", 1)[0]
    items = re.findall(r"^(?:[-*]|\d+\.) +(.+)$", text, re.MULTILINE)
    problems = [] if items else ["There is no reference under '## References'."]
    for item in items:
        if not re.search(r"\b(?:19|20)\d\d\b", item):
            problems.append(f"The reference {item[:60]!r} has no year.")
    return problems


def way_on(page: Page) -> list[str]:
    """The last cell links to the next notebook, or, in the last one, to a heading of README.md."""
    names = page.course.names
    last = page.nb.cells[-1].source if page.nb.cells and page.nb.cells[-1].cell_type == "markdown" else ""
    position = names.index(page.name) if page.name in names else len(names)
    following = names[position + 1] if position + 1 < len(names) else None
    wanted = rf"\]\({re.escape(following)}\.ipynb\)" if following else r"\]\(\.\./README\.md#[\w-]+\)"
    if re.search(wanted, last):
        return []
    return [f"The last cell does not link to {following + '.ipynb' if following else 'the map, ../README.md#…'}."]


RULES = (
    question_first,
    launch_badges,
    facts_line,
    minutes_add_up,
    objectives,
    setup_first,
    parameters_second,
    sections,
    stops,
    predictions,
    quiz,
    closing,
    way_on,
)
