"""generation_speed: tokens a second, counting those that the model wrote and not those that it read."""

from __future__ import annotations

from numpy.random import Generator

from helpers.exercises.checking.spec import BadInput, Exercise


def generation_speed(prompt_tokens: int, total_tokens: int, seconds: float) -> float:
    """New tokens per second. `total_tokens` counts the prompt too, as `generate` returns it.

    An empty reply, with no more tokens in all than in the prompt, has speed 0.
    Raises ValueError if `seconds` is not positive, or with fewer tokens in all than in the prompt.
    """
    if seconds <= 0:
        raise ValueError(f"seconds must be positive, not {seconds}")
    if total_tokens < prompt_tokens:
        raise ValueError(f"{total_tokens} tokens in all cannot hold a prompt of {prompt_tokens}")
    new_tokens = total_tokens - prompt_tokens
    return new_tokens / seconds


NEW = "    new_tokens = total_tokens - prompt_tokens\n"
SPEED = "new_tokens / seconds"
UPSIDE_DOWN = "the ratio is upside down: this is seconds a token."
NO_FRACTION = "`//` drops the fraction, and so does `int`: use `/` alone."  # the two give equal numbers
ROUNDED = "`round` changes the speed: return the quotient as it is, and round only where you print it."
SLIPS = [
    ([(NEW, ""), (SPEED, "total_tokens / seconds")], "the prompt is still counted, as if the model had written it."),
    (
        SPEED,
        "(total_tokens + prompt_tokens) / seconds",
        "the prompt is counted twice now; it should not count at all.",
    ),
    (SPEED, "prompt_tokens / seconds", "this is the speed of the prompt; the reply is what was generated."),
    (SPEED, "seconds / new_tokens", UPSIDE_DOWN),
    (SPEED, "seconds / new_tokens if new_tokens else 0.0", UPSIDE_DOWN),
    (SPEED, "total_tokens - prompt_tokens / seconds", "`/` binds before `-`: put the subtraction in brackets."),
    (SPEED, "new_tokens // seconds", NO_FRACTION),
    (SPEED, "int(new_tokens / seconds)", NO_FRACTION),
    (SPEED, "round(new_tokens / seconds)", ROUNDED),
    (SPEED, "round(new_tokens / seconds, 1)", ROUNDED),
    (SPEED, "round(new_tokens / seconds, 2)", ROUNDED),
    (
        "total_tokens - prompt_tokens",
        "prompt_tokens - total_tokens",
        "the subtraction is the wrong way round: total minus prompt.",
    ),
    (
        "total_tokens < prompt_tokens",
        "total_tokens <= prompt_tokens",
        "an empty reply is allowed and has speed 0; refuse only a total that is smaller than the prompt.",
    ),
    (SPEED, "new_tokens", "these are the new tokens; divide by the seconds too."),
]
PLANTED = SLIPS[0]
REFUSED = [
    (
        "seconds <= 0",
        "seconds < 0",
        "should raise ValueError, because no time has passed; it raises ZeroDivisionError",
    ),
    ("seconds <= 0", "seconds == 0", "because time cannot be negative"),
    ("total_tokens < prompt_tokens", "False", "because the total includes the prompt and cannot be smaller"),
]
RIGHT = [
    (SPEED, "total_tokens / seconds - prompt_tokens / seconds"),
    """
def generation_speed(prompt_tokens, total_tokens, seconds):
    if not (seconds > 0 and total_tokens >= prompt_tokens):
        raise ValueError("impossible")
    return (total_tokens - prompt_tokens) / seconds
""",
]


def cases(rng: Generator) -> list[tuple]:
    found: list[tuple] = [(20, 60, 2.0), (10, 25, 4.0)]
    for _ in range(4):
        prompt, new = int(rng.integers(1, 200)), int(rng.integers(1, 300))
        found.append((prompt, prompt + new, round(float(rng.uniform(0.3, 20)), 2)))
    return [*found, (0, 12, 0.5), (30, 30, 1.5)]


EXERCISE = Exercise(
    reference=generation_speed,
    minutes=2,
    difficulty=1,
    hints=(
        "A longer prompt makes this version look faster. Did the model write the prompt?",
        "Speed counts what was generated. `total_tokens` holds the prompt and the reply: which of the two is new?",
        "Only one line is wrong, the last. Take the prompt's tokens away from the total before you divide by "
        "the seconds.",
    ),
    proves="only new tokens count, whatever the prompt's length, and impossible input is refused",
    raises=[
        BadInput((5, 10, 0.0), ValueError, "no time has passed"),
        BadInput((5, 10, -1.0), ValueError, "time cannot be negative"),
        BadInput((10, 5, 1.0), ValueError, "the total includes the prompt and cannot be smaller"),
    ],
)
