"""The choice by pointwise mutual information: for which label does this ticket speak most?"""

import torch

MINUTES, DOTS = 4, 1
PROVES = "what each label gets from unlabeled tickets is taken off, and every ticket chooses for itself"


def pmi_choice(scores, unlabeled):
    usual = unlabeled.mean(0)
    return (scores - usual).argmax(-1).tolist()


HINTS = """
Which label would win if you knew nothing of the ticket? Take away what wins it that place.
`unlabeled` has a row for each ticket and a column for each label. What a label usually gets is the mean of its column.
`unlabeled.mean(0)` has one number for each label, and PyTorch takes it off every row of `scores`. Then `argmax(-1)`
    finds the best place in each row, and `.tolist()` makes a list of them.
"""
SLIPS = """
scores - usual => scores
    what a label usually gets is not taken off, so the most usual text wins: each label has its own mean, over tickets.
scores - usual => scores + usual
    you add what a label usually gets: subtract it.
scores - usual => usual - scores
    this chooses the label for which the ticket speaks least.
scores - usual => scores / usual
    a ratio of logarithms is not the logarithm of a ratio: subtract.
scores - usual => scores.exp() - usual.exp()
    these are differences of probabilities: subtract the logarithms themselves.
unlabeled.mean(0) => unlabeled.mean()
    what a label usually gets is not taken off, so the most usual text wins: each label has its own mean, over tickets.
unlabeled.mean(0) => unlabeled.sum(0)
    take the mean over the unlabeled tickets, not their sum.
unlabeled.mean(0) => unlabeled[0]
    one ticket says something of its own: take the mean over all unlabeled ones.
unlabeled.mean(0) => unlabeled.amax(0)
    take the mean over the unlabeled tickets, not the highest score.
unlabeled.mean(0) => scores.mean(0)
    the mean is over the unlabeled tickets, not over those that you sort.
argmax(-1) => argmax(0)
    a row is a ticket: look for the best label along the row.
argmax(-1) => argmin(-1)
    this chooses the label for which the ticket speaks least.
"""
REFUSED = """
.tolist() =>
    The kind of the result
"""


PROPERTIES = [("there is one place for each ticket", lambda result, scores, *_: len(result) == len(scores))]


def cases(rng):
    def drawn(*shape, scale, shift):
        return torch.tensor(rng.normal(size=shape) * scale + shift, dtype=torch.float32)

    def case(tickets, unlabeled, labels):
        usual = drawn(labels, scale=4, shift=-20)
        return usual + drawn(tickets, labels, scale=2, shift=0), usual + drawn(unlabeled, labels, scale=2, shift=0)

    return [
        (torch.tensor([[-20.0, -30.0], [-19.0, -36.0]]), torch.tensor([[-21.0, -33.0], [-19.0, -35.0]])),
        case(6, 4, 4), case(5, 12, 9), case(1, 30, 5), case(9, 3, 9), case(12, 5, 3),
        (drawn(7, 3, scale=2, shift=-6), torch.full((4, 3), -6.0)),
    ]  # fmt: skip
