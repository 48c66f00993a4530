"""What 12c_tools may say of tools and of the taught model, held against what runs and what was recorded."""

from __future__ import annotations

import ast
import json
import math
import re
import typing

import pytest
from helpers.prompting import parse_calls
from helpers.trials import tool_rules, tool_tasks
from helpers.trials.records import Record

from helpers.assistants import TOOLS, is_copied, plan_by_rules
from helpers.exercises.checking import registry
from helpers.velunda import load_orders
from tests.tools.notebook import ROOT, course, output_texts

RECORD = Record("12b_tools")
ALONE = RECORD.find("taught")["test"]["tasks"]
PLANNED, GIVEN = (RECORD.find("planned", by=by)["test"]["tasks"] for by in ("rules", "task"))
TEST = {task["id"]: task for task in tool_tasks.load_tool_tasks("test")}


@pytest.fixture(scope="module")
def page():
    return course().page("12c_tools")


def outputs(page, name):
    return "\n".join(output_texts(next(cell for cell in page.code if cell.id == name)))


def test_a_tower_of_nines_has_as_many_digits_as_the_text_says(page):
    digits = math.floor(9**9 * math.log10(9)) + 1
    assert f"{digits:,} digits" in page.prose


def test_a_text_is_a_constant_of_a_tree_and_grows_when_multiplied():
    assert isinstance(ast.parse("'ha' * 3", mode="eval").body.left, ast.Constant) and "ha" * 3 == "hahaha"


def test_numbers_are_copied_but_for_one_and_a_hundred(page):
    heard, call = "What do six helmets at 89 euros cost?", '{{"name":"calculate","arguments":{{"expression":"{}"}}}}'
    assert is_copied(call.format("6 * 89"), heard) and is_copied(call.format("89 * (100 - 1) / 100"), heard)
    assert not any(is_copied(call.format(text), heard) for text in ("5 * 89", "13 * 89", "3 * 99", "89 * 100 / 2"))
    assert "only 1 and 100 are free" in page.prose


def recorded_calls(rows):
    """(id, what was said before, name, argument, value) of each recorded call."""
    for row in rows:
        heard = TEST[row["id"]]["question"]
        for line in row["said"].splitlines():
            if found := re.match(r"\d+\. (\w+)\((\w+)=('.*?'|\".*?\")\) → (.*)", line):
                name, argument, value, result = found.groups()
                yield row["id"], heard, name, argument, ast.literal_eval(value)
                heard += "\n" + result


def test_no_recorded_call_holds_what_nobody_said_and_wrong_ones_stand_there(page):
    calls = [*recorded_calls(ALONE), *recorded_calls(PLANNED)]
    assert len(calls) > 200
    for _, heard, name, argument, value in calls:
        written = json.dumps({"name": name, "arguments": {argument: value}}, separators=(",", ":"), ensure_ascii=False)
        assert is_copied(written, heard), (written, heard)
    alone = {(name, value) for _, _, name, _, value in recorded_calls(ALONE)}
    assert {("shop_price", "driver"), ("calculate", "389 * (100 - 100) / 100")} <= alone
    assert "`389 * (100 - 100) / 100` where nobody spoke of a discount" in page.prose and "“driver”" in page.prose


def test_two_wrong_turns_are_the_commonest(page):
    lines = outputs(page, "losses").splitlines()
    assert "after the question, then shop_price" in lines[0] and "after order_info, then handbook_search" in lines[1]
    (first, n), (second, _) = (map(int, re.match(r"\s*(\d+) of (\d+)", line).groups()) for line in lines[:2])
    assert first == second and first + second > n / 2


def test_the_form_of_an_orders_number_stands_where_tools_are_described(page):
    order_info = next(tool for tool in TOOLS if tool.__name__ == "order_info")
    [form] = typing.get_type_hints(order_info, include_extras=True)["order"].__metadata__
    text = next(cell for cell in page.markdown if cell.id == "schemas-after").source
    assert f'`order: Annotated[str, re.compile("{form.pattern}")]`' in text
    assert f"'pattern': '^(?:{form.pattern})$'" in outputs(page, "told").splitlines()[0]
    seen = [cell.id for cell in page.nb.cells if "Annotated" in cell.source]
    assert seen[0] == "schemas-after"  # explained where it is first met


def own_code(page):
    """The names that the cells of the appendix define, up to the one that runs a call."""
    names = {"__name__": "own"}
    for cell in page.code:
        if cell.id in ("own-tools", "own-schemas", "own-run"):
            exec(cell.source, names)
    return names


