"""train_step: the five lines that every training loop repeats, in an order that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor, nn

from helpers.exercises.checking.spec import Exercise


def train_step(
    model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor, loss_of: Callable
) -> float:
    """One step on one minibatch: changes the model's weights, and returns the loss from before the change.

    loss_of(predictions, targets)  →  a tensor with one number; the model gives the predictions.
    """
    loss = loss_of(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


ANSWER = """
def train_step(model, optimizer, inputs, targets, loss_of):
    loss = loss_of(model(inputs), targets)  # predict, and measure the loss
    optimizer.zero_grad()  # forget the gradient of the last step
    loss.backward()  # one gradient per parameter
    optimizer.step()  # change the parameters
    return loss.item()
"""
CLEAR = "    optimizer.zero_grad()  # forget the gradient of the last step\n"
BACKWARD = "    loss.backward()  # one gradient per parameter\n"
STEP = "    optimizer.step()  # change the parameters\n"
STILL = (
    "the weights do not move: a line is missing, or the order is wrong. "
    "First clear the gradients, then `backward`, then `step`."
)
SLIPS = [
    (CLEAR, "", "the gradients of the earlier steps are still in it: clear them with `optimizer.zero_grad()`."),
    (BACKWARD, "", STILL),
    (STEP, "", STILL),
    ([(CLEAR, ""), (BACKWARD, BACKWARD + CLEAR)], STILL),
    ([(BACKWARD, ""), (STEP, STEP + BACKWARD)], STILL),
    (
        [(CLEAR, ""), (BACKWARD, STEP), (STEP, CLEAR + BACKWARD)],
        "`step` comes before `backward`, so it uses the gradient of the step before.",
    ),
    ("    return loss.item()\n", "", "`return` is missing: the loop wants to keep the loss of each step."),
    (".item()", "", "it returns the tensor, which keeps everything it was computed from; return `loss.item()`."),
    ("return loss.item()", "return loss_of(model(inputs), targets).item()", "you measure the loss after the step."),
    (
        "loss_of(model(inputs), targets)",
        "loss_of(inputs, targets)",
        "you compare the inputs with the targets; the model has not predicted anything yet.",
    ),
    (
        "loss_of(model(inputs), targets)",
        "loss_of(targets, model(inputs))",
        "the order is loss_of(predictions, targets); not every loss is the same both ways.",
    ),
    (
        "loss_of(model(inputs), targets)  #",
        "loss_of(model(inputs).detach(), targets)  #",
        "`.detach()` or `torch.no_grad()` cuts the loss off from the weights, so there is nothing to go back through.",
    ),
]
REFUSED = [
    ("inputs), targets)  #", "inputs)[0], targets)  #", "The result is wrong for `train_step('"),
]
RIGHT = [
    ([(CLEAR, ""), (STEP, STEP + CLEAR)]),
    """
def train_step(model, optimizer, inputs, targets, loss_of):
    for parameter in model.parameters():
        parameter.grad = None
    loss = loss_of(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.detach().item()
""",
]
OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.01),
    "SGD with momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.005, momentum=0.9),
    "AdamW": lambda parameters: torch.optim.AdamW(parameters, lr=0.01),
}


def lopsided(predictions: Tensor, targets: Tensor) -> Tensor:
    """A loss for which it matters what is the prediction: errors count by the size of the target."""
    return ((predictions.reshape(-1) - targets.reshape(-1)) ** 2 * (1 + targets.reshape(-1) ** 2)).mean()


def drive(train_step: Callable, asked: str) -> dict[str, Any]:
    """What some steps return, and where they leave the weights of a line; `asked` reads "3 steps of AdamW"."""
    steps, _, optimizer = asked.split(" ", 2)
    torch.manual_seed(len(asked))
    model = nn.Linear(2, 1)
    chosen = OPTIMIZERS[optimizer.removeprefix("of ")](model.parameters())
    returned = []
    for _ in range(int(steps)):
        inputs = torch.randn(5, 2)
        loss = train_step(model, chosen, inputs, inputs[:, 0] * 2 + 1, lopsided)
        if loss is None:
            raise TypeError("train_step returned None where the loss, a number, is wanted")
        returned.append(loss)
    weights = [*model.weight.detach().flatten().tolist(), model.bias.item()]
    return {"the losses returned": returned, "the weights afterwards": weights}


def cases(rng: Generator) -> list[tuple]:
    return [
        ("1 step of SGD",),
        ("3 steps of SGD",),
        ("2 steps of AdamW",),
        ("6 steps of AdamW",),
        ("4 steps of SGD with momentum",),
    ]


EXERCISE = Exercise(
    reference=train_step,
    minutes=4,
    difficulty=2,
    drive=drive,
    hints=(
        "Which five things does `fit_line` do in each of its sixty rounds? (It clears the gradient after the step; "
        "both orders work.)",
        "Predict with the model and measure the loss; clear the old gradients; go backwards; let the optimizer take "
        "its step; return the loss as a number.",
        "The loss is `loss_of` of what the model predicts and the targets. Then call `zero_grad` of the optimizer, "
        "`backward` of the loss and `step` of the optimizer, in this order. A tensor's `.item()` is its number.",
    ),
    proves="one step or six, three optimizers: no gradient is left over, and the loss is that from before the step",
)
