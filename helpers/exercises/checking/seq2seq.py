"""Exercises of 07b_seq2seq: overlap, a decoder's two rows, a loss with a bug, support by the source, publishing."""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

from helpers.exercises.checking import seq2seq_mistakes as known
from helpers.exercises.checking.spec import Exercise, Mistake, Property
from helpers.foundations.probability import IGNORED
from helpers.metrics.text import unigram_f1
from helpers.training.seq2seq import collate_targets, label_loss
from helpers.trials.summaries import choose_summary, unsupported
from helpers.velunda.reports import generate_reports


def planted_label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The version that stands in the notebook: padding counts as if token 0 had to be written there."""
    wanted = labels.clamp(min=0)
    return F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="sum")


# ── inputs ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _f1_cases(rng: Generator) -> list[tuple]:
    def words(n: int, of: int = 6) -> list[str]:
        return [f"w{i}" for i in rng.integers(of, size=n)]

    return [
        (["the", "the", "cat"], ["the", "dog"]),
        (["the", "dog"], ["the", "the", "cat", "the"]),
        (words(12), words(7)),
        (words(5, 3), words(9, 3)),
        (["a", "b"], ["b", "a"]),
        (["a"], ["b", "c"]),
        ([], ["a"]),
        (words(8, 40), words(8, 40)),
        (words(20, 4), words(3, 4)),
    ]


def _target_cases(rng: Generator) -> list[tuple]:
    def rows(*lengths: int) -> list[list[int]]:
        return [[int(i) for i in rng.integers(2, 50, size=n)] for n in lengths]

    return [
        (rows(4, 2, 5), 1),
        (rows(3), 1),
        (rows(3, 3), 0),
        (rows(1, 4), 7),
        ([[5, 0, 0, 9], [0, 8]], 3),  # 0 is a token like others
        (rows(6, 1, 2, 2), 50),
        ([[9, 4, 3, 8, 3], [7, 3]], 3),  # the padding token as a part of targets: its place tells it from padding
    ]


def _loss_cases(rng: Generator) -> list[tuple]:
    def case(B: int, T: int, V: int, skipped: float) -> tuple:
        logits = torch.tensor(rng.normal(size=(B, T, V)) * 2, dtype=torch.float32)
        labels = torch.tensor(rng.integers(V, size=(B, T)))
        labels[torch.tensor(rng.random((B, T)) < skipped)] = IGNORED
        labels[0, 0] = 0  # 0 is a label too
        return logits, labels

    logits, labels = case(3, 5, 6, 0.4)
    return [
        case(2, 4, 7, 0.4),
        (logits.requires_grad_(), labels),  # as in training
        case(1, 6, 5, 0.3),
        case(3, 3, 11, 0.0),
        case(4, 5, 3, 0.7),
        case(2, 8, 4, 0.5),
        (torch.zeros(1, 3, 5), torch.tensor([[IGNORED, 2, IGNORED]])),
    ]


def _summary_cases(rng: Generator) -> list[tuple]:
    reports = generate_reports(40, seed=int(rng.integers(1000)))
    own = [(report["summary"], report["text"]) for report in reports[:2]]
    others = [(reports[i]["summary"], reports[i + 2]["text"]) for i in range(2, 5)]
    return [
        *own,
        *others,
        ("The app was dead for 17 minutes.", "For 170 minutes it was dead, 17th of May."),
        ("Ghent paid 12 euros; Haas paid 12 in Ghent.", "Mr. Haas paid 11 euros in graz."),
        ("The code was E04, not E07.", "It showed E04 twice."),
        ("The update of v3 to v4 took 4x as long.", "From v3 on, it took long."),
        ("Haas's Kite rode to Lyon.", "The Kite of Lang rode away."),
        ("In Ghent, Haas rode.", "haas rode in Ghentbrugge."),
        ("nothing to see here", "Nothing."),
        ("17 riders wrote that 3 fell.", "70 riders wrote that 3 fell."),  # a first word that holds a digit
        ("Both BMS and McKay failed.", "Both failed, the bms and Mckay."),  # capitals within a word
        ("For Zoë and Müller, it was late.", "Zo and Zoë told M and Muller that it was late."),
        ("", "Mr. Haas."),
    ]


def _candidate_cases(rng: Generator) -> list[tuple]:
    text = "Mr. Haas paid 12 euros in Ghent on Monday."
    clean, longer = "In Ghent, it was paid.", "On Monday, Mr. Haas paid 12 euros in Ghent."
    lies = ["Mr. Lang paid 12 euros.", "It cost 13 euros.", "Mr. Lang paid 13 euros in Graz."]
    mixed = [*lies, clean, longer]
    return [
        (lies[:2] + [clean, longer], text),
        ([clean, longer, lies[0]], text),
        (list(lies), text),
        ([lies[2], lies[0]], text),
        ([mixed[i] for i in rng.permutation(len(mixed))], text),
        ([longer], text),
        ([lies[1], longer, clean], text),
        ([], text),
    ]


# ── the exercises ─────────────────────────────────────────────────────────────────────────────────────────────────

NOTEBOOK = "07b_seq2seq"
EXERCISES = [
    Exercise(
        name="unigram_f1",
        notebook=NOTEBOOK,
        minutes=2,
        difficulty=2,
        reference=unigram_f1,
        cases=_f1_cases,
        hints=(
            "The summary has “the” twice, the reference once. How often is it shared?",
            "A word is shared as often as the list that has it less often. `collections.Counter` counts a list, and "
            "two counters can be intersected.",
            "`Counter(a) & Counter(b)` keeps the smaller count of each word and `.total()` adds them up. F1 is twice "
            "that, divided by the words of both lists together; give 0.0 where nothing is shared.",
        ),
        proves="words count as often as both have them, order does not, and nothing shared gives 0",
        properties=[
            Property(
                "it lies between 0 and 1",
                lambda result, *_: 0 <= result <= 1,
            ),
        ],
        mistakes=[
            Mistake(known.f1(over="words"), "this is precision: F1 divides by the words of both lists together."),
            Mistake(known.f1(over="reference"), "this is recall: F1 divides by the words of both lists together."),
            Mistake(known.f1(over="sum"), "shared words stand in both lists, so they count twice: 2 · shared."),
            Mistake(
                known.f1(over="mean"), "the plain mean of precision and recall; F1 is 2 · shared / all words of both."
            ),
            Mistake(known.f1(over="percent"), "this is in percent; F1 lies between 0 and 1."),
            Mistake(known.f1("set"), "a set forgets how often a word stands there; use `Counter`."),
            Mistake(known.f1("set", "sets"), "a set forgets how often a word stands there; use `Counter`."),
            Mistake(known.f1("set", "union"), "this is Jaccard's measure, of sets; F1 counts words."),
            Mistake(known.f1("each"), "a word is shared only as often as *both* lists have it."),
            Mistake(lambda w, r: known.f1()(w, r) if w else 1.0, "an empty summary shares nothing: 0.0."),
        ],
    ),
    Exercise(
        name="collate_targets",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=2,
        reference=collate_targets,
        cases=_target_cases,
        hints=(
            "Two tensors of one shape. What must the loss skip, and what may the decoder have read before each label?",
            "Fill the labels up with −100 on the right. The decoder's row is the labels moved one place to the right: "
            "first pad_id, then all but the last. An embedding has no row −100, so put pad_id there.",
            "`torch.full((B, longest), -100)`, then `labels[i, :len(row)] = torch.tensor(row)` for each row. For the "
            "other start with `torch.full_like(labels, pad_id)`, copy `labels[:, :-1]` into its columns from 1 on, and "
            "`masked_fill` where it is below 0.",
        ),
        proves="labels are padded with −100 on the right, and the decoder reads the label before, never −100",
        mistakes=[
            Mistake(known.collated(filler="pad"), "the labels are filled with `pad_id`, so padding would be learned."),
            Mistake(known.collated(filler=0), "the labels are filled with 0, which is a token; the loss skips −100."),
            Mistake(
                known.masked_by_id, "you mask by the id of padding: a target may hold it; padding is what is *behind*."
            ),
            Mistake(
                known.emptied_at_its_place,
                "where its own label is −100 the decoder may still read one: what counts is the label *before*.",
            ),
            Mistake(known.padded_left, "padding belongs on the right, behind the end."),
            Mistake(known.collated(shift="none"), "the decoder reads the very label it shall write: move it right."),
            Mistake(known.collated(shift="left"), "this is shifted to the left: the decoder reads what comes *after*."),
            Mistake(known.collated(shift="longer"), "the start is put in front, so the last label has to go."),
            Mistake(known.collated(shift="rolled"), "the last label has come round to the first place."),
            Mistake(known.collated(shift="zero"), "the start is fixed as 0; use `pad_id`."),
            Mistake(known.collated(skipped="kept"), "−100 is still in what the decoder reads."),
            Mistake(known.collated(skipped="zero"), "where the label is −100 the decoder reads `pad_id`, not 0."),
            Mistake(known.collated(swapped=True), "the labels come first."),
            Mistake(lambda *args: collate_targets(*args)[0], "return two tensors: labels and what the decoder reads."),
        ],
    ),
    Exercise(
        name="label_loss",
        notebook=NOTEBOOK,
        minutes=3,
        difficulty=2,
        reference=label_loss,
        planted=planted_label_loss,
        cases=_loss_cases,
        hints=(
            "Print `wanted` for a short target beside a long one. What is the model asked to write behind its end?",
            "The first line turns −100 into 0, and 0 is a token: the model is trained to write it. Something has to "
            "tell the loss which places to leave out.",
            "Do not change the labels at all. `F.cross_entropy` has an argument `ignore_index` that names the label "
            "to skip, and −100 is even its default. The sum over all the others stays as it is.",
        ),
        proves="labels of −100 add nothing, label 0 does, and the sum runs over all others",
        properties=[
            Property(
                "it can be trained by",
                lambda result, logits, labels: result.requires_grad or not logits.requires_grad,
                "`.detach()`, `.data` or a new tensor cuts the loss off from the logits: no gradient reaches them.",
                evidence=lambda result, *_: "The logits need a gradient, and your result has none to give.",
            ),
            Property(
                "places with the label −100 add nothing",
                lambda result, logits, labels: (
                    torch.allclose(
                        result.detach().reshape(()).float(),
                        F.cross_entropy(logits[labels != IGNORED], labels[labels != IGNORED], reduction="sum"),
                        atol=1e-3,
                    )
                    or abs(result.item() - known.loss(everything=True)(logits, labels).item()) > 1e-3
                    or bool((labels != IGNORED).all())
                ),
                "padding is counted as if token 0 had to be written there.",
            ),
        ],
        mistakes=[
            Mistake(planted_label_loss, "padding is counted as if token 0 had to be written there."),
            Mistake(known.loss("mean"), "this is the mean; return the sum, so that batches can be added up."),
            Mistake(known.loss("mean", everything=True), "padding is counted, and this is the mean, not the sum."),
            Mistake(
                known.loss(shifted=True), "the decoder's row is shifted already: logits and labels stand together."
            ),
            Mistake(known.zero_left_out, "0 is a label like others, and you skip it; skip −100."),
            Mistake(known.mean_of_rows, "you add up the rows' means; add up all surprises."),
            Mistake(lambda *args: -label_loss(*args), "the sign: surprise is *minus* the logarithm."),
            Mistake(known.loss("none"), "one number is asked for: the sum."),
            Mistake(known.loss(probabilities=True), "`cross_entropy` takes logits: it does the softmax itself."),
        ],
    ),
    Exercise(
        name="unsupported",
        notebook=NOTEBOOK,
        minutes=4,
        difficulty=2,
        reference=unsupported,
        cases=_summary_cases,
        hints=(
            "First: which words of the summary claim something that can be checked? Then: which words has the text?",
            'Cut both into words with `re.findall(r"\\w+", …)`. Keep words of the summary that hold a digit, or begin '
            "with a capital and are not the first; report those that are missing among the words of the text.",
            "A set of the text's words makes “stands in the text” one look-up. Go through `enumerate` of the summary's "
            "words: `any(c.isdigit() for c in word)` or `i > 0 and word[0].isupper()`, and then `word not in` the set.",
        ),
        proves="whole words, same spelling, digits anywhere in a word, and the first word only where it holds a digit",
        mistakes=[
            Mistake(known.told(within=True), "17 stands *within* 170: compare whole words."),
            Mistake(known.told(folded=True), "“haas” is not “Haas”: the spelling has to be the same."),
            Mistake(
                known.told(first=True), "the first word always has a capital; leave it out unless it holds a digit."
            ),
            Mistake(known.told(first=None), "the first word is left out even where it holds a digit."),
            Mistake(known.told(alike=True), "every word equal to the first is left out; only the first itself is."),
            Mistake(known.told(titles=True), "BMS and McKay begin with a capital too: `word[0].isupper()`."),
            Mistake(known.told(ascii_only=True), "letters such as ë and ü belong to words: cut with `\\w+`."),
            Mistake(known.told(digits=False), "numbers are left out."),
            Mistake(known.told(names=False), "names are left out."),
            Mistake(known.told(inverted=True), "these *are* in the text; return the others."),
            Mistake(known.told(once=True), "a word that is wrong twice is told twice."),
            Mistake(known.told(spaces=True), "“Ghent,” with its comma is no word of the text: cut with `\\w+`."),
            Mistake(
                known.told(number=str.isdigit), "a word such as v4 holds a digit too: `any(c.isdigit() for c in word)`."
            ),
            Mistake(
                known.told(number=lambda word: word[0].isdigit()),
                "a word such as v4 holds a digit too: `any(c.isdigit() for c in word)`.",
            ),
            Mistake(known.told(in_order=False), "the order is lost: give them as they stand in the summary."),
        ],
    ),
    Exercise(
        name="choose_summary",
        notebook=NOTEBOOK,
        minutes=3,
        difficulty=1,
        reference=choose_summary,
        cases=_candidate_cases,
        hints=(
            "Which is worse: to publish nothing, or to publish a name that the report does not have?",
            "Go through the candidates, the likeliest first, and stop at one in which `unsupported` finds nothing. "
            "If there is none, nothing is published.",
            "A loop over `enumerate(candidates)` with one `if` that calls `unsupported(summary, text)` and returns the "
            "number; behind the loop, `return None`.",
        ),
        proves="the likeliest without an unsupported word, and None where all have one",
        mistakes=[
            Mistake(known.minus_one, "−1 is the last one's number for a list; where all lie, give None."),
            Mistake(known.from_one, "numbers begin with 0."),
            Mistake(known.zero_taken_for_none, "`or` takes 0 for nothing: the first one's number is 0."),
            Mistake(known.turned_around, "you ask whether the text is supported by the summary; it is the other way."),
            Mistake(known.fewest, "the one with the fewest wrong words still lies: where all do, give None."),
            Mistake(known.last_clean, "this is the last one without a fault; candidates stand in order of likelihood."),
            Mistake(known.zero_for_none, "where none is without a fault, give None, not the first."),
            Mistake(known.only_the_first, "you look at the first one only; the second may be without a fault."),
            Mistake(known.its_text, "return the candidate's number, not its text."),
            Mistake(known.first_unclean, "this is the first *with* a fault."),
            Mistake(
                known.most_facts, "this is the longest one without a fault; take the likeliest, which stands first."
            ),
        ],
    ),
]
