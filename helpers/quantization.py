"""Weight-only quantization: store a matrix in 8 or 4 bits a weight, and multiply by it as it is.

    codes, scale = quantize_rows_absmax(weight)              # int8: one scale for each row
    codes, scale, zero = quantize_groups(weight, group=32)   # int4: a scale and a zero for every 32 weights of a row
    dequantize(codes, scale, zero)                           # back to numbers, each within half a step

    quantize_(model, bits=4)                                 # every nn.Linear of a model, in place

    codes, absmax = quantize_blocks(weight, nf4_codebook())  # NF4: 16 values along a bell curve, one size a block of 64
    quantize_nf4_(model)                                     # layers that a training can pass through (QLoRA)

What is added to a text is computed as before; only the weights are coarser, and fewer bytes are read for each token.
The products run on PyTorch's own CPU kernels. Their operators are private, so they are tried once on a small case
(`kernel_works`); where one is missing or wrong, a plain version gives the same numbers, slowly.

What it does not do: quantize activations, caches or embeddings, learn scales from data (GPTQ, AWQ), train codes; NF4:
quantize the sizes of the blocks a second time, as QLoRA may.
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
BLOCK, ZERO = 64, 7  # NF4: weights that share a largest size; the code that stands for 0
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


# NF4 -----------------------------------------------------------------------------------------------------------------


@cache
def nf4_codebook() -> Tensor:
    """The 16 values of NF4, ascending, (16,) float32: quantiles of the normal distribution, scaled to −1 … 1.

    An even spread of 16 probabilities would have no exact 0. So each half of the curve gets its own: 8 levels for the
    negative half and 9 for the positive one, both ending in 0, which is kept once. The outermost probability lies half
    a step from the end, as the average of what 15 and 16 levels would give. Matches bitsandbytes' `create_normal_map`
    (QLoRA, Dettmers et al., 2023, section 3).
    """
    outermost = 1 - (1 / 32 + 1 / 30) / 2  # 0.9677: 1.85 standard deviations
    negative = -torch.special.ndtri(torch.linspace(outermost, 0.5, 8, dtype=torch.float64))  # (8,) from −1.85 up to 0
    positive = torch.special.ndtri(torch.linspace(0.5, outermost, 9, dtype=torch.float64))  # (9,) from 0 up to 1.85
    levels = torch.cat((negative[:-1], positive))
    return (levels / levels.max()).float()


def quantize_blocks(weight: Tensor, codebook: Tensor, block: int = BLOCK) -> tuple[Tensor, Tensor]:
    """The code of the nearest value for each weight, after dividing each block by its largest absolute value.

    weight: any shape, read row by row in blocks of `block`; the last one may be shorter. codebook: up to 256 values,
    ascending, from −1 to 1  →  codes, uint8, shaped like the weight; absmax (number of blocks,) float32. Matches
    bitsandbytes' `quantize_4bit`. Raises ValueError for weights that are not all finite.
    """
    values = weight.detach().flatten().float()
    if not bool(values.isfinite().all()):
        raise ValueError(
            "The weights hold NaN or infinity: float16 represents nothing above 65,504, so load the checkpoint in "
            "bfloat16 or float32."
        )
    blocks = _in_blocks(values, block)
    absmax = blocks.abs().amax(dim=1)
    scaled = blocks * (1 / absmax.clamp(min=1e-38))[:, None]  # a block of zeros stays one
    middles = (codebook[:-1] + codebook[1:]) / 2
    codes = torch.bucketize(scaled, middles.to(scaled.device), out_int32=True).to(torch.uint8)
    return codes.flatten()[: len(values)].view(weight.shape), absmax


def dequantize_blocks(codes: Tensor, absmax: Tensor, codebook: Tensor, block: int = BLOCK) -> Tensor:
    """What codes stand for, float32, shaped like the codes: each code's value times the largest size of its block."""
    return _times_absmax(codebook[codes.flatten().int()], absmax, block).view(codes.shape)


def _times_absmax(values: Tensor, absmax: Tensor, block: int) -> Tensor:
    return (_in_blocks(values, block) * absmax[:, None]).flatten()[: len(values)]


def _in_blocks(values: Tensor, block: int) -> Tensor:
    """(n,) → (⌈n / block⌉, block), with zeros behind the last value; where none are missing, nothing is copied."""
    missing = -len(values) % block
    return (F.pad(values, (0, missing)) if missing else values).view(-1, block)


