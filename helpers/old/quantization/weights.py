"""Weight-only quantization: store a matrix in 8 or 4 bits a weight, and multiply by it as it is.

    codes, scale = quantize_rows_absmax(weight)              # int8: one scale for each row
    codes, scale, zero = quantize_groups(weight, group=32)   # int4: a scale and a zero for every 32 weights of a row
    dequantize(codes, scale, zero)                           # back to numbers, each within half a step

    quantize_(model, bits=4)                                 # every nn.Linear of a model, in place

What is added to a text is computed as before; only the weights are coarser, and fewer bytes are read for each token.
The products run on PyTorch's own CPU kernels. Their operators are private, so they are tried once on a small case
(`kernel_works`); where one is missing or wrong, a plain version gives the same numbers, slowly.

What it does not do: quantize activations, caches or embeddings, learn scales from data (GPTQ, AWQ), train.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear  # its owner reads the weight itself

INT8_MAX, INT4_LEVELS, INT4_MIDDLE = 127, 16, 8
KERNEL_GROUPS, KERNEL_ROWS = (32, 64, 128, 256), 16  # the int4 kernel's group sizes; it wants whole blocks of rows


# Numbers to codes and back -------------------------------------------------------------------------------------------


def quantize_rows_absmax(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 codes and one scale a row, so that each row's largest size becomes 127 (Dettmers et al., 2022).

    weight: (N, K)  →  codes (N, K) int8, scale (N,) float32. A row of zeros gets codes 0 and the scale 1.
    Raises ValueError for weights that are not a matrix of finite numbers.
    """
    weight = _require_matrix(weight)
    largest = weight.abs().amax(dim=1)  # (N,)
    scale = torch.where(largest > 0, largest / INT8_MAX, 1.0)
    return (weight / scale[:, None]).round_().to(torch.int8), scale


