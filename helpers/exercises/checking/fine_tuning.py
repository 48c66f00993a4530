"""Exercises of 07_sft: an exact match, what is trained on, a mask with a bug, the rate, big batches, choices on dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from helpers.exercises.checking import fine_tuning_cases as inputs
from helpers.exercises.checking import fine_tuning_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.foundations.probability import IGNORED
from helpers.training.loop import accumulate
from helpers.training.losses import shift_labels
from helpers.training.schedules import cosine_with_warmup
from helpers.trials.ticket_reading import exact_match


def build_labels(pieces: Sequence[tuple[str, Sequence[int]]], length: int, pad: int) -> tuple[list[int], list[int]]:
    """One row for training: the ids of all pieces, and as labels those of the answers, −100 elsewhere.

    pieces: ("prompt", ids) and ("answer", ids) in turn; an answer ends with the token that ends a turn
    →  ids and labels, two lists of `length`, which is enough for all pieces; padded on the right,
    ids with `pad`, labels with −100
    """
    ids: list[int] = []
    labels: list[int] = []
    for who, tokens in pieces:
        ids += tokens
        labels += tokens if who == "answer" else [IGNORED] * len(tokens)
    room = length - len(ids)
    return ids + [pad] * room, labels + [IGNORED] * room


def answer_loss(logits: Tensor, ids: Tensor, trained: Tensor) -> Tensor:
    """Mean surprise at the trained tokens, nats.

    logits: (B, T, V), row t scores what follows token t; ids: (B, T); trained: (B, T) bool  →  a number
    """
    log_probs = logits[:, :-1].log_softmax(-1)  # the last row scores what nobody wrote
    surprise = -log_probs.gather(-1, ids[:, 1:, None])[..., 0]  # (B, T - 1)
    kept = trained[:, 1:]
    return (surprise * kept).sum() / kept.sum()


def planted_answer_loss(logits: Tensor, ids: Tensor, trained: Tensor) -> Tensor:
    """The version that stands in the notebook: the mask stays where it was while the ids move."""
    log_probs = logits[:, :-1].log_softmax(-1)
    surprise = -log_probs.gather(-1, ids[:, 1:, None])[..., 0]
    kept = trained[:, :-1]
    return (surprise * kept).sum() / kept.sum()


def choose_checkpoint(scores: Mapping[int, dict[str, float]]) -> int:
    """The step whose checkpoint goes into service: the best on dev, of equals the earliest.

    scores: step → {"loss": in training, "dev": exact match, "test": exact match}, steps rising
    """
    best = max(found["dev"] for found in scores.values())
    return min(step for step, found in scores.items() if found["dev"] == best)


def next_to_label(confidence: Sequence[float], group: Sequence[str], n: int) -> list[int]:
    """Which n tickets to label next: those of which the model is least sure, at most one of each group.

    confidence: the model's, one a ticket; group: tickets that read alike share one  →  indices, the least sure
    first, of equals the earlier; fewer than n where the groups run out
    """
    chosen: list[int] = []
    for i in sorted(range(len(confidence)), key=confidence.__getitem__):
        if all(group[i] != group[j] for j in chosen):
            chosen.append(i)
    return chosen[:n]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────


def _answers(who: str, token: int, pad: int) -> bool:
    return who == "answer"


EXERCISES = [
    Exercise(
        name="exact_match",
        notebook="07_sft",
        minutes=2,
        difficulty=1,
        reference=exact_match,
        cases=inputs.match_cases,
        hints=(
            "Is {'a': 1, 'b': 2} another answer than {'b': 2, 'a': 1}? To a text, yes. To a dictionary?",
            "Compare field by field, or the two dictionaries as dictionaries. First of all: where there was no JSON, "
            "`predicted` is None, and None is right about nothing.",
            "Python's own == on two dictionaries asks for the same keys and the same values, in any order. Beware of "
            "`.get(field)`: it gives None for a field that is missing, and None is what an absent product is.",
        ),
        proves="all fields, in any order; what is missing, misspelled or in another field is wrong",
        mistakes=[
            Mistake(known.matched(known.as_texts), "the order of the fields counts in your comparison."),
            Mistake(known.matched(known.values_in_order), "the order of the fields counts in your comparison."),
            Mistake(
                known.matched(known.by_get),
                "`.get` gives None for a missing field, and so takes it for null: ask whether it is there.",
            ),
            Mistake(
                known.matched(known.by_get, guarded=False),
                "where no JSON was found `predicted` is None: that is wrong, and no error.",
            ),
            Mistake(
                known.matched(known.by_key, guarded=False),
                "where no JSON was found `predicted` is None: that is wrong, and no error.",
            ),
            Mistake(
                known.matched(known.by_field, guarded=False),
                "where no JSON was found `predicted` is None: that is wrong, and no error.",
            ),
            Mistake(known.matched(known.by_identity), "`is` asks for the very same object; compare values with ==."),
            Mistake(known.matched(known.null_passes), "where the label is null, you let everything pass."),
            Mistake(known.matched(known.by_key), "a missing field raises a KeyError; it is a wrong answer."),
            Mistake(known.matched(known.written_fields), "you ask only for fields that were written; some may lack."),
            Mistake(known.matched(known.values_alone), "the right value in the wrong field counts as right."),
            Mistake(known.matched(known.sorted_values), "the right value in the wrong field counts as right."),
            Mistake(known.matched(known.keys_alone), "you compare the names of the fields, not what they say."),
            Mistake(known.matched(known.one_is_enough), "one right field is enough for you; all of them must be."),
            Mistake(known.matched(known.as_words), "the word 'None' is not null: compare values, not their texts."),
            Mistake(
                known.matched(known.folded_words), "the word 'None' is not null, and `kite` is not the name `Kite`."
            ),
            Mistake(known.matched(known.folded), "you fold capitals: `kite` is not the name `Kite`."),
        ],
    ),
    Exercise(
        name="build_labels",
        notebook="07_sft",
        minutes=4,
        difficulty=2,
        reference=build_labels,
        cases=inputs.label_cases,
        hints=(
            "Which of these tokens will the model have to write by itself one day?",
            "Go through the pieces. Of an answer, all ids are labels, its end included; of a prompt, none. Only then "
            "pad, with a label of −100 for each place.",
            "Keep two lists that grow together. Never ask whether an id equals `pad`: the token that ends an answer "
            "has the same id. What is padding you know from where it stands, `length - len(ids)` places at the end.",
        ),
        proves="answers with their ends are trained, prompts and padding never, also where end and padding are one id",
        properties=[
            Property(
                "the token that ends an answer is trained",
                inputs.ends_are_learned,
            )
        ],
        mistakes=[
            *(
                Mistake(
                    known.labeled(rule, padding=padding),
                    "you mask every token with the id of padding, and the end of an answer has that id.",
                )
                for rule, padding in (
                    (lambda who, token, pad: who == "answer" and token != pad, "blank"),
                    (lambda who, token, pad: token != pad, "blank"),
                )
            ),
            *(
                Mistake(known.end_left_out(ids_too), "the last token of each answer, which ends it, is left out.")
                for ids_too in (False, True)
            ),
            Mistake(known.last_piece, "you train on the last piece, whatever it is; train on all answers."),
            Mistake(known.labeled(lambda *_: True), "the prompts are trained on as well; only answers are."),
            Mistake(known.labeled(lambda *_: True, padding="pad"), "everything is trained on, even padding."),
            Mistake(known.labeled(_answers, padding="pad"), "padding is trained on: its label is −100."),
            Mistake(known.labeled(lambda who, *_: who == "prompt"), "you train on the prompts; train on the answers."),
            Mistake(
                known.labeled(lambda who, token, pad: who == "answer" or token == inputs.END),
                "the ends of prompts are trained on as well; only those of answers are.",
            ),
            Mistake(known.labeled(moved=1), "labels stand at their own token's place here; they are shifted later."),
            Mistake(known.labeled(moved=-1), "your labels stand one place too far to the right."),
            Mistake(known.one_answer(-1), "only the last answer is trained on; each is."),
            Mistake(known.one_answer(0), "only the first answer is trained on; each is."),
            Mistake(
                known.behind_the_first_answer, "behind the first answer you train on everything, the next prompt too."
            ),
            Mistake(known.labeled(side="left"), "you pad on the left; here on the right."),
            Mistake(known.labeled(padding="none"), "the row is not padded to `length`."),
            Mistake(known.labeled(blank=0), "0 is a token like any other; what is not trained gets −100."),
            Mistake(known.labeled(blank=inputs.END), "what is not trained gets −100, not a token's id."),
            Mistake(known.labeled(swapped=True), "ids come first, then labels."),
        ],
    ),
    Exercise(
        name="shift_labels",
        notebook="07_sft",
        minutes=2,
        difficulty=1,
        reference=shift_labels,
        cases=inputs.shift_cases,
        hints=(
            "The logits at place t score a token. Which one?",
            "Each place gets the label of the place behind it. The last one has none behind it: −100.",
            "Make a tensor full of −100 with `torch.full_like`, and fill all places but the last of each row with all "
            "labels but the first, along axis 1. The tensor that was given stays as it is.",
        ),
        proves="each place gets what comes next, the last one −100, and the labels given stay as they were",
        mistakes=[
            Mistake(known.shifted(by=-1), "you move to the right: place t gets the label of t − 1; it needs t + 1's."),
            Mistake(known.unmoved, "nothing moves: each place is held against itself, which it has just read."),
            Mistake(known.cut, "the last place falls away; it stays, with −100."),
            Mistake(known.shifted(last="around"), "the first label comes around to the last place: −100 there."),
            Mistake(known.shifted(last="own"), "the last place keeps its own label; it gets −100."),
            Mistake(known.shifted(last="zero"), "0 is a token; what is not trained gets −100."),
            Mistake(known.shifted(last="minus one"), "−1 is not what PyTorch leaves out: −100."),
            Mistake(known.shifted(axis=0), "you move along the batch; tokens run along axis 1."),
            Mistake(known.shifted(by=2), "you move by two places."),
            Mistake(known.in_place, "you move the caller's own labels."),
        ],
    ),
    Exercise(
        name="answer_loss",
        notebook="07_sft",
        minutes=3,
        difficulty=2,
        reference=answer_loss,
        planted=planted_answer_loss,
        cases=inputs.loss_cases,
        hints=(
            "`trained` says of each token whether it is trained. Of which tokens is `surprise` the surprise?",
            "`surprise` begins with the second token, since nothing foretells the first. The mask begins with the "
            "first. So the first token of an answer is never trained, and one behind its end is.",
            "Ids and mask have to move together. The surprise belongs to `ids[:, 1:]`, so the mask that goes with it "
            "is cut in the same way: its first column falls away, not its last. The logits are right as they are.",
        ),
        proves="exactly the trained tokens count, from the first of an answer to its end, in rows of any lengths",
        properties=[
            Property(
                "it can be trained by",
                lambda result, logits, *_: result.requires_grad or not logits.requires_grad,
                "`.detach()`, `.data` or a new tensor cuts the loss off from the logits: no gradient reaches them.",
                evidence=lambda result, *_: "The logits need a gradient, and your result has none to give.",
            ),
        ],
        mistakes=[
            Mistake(planted_answer_loss, "the mask still stands one place off."),
            Mistake(known.judged(kept="both"), "a token counts only where the one before it does: the first is lost."),
            Mistake(known.judged(kept="all"), "every token counts; only the trained ones should."),
            Mistake(known.everything, "every token counts; only the trained ones should."),
            Mistake(known.judged(over="places"), "you divide by all places; divide by how many count."),
            Mistake(known.judged(over="trained"), "you count the first token too, which is given and never asked."),
            Mistake(known.judged(over="one"), "this is the sum; the mean divides by how many count."),
            Mistake(
                known.judged(over="rows, bare"),
                "a mean of each row's mean: a token in a short answer counts for more, a row without any gives NaN.",
            ),
            Mistake(known.judged(targets="[:, :-1]"), "the ids do not move: each place is held against itself."),
            Mistake(
                known.judged(targets="[:, :-1]", read="[:, 1:]", kept="[:, :-1]"),
                "this is turned around: a token is scored by the logits one row *before* it.",
            ),
            Mistake(known.judged(over="rows"), "a mean of each row's mean: a token in a short answer counts for more."),
            Mistake(known.judged(sign=1), "the sign: surprise is *minus* the logarithm."),
            Mistake(
                known.judged(targets="[:, :-1]", kept="[:, :-1]"),
                "now each place is held against itself; the ids were right where they stood.",
            ),
            Mistake(
                known.judged(read="[:, 1:]"), "these logits score the token behind; the row before scores this one."
            ),
        ],
    ),
    Exercise(
        name="cosine_with_warmup",
        notebook="07_sft",
        minutes=4,
        difficulty=2,
        reference=cosine_with_warmup,
        cases=inputs.schedule_cases,
        hints=(
            "Three parts: a line up, half a cosine down, and what is after the end. Where does each begin?",
            "Below `warmup`, the share is step / warmup. Then let `done` run from 0 at the end of the warm-up to 1 at "
            "`total`, no further; (1 + cos(π · done)) / 2 runs from 1 to 0.",
            "`done` is (step − warmup) / (total − warmup), at most 1, where `max(1, …)` below the line keeps you from "
            "dividing by 0. The floor is where the curve ends: floor + (1 − floor) times what you have.",
        ),
        proves="up along a line, down along half a cosine to the floor, and no further",
        mistakes=[
            Mistake(known.turning_up_again, "behind `total` the cosine rises again; it stays at the floor."),
            Mistake(known.dividing_by_nothing, "where `warmup` equals `total` you divide by 0."),
            Mistake(known.scheduled(start="step 0"), "the cosine begins at step 0; it begins behind the warm-up."),
            Mistake(
                known.scheduled(start="after warm-up, over all steps"),
                "the cosine has only total − warmup steps, and must be down at `total`.",
            ),
            Mistake(known.scheduled(warm="none"), "the warm-up is missing."),
            Mistake(known.scheduled(warm="one early"), "the warm-up starts at 0 and reaches 1 at step `warmup`."),
            Mistake(known.floor_before_peak, "where `warmup` equals `total`, the peak comes first: 1 at that step."),
            Mistake(known.scheduled(warm="zero"), "during the warm-up the rate rises; yours stays 0."),
            Mistake(known.scheduled(warm="early"), "the warm-up starts at 0 and reaches 1 at step `warmup`."),
            Mistake(known.scheduled(warm="from the floor"), "the warm-up begins at 0, not at the floor."),
            Mistake(known.scheduled(shape="whole cosine"), "a whole cosine comes up again at the end; half of it."),
            Mistake(known.scheduled(shape="quarter cosine"), "a quarter of a cosine; half of it, moved up and halved."),
            Mistake(known.scheduled(shape="bare cosine"), "the cosine runs from 1 to −1; a rate is never below 0."),
            Mistake(known.scheduled(shape="line"), "that is a straight line down; it should be half a cosine."),
            Mistake(known.scheduled(shape="rising"), "the sign: 1 *plus* the cosine runs down."),
            Mistake(known.scheduled(shape="degrees"), "`math.cos` takes radians: π, not 180."),
            Mistake(known.scheduled(floored="forgotten"), "the floor is not used."),
            Mistake(known.scheduled(floored="at least"), "the floor cuts the curve off; the curve should end in it."),
            Mistake(known.scheduled(floored="added"), "with the floor added, the peak is above 1."),
            Mistake(known.scheduled(floored="scaled"), "the curve is scaled and not lifted: it ends at 0."),
            Mistake(known.scheduled(end="zero"), "behind `total` the share is the floor, not 0."),
        ],
    ),
    Exercise(
        name="accumulate",
        notebook="07_sft",
        minutes=4,
        difficulty=3,
        reference=accumulate,
        drive=inputs.drive_accumulate,
        cases=inputs.accumulate_cases,
        hints=(
            "Two micro-batches: one with 2 labels, one with 20. Should a label of the first weigh ten times as much?",
            "Count the labels of all batches first. Then, for each batch, divide its *sum* by that count and call "
            "`.backward()`, which adds to the gradients that are there.",
            "`batch.n_labels` says how many labels a batch has; the total is a sum over all batches. "
            "`loss(model, batch)` gives a sum, so divide it by the total. Add up the `.item()` of the parts and "
            "return that. Clear no gradients: that is the caller's business.",
        ),
        proves="gradient and mean are those of one big batch, however unequal the parts, of which one is in memory",
        properties=[
            Property(
                "the gradient is that of one big batch",
                inputs.big_batch,
                evidence=lambda result, *_: (
                    "There is no gradient at all." if result["gradient"] is None else "Yours is another one."
                ),
            ),
            Property(
                "only one part is in memory",
                lambda result, *_: result["parts waiting"] <= 1,
                "`.backward()` comes too late: call it on each part before the next one is computed.",
                evidence=lambda result, *_: f"{result['parts waiting']} parts were waiting for `.backward()` at once.",
            ),
        ],
        mistakes=[
            *(
                Mistake(
                    known.accumulated(below=below, result=result),
                    "a mean of the batches' means: a label in a short answer weighs more than one in a long one.",
                )
                for below, result in (
                    ("own labels, batches", "mean"),
                    ("own labels", "mean of parts"),
                )
            ),
            Mistake(
                known.accumulated(below="own labels"),
                "each batch is divided by its own labels, so their sum is no mean at all.",
            ),
            Mistake(known.accumulated(below="one"), "nothing is divided: this is the sum over all labels."),
            Mistake(known.accumulated(below="batches"), "you divide by the number of batches; divide by all labels."),
            Mistake(
                known.accumulated(below="one", result="mean of parts"),
                "you divide by the number of batches; divide by all labels.",
            ),
            Mistake(known.accumulated(below="rows"), "you divide by the number of texts; divide by all labels."),
            Mistake(known.accumulated(below="tokens"), "you divide by all tokens; most of them are not trained."),
            Mistake(
                known.accumulated(below="first labels too"),
                "you count a row's first label, which no logits are held against: use `n_labels`.",
            ),
            Mistake(known.accumulated(below="so far"), "the count is still growing: count all batches first."),
            Mistake(known.growing_sum, "you go backward through the sum so far: earlier parts are added again."),
            Mistake(known.divided_afterwards, "what stood in the gradients before is divided too; divide each part."),
            Mistake(known.accumulated(below="last labels"), "you divide by the labels of the last batch alone."),
            Mistake(known.accumulated(backward=False), "`.backward()` is missing: nothing is learned."),
            Mistake(known.accumulated(clear="between"), "gradients are cleared between batches: the last one remains."),
            Mistake(known.accumulated(clear="before"), "you clear the gradients; add to what is there."),
            Mistake(known.accumulated(result="last"), "you return the last batch's part; add up all parts."),
            Mistake(known.undivided_gradient, "the number is right, but the gradient is that of the undivided sum."),
        ],
    ),
    Exercise(
        name="choose_checkpoint",
        notebook="07_sft",
        minutes=2,
        difficulty=1,
        reference=choose_checkpoint,
        cases=inputs.checkpoint_cases,
        hints=(
            "Which of the three columns may you look at, if the last is to say how good it is on new tickets?",
            "Only dev decides. The loss in training falls anyway, and test is for one look at the very end. Among "
            "checkpoints that are equally good on dev, the earliest has forgotten least.",
            "Find the largest `dev` of all steps, then the smallest step that has it. Python's `max` with a `key` does "
            "both at once, since it keeps the first of equals, and the steps are rising.",
        ),
        proves="dev alone decides, the earliest of equals, wherever the best loss and the best test score are",
        mistakes=[
            Mistake(
                known.checkpoint(lambda found, step: found["test"]),
                "you choose on test: after that its score says how well you chose, not how good the model is.",
            ),
            Mistake(
                known.checkpoint(lambda found, step: found["dev"] + found["test"]),
                "test has a say in your choice; it must have none.",
            ),
            Mistake(
                known.checkpoint(lambda found, step: (found["dev"], found["test"])),
                "test decides between equals; it must not decide anything.",
            ),
            Mistake(
                known.checkpoint(lambda found, step: -found["loss"]),
                "the training loss falls to the end, also while the model gets worse.",
            ),
            Mistake(
                known.checkpoint(lambda found, step: (found["dev"], -found["loss"])),
                "between equals you take the later one; take the earliest.",
            ),
            Mistake(
                known.checkpoint(lambda found, step: (found["dev"], step)),
                "between equals you take the later one; take the earliest.",
            ),
            Mistake(known.checkpoint(lambda found, step: step), "you take the last step, whatever dev says."),
            Mistake(known.checkpoint(lambda found, step: -found["dev"]), "you take the worst one on dev."),
            Mistake(known.checkpoint(lambda found, step: found["dev"], out="score"), "give the step, not its score."),
            Mistake(
                known.checkpoint(lambda found, step: found["dev"], out="place"),
                "give the step, not its place in the list.",
            ),
            Mistake(known.until_it_falls, "you stop at the first dip; it may get better after it."),
        ],
    ),
    Exercise(
        name="next_to_label",
        notebook="07_sft",
        minutes=4,
        difficulty=2,
        reference=next_to_label,
        cases=inputs.pick_cases,
        hints=(
            "The model is unsure of three tickets that read the same. How much do you learn from labeling all three?",
            "Go through the tickets from the least sure to the surest. Take one if no ticket of its group has been "
            "taken yet, and stop at n.",
            "`sorted(range(len(confidence)), key=…)` gives the indices, the least sure first, and keeps equals in "
            "order. Remember the groups that you have seen in a set.",
        ),
        proves="least sure first, one a group, also where equals meet or groups run out",
        mistakes=[
            Mistake(
                known.picked(apart="nothing"), "two of one group are labeled, and the second teaches next to nothing."
            ),
            Mistake(known.picked(by="least sure, then last"), "of equals you take the later; take the earlier."),
            Mistake(known.by_value, "`index` finds the first of equals only: sort the places, not the values."),
            Mistake(known.best_in_order, "the order is lost: the least sure comes first."),
            Mistake(known.picked(by="surest"), "you take those of which the model is surest; it knows them."),
            Mistake(known.picked(by="place"), "confidence does not count in your choice."),
            Mistake(
                known.picked(by="nearest one half"),
                "below one half a model with several choices is *less* sure; take the lowest confidence.",
            ),
            Mistake(
                known.picked(apart="cut first"),
                "you cut to n first and then drop groups seen before: fewer are left than could be.",
            ),
            Mistake(known.picked(apart="neighbors"), "a group comes again after another one: remember all groups."),
            Mistake(known.picked(apart="filled up"), "where the groups run out, fewer than n are the answer."),
            Mistake(known.picked(out="sorted"), "the order is lost: the least sure comes first."),
            Mistake(known.picked(out="values"), "give the tickets' indices, not their confidences."),
            Mistake(known.picked(room=1), "one too many."),
            Mistake(known.surest_of_each, "you take the first ticket of each group; take its least sure one."),
        ],
    ),
]
