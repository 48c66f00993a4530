"""Who gets a total right: the small model with tools, question by question; dev and test.

    make recorded NAME=12c_tools        about five minutes on two quiet cores

way "model": the adapter `tools` is offered all three tools; "model, offered": `order_info` only where an order's number
was said. called: the tools in order; solved follows from answer and called. The lesson itself runs the rules.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import openai

from helpers.exercises.checking import registry
from helpers.hosted import served
from helpers.records import record
from helpers.tools import TOOLS, run_for, solved, tool_questions, tool_schema

tool_loop = registry().load("tool_loop").spec.reference  # the lesson's own
SCHEMAS = {name: tool_schema(function) for name, function in TOOLS.items()}


@cache
def client():
    address, _, key = served("course")
    return openai.OpenAI(base_url=address, api_key=key)


@cache
def questions(split):
    return {each["id"]: each for each in tool_questions(split)}


def answered(run):
    task = questions(run["split"])[run["id"]]
    known = run["way"] == "model" or re.search(r"VE-\d{5}", task["question"])
    offered = [schema for name, schema in SCHEMAS.items() if known or name != "order_info"]

    def ask(messages):
        sent = {"model": "tools", "messages": messages, "tools": offered, "temperature": 0, "max_tokens": 96}
        return client().chat.completions.create(**sent).choices[0].message

    answer, steps = tool_loop(ask, run_for(task), task["question"])
    called = [name for name, *_ in steps]
    return {"called": called, "answer": answer, "solved": solved(task, answer, steps)}


if __name__ == "__main__":
    runs = [
        {"split": split, "way": way, "id": name, "kind": task["kind"]}
        for split in ("dev", "test")
        for way in ("model", "model, offered")
        for name, task in questions(split).items()
    ]

    @cache
    def started():  # eight at a time: the server answers them together
        client()
        pool = ThreadPoolExecutor(8)
        return {(run["way"], run["id"]): pool.submit(answered, run) for run in runs}

    record("12c_tools", runs, lambda run, rows: started()[run["way"], run["id"]].result())