def pack_codes(codes: Tensor) -> Tensor:
    """Two 4-bit codes a byte, the first in the *high* half, as in bitsandbytes: n codes → (⌈n/2⌉,) uint8."""
    flat = F.pad(codes.flatten(), (0, codes.numel() % 2), value=ZERO)
    return flat[0::2] << 4 | flat[1::2]


def unpack_codes(packed: Tensor, n: int) -> Tensor:
    """The reverse of `pack_codes`: (⌈n/2⌉,) uint8 → (n,) uint8."""
    return torch.stack((packed >> 4, packed & 15), dim=1).flatten()[:n]


class _Product(torch.autograd.Function):
    """x W for a W that is only there while it is needed: the backward pass unpacks it again and keeps nothing."""

    @staticmethod
    def forward(ctx, x: Tensor, layer: Linear4bit) -> Tensor:  # x: (…, in)
        ctx.layer = layer
        return F.linear(x, layer.dequantize().to(x.dtype))  # (…, out)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:  # grad: (…, out)
        return grad @ ctx.layer.dequantize().to(grad.dtype), None  # (…, in); W has no gradient


class Linear4bit(nn.Linear):
    """A frozen `nn.Linear` in NF4: (…, in_features) → (…, out_features), computed in the dtype of x.

    block: weights that share a largest size. `weight` holds the packed codes, two a byte, as in bitsandbytes' layer of
    this name; `dequantize()` gives the matrix. Gradients reach x, not the weight.
    """

    def __init__(self, linear: nn.Linear, block: int = BLOCK) -> None:
        nn.Module.__init__(self)  # not nn.Linear's, which would make a whole matrix
        self.out_features, self.in_features = linear.weight.shape
        self.block, self.bias = block, linear.bias
        self.computes_in = linear.weight.dtype
        codes, absmax = quantize_blocks(linear.weight, nf4_codebook(), block)
        self.weight = nn.Parameter(pack_codes(codes), requires_grad=False)  # ⌈N·K/2⌉ bytes
        self.register_buffer("absmax", absmax)

    def forward(self, x: Tensor) -> Tensor:
        y = _Product.apply(x, self)
        return y if self.bias is None else y + self.bias.to(y.dtype)

    @torch.no_grad()
    def dequantize(self) -> Tensor:
        """The matrix that the codes stand for, (out_features, in_features), in the dtype that it was made from."""
        pairs = F.embedding(self.weight.int(), _pairs().to(self.weight.device))  # (⌈n/2⌉, 2): a byte has 256 values
        values = pairs.flatten()[: self.out_features * self.in_features]
        whole = _times_absmax(values, self.absmax, self.block)
        return whole.view(self.out_features, self.in_features).to(self.computes_in)

    def plain(self) -> nn.Linear:
        """An ordinary layer that computes the same, as merging and fast inference want it; it takes the full memory."""
        with torch.device("meta"):
            layer = nn.Linear(self.in_features, self.out_features, bias=False)
        layer.weight, layer.bias = nn.Parameter(self.dequantize(), requires_grad=False), self.bias
        return layer

    def extra_repr(self) -> str:
        """What `print(model)` says of it."""
        return f"{self.in_features}, {self.out_features}, block={self.block}"


@cache
def _pairs() -> Tensor:
    """The two values that each byte stands for, (256, 2): one look-up for both, and no shifting."""
    return nf4_codebook()[unpack_codes(torch.arange(256).to(torch.uint8), 512).view(256, 2).int()]


def quantize_nf4_(model: nn.Module, block: int = BLOCK, skip: str | Iterable[str] = ()) -> nn.Module:
    """Exchange every `nn.Linear` inside `model` for a `Linear4bit`, in place; returns the model.

    A head that shares its matrix with an embedding is left as it is, as in the library: the matrix would stay for the
    embedding's sake. The bases of `LoRALinear`s are exchanged, too. skip: as for `quantize_`, and the same errors.
    """
    shared = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    chosen = linears_to_exchange(model, skip)
    chosen = {name: linear for name, linear in chosen.items() if id(linear.weight) not in shared}
    if not chosen:
        raise ValueError(f"All linear layers of this {type(model).__name__} share their matrix with an embedding.")
    exchange(model, chosen, lambda linear: Linear4bit(linear, block))
    return model


def dequantize_nf4_(model: nn.Module) -> nn.Module:
    """The reverse, as far as it can be reversed: every `Linear4bit` becomes an `nn.Linear` with what its codes say."""
    for name, layer in [(name, layer) for name, layer in model.named_modules() if isinstance(layer, Linear4bit)]:
        model.set_submodule(name, layer.plain())
    return model
