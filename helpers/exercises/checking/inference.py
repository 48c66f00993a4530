"""Exercises of 05_inference: four transforms, perplexity, a stop string with a bug, and which settings to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

import torch

from helpers.exercises.checking import inference_cases as cases
from helpers.exercises.checking import inference_mistakes as known
from helpers.exercises.checking.spec import BadInput, Exercise, Mistake, Property
from helpers.generation.sampling import min_p, repetition_penalty, temperature, top_p
from helpers.generation.streaming import reply_text
from helpers.metrics.calibration import text_perplexity


def planted_reply_text(tokenizer, ids, stop=()):  # type: ignore[no-untyped-def]
    """The version that stands in the notebook: each token is decoded, and compared with the stops, by itself."""
    text = ""
    for token in ids:
        piece = tokenizer.decode([token], skip_special_tokens=True)
        if piece in stop:
            break
        text += piece
    return text


def choose_setting(
    diversity: Mapping[str, float], perplexities: Mapping[str, Sequence[float]], limit: float
) -> str | None:
    """The most varied setting whose perplexity is at most `limit`, chance included; None where there is none.

    diversity: setting → its share of distinct pairs; perplexities: setting → one number a run, two or more.
    Chance included: the mean of the runs plus one standard error (sample deviation / √runs) is at most `limit`.
    """
    allowed = [name for name, runs in perplexities.items() if mean(runs) + stdev(runs) / len(runs) ** 0.5 <= limit]
    return max(allowed, key=lambda name: diversity[name], default=None)


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

EXERCISES = [
    Exercise(
        name="temperature",
        notebook="05_inference",
        minutes=2,
        difficulty=1,
        reference=temperature,
        drive=cases.drive_transform,
        first_call=1,
        cases=cases.temperature_cases,
        hints=(
            "Which operation brings scores closer together when t is large?",
            "Divide the logits by t. What you return is a function of logits, not a number.",
            "First refuse t ≤ 0 with `raise ValueError(...)`. Then return a `lambda` with the arguments `logits` and "
            "`ids=None` that gives the logits, divided by t.",
        ),
        proves="flatter above 1, sharper below, unchanged at 1, and 0 refused",
        mistakes=[
            Mistake(
                known.heated(lambda logits, t: logits * t),
                "you multiply by t, so that high temperatures sharpen: divide.",
            ),
            Mistake(
                known.heated(lambda logits, t: (logits / t).softmax(-1)),
                "you return probabilities; a transform gives logits.",
            ),
            Mistake(known.heated(lambda logits, t: logits.softmax(-1) / t), "you divide probabilities: divide logits."),
            Mistake(
                known.heated(lambda logits, t: (logits / t).log_softmax(-1)),
                "you return log-probabilities; give the divided logits as they are.",
            ),
            Mistake(known.heated(lambda logits, t: logits), "the logits come back as they were."),
        ],
        raises=[
            BadInput((0.0, torch.ones(1, 2)), ValueError, "nothing can be divided by 0"),
            BadInput((-1.0, torch.ones(1, 2)), ValueError, "a negative temperature turns the order around"),
        ],
    ),
    Exercise(
        name="top_p",
        notebook="05_inference",
        minutes=5,
        difficulty=3,
        reference=top_p,
        drive=cases.drive_transform,
        first_call=1,
        cases=cases.top_p_cases,
        hints=(
            "Sort first. When is a token still needed to reach p?",
            "Sort each row from the likeliest down. A token stays while the sum of those *before* it is below p. Then "
            "bring the mask back into the old order.",
            "`logits.sort(descending=True)` gives values and their places. Take the softmax of the values and its "
            "cumulative sum, and subtract each token's own probability: that is what came before it. Where it reaches "
            "p, the token goes. `mask.scatter(-1, places, mask)` undoes the sorting; `masked_fill` with -inf does the "
            "rest.",
        ),
        proves="the smallest set that reaches p, in every row, in the order of the vocabulary",
        properties=[
            Property(
                "each row keeps at least one token",
                lambda result, *_: bool((result > -torch.inf).any(-1).all()),
            ),
            Property(
                "what is kept has the logit it had",
                lambda result, p, logits, ids=None: bool(((result == logits) | (result == -torch.inf)).all()),
                evidence=cases.changed,
            ),
        ],
        mistakes=[
            Mistake(
                known.nucleus(crossing="goes, unless it is the first"),
                "the token that crosses p is dropped; it belongs to the nucleus.",
            ),
            Mistake(
                known.nucleus(crossing="goes"),
                "the token that crosses p is dropped, and where the first one crosses, nothing is left; it stays.",
            ),
            Mistake(known.nucleus(order_of="sorted"), "the mask is still in sorted order: bring it back."),
            Mistake(known.nucleus(order_of="gather"), "`gather` sorts the mask once more; `scatter` brings it back."),
            Mistake(
                known.nucleus(order_of="sorted", gives="sorted"),
                "the result is in sorted order; give it in the order of the vocabulary.",
            ),
            Mistake(
                known.nucleus(order_of="gather, all"), "`gather` sorts the result once more; `scatter` brings it back."
            ),
            Mistake(known.nucleus(gives="probabilities"), "you return probabilities; a transform gives logits."),
            Mistake(
                known.nucleus(gives="probabilities", removed=0.0), "you return probabilities; a transform gives logits."
            ),
            Mistake(
                known.nucleus(gives="renormalized"),
                "you return the log of new probabilities; what stays keeps the logit it had.",
            ),
            Mistake(known.nucleus(inverted=True), "you remove the nucleus, and keep the rest."),
            Mistake(known.nucleus(removed=-1e9), "-1e9 is a logit as any other; use -inf, whose probability is 0."),
            Mistake(known.nucleus(dim=0), "you work along the batch; each row is a distribution (-1)."),
            Mistake(known.nucleus(shared="mask"), "the first row's mask is used for every row."),
            Mistake(known.nucleus(keep="tail"), "you keep the unlikely tokens."),
            Mistake(known.nucleus(shared="order"), "every row has an order of its own."),
            Mistake(known.nucleus(removed=0.0), "removed tokens get the logit 0, which is not impossible: use -inf."),
            Mistake(
                known.nucleus_single(lambda p: 1 - p), "you compare each probability with 1 − p by itself; add them up."
            ),
            Mistake(known.nucleus_single(lambda p: p), "you compare each probability with p by itself; add them up."),
            Mistake(known.nucleus_of_logits, "you add up logits; p is a sum of probabilities."),
        ],
    ),
    Exercise(
        name="min_p",
        notebook="05_inference",
        minutes=2,
        difficulty=2,
        reference=min_p,
        drive=cases.drive_transform,
        first_call=1,
        cases=cases.min_p_cases,
        hints=(
            "Compared with what is a token too unlikely?",
            "Take the softmax. A token goes if its probability is below p times the largest in its row.",
            "`probabilities.amax(-1, keepdim=True)` is the largest of each row. Compare with `<`, so that the "
            "likeliest itself stays at p = 1, and fill those places of the *logits* with -inf.",
        ),
        proves="few tokens where the model is sure, many where it is not",
        properties=[
            Property(
                "each row keeps its likeliest token",
                lambda result, p, logits, ids=None: bool((result.amax(-1) == logits.amax(-1)).all()),
            ),
        ],
        mistakes=[
            Mistake(known.least(limit="p"), "p itself is your limit; it is p times the likeliest's probability."),
            Mistake(known.least(over=None), "the limit comes from the whole batch; each row has its own."),
            Mistake(known.least(removed=0.0), "removed tokens get the logit 0, which is not impossible: use -inf."),
            Mistake(known.least(removed=-1e4), "-1e4 is a logit as any other; use -inf, whose probability is 0."),
            Mistake(known.least(removed=-1e9), "-1e9 is a logit as any other; use -inf, whose probability is 0."),
            Mistake(known.least(values_are="logits"), "you compare logits; the limit is about probabilities."),
            Mistake(known.least(test=">"), "you remove the likely tokens."),
            Mistake(known.least(test=">="), "you remove the likely tokens."),
            Mistake(known.least(test="<="), "with p = 1 the likeliest must stay: compare with <, not ≤."),
            Mistake(known.least(values_are="exp"), "exp of a logit above 88 is infinite in float32: use softmax."),
            Mistake(known.least(values_are="columns"), "your softmax runs along the batch; each row has its own (-1)."),
            Mistake(known.least(over=0), "your maximum is the one of a column; take each row's own (-1)."),
            Mistake(known.least(best_of="logits"), "you compare probabilities with p times the largest logit."),
            Mistake(known.least(limit="best − p"), "you subtract p from the largest probability: multiply."),
            Mistake(known.least(limit="(1 − p) · best"), "your limit is 1 − p times the likeliest; it is p times it."),
            Mistake(known.least(gives="probabilities"), "you return probabilities; a transform gives logits."),
            Mistake(
                known.least(gives="probabilities", removed=0.0), "you return probabilities; a transform gives logits."
            ),
            Mistake(
                known.least(gives="renormalized"),
                "you return the log of new probabilities; what stays keeps the logit it had.",
            ),
        ],
    ),
    Exercise(
        name="repetition_penalty",
        notebook="05_inference",
        minutes=3,
        difficulty=2,
        reference=repetition_penalty,
        drive=cases.drive_transform,
        first_call=1,
        cases=cases.penalty_cases,
        hints=(
            "What does dividing by 1.3 do to a logit of −2?",
            "Of the tokens that stand in `ids`, divide positive logits by r and multiply negative ones, in each row.",
            "`logits.gather(-1, ids)` reads the scores of what was said, (B, T). `torch.where` on their sign gives the "
            "new ones, and `logits.scatter(-1, ids, new)` puts them back into a copy. Without ids, return the logits.",
        ),
        proves="what was said gets unlikelier, once, whatever its sign, and in its own row only",
        properties=[
            Property(
                "no token gets a higher score",
                lambda result, r, logits, ids=None: bool((result <= logits + 1e-6).all()),
                evidence=cases.raised,
            ),
        ],
        mistakes=[
            Mistake(known.penalty(positive="multiply"), "you multiply positive logits too, which makes them likelier."),
            Mistake(
                known.penalty(positive="multiply", negative="divide"),
                "it is the other way round: divide positive logits, multiply negative ones.",
            ),
            Mistake(known.penalty(negative="leave"), "negative logits stay as they were: multiply them."),
            Mistake(known.penalty(shared="all rows"), "the ids of all rows are used for every row."),
            Mistake(
                known.penalty(first=lambda logits: logits.log_softmax(-1)),
                "you scale log-probabilities; scale the logits as they come.",
            ),
            Mistake(
                known.penalty(first=lambda logits: logits.softmax(-1)), "you scale probabilities; scale the logits."
            ),
            Mistake(
                known.penalty(positive="multiply", negative="divide", inverted=True),
                "you lift what was not said; lower what was.",
            ),
            Mistake(known.penalty(negative="divide"), "you divide negative logits too, which makes them likelier."),
            Mistake(known.penalty(counted=True), "you penalize once for each time it was said; once is enough."),
            Mistake(known.penalty(last_only=True), "only the last token is penalized; it is all that stand in ids."),
            Mistake(known.penalty(shared="first row"), "the first row's ids are used for every row."),
            Mistake(known.penalty(inverted=True), "you penalize what was not said."),
            Mistake(known.penalty(positive="subtract", negative="subtract"), "you subtract r; scale by it."),
        ],
    ),
    Exercise(
        name="text_perplexity",
        notebook="05_inference",
        minutes=3,
        difficulty=2,
        reference=text_perplexity,
        cases=cases.perplexity_cases,
        hints=(
            "Which row of logits speaks about token 1?",
            "Row t scores token t + 1. Take the log-softmax, pick the scores of the tokens that came, average from "
            "`start` on, and take exp of minus that.",
            "`logits[start - 1 : -1].log_softmax(-1)` are the rows for `ids[start:]`. `gather` picks one number a row "
            "(it wants `ids[start:, None]`). Then minus, mean, exp, float.",
        ),
        proves="each token judged by the row before it, from `start` on, and stable over 400 tokens",
        mistakes=[
            Mistake(known.surprise(shift=0), "row t is used for token t itself; it scores token t + 1."),
            Mistake(known.surprise(sign=1), "the minus is missing: a perplexity is at least 1."),
            Mistake(known.surprise(end="loss"), "that is the loss; the perplexity is exp of it."),
            Mistake(known.surprise(end="base 2"), "you raise 2 to a loss in nats: use exp."),
            Mistake(known.surprise(end="mean of each"), "you average perplexities; average the logs first."),
            Mistake(known.surprise(end="sum"), "the sum is used where the mean belongs."),
            Mistake(known.surprise(whole=True), "`start` is ignored: the prompt is judged too."),
            Mistake(
                known.surprise(from_zero=True), "your rows begin at 0, your tokens at `start`: begin at start − 1."
            ),
            Mistake(known.surprise(late=1), "you begin one token too late."),
            Mistake(known.surprise(late=-1), "you begin one token too early."),
            Mistake(known.surprise(end="mean of all"), "you divide by all tokens; divide by those from `start` on."),
            Mistake(known.surprise(last=-1), "the last token is left out."),
            Mistake(known.surprise(log=lambda rows: rows), "you read logits as log-probabilities: log-softmax first."),
            Mistake(
                known.surprise(log=lambda rows: rows.softmax(-1).log()),
                "a small probability rounds to 0, and its log is −∞: use log-softmax.",
            ),
            Mistake(known.surprise(end="product"), "the product of so many probabilities rounds to 0: add logs."),
        ],
    ),
    Exercise(
        name="reply_text",
        notebook="05_inference",
        minutes=3,
        difficulty=2,
        reference=reply_text,
        planted=planted_reply_text,
        drive=cases.drive_reply,
        cases=cases.reply_cases,
        hints=(
            'Which tokens make up `"\\nCustomer:"`?',
            "One token may hold a part of a stop, or of a character. Decode all ids together, then look in the text.",
            "Decode the whole list once, without special tokens. For each stop that the text holds, `text.find` says "
            "where it begins; cut at the smallest of these places.",
        ),
        proves="characters whole, stops found across tokens, cut at the earliest one",
        mistakes=[
            Mistake(planted_reply_text, "each token is still looked at by itself."),
            Mistake(known.reply(pieces=True), "tokens are decoded one by one, which breaks characters apart."),
            Mistake(known.reply(cut="end"), "you look for the stop at the end of the text only; more may follow it."),
            Mistake(known.reply(cut="first listed"), "of several stops, cut at the one that comes first in the text."),
            Mistake(known.reply(cut="last"), "you cut where the stop comes last; the first time counts."),
            Mistake(known.reply(cut="growing, end"), "a stop may end in the middle of a token; look inside the text."),
            Mistake(
                known.reply(cut="growing, listed"),
                "one token may hold two stops: cut at the one that comes first in the text.",
            ),
            Mistake(known.reply(cut="any case"), "capitals count: a stop must stand there exactly."),
            Mistake(
                known.reply(cut="pattern"), "a stop is text, not a pattern: `.` means any character there (re.escape)."
            ),
            Mistake(known.reply(cut="stripped"), "white space belongs to the reply; you strip it."),
            Mistake(known.reply(cut="stripped at the end"), "white space belongs to the reply; you strip it."),
            Mistake(known.reply(cut="behind"), "the stop itself is still in the text."),
            Mistake(known.reply(cut="never"), "stops are ignored."),
            Mistake(known.reply(special=True), "special tokens belong to the format, not to the reply."),
        ],
    ),
    Exercise(
        name="choose_setting",
        notebook="05_inference",
        minutes=4,
        difficulty=2,
        reference=choose_setting,
        cases=cases.setting_cases,
        hints=(
            "Two steps: which settings are allowed, and which of them is best?",
            "A setting is allowed if mean plus standard error of its perplexities is at most `limit`. Of those, take "
            "the one with the largest diversity.",
            "`statistics.mean` and `statistics.stdev` (n − 1) do the arithmetic; the standard error is the deviation "
            "over √n. Collect the allowed names in a list, and give `max` a key and `default=None`.",
        ),
        proves="the limit holds with chance included, and the most varied of what is allowed is taken",
        mistakes=[
            Mistake(known.chosen(error=0), "your limit holds for the mean alone; add one standard error."),
            Mistake(known.chosen(error=-1), "you subtract the standard error; add it, to be on the safe side."),
            Mistake(known.chosen(error=2), "you add two standard errors; add one."),
            Mistake(known.chosen(over=lambda n: n), "you divide the deviation by the runs; divide it by √runs."),
            Mistake(
                known.chosen(over=lambda n: (n - 1) ** 0.5),
                "the deviation has its n − 1 already; divide it by √runs, not by √(runs − 1).",
            ),
            Mistake(
                known.chosen(high=max), "you hold each single run to the limit; it is about mean plus standard error."
            ),
            Mistake(known.chosen(by_order=True), "the two dicts may list settings in another order: look up by name."),
            Mistake(known.chosen(best="highest"), "you take the highest perplexity; take the most varied setting."),
            Mistake(
                known.chosen(best="closest"), "you take what is closest to the limit; take the most varied setting."
            ),
            Mistake(known.chosen(best="last"), "you take the last allowed setting, not the most varied one."),
            Mistake(known.chosen(best="alphabet"), "you take the last name of the alphabet; compare diversities."),
            Mistake(known.chosen(best="ratio"), "you weigh diversity against perplexity; the limit has done that."),
            Mistake(known.chosen(over=lambda n: 1), "you add the deviation of one run; divide it by √runs."),
            Mistake(known.chosen(sample=False), "the deviation of a sample is divided by n − 1."),
            Mistake(known.chosen(best="lowest"), "you take the lowest perplexity; take the most varied setting."),
            Mistake(known.chosen(best="least varied"), "you take the least varied setting."),
            Mistake(known.chosen(best="first"), "you take the first allowed setting, not the most varied one."),
            Mistake(known.chosen(ignore=True), "the limit is ignored."),
            Mistake(known.chosen(strict=True), "a setting exactly at the limit is allowed."),
        ],
    ),
]