def test_the_schemas_of_the_appendix_are_what_strict_asks_for(page):
    names = own_code(page)

    def quote(bike: str, days: int | None, helmet: bool = False) -> float:
        """What a rental costs."""

    for tool in (*names["OWN_TOOLS"].values(), quote):
        told = names["own_schema"](tool)["function"]
        parameters = told["parameters"]
        assert told["strict"] is True and parameters["additionalProperties"] is False
        assert parameters["required"] == list(parameters["properties"])
        assert "default" not in str(parameters["properties"])
    assert {"type": "null"} in parameters["properties"]["days"]["anyOf"]  # what stays open
    reads = names["own_arguments"](quote).model_validate_json
    assert reads('{"bike": "Kite", "days": null, "helmet": true}').days is None
    with pytest.raises(names["ValidationError"]):
        reads('{"bike": "Kite", "helmet": true}')


def test_a_call_that_does_not_fit_is_a_sentence_in_the_appendix(page):
    run = own_code(page)["own_run"]
    assert run("own_price", '{"product": "lock"}') == "35.0"
    for written, said in (
        ('{"product": 5}', "own_price: product Input should be a valid string"),
        ("{}", "own_price: product Field required."),
        ('{"product": "lock", "color": "red"}', "own_price: color Extra inputs are not permitted"),
        ('{"product": "lo', "own_price: Invalid JSON"),
        ('{"product": "padlock"}', "own_price failed: There is no price for 'padlock'"),
    ):
        assert run("own_price", written).startswith(said)


def test_the_lessons_come_from_the_places_that_the_text_names(page):
    names = {domain["name"] for domain in tool_tasks.domains()["domains"]}
    assert {"library", "ferry", "clinic"} <= names and "a library, a ferry, a clinic and others" in page.prose


def test_what_was_recorded_are_the_questions_of_test():
    assert {row["id"]: (row["kind"], row["family"]) for row in ALONE} == {
        task["id"]: (task["kind"], task["family"]) for task in TEST.values()
    }
    assert all(row["malformed"] == 0 for row in [*ALONE, *PLANNED])  # held to the form


def test_the_stored_table_is_the_record(page):
    shown = outputs(page, "recorded")
    for kind, score in tool_tasks.scores_by_kind(ALONE).items():
        assert f"{kind:17} {score.right:2} of {score.n} solved" in shown


def test_the_stored_baseline_is_what_rules_solve(page):
    shared = [task for task in TEST.values() if "handbook_search" not in task["plan"]]
    found = tool_rules.solve_by_rules(plan_by_rules, shared, TOOLS[1:])
    assert f"solve {sum(found)} of {len(shared)} test questions" in outputs(page, "baseline")


def test_no_exercise_is_answered_in_the_stored_outputs(page):
    assert all("not attempted" in "\n".join(output_texts(cell)) for cell, _ in page.exercises)
    assert (ROOT / "data/quizzes/12c.json").exists()


def interval(line, shown):
    found = re.search(rf"^{line}: [+-]\d+ points \(95 % CI ([+-]\d+) to ([+-]\d+)\)", shown, re.MULTILINE)
    return tuple(map(int, found.groups()))


def test_what_the_text_says_of_rules_and_model_holds_with_its_intervals(page):
    shown = outputs(page, "compared-gain")
    low, high = interval("model alone minus rules", shown)
    assert low < 0 < high  # no difference is shown
    assert interval("rules first, else the model, minus rules", shown)[0] > 0
    assert interval("rules first, else the model, minus the model alone", shown)[0] <= 0
    assert interval("the third again, only where a tool is needed or asked for", outputs(page, "compared-kept"))[0] <= 0
    totals = re.search(r"rules (\d+), model (\d+), .* (\d+), .* (\d+)$", shown, re.MULTILINE).groups()
    rules, model, guided, first = map(int, totals)
    assert first > max(rules, model, guided)
    assert 0.5 < sum(row["solved"] for row in ALONE) / len(ALONE) < 0.65  # a little more than half


def test_only_the_right_plan_is_shown_to_help_with_three_calls(page):
    shown = outputs(page, "compared-three")
    assert interval("plan by rules minus model alone", shown)[0] <= 0
    assert interval("the right plan minus model alone", shown)[0] > 0
    by_rules, without = re.search(r"plan by rules (\d+) of .*rules, no model (\d+) of", shown).groups()
    assert by_rules == without
    alone = tool_tasks.scores_by_kind(ALONE)["three calls"]
    assert 2 * alone.right < alone.n  # fewer than half


def test_a_none_is_never_a_right_plan(page):
    asked = [task for task in TEST.values() if task["kind"] == "no call"]
    assert all(plan_by_rules(task["question"]) is None for task in asked)
    row = next(line for line in outputs(page, "plan-scores").splitlines() if line.startswith("no call"))
    assert re.search(r" 0 of 12 +12 +", row)  # plan_by_rules: none right, all silent


def test_an_order_of_two_things_is_added_up_wrongly(page):
    assert "right for the last one: 5288 euros; said: That is 4990 euros." in outputs(page, "finished")


def test_the_fifth_tool_adds_up_every_order(page):
    names = {tool.__name__: tool for tool in TOOLS} | {"plan_by_rules": plan_by_rules}
    exec(next(cell for cell in page.code if cell.id == "order-total").source, names)
    for number, order in load_orders().items():
        total = sum(item["quantity"] * item["price_eur"] for item in order["items"])
        assert names["order_total"](number) == f"{total} euros"
    assert "In order VE-20611: 5288 euros." in outputs(page, "mended")


