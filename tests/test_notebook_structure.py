"""Every rule over every notebook, and every rule against a notebook in which its violation is planted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from nbformat import NotebookNode

from tests.tools import anatomy, hygiene, practice, scratch
from tests.tools.notebook import Course, Page, computed_minutes, course, selected, words
from tests.tools.scratch import cell, code, figure, md, picture, shown, text

RULES = (*hygiene.RULES, *anatomy.RULES, *practice.RULES)
COURSE = course()
NOTEBOOKS = selected(COURSE.names)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(name: str, rule: Callable[[Page], list[str]]):
    problems = rule(COURSE.page(name))
    assert not problems, f"{name}, {rule.__name__}:\n" + "\n".join(problems)


def test_the_course_has_notebooks():
    assert COURSE.names, "notebooks/ holds no notebook, so every rule above held for nothing"


# Planted violations --------------------------------------------------------------------------------------------------

Change = Callable[[NotebookNode], None]
PLANTED: list[tuple[Callable[[Page], list[str]], str, Change, str]] = []


def planted(rule: Callable[[Page], list[str]], expected: str) -> Callable[[Change], Change]:
    """Register a change to the sound notebook that `rule` must answer with a sentence containing `expected`."""

    def register(change: Change) -> Change:
        PLANTED.append((rule, expected, change, change.__name__.strip("_")))
        return change

    return register


def replaced(name: str, old: str, new: str) -> Change:
    def change(book: NotebookNode) -> None:
        assert old in cell(book, name).source, "the defect could not be planted"
        cell(book, name).source = cell(book, name).source.replace(old, new)

    return change


def output(name: str, *outputs: NotebookNode) -> Change:
    return lambda book: cell(book, name).__setitem__("outputs", list(outputs))


def add(rule: Callable[[Page], list[str]], expected: str, change: Change, name: str) -> None:
    PLANTED.append((rule, expected, change, name))


@planted(hygiene.valid_format, "4.4")
def _old_format(book):
    book.nbformat_minor = 4


@planted(hygiene.valid_format, "schema")
def _unknown_key(book):
    cell(book, "product")["colour"] = "red"


@planted(hygiene.stable_ids, "on 2 cells")
def _id_twice(book):
    cell(book, "figure")["id"] = "product"


@planted(hygiene.stable_ids, "lower-case words")
def _id_in_capitals(book):
    cell(book, "figure")["id"] = "Figure_1"


@planted(hygiene.stable_ids, "at random")
def _id_drawn_by_an_editor(book):
    cell(book, "figure")["id"] = "3f9a01bc"


@planted(hygiene.known_tags, "'nbval-check-outputs'")
def _misspelt_tag(book):
    cell(book, "figure").metadata["tags"] = ["nbval-check-outputs"]


@planted(hygiene.known_tags, "raises-exception")
def _cell_that_may_raise(book):
    cell(book, "figure").metadata["tags"] = ["raises-exception"]


@planted(hygiene.known_tags, "cannot be compared exactly")
def _timing_compared(book):
    cell(book, "product").metadata["tags"].append("timing")


@planted(hygiene.executed_in_order, "instead of")
def _executed_out_of_order(book):
    cell(book, "product").execution_count = 9


@planted(hygiene.executed_in_order, "None")
def _cell_not_executed(book):
    cell(book, "quiz").execution_count = None


@planted(hygiene.executed_in_order, "empty")
def _empty_cell(book):
    cell(book, "product").source = " "


@planted(hygiene.checked_outputs, "No cell")
def _nothing_compared(book):
    cell(book, "product").metadata["tags"] = []


add(hygiene.checked_outputs, "no output", output("product"), "nothing_stored_to_compare")
add(hygiene.no_stderr, "stderr", output("product", text("UserWarning: old", "stderr")), "warning")


@planted(hygiene.no_errors, "ZeroDivisionError")
def _error_output(book):
    import nbformat

    error = nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])
    cell(book, "product").outputs = [error]


@planted(hygiene.no_widgets, "metadata.widgets")
def _widget_state(book):
    book.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}


@planted(hygiene.no_widgets, "live widget")
def _live_widget(book):
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    cell(book, "product").outputs = [shown("bar", **view)]


@planted(hygiene.clean_metadata, "Python version")
def _python_version(book):
    book.metadata["language_info"] = {"name": "python", "version": "3.11.2"}


@planted(hygiene.clean_metadata, "'papermill'")
def _ran_under_papermill(book):
    book.metadata["papermill"] = {"duration": 3.2}


@planted(hygiene.clean_metadata, "not python3")
def _kernel_of_one_machine(book):
    book.metadata["kernelspec"] = {"name": "my-env", "display_name": "my-env"}


@planted(hygiene.clean_metadata, "'execution'")
def _time_stamps(book):
    cell(book, "product").metadata["execution"] = {"iopub.execute_input": "2026-01-01"}


for number, path in enumerate(
    (
        "/ho" + "me/ada/x",
        "/Us" + "ers/ada/x",
        "C:" + r"\Users\ada",
        "/t" + "mp/x",
        "/opt/env/lib/site-" + "packages/torch",
    )
):
    add(hygiene.portable, "path of one machine", output("product", text(f"read {path} now")), f"machine_path_{number}")
    add(
        hygiene.portable,
        "path of one machine",
        replaced("key-points", "one", f"`{path}`"),
        f"machine_path_in_text_{number}",
    )
add(hygiene.portable, "registry", output("product", text("https://py" + "pi.org/x")), "registry")
add(hygiene.portable, "registry", output("product", text("Looking in indexes: http://10.0.0.1" + "/simple")), "mirror")
add(hygiene.portable, "memory address", output("product", text("<object at 0x7f01ab23cd45>")), "memory_address")
add(
    hygiene.portable,
    "path of one machine",
    output("product", shown("x", **{"text/html": "<p>/ho" + "me/a</p>"})),
    "path_in_html",
)


@planted(hygiene.file_size, "MB")
def _large_file(book):
    cell(book, "product").outputs = [text("x" * 1_600_000)]


@planted(hygiene.figure_size, "kB")
def _large_figure(book):
    cell(book, "figure").outputs = [shown("figure", **{"image/png": picture(size=200, noise=True)})]


@planted(hygiene.figure_size, "kB")
def _large_drawing(book):
    cell(book, "figure").outputs = [shown("figure", **{"image/svg+xml": "<svg>" + "<g/>" * 30_000 + "</svg>"})]


@planted(hygiene.figures_described, "no sentence")
def _drawing_without_alt_text(book):
    cell(book, "figure").outputs = [shown("figure", **{"image/svg+xml": "<svg/>"})]


@planted(hygiene.figures_described, "no sentence")
def _second_figure_without_alt_text(book):
    cell(book, "figure").outputs.append(shown("figure", **{"image/png": picture()}))


@planted(hygiene.figures_described, "no sentence")
def _alt_text_of_another_format(book):
    cell(book, "figure").outputs[0].metadata = {
        "image/svg+xml": {"alt": "A dark square that stays dark up to its edges."}
    }


@planted(hygiene.figures_described, "but 'A figure'")
def _alt_text_of_two_words(book):
    cell(book, "figure").outputs = [figure(picture(), alt="A figure")]


@planted(hygiene.figures_described, "in prose")
def _figure_described_in_prose(book):
    cell(book, "figure-alt").source = "*In the picture:* a dark square that stays dark up to its edges."


@planted(hygiene.figures_described, "what it means")
def _figure_before_code(book):
    position = book.cells.index(cell(book, "figure-alt"))
    book.cells.insert(position, code("between", "1"))


add(hygiene.figures_described, "alt text", replaced("key-points", "one", "![](x.png)"), "image_without_alt")
add(hygiene.figures_described, "alt text", replaced("key-points", "one", "<img src='x.png'>"), "html_image_without_alt")


@planted(hygiene.code_lengths, "more than 40")
def _cell_of_41_lines(book):
    cell(book, "product").source = "\n".join(["x = 1"] * 41)


@planted(hygiene.code_lengths, "must be shorter")
def _many_cells_of_15_lines(book):
    for name in ("product", "figure", "guess-half"):
        cell(book, name).source = "\n".join(["x = 1"] * 15)


add(hygiene.links_resolve, "leads nowhere", replaced("key-points", "one", "[x](nowhere.md)"), "broken_link")
add(
    hygiene.links_resolve,
    "leads nowhere",
    replaced("key-points", "one", "<img src='gone.png' alt='x'>"),
    "broken_image",
)
add(hygiene.links_resolve, "anchor", replaced("key-points", "one", "[x](#no-such)"), "broken_anchor")
add(
    hygiene.links_resolve,
    "anchor",
    replaced("key-points", "one", "[x](../README.md#nothing)"),
    "broken_anchor_elsewhere",
)

add(anatomy.question_first, "# Title", replaced("title", "# A first", "A first"), "no_title")
add(anatomy.question_first, "not a question", replaced("title", "here?", "here."), "no_question")
add(anatomy.launch_badges, "Colab", replaced("title", "blob/main", "blob/other"), "colab_on_another_branch")
add(
    anatomy.launch_badges, "Colab", replaced("title", "github/some-owner", "github/else"), "colab_of_another_repository"
)
add(
    anatomy.launch_badges,
    "Binder",
    replaced("title", "lab/tree/notebooks/00_first", "lab/tree/notebooks/01_second"),
    "binder",
)
add(anatomy.facts_line, "peak memory", replaced("title", "peak memory 0.1 GB", "small"), "no_peak_memory")
add(anatomy.facts_line, "minutes", replaced("title", "minutes**", "min**"), "no_minutes")
add(anatomy.objectives, "2 objectives", replaced("title", "- Find a bug\n", ""), "two_objectives")
add(anatomy.objectives, "verb", replaced("title", "Find a bug", "How bugs hide"), "objective_without_verb")
add(anatomy.objectives, "verb", replaced("title", "Find a bug", "Finding a bug"), "objective_in_ing_form")
add(anatomy.parameters_second, "SCALE", replaced("parameters", "laptop", "smoke"), "other_scale")


@planted(anatomy.minutes_add_up, "add up to")
def _minutes_too_few(book):
    cell(book, "title").source = cell(book, "title").source.replace(" minutes**", "0 minutes**")


@planted(anatomy.minutes_add_up, "more than 75")
def _too_long(book):
    cell(book, "key-points").source += "\n\n" + "word " * 14_000


@planted(anatomy.setup_first, "id and the tag 'setup'")
def _setup_without_tag(book):
    cell(book, "setup").metadata["tags"] = []


@planted(anatomy.setup_first, "second set-up cell")
def _two_setups(book):
    cell(book, "figure").metadata["tags"] = ["setup"]


@planted(anatomy.parameters_second, "'parameters'")
def _parameters_late(book):
    book.cells.insert(2, code("early", "1"))


@planted(anatomy.parameters_second, "'parameters'")
def _parameters_untagged(book):
    cell(book, "parameters").metadata["tags"] = []


add(anatomy.sections, "numbered", replaced("second-section", "## 2 ·", "## 3 ·"), "section_left_out")
add(anatomy.sections, "neither", replaced("second-section", "## 2 ·", "## On"), "section_without_number")


@planted(anatomy.sections, "more than 7")
def _eight_sections(book):
    cell(book, "second-section").source = "\n\n".join(f"## {n} · More" for n in range(2, 9))


def stopping(call: str, before: str = "figure", text: str = "**A good place to stop.**") -> Change:
    """A marked stop at the end of the first section and a cell with `call` before the cell `before`."""

    def change(book: NotebookNode) -> None:
        book.cells.insert(book.cells.index(cell(book, "second-section")), md("stop", text))
        book.cells.insert(book.cells.index(cell(book, before)), code("catch-up", call))

    return change


add(anatomy.stops, "called with (2, '00')", stopping('catch_up(1, "00")'), "catch_up_of_another_section")
add(anatomy.stops, "called with (2, '00')", stopping('catch_up(2, "01")'), "catch_up_of_another_notebook")
add(anatomy.stops, "not the first code", stopping('catch_up(2, "00")', "exercise-triple"), "catch_up_late")
add(anatomy.stops, "A good place to stop", stopping('catch_up(2, "00")', text="On."), "catch_up_without_a_stop")


def test_a_marked_stop_is_allowed(tmp_path):
    assert anatomy.stops(scratch.course(tmp_path, stopping('catch_up(2, "00")'))) == []


add(anatomy.predictions, "1 times", replaced("guess-half", "predict", "print"), "one_prediction")
add(anatomy.quiz, "0 calls", replaced("quiz", "quiz", "print"), "no_quiz")
add(anatomy.quiz, 'quiz("00")', replaced("quiz", "00", "01"), "quiz_of_another_notebook")
add(anatomy.quiz, "shows nothing", output("quiz"), "quiz_without_output")


def placing(name: str, shows: str = "[quiz] ten questions", times: int = 1) -> Change:
    """A placement quiz right after the parameters."""

    def change(book: NotebookNode) -> None:
        position = book.cells.index(cell(book, "parameters")) + 1
        for n in range(times):
            asked = code(f"placement-{n}", f'quiz("{name}")', outputs=[shown(shows)] if shows else [])
            book.cells.insert(position + n, asked)

    return change


add(anatomy.quiz, 'quiz("00")', placing("01_placement"), "placement_quiz_of_another_notebook")
add(anatomy.quiz, "2 placement quizzes", placing("00_placement", times=2), "two_placement_quizzes")
add(anatomy.quiz, "'placement-0' shows nothing", placing("00_placement", shows=""), "placement_quiz_without_output")
add(anatomy.quiz, "2 calls", placing("00"), "final_quiz_twice")
add(anatomy.quiz, "0 calls", replaced("quiz", 'quiz("00")', 'print("00")'), "placement_quiz_only")


def test_one_placement_quiz_beside_the_final_one_is_allowed(tmp_path):
    assert anatomy.quiz(scratch.course(tmp_path, placing("00_placement"))) == []


add(anatomy.closing, "Key points", replaced("key-points", "## Key points", "## Quiz"), "no_key_points")
add(anatomy.closing, "three key points", replaced("key-points", "- three", ""), "two_key_points")
add(anatomy.closing, "no year", replaced("references", "(2017)", ""), "reference_without_year")
add(anatomy.closing, "no reference", replaced("references", "- Somebody", "Somebody"), "no_references")


@planted(anatomy.closing, "before the quiz")
def _quiz_last(book):
    position = book.cells.index(cell(book, "quiz"))
    book.cells.append(book.cells.pop(position))


add(anatomy.way_on, "01_second.ipynb", replaced("way-on", "01_second.ipynb", "../README.md"), "no_link_to_the_next")

add(
    practice.exercise_cells,
    "starts with @exercise",
    replaced("exercise-triple", "@exercise", "x = 1\n@exercise"),
    "not_alone",
)
add(
    practice.exercise_cells,
    "starts with @exercise",
    replaced("exercise-triple", "    ...", "    ...\nx = 1"),
    "code_after",
)
add(
    practice.exercise_cells,
    "not declared",
    replaced("exercise-triple", "def triple", "def tripel"),
    "misspelt_exercise",
)
add(
    practice.exercise_cells,
    "does not hold it",
    replaced("exercise-triple", "def triple", "def tripel"),
    "exercise_missing",
)
add(
    practice.exercise_cells,
    "declared for 01_second",
    replaced("exercise-triple", "def triple", "def later"),
    "other_notebooks",
)


@planted(practice.exercise_cells, "lacks the tag")
def _exercise_untagged(book):
    cell(book, "exercise-triple").metadata["tags"] = []


@planted(practice.exercise_cells, "two cells")
def _exercise_twice(book):
    cell(book, "exercise-halve").source = cell(book, "exercise-triple").source


add(practice.stubs, "not a stub", replaced("exercise-triple", "    ...", "    return 3 * x"), "answer_left_in")
add(practice.stubs, "not its planted version", replaced("exercise-halve", "x / 3", "x / 2"), "bug_repaired")
add(
    practice.stubs,
    "not its planted version",
    replaced("exercise-halve", "result = half", "result = half + 0"),
    "another_bug",
)
add(practice.stored_verdicts, "not attempted", output("exercise-triple", shown("[passed] triple")), "stored_as_passed")
add(practice.announced, "●○○ 2 min", replaced("your-turn-triple", "●○○", "●●○"), "other_difficulty")
add(practice.announced, "2 min", replaced("your-turn-triple", "2 min", "20 min"), "other_minutes")
add(practice.mix, "debug", replaced("exercise-halve", "def halve", "def triple"), "no_debug_exercise")


@planted(practice.stubs, "not its planted version")
def _debug_exercise_as_stub(book):
    cell(book, "exercise-halve").source = "@exercise\ndef halve(x):\n    ..."


@planted(practice.mix, "first exercise takes 4")
def _long_exercise_first(book):
    one, other = (book.cells.index(cell(book, name)) for name in ("exercise-triple", "exercise-halve"))
    book.cells[one], book.cells[other] = book.cells[other], book.cells[one]


LEAK = "doubled = x + x\ntripled = doubled + x\nchecked = float(tripled)"
add(practice.no_leaks, "'triple'", replaced("product", "print(3 * 2)", LEAK), "solution_in_source")
ANSWER = "once = float(x)\ntwice = once + once\nthrice = twice + once"
add(practice.no_leaks, "'triple'", output("product", text(ANSWER)), "declared_answer_in_output")
add(practice.no_leaks, "'triple'", output("product", text(LEAK)), "solution_in_output")
add(
    practice.no_leaks,
    "'triple'",
    replaced("key-points", "- one", f"```python\n{LEAK}\n```\n- one"),
    "solution_in_markdown",
)
HIGHLIGHTED = "".join(f"<span>{line.replace(' = ', '</span> <b>=</b> <span>')}</span>\n" for line in LEAK.splitlines())
add(practice.no_leaks, "'triple'", output("product", shown("x", **{"text/html": HIGHLIGHTED})), "solution_highlighted")
LATER = "squared = x * x\ncubed = squared * x\nfourth = cubed * x"
add(practice.no_leaks, "'later'", output("product", text(LATER)), "solution_of_a_later_notebook")

add(
    practice.folded,
    "not the one of helpers",
    replaced("exercise-triple-solution", "once + once", "2 * once"),
    "another_solution",
)
add(
    practice.folded,
    "not the one of helpers",
    replaced("exercise-triple-solution", "<details>", "<details open>"),
    "solution_unfolded",
)


@planted(practice.folded, "'triple' has no folded solution right under it")
def _solution_missing(book):
    book.cells.remove(cell(book, "exercise-triple-solution"))


@planted(practice.folded, "'halve' has no folded solution right under it")
def _solution_under_the_next_heading(book):
    moved = cell(book, "exercise-halve-solution")
    book.cells.remove(moved)
    book.cells.insert(book.cells.index(cell(book, "quiz-title")) + 1, moved)


@planted(practice.folded, "belongs to no exercise")
def _solution_of_no_exercise(book):
    stray = md("stray-solution", LEAK)
    stray.metadata["tags"] = ["solution"]
    book.cells.insert(book.cells.index(cell(book, "quiz-title")), stray)


LONG = "def helper():\n" + "    x = 1\n" * 15
add(practice.helper_lengths, "16 lines", replaced("product", "print(3 * 2)", LONG), "long_helper")
MANY = "from helpers.sums import (\n" + "".join(f"    name_{n},\n" for n in range(21)) + ")"
add(practice.few_imports, "21 names", replaced("product", "print(3 * 2)", MANY), "many_names")
COPY = "def add_up(items):\n    'Sum.'\n" + "\n".join(
    ["    result = 0", "    for number in items:", "        result += number", "    return result"]
)
add(practice.written_once, "helpers/sums.py", replaced("product", "print(3 * 2)", COPY), "copied_helper")


@pytest.mark.parametrize(
    ("rule", "expected", "change"), [item[:3] for item in PLANTED], ids=[item[3] for item in PLANTED]
)
def test_a_planted_violation_is_found(tmp_path, rule, expected, change):
    problems = rule(scratch.course(tmp_path, change))
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_notebook_passes(tmp_path, rule):
    """Without this, a rule that always complains would pass every planted test."""
    assert rule(scratch.course(tmp_path)) == []


def test_every_rule_has_a_planted_violation():
    elsewhere = {hygiene.file_name}
    assert {rule for rule, *_ in PLANTED} | elsewhere == set(RULES)


def test_a_file_name_without_a_number_is_found(tmp_path):
    page = scratch.course(tmp_path)
    renamed = page.path.rename(page.path.with_name("Welcome.ipynb"))
    assert "NN_topic" in hygiene.file_name(Page(renamed, page.course))[0]


def test_another_notebooks_setup_cell_is_compared_with_the_first(tmp_path):
    page = scratch.course(tmp_path, replaced("setup", "print('ready')", "print('other')"))
    second = Page(page.course.folder / f"{scratch.SECOND}.ipynb", Course(tmp_path, scratch.TASKS))
    assert "differs from that of 00_first" in anatomy.setup_first(second)[0]


def test_the_last_notebook_links_to_the_map(tmp_path):
    page = scratch.course(tmp_path)
    second = Page(page.course.folder / f"{scratch.SECOND}.ipynb", page.course)
    assert anatomy.way_on(second) == []
    book = scratch.lesson(scratch.SECOND, "https://example.org", exercises=False)
    scratch.write(second.path, book)
    assert "the map" in anatomy.way_on(Page(second.path, page.course))[0]


def test_a_reference_of_an_earlier_notebook_may_be_shown_later(tmp_path):
    page = scratch.course(tmp_path)
    book = scratch.lesson(scratch.SECOND, "../README.md#the-map-of-the-course", exercises=False)
    cell(book, "product").outputs = [text(LEAK)]
    second = scratch.write(page.course.folder / f"{scratch.SECOND}.ipynb", book)
    assert practice.no_leaks(Page(second, page.course)) == []


def test_a_class_exercise_is_a_stub_until_one_method_is_written():
    from tests.tools.notebook import exercise_node

    stub = "@exercise\nclass Stack(Base, metaclass=M):\n    size: Tensor = unknown()\n"
    stub += "    def push(self, x: T = y) -> None:\n        ...\n"
    answer = stub + "    def pop(self):\n        return self.items[-1]\n"
    assert practice.not_attempted(practice.bare_definition(exercise_node(stub)))
    assert not practice.not_attempted(practice.bare_definition(exercise_node(answer)))


def test_words_leave_out_addresses_tags_and_punctuation():
    assert words("Two **words** — [and a link](https://example.org/a b) <img src='x'> ![alt text](y.png) ·") == 5


def test_minutes_are_words_cells_and_exercises(tmp_path):
    page = scratch.course(tmp_path)
    expected = words(page.prose) / 200 + len(page.code) / 2 + 2 + 4
    assert computed_minutes(page) == pytest.approx(expected)


def test_folded_solutions_take_no_minutes(tmp_path):
    def change(book):
        cell(book, "exercise-triple-solution").source += "\n\n" + "word " * 1000

    sound = computed_minutes(scratch.course(tmp_path / "sound"))
    assert computed_minutes(scratch.course(tmp_path / "long", change)) == sound


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ["00_first", "01_second"]),
        ("01_second", ["01_second"]),
        (" notebooks/00_first.ipynb, 01_second", ["00_first", "01_second"]),
        ("01_second,00_first,01_second", ["01_second", "00_first"]),
    ],
)
def test_nb_selects_notebooks(wanted, expected):
    assert selected(["00_first", "01_second"], wanted) == expected


def test_an_unknown_nb_names_the_nearest():
    with pytest.raises(ValueError, match="There is no notebook '00_frist'; did you mean '00_first'?"):
        selected(["00_first", "01_second"], "00_frist")


def test_every_picture_of_a_cell_is_read_with_its_own_alt_text(tmp_path):
    def change(book):
        cell(book, "figure").outputs.append(
            figure("<svg/>", "A drawing without any line in it at all.", "image/svg+xml")
        )

    page = scratch.course(tmp_path, change)
    assert hygiene.figures_described(page) == []
    assert [text.split()[1] for text in hygiene.alt_texts(cell(page.nb, "figure"))] == ["dark", "drawing"]
