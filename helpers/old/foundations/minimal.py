"""Backpropagation in its smallest form: single numbers that remember what they were computed from.

    w = Value(3.0)
    loss = w * w
    loss.backward()
    w.grad                        # 6.0, as autograd gives it

After A. Karpathy's micrograd (2020). What it does not do: tensors, subtraction, division; `torch.autograd` has them.
"""

from __future__ import annotations


class Value:
    """One number, and how much it changes per unit of each number that it was computed from."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents  # parents: pairs (Value, local derivative)

    def __add__(self, other):
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def backward(self):
        order = []  # parents before children

        def visit(value):
            if value not in order:
                for parent, _ in value.parents:
                    visit(parent)
                order.append(value)

        visit(self)
        self.grad = 1.0
        for value in reversed(order):
            for parent, local in value.parents:
                parent.grad += local * value.grad  # chain rule: multiply along a path, add over paths