def test_readme_says_what_was_recorded(page):
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    alone, by_rules = (tool_tasks.scores_by_kind(rows)["three calls"] for rows in (ALONE, PLANNED))
    assert f"{alone.right} of {alone.n} test questions that take three calls, and {by_rules.right} if rules" in readme
    title = next(cell for cell in page.code if cell.id == "compared-figure").outputs[0].metadata["image/png"]["alt"]
    both, n, rules, model = re.match(
        r"Rules first, then the model: (\d+) of (\d+); rules (\d+), the model (\d+)", title
    ).groups()
    assert (
        f"of {n} questions of all kinds it solves {model} alone, rules without a model {rules}, both together {both}"
        in readme
    )


def test_the_courses_plan_takes_questions_without_a_tool_to_the_handbook(page):
    plan = registry()["plan_calls"].reference
    asked = {
        split: [t for t in tool_tasks.load_tool_tasks(split) if t["kind"] == "no call"] for split in ("dev", "test")
    }
    right = {split: sum(not plan(task["question"]) for task in tasks) for split, tasks in asked.items()}
    assert len(asked["test"]) == 12 and right["test"] == 3 and right["dev"] >= len(asked["dev"]) - 1
    assert all(plan(t["question"]) in ([], ["handbook_search"]) for t in asked["test"])
    assert "of the twelve test questions that need no tool, it plans three rightly" in page.prose


def test_the_chat_model_gets_no_product_right(page):
    assert "right? 0 products" in outputs(page, "products")


def test_the_model_is_offered_one_tool_more_than_rules_and_some_failures_call_it(page):
    needed = {row["id"] for row in ALONE if "handbook_search" in TEST[row["id"]]["plan"]}
    failed = [row for row in ALONE if row["id"] not in needed and not row["solved"]]
    called = [row for row in failed if "handbook_search" in row["called"]]
    solved = sum(row["solved"] for row in ALONE if row["id"] in needed)
    assert f"Of the model's {len(failed)} failures among them, {len(called)} include a call of it." in page.prose
    assert (len(needed), solved) == (
        6,
        1,
    ) and "Of the six questions that do need the handbook, the model solves one" in (page.prose)


def test_the_folded_solution_plans_as_the_text_says_and_not_as_what_is_printed(page):
    source = next(cell for cell in page.markdown if cell.id == "plan-calls-solution").source
    names = {"exercise": lambda function: function}
    exec(re.search(r"```python\n(.*?)```", source, re.DOTALL)[1], names)
    for split in ("dev", "test"):
        right = {}
        for task in tool_tasks.load_tool_tasks(split):
            plan = names["plan_calls"](task["question"])
            if plan is not None and task["kind"] == "tool fails":
                plan = plan[: len(task["plan"])]
            right[task["kind"]] = right.get(task["kind"], 0) + (plan == task["plan"])
        *first, last = right.values()
        assert list(right) == list(tool_tasks.scores_by_kind(ALONE))
        assert re.search(rf"{', '.join(map(str, first))} and {last} (questions rightly )?on {split}", page.prose)


def test_the_training_and_the_earlier_scores_are_those_of_the_record(page):
    case = RECORD.find("taught")["case"]
    assert f"{case['steps'] * case['batch']:,} such conversations from {len(tool_tasks.domains()['domains'])}" in (
        page.prose
    )
    assert f"{case['steps']} steps with eight conversations" in page.prose and case["batch"] == 8
    assert f"LoRA of rank {case['rank']}, a learning rate of {case['rate']}" in page.prose
    assert 3000 < RECORD.find("taught")["seconds"] < 4200  # about an hour
    what = json.loads((ROOT / "data/results/12b_tools.json").read_text(encoding="utf-8"))["what"]
    assert "12, 13 and 6 of 24 of one, two, three calls" in what and "(16, 16, 10;" in what
    assert "solved 12, 13 and 6 of the 24" in page.prose and "solved 16, 16 and 10" in page.prose


def test_a_call_that_is_only_mentioned_is_read_as_a_call(page):
    mentioned = 'I will not call {"name": "price_in", "arguments": {"product": "Kite 500"}}'
    [call] = parse_calls(mentioned).calls
    assert call.name == "price_in" and f"`{mentioned}`" in page.prose


def test_three_calls_with_the_right_tools_fail_by_a_sign(page):
    wrong = [
        row
        for row in ALONE
        if row["kind"] == "three calls" and not row["solved"] and row["called"] == TEST[row["id"]]["plan"]
    ]
    assert len(wrong) == 3 and all(re.search(r"costs -\d+ euros more than", row["said"]) for row in wrong)
    assert any("The Otter Solo costs -700 euros more than the Otter Duo." in row["said"] for row in wrong)
