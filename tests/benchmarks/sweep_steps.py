"""Word problems of 1 to 4 steps in stories that nobody trained on: the chat model asked directly, step by step, with
solved examples, in two turns, and asked to check itself; the adapter "steps", taught to write the steps out, beside its
control, taught the answers alone on the same problems in as many steps and tokens; votes of up to nine samples. Greedy
but for the votes. For each number of steps, "right" has a 0 or 1 for each of the first problems of
`helpers.old.tasks.load_problems("test")` of that number. Nothing was chosen on test."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

NAME = "12_steps"
RECIPE = {"steps": 600, "batch": 6, "drills": 1, "rate": 2e-3, "rank": 8, "seed": 0}
MIX = (1, 2, 2, 3, 3, 4)  # numbers of steps of the problems trained on
WATCHED = 24  # dev problems that are solved while it trains
NUMBERS = (1, 2, 3, 4)
CASES = [
    {"case": "steps", **RECIPE, "n": 100},
    *({"case": "votes", "samples": 9, "temperature": 0.7, "n": 40, "numbers": [2, 3], "seed": s} for s in range(3)),
    {"case": "base", "how": "direct", "n": 50},
    {"case": "base", "how": "step by step", "n": 20},
    {"case": "base", "how": "examples", "n": 20},
    {"case": "base", "how": "two turns", "n": 20},
    {"case": "base", "how": "checked", "n": 20},
    {"case": "answers", **RECIPE, "n": 100},
]
DIRECT = "Answer with the number only."
STEP_BY_STEP = 'Think step by step. End with a line "Answer: " and the number.'
FIRST_STEP = "Which calculation comes first? Write this calculation and its result only."
NEXT_STEPS = 'Now do the other calculations. End with a line "Answer: " and the number.'
CHECK = 'Is this right? Check each calculation and correct mistakes. End with a line "Answer: " and the number.'
ROOM = {"direct": 48, "step by step": 160, "examples": 96, "two turns": 120, "checked": 160, "trace": 96, "answer": 12}


def run(case: dict) -> dict:
    settings = {name: value for name, value in case.items() if name != "case"}
    if case["case"] == "steps":
        return taught("trace", **settings)
    if case["case"] == "answers":
        return taught("answer", **settings)
    return (votes if case["case"] == "votes" else base)(**settings)


def taught(reply: str, n: int, **recipe: Any) -> dict:
    """An adapter, trained and scored as saved; the one that is shipped with what its model card says."""
    from helpers.old.assistants.taught import taught_model
    from helpers.scale import matrix_dtype
    from tests.benchmarks.tuning import trained

    history, folder, read, before = train_adapter(reply, **recipe)
    model, tokenizer = taught_model(folder, matrix_dtype())
    found = trained(history) | {"watched": history.evaluations, "read": read, "seconds_before": before}
    found["found"] = scores(model, tokenizer, n, plain, ROOM[reply])
    if reply == "trace":
        found["adapter"] = card_entry(folder, recipe, found["found"], n)
    return found


def train_adapter(
    reply: str, steps: int, batch: int, drills: int, rate: float, rank: int, seed: int
) -> tuple[Any, Any, dict, float]:
    """History, folder of the adapter, what was read, and the seconds of earlier processes: a training that was stopped
    goes on in build/sweeps."""
    import torch

    from helpers.adapters import BASE
    from helpers.old.lora import save_adapter
    from helpers.old.tasks import generate_problems
    from helpers.old.training.state import read_progress
    from helpers.old.trials.step_training import batches, fine_tune, shared_beginning, tokens_read
    from helpers.old.trials.ticket_training import recipe_of
    from tests.benchmarks.sweeps import KEPT
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(torch.bfloat16)
    problems = generate_problems(steps * (batch - drills), "train", seed, MIX)
    groups = batches(tokenizer, problems, reply, batch, seed, steps * drills)
    watched = generate_problems(WATCHED, "dev", seed, (2, 3))
    kept = KEPT / f"{NAME}_{reply}"
    before = seconds_before(read_progress(kept))
    start = time.perf_counter()

    def look(model: Any, step: int) -> dict:
        found = {} if step == 0 else {"right": right_of(model, tokenizer, watched, reply), "of": WATCHED}
        found["seconds"] = round(before + time.perf_counter() - start, 1)
        print(step, found, flush=True)
        return found

    recipe = recipe_of(len(groups), rate=rate, batch=1, seed=seed)
    options = {"folder": kept, "save_every": 20, "evaluate": look, "evaluate_every": len(groups) // 3}
    history = fine_tune(model, groups, recipe, rank, **options)
    folder = KEPT / "adapters" / ("steps" if reply == "trace" else "answers")
    save_adapter(model, folder, base=BASE)
    shared = shared_beginning([example for group in groups for example in group])
    counts = {"steps": steps, "rows": sum(map(len, groups)), "tokens": tokens_read(groups, shared)}
    return history, folder, counts, before


def seconds_before(saved: dict | None) -> float:
    """What a stopped training had taken, as far as its last look; the steps behind it in proportion."""
    looks = saved["history"]["evaluations"] if saved else {}
    last = max(map(int, looks), default=0)
    return round(looks[str(last)]["seconds"] * len(saved["history"]["losses"]) / last, 1) if last else 0.0


def right_of(model: Any, tokenizer: Any, problems: Sequence[Any], reply: str) -> int:
    """How many of the problems are answered rightly."""
    found = written(model, tokenizer, [plain(problem) for problem in problems], ROOM[reply], batch=12)
    return sum(is_right(text, problem) for (text, _), problem in zip(found, problems, strict=True))


def base(how: str, n: int) -> dict:
    """The chat model without training, asked in one of five ways."""
    model, tokenizer = untaught()
    if how == "two turns":
        return {"found": scores(model, tokenizer, n, two_turns_first, 48, (NEXT_STEPS, ROOM[how]))}
    if how == "checked":
        return {"found": scores(model, tokenizer, n, ASKED["step by step"], ROOM["step by step"], (CHECK, ROOM[how]))}
    return {"found": scores(model, tokenizer, n, ASKED[how], ROOM[how])}


def votes(samples: int, temperature: float, n: int, numbers: Sequence[int], seed: int) -> dict:
    """What each sample answers and how many tokens it takes, problem by problem."""
    from helpers.old.assistants.taught import taught_model
    from helpers.old.prompting import self_consistency
    from helpers.scale import matrix_dtype
    from tests.benchmarks.sweeps import KEPT

    model, tokenizer = taught_model(KEPT / "adapters" / "steps", matrix_dtype())
    found = {}
    for number in numbers:
        problems = some_problems(number, n)
        prompts = [prompt_ids(tokenizer, plain(problem)) for problem in problems]
        votes = self_consistency(model, tokenizer, prompts, samples, temperature, ROOM["trace"], seed)
        found[str(number)] = {
            "answers": [vote.answers for vote in votes],
            "tokens": [vote.tokens for vote in votes],
            "expected": [problem.answer for problem in problems],
        }
    return {"found": found}


def scores(
    model: Any,
    tokenizer: Any,
    n: int,
    ask: Callable[[Any], list[dict]],
    room: int,
    then: tuple[str, int] | None = None,
) -> dict:
    """By number of steps: which problems were answered rightly, and the tokens read and written for each; then: what is
    said in a second turn, and the room for its reply, which is the one that counts."""
    found = {}
    for number in NUMBERS:
        problems, start = some_problems(number, n), time.perf_counter()
        chats = [ask(problem) for problem in problems]
        replies = written(model, tokenizer, chats, room)
        read = [len(prompt_ids(tokenizer, chat)) for chat in chats]
        tokens = [count for _, count in replies]
        if then:
            said, more_room = then
            turns = [
                [*chat, {"role": "assistant", "content": text or "…"}, {"role": "user", "content": said}]
                for chat, (text, _) in zip(chats, replies, strict=True)
            ]
            replies = written(model, tokenizer, turns, more_room)
            read = [a + len(prompt_ids(tokenizer, chat)) for a, chat in zip(read, turns, strict=True)]
            tokens = [a + b for a, (_, b) in zip(tokens, replies, strict=True)]
        right = "".join(str(int(is_right(text, p))) for (text, _), p in zip(replies, problems, strict=True))
        seconds = round(time.perf_counter() - start, 1)
        found[str(number)] = {"right": right, "tokens": tokens, "read": sum(read), "seconds": seconds}
        found[str(number)] |= {"story": places(problems), "examples": [text for text, _ in replies[:2]]}
        print(number, right.count("1"), len(right), seconds, flush=True)
    return found


def written(
    model: Any, tokenizer: Any, chats: Sequence[list[dict]], room: int, batch: int = 24
) -> list[tuple[str, int]]:
    """The greedy reply to each chat and the tokens that it took; what all chats begin with is read once."""
    import os

    from helpers.old.generation import BehindPrefix, greedy_replies
    from helpers.old.prompting.voting import written_tokens

    prompts = [prompt_ids(tokenizer, chat) for chat in chats]
    shared = len(os.path.commonprefix(prompts))
    reader = BehindPrefix(model, prompts[0][:shared])
    texts = [r.text for r in greedy_replies(reader, tokenizer, [p[shared:] for p in prompts], room, batch)]
    return list(zip(texts, written_tokens(tokenizer, texts, room), strict=True))


def is_right(text: str, problem: Any) -> bool:
    from helpers.old.prompting import final_answer

    return final_answer(text) == problem.answer


def prompt_ids(tokenizer: Any, chat: list[dict]) -> list[int]:
    return tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=True, return_dict=False)


def some_problems(number: int, n: int) -> list[Any]:
    """The first n test problems of a number of steps."""
    from helpers.old.tasks import load_problems

    return [problem for problem in load_problems("test") if len(problem.steps) == number][:n]


def places(problems: Sequence[Any]) -> list[int]:
    """Which of the test stories each problem is from."""
    from helpers.old.tasks import load_stories

    names = [story.name for story in load_stories("test")]
    return [names.index(problem.story) for problem in problems]


def untaught() -> tuple[Any, Any]:
    from helpers.old.speed import FastLlama
    from helpers.scale import matrix_dtype
    from tests.benchmarks.tuning import base_model

    model, tokenizer = base_model(matrix_dtype())
    return FastLlama(model), tokenizer


def user(text: str) -> list[dict]:
    return [{"role": "user", "content": text}]


def plain(problem: Any) -> list[dict]:
    """The problem alone, as the adapters have learned it."""
    return user(problem.text)


def two_turns_first(problem: Any) -> list[dict]:
    return user(f"{problem.text}\n\n{FIRST_STEP}")


def with_examples(problem: Any) -> list[dict]:
    """Three solved problems of one to three steps before it."""
    from helpers.old.tasks import generate_problems

    shown = generate_problems(3, "train", 7, (1, 2, 3))
    turns = [turn for example in shown for turn in (*plain(example), {"role": "assistant", "content": example.trace})]
    return [*turns, *plain(problem)]


ASKED = {
    "direct": lambda problem: user(f"{problem.text}\n\n{DIRECT}"),
    "step by step": lambda problem: user(f"{problem.text}\n\n{STEP_BY_STEP}"),
    "examples": with_examples,
}


def card_entry(folder: Any, recipe: dict, found: dict, n: int) -> dict:
    """For `tests.tools.model_cards`: shares by number of steps, with intervals that draw whole stories."""
    from helpers.old.metrics import Score
    from tests.tools.model_cards import entry, score_row

    rows = []
    for number in NUMBERS:
        stories = [problem.story for problem in some_problems(number, n)]
        right = [digit == "1" for digit in found[str(number)]["right"]]
        name = f"problems of {number} step{'s' * (number > 1)}, stories never trained on"
        rows.append(score_row(name, Score.of(zip(stories, right, strict=True))))
    return entry(
        folder,
        summary="Solves word problems of one to four steps by writing out each calculation, then the answer.",
        data=[
            "data/tasks/word_problems/stories.txt (train), told by chance; each problem once, with its steps",
            "calculations alone from the same problems, twelve a row, of which only the results are trained",
            "never shown: the stories of dev and test",
        ],
        recipe=recipe | {"problems by steps": "1, 2, 2, 3, 3, 4 in turn"},
        scores=rows,
        limits=[
            "Whole numbers up to 100: the multiplication table, sums and differences that carry nothing beyond 20.",
            "One problem alone in the user's message, in plain English; it writes steps whatever it is asked.",
            "Three and four steps mostly fail: one wrong line makes the answer wrong, and it has seen few problems.",
        ],
    )
