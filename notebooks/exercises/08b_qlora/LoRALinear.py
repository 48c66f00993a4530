"""LoRA: a frozen layer, and beside it a correction that is trained. How must it start, and what may it keep?"""

import torch
from torch import nn
from torch.nn import functional as F

MINUTES, DOTS = 8, 2
TOLERANCE = 1e-4  # sums in another order
PROVES = "at first it does what the base did, only A and B are trained, and no copy of the matrix or of x is kept"


class LoRALinear(nn.Module):
    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base = base.requires_grad_(False)
        self.A = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))
        self.scale = alpha / rank

    def forward(self, x):
        low = F.linear(x, self.A.to(x.dtype))  # (…, rank)
        return self.base(x) + self.scale * F.linear(low, self.B.to(x.dtype))


HINTS = """
The correction first makes `rank` numbers of x, then as many numbers as the base gives. Which of the two matrices has
    to be zero so that the layer starts as it was, and why not both?
A tensor is trained if it is an `nn.Parameter`; `base.requires_grad_(False)` freezes a layer and returns it. With A of
    shape (rank, in), `F.linear(x, A)` is x Aᵀ.
A and B are in 32 bits, and x may be in 16. Cast the small ones, `A.to(x.dtype)`, and call `self.base(x)` as it is: a
    base that holds codes has no matrix that you could use.
"""
SLIPS = """
base.requires_grad_(False) => base
    the base is not frozen: `requires_grad_(False)`.
torch.zeros(base.out_features, rank) => torch.randn(base.out_features, rank)
    at first the layer has to do what the base did, so B starts at zero.
torch.randn(rank, base.in_features) => torch.zeros(rank, base.in_features)
    if A and B are both zero, neither gets a gradient: A starts at random.
torch.randn(rank, base.in_features) => torch.ones(rank, base.in_features)
    rows of A that are alike stay alike in training: draw A at random.
nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5) => torch.randn(rank, base.in_features)
    a tensor alone is not trained: wrap A in `nn.Parameter`.
nn.Parameter(torch.zeros(base.out_features, rank)) => torch.zeros(base.out_features, rank)
    a tensor alone is not trained: wrap B in `nn.Parameter`.
alpha / rank => alpha
    the scale is alpha / rank.
alpha / rank => rank / alpha
    the scale is alpha / rank, not the other way round.
self.scale * F.linear(low => F.linear(low
    the correction is not scaled: multiply it by alpha / rank.
self.A.to(x.dtype) => self.A.data.to(x.dtype) && self.B.to(x.dtype) => self.B.data.to(x.dtype)
    A and B get no gradient: compute with the parameters themselves, not with their `.data`.
self.base(x) + self.scale => self.base(x).detach() + self.scale
    the gradient has to pass through the frozen layer, too: no `detach` and no `no_grad` there.
self.base(x) + self.scale => self.scale
    the frozen layer is missing: add `self.base(x)`.
self.base(x) + self.scale * F.linear(low, => self.scale * self.base(x) + F.linear(low,
    the frozen layer is scaled; scale the correction.
F.linear(x, self.A.to(x.dtype)) => F.linear(x.float(), self.A).to(x.dtype)
    a 32-bit copy of x is kept for the backward pass: leave x as it is, and cast A and B to its dtype.
self.base(x) + => F.linear(x.float(), self.base.weight.float()).to(x.dtype) +
    the frozen matrix is copied to 32 bits, and the copy is kept for the backward pass: call `self.base(x)`.
self.scale * F.linear(low, self.B.to(x.dtype)) => self.scale * x @ (self.B @ self.A).T.to(x.dtype)
    B A is as large as the frozen matrix, and it is kept: multiply x by A first, then by B.
```
        low = F.linear(x, self.A.to(x.dtype))  # (…, rank)
        return self.base(x) + self.scale * F.linear(low, self.B.to(x.dtype))
=>
        low = F.linear(x.float(), self.A)
        return self.base(x) + self.scale * F.linear(low, self.B)
```
    the output is in 32 bits where x is in 16: cast A and B to the dtype of x.
"""
COPIED = "a matrix as large as the frozen one is kept for the backward pass: cast A and B only, multiply by A first."
WIDER = "a 32-bit copy of x is kept for the backward pass: leave x as it is, and cast A and B to its dtype."
NARROW = "the optimizer adds tiny steps to A and B: keep them in float32, whatever the base is in."
TRAINED = "the base is still trained: freeze it, as with `base.requires_grad_(False)`."


def drive(answer, dtype, n_in, n_out, rank, alpha):
    """What the layer gives and keeps; numbers only in 32 bits, where the order of roundings hardly matters."""
    torch.manual_seed(n_in)
    base = nn.Linear(n_in, n_out, bias=False, dtype=dtype)
    x, A, B = torch.randn(3, 2, n_in).to(dtype), torch.randn(rank, n_in) / n_in, torch.randn(n_out, rank)
    layer, copies, wider = answer(base, rank, alpha), [], []
    for name, shape in {"A": (rank, n_in), "B": (n_out, rank)}.items():
        if tuple(getattr(getattr(layer, name, None), "shape", ())) != shape:
            raise TypeError(f"`{name}` has to be an `nn.Parameter` of shape {shape}; compute with it as F.linear does.")
    if (start := layer(x)) is None:
        raise TypeError("`forward` gives nothing back: return the sum.")
    start, first, narrow = start.detach(), layer.A[0], {layer.A.dtype, layer.B.dtype} - {torch.float32}
    at_first = "random" if (layer.A != first).any() else "alike" if first.any() else "zero"
    with torch.no_grad():
        layer.A.copy_(A)
        layer.B.copy_(B)

    def keep(tensor):
        if tensor.numel() == base.weight.numel() and tensor.data_ptr() != base.weight.data_ptr():
            copies.append(tensor.shape)
        if tensor.dtype != dtype and tensor.numel() >= x.numel():  # A and B have fewer numbers than x
            wider.append(tensor.shape)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        y = layer(x.requires_grad_())
    trained = " ".join(sorted(name for name, parameter in layer.named_parameters() if parameter.requires_grad))
    told = {"trained": trained, "dtype": str(y.dtype), "copies": [len(copies), len(wider)]}
    told |= {"A at first": at_first, "narrow": len(narrow)}
    if dtype == torch.float32:
        gradients = torch.autograd.grad(y.square().mean(), [x, layer.A, layer.B], allow_unused=True)
        told |= {"at first": start, "with other A and B": y.detach(), "gradients": list(gradients)}
    return told


def shown(dtype, n_in, n_out, rank, alpha):
    return f"LoRALinear(Linear({n_in}, {n_out}) in {str(dtype)[6:]}, rank={rank}, alpha={alpha})"


PROPERTIES = [
    ("A and B are in 32 bits", lambda told, *_: not told["narrow"], NARROW),
    ("only A and B are trained", lambda told, *_: set(told["trained"].split()) <= {"A", "B"}, TRAINED),
    ("no copy of the frozen matrix is kept", lambda told, *_: not told["copies"][0], COPIED),
    ("no 32-bit copy of x is kept", lambda told, *_: not told["copies"][1], WIDER),
]


def cases(rng):
    return [
        (torch.float32, 12, 9, 2, 6),
        (torch.float32, 10, 10, 4, 2),
        (torch.bfloat16, 16, 24, 2, 8),
        (torch.float32, 7, 11, 3, 16),
        (torch.bfloat16, 8, 8, 4, 4),
    ]