def quantize_groups(
    weight: Tensor, group: int = 32, symmetric: bool = False, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor]:
    """int4 codes, with a scale and a zero for every `group` weights of a row: weight ≈ (code − 8) · scale + zero.

    weight: (N, K)  →  codes (N, K) uint8 in 0 … 15; scale and zero (N, K/group) in `dtype`, to which the codes are
    fitted. Asymmetric: the 16 levels reach from the group's smallest weight to its largest. symmetric: 15 levels
    around 0, from −largest to +largest, and every zero is 0. A group whose weights are all equal is kept exactly.
    Raises ValueError where the group does not divide K, and for weights that are not a matrix of finite numbers.
    """
    weight = _require_matrix(weight)
    N, K = weight.shape
    if group < 1 or K % group:
        raise ValueError(f"Groups of {group} do not divide rows of {K} weights: choose a group size that does.")
    weight = weight.view(N, K // group, group)
    if symmetric:
        steps = weight.abs().amax(dim=-1) / (INT4_MIDDLE - 1)
        zero = torch.zeros_like(steps)
    else:
        low, high = weight.aminmax(dim=-1)
        steps = (high - low) / (INT4_LEVELS - 1)
        zero = low + INT4_MIDDLE * steps
    scale, zero = torch.where(steps > 0, steps, 1.0).to(dtype), zero.to(dtype)
    codes = ((weight - zero[..., None].float()) / scale[..., None].float()).round() + INT4_MIDDLE
    return codes.clamp(0, INT4_LEVELS - 1).to(torch.uint8).view(N, K), scale, zero


def dequantize(codes: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    """The weights that codes stand for, (N, K) float32.

    codes: (N, K); int8 with scale (N,), or uint8 with scale and zero (N, K/group) as `quantize_groups` gives them.
    """
    if zero is None:
        return codes.float() * scale[:, None].float()
    N, K = codes.shape
    groups = codes.view(N, scale.shape[1], -1).float() - INT4_MIDDLE  # (N, K/group, group)
    return (groups * scale[..., None].float() + zero[..., None].float()).view(N, K)


def _require_matrix(weight: Tensor) -> Tensor:
    if weight.dim() != 2:
        raise ValueError(f"Weights to quantize are a matrix (N, K), not a tensor {tuple(weight.shape)}.")
    weight = weight.detach().float()
    if not bool(weight.isfinite().all()):
        raise ValueError("The weights hold NaN or infinity, which no scale can cover.")
    return weight


# Layers --------------------------------------------------------------------------------------------------------------


class Int8Linear(nn.Module):
    """`nn.Linear` with int8 weights and a scale for each row: (…, in_features) → (…, out_features), dtype of x.

    As the kernel wants it, x is multiplied in bfloat16 and the sum, taken in float32, rounded to bfloat16.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.out_features, self.in_features = linear.weight.shape
        codes, scale = quantize_rows_absmax(linear.weight)
        self.register_buffer("codes", codes)  # (N, K) int8
        self.register_buffer("scale", scale.bfloat16())  # (N,)
        self.bias, self.has_bias = linear.bias, linear.bias is not None
        self.by_kernel = codes.device.type == "cpu" and kernel_works(8)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, self.in_features).bfloat16()
        if self.by_kernel:
            out = int8_product(rows, self.codes, self.scale)
        else:
            out = _plain_product(rows, dequantize(self.codes, self.scale))
        out = out.view(*x.shape[:-1], self.out_features).to(x.dtype)
        return out + self.bias.to(x.dtype) if self.has_bias else out

    def extra_repr(self) -> str:
        """What `print(model)` says of it."""
        return f"{self.in_features}, {self.out_features}, by_kernel={self.by_kernel}"


class Int4Linear(nn.Module):
    """`nn.Linear` with int4 weights, two to a byte, and a scale and a zero for every `group` of them.

    (…, in_features) → (…, out_features), dtype of x; precision as in `Int8Linear`. How codes lie in `packed` depends
    on the kernel, and so on the machine. Raises ValueError where the group does not divide in_features.
    """

    def __init__(self, linear: nn.Linear, group: int = 32, symmetric: bool = False) -> None:
        super().__init__()
        self.out_features, self.in_features = linear.weight.shape
        self.group, self.symmetric = group, symmetric
        codes, scale, zero = quantize_groups(linear.weight, group, symmetric, torch.bfloat16)
        fits = group in KERNEL_GROUPS and self.out_features % KERNEL_ROWS == 0
        self.by_kernel = fits and codes.device.type == "cpu" and kernel_works(4)
        self.register_buffer("packed", _pack_for_kernel(codes) if self.by_kernel else pack_pairs(codes))  # N·K/2 bytes
        self.register_buffer("scale_zero", torch.stack((scale.T, zero.T), dim=-1).contiguous())  # (K/group, N, 2)
        self.bias, self.has_bias = linear.bias, linear.bias is not None

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, self.in_features).bfloat16()
        if self.by_kernel:
            out = int4_product(rows, self.packed, self.group, self.scale_zero)
        else:
            scale, zero = self.scale_zero.permute(2, 1, 0)  # (N, K/group) each
            out = _plain_product(rows, dequantize(unpack_pairs(self.packed), scale, zero))
        out = out.view(*x.shape[:-1], self.out_features).to(x.dtype)
        return out + self.bias.to(x.dtype) if self.has_bias else out

    def extra_repr(self) -> str:
        """What `print(model)` says of it."""
        kind = f"group={self.group}, symmetric={self.symmetric}, by_kernel={self.by_kernel}"
        return f"{self.in_features}, {self.out_features}, {kind}"


def pack_pairs(codes: Tensor) -> Tensor:
    """Two 4-bit codes to a byte, the first in the low half: (N, K) uint8 of 0 … 15 → (N, K/2) uint8."""
    return codes[:, 0::2] | codes[:, 1::2] << 4


def unpack_pairs(packed: Tensor) -> Tensor:
    """The reverse of `pack_pairs`: (N, K/2) uint8 → (N, K) uint8."""
    return torch.stack((packed & 15, packed >> 4), dim=-1).flatten(1)


# The kernels ---------------------------------------------------------------------------------------------------------


def int8_product(rows: Tensor, codes: Tensor, scale: Tensor) -> Tensor:
    """The kernel: rows (n, K) bfloat16, codes and scale of an `Int8Linear`  →  (n, N) bfloat16."""
    return torch.ops.aten._weight_int8pack_mm.default(rows, codes, scale)


def int4_product(rows: Tensor, packed: Tensor, group: int, scale_zero: Tensor) -> Tensor:
    """The kernel: rows (n, K) bfloat16, buffers of an `Int4Linear`  →  (n, N) bfloat16."""
    return torch.ops.aten._weight_int4pack_mm_for_cpu.default(rows, packed, group, scale_zero)


def _pack_for_kernel(codes: Tensor) -> Tensor:
    return torch.ops.aten._convert_weight_to_int4pack_for_cpu.default(codes.to(torch.int32), 1)


def _plain_product(rows: Tensor, weight: Tensor) -> Tensor:
    return F.linear(rows.float(), weight).bfloat16()


@cache
def kernel_works(bits: int) -> bool:
    """Whether this PyTorch has the private CPU kernel for int8 or int4 weights, and it computes what it should."""
    codes = (torch.arange(KERNEL_ROWS * 32).view(KERNEL_ROWS, 32) % 17 % INT4_LEVELS).to(torch.uint8)  # each in turn
    scale = torch.linspace(0.5, 2.0, KERNEL_ROWS).bfloat16()
    rows = torch.linspace(-1.0, 1.0, 64).view(2, 32).bfloat16()
    try:
        if bits == 8:
            found = int8_product(rows, codes.to(torch.int8), scale)
            expected = _plain_product(rows, dequantize(codes, scale))
        else:
            zero = scale.flip(0)
            found = int4_product(rows, _pack_for_kernel(codes), 32, torch.stack((scale, zero), dim=-1)[None])
            expected = _plain_product(rows, dequantize(codes, scale[:, None], zero[:, None]))
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):  # gone, not on this machine, or changed
        return False
    return bool(torch.allclose(found.float(), expected.float(), rtol=0.02, atol=0.1))  # bfloat16 inside


# Models --------------------------------------------------------------------------------------------------------------


def quantize_(
    model: nn.Module, bits: int = 8, group: int = 32, symmetric: bool = False, skip: str | Iterable[str] = ()
) -> nn.Module:
    """Exchange every `nn.Linear` inside `model` for one with int8 or int4 weights, in place; returns the model.

    group, symmetric: for 4 bits, as in `quantize_groups`; 8 bits have a scale a row. skip: names of layers to leave,
    whole ("blocks.0.attention.q_proj") or their last part ("head"). An embedding that shares a layer's matrix keeps
    it. Raises ValueError or TypeError, and changes nothing, for other bits, a model without such layers, an unknown
    name in skip, weights that are no numbers, and a group that does not divide a layer's in_features.
    """
    if bits not in (4, 8):
        raise ValueError(f"quantize_ has 8 and 4 bits, not {bits}.")
    chosen = linears_to_exchange(model, skip)
    for name, linear in chosen.items():
        if bits == 4 and (group < 1 or linear.in_features % group):
            raise ValueError(
                f"{name} has rows of {linear.in_features} weights, which groups of {group} do not divide: choose "
                f"another group, or skip={[name]!r}."
            )
    exchange(model, chosen, lambda layer: Int8Linear(layer) if bits == 8 else Int4Linear(layer, group, symmetric))
    return model


def fake_quantize_(
    model: nn.Module, round_trip: Callable[[Tensor], Tensor], skip: str | Iterable[str] = ()
) -> nn.Module:
    """Replace each linear layer's weights by what `round_trip` makes of them, in place; returns the model.

    To judge a scheme by what it does to a model, whatever kernels there are: the layers stay plain ones.
    round_trip: weights (N, K) → the weights that its codes stand for. Errors and skip as in `quantize_`.
    """

    def there_and_back(linear: nn.Linear) -> nn.Linear:
        made = copy.copy(linear)  # the same bias; its own weights
        made._parameters = dict(linear._parameters)
        made.weight = nn.Parameter(round_trip(linear.weight.detach()).to(linear.weight.dtype), requires_grad=False)
        return made

    exchange(model, linears_to_exchange(model, skip), there_and_back)
    return model


def round_trip_error(model: nn.Module, round_trip: Callable[[Tensor], Tensor], skip: str | Iterable[str] = ()) -> float:
    """What `round_trip` adds to the weights of a model's linear layers, as a share of their root mean square."""
    wrong = whole = 0.0
    for linear in set(linears_to_exchange(model, skip).values()):
        weight = linear.weight.detach().float()
        wrong += float((round_trip(weight) - weight).square().sum())
        whole += float(weight.square().sum())
    return (wrong / whole) ** 0.5


def linears_to_exchange(model: nn.Module, skip: str | Iterable[str]) -> dict[str, nn.Linear]:
    """The layers to exchange, by name; one that stands in two places has two names."""
    if not isinstance(model, nn.Module) or isinstance(model, nn.Linear):
        raise TypeError(f"This exchanges the layers inside a model, and cannot do so in a {type(model).__name__}.")
    skip = [skip] if isinstance(skip, str) else list(skip)
    layers = {
        name: module
        for name, module in model.named_modules(remove_duplicate=False)
        if isinstance(module, nn.Linear)
        and not isinstance(module, NonDynamicallyQuantizableLinear)
        and module.weight.is_floating_point()  # not one that holds codes already
    }
    for name in skip:
        if not any(_is_called(layer, name) for layer in layers):
            raise ValueError(f"There is no linear layer {name!r} to skip: the model has {', '.join(layers) or 'none'}.")
    chosen = {layer: module for layer, module in layers.items() if not any(_is_called(layer, name) for name in skip)}
    if not chosen:
        raise ValueError(f"There is no nn.Linear to quantize in this {type(model).__name__}: was it quantized before?")
    return chosen


def _is_called(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def exchange(model: nn.Module, chosen: dict[str, nn.Linear], make: Callable[[nn.Linear], nn.Module]) -> None:
    """Put what `make` makes of each layer in its place: of one that stands in two places, one thing."""
    made: dict[int, nn.Module] = {}
    for linear in chosen.values():  # all before any: an error leaves the model as it was
        if id(linear) not in made:
            made[id(linear)] = make(linear)
    for name, linear in chosen.items():
        model.set_submodule(name, made[id(linear)])
