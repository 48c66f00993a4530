"""Steps and answers taught on the same problems: what is trained, that both read as much, and where training stops."""

from __future__ import annotations

import pytest

from helpers.old.foundations.probability import IGNORED
from helpers.old.tasks import generate_problems
from helpers.old.trials.step_training import (
    LINES,
    batches,
    drills,
    problem_chat,
    shared_beginning,
    tokens_read,
)
from tests.training.test_chats import tokenizer  # noqa: F401
from tests.training.test_libraries import tiny  # noqa: F401

PROBLEMS = generate_problems(80, "dev", 3, (1, 2))


def trained_text(tokenizer, example) -> str:  # noqa: F811
    return tokenizer.decode([label for label in example.labels if label != IGNORED])


def test_the_reply_is_the_trace_or_the_answer_alone():
    problem = PROBLEMS[0]
    for reply, said in (("trace", problem.trace), ("answer", f"Answer: {problem.answer}")):
        user, assistant = problem_chat(problem, reply)
        assert (user["content"], assistant["content"]) == (problem.text, said)
    with pytest.raises(ValueError, match="reply is one of trace, answer, not 'steps'"):
        problem_chat(problem, "steps")


def test_both_ways_read_as_many_tokens_in_as_many_steps_on_the_same_problems(tokenizer):  # noqa: F811
    traces, answers = (batches(tokenizer, PROBLEMS, reply, 4, 0, n_drills=8) for reply in ("trace", "answer"))
    shared = shared_beginning([example for group in [*traces, *answers] for example in group])
    longest = max(len(example) for group in answers for example in group)
    assert len(traces) == len(answers) == 22
    assert 0 <= tokens_read(answers, shared) - tokens_read(traces, shared) < longest
    texts = {
        reply: {trained_text(tokenizer, example) for group in groups for example in group}
        for reply, groups in (("trace", traces), ("answer", answers))
    }
    end = tokenizer.eos_token
    assert {f"Answer: {problem.answer}{end}" for problem in PROBLEMS} <= texts["answer"]
    assert {f"{problem.trace}{end}" for problem in PROBLEMS} <= texts["trace"]
    assert sum(map(len, traces)) == 88 < sum(map(len, answers)), "the control sees problems again, never fewer"


def test_of_calculations_alone_only_the_results_are_trained(tokenizer):  # noqa: F811
    for row in drills(tokenizer, PROBLEMS, 3, seed=1):
        lines = tokenizer.decode(row.ids).partition("Calculate.")[2].split("\n")
        results = [line.partition(" = ")[2] for line in lines if " = " in line]
        assert len(results) == LINES
        assert trained_text(tokenizer, row) == "".join("".join(filter(str.isdigit, result)) for result in results)
