"""NF4: weights in four bits whose 16 values follow the bell curve, and a layer that gradients can pass (QLoRA).

    codebook = nf4_codebook()                                    # 16 numbers from −1 to 1, 0 among them
    codes, absmax = quantize_blocks(weight, codebook)            # one code a weight, one largest size a block of 64
    dequantize_blocks(codes, absmax, codebook)                   # back to numbers
    pack_codes(codes)                                            # two codes a byte, as bitsandbytes packs them
    double_quantize(absmax)                                      # the largest sizes in 8 bits: 4.13 bits a weight

    quantize_nf4_(model)                                         # every nn.Linear of a model becomes a Linear4bit

Dettmers, Pagnoni, Holtzman and Zettlemoyer, "QLoRA: Efficient Finetuning of Quantized LLMs", 2023. Codes and bytes
equal those of bitsandbytes (0.50), with two differences on a CPU: its kernel for the 8-bit sizes takes the second
nearest code for about 2 of 1,000; and what it dequantizes is wrong where rows are no multiple of the block.

What it does not do: fuse the product with unpacking (every pass unpacks a whole matrix), quantize embeddings, train the
codes themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from helpers.old.quantization.weights import exchange, linears_to_exchange
from helpers.old.quantization.wide import wide_linear

BLOCK, ABSMAX_BLOCK = 64, 256  # weights that share a largest size; largest sizes that share theirs
ZERO = 7  # the code that stands for 0


# Codebooks -----------------------------------------------------------------------------------------------------------


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


@cache
def dynamic_codebook() -> Tensor:
    """The 256 values in which block sizes are kept, ascending, (256,): fine near 0, coarse near ±1.

    Seven decades from 10⁻⁶ to 1, each cut into twice as many steps as the one below it (Dettmers, "8-Bit Approximations
    for Parallelism in Deep Learning", 2016). Matches bitsandbytes' `create_dynamic_map`.
    """
    sizes = []
    for decade in range(7):
        edges = torch.linspace(0.1, 1, 2**decade + 1)
        sizes.append(10.0 ** (decade - 6) * (edges[:-1] + edges[1:]) / 2)
    positive = torch.cat(sizes)  # 127 of them
    return torch.cat((-positive.flip(0), torch.zeros(1), positive, torch.ones(1)))


# Numbers to codes and back -------------------------------------------------------------------------------------------


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


def double_quantize(absmax: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Block sizes in 8 bits (QLoRA's double quantization): codes (n,) uint8, scale (⌈n/256⌉,) float32, and their mean.

    Sizes are all positive, and a codebook is even around 0: so their mean is taken off first.
    """
    mean = absmax.mean()
    codes, scale = quantize_blocks(absmax - mean, dynamic_codebook(), ABSMAX_BLOCK)
    return codes, scale, mean


def double_dequantize(codes: Tensor, scale: Tensor, mean: Tensor) -> Tensor:
    """Block sizes from what `double_quantize` made of them, (n,) float32."""
    return dequantize_blocks(codes, scale, dynamic_codebook().to(codes.device), ABSMAX_BLOCK) + mean


def bits_per_weight(block: int = BLOCK, double: bool = True, bits: int = 4) -> float:
    """Bits that a weight takes with its share of the block sizes.

    >>> bits_per_weight(64, double=False), round(bits_per_weight(64), 3)
    (4.5, 4.127)
    """
    size = 8 + 32 / ABSMAX_BLOCK if double else 32
    return bits + size / block


# The layer -----------------------------------------------------------------------------------------------------------


class _Product(torch.autograd.Function):
    """x W for a W that is only there while it is needed: the backward pass unpacks it again and keeps nothing."""

    @staticmethod
    def forward(ctx, x: Tensor, layer: Linear4bit) -> Tensor:  # x: (…, in)
        ctx.layer = layer
        return wide_linear(x, layer.dequantize().to(x.dtype))  # (…, out)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:  # grad: (…, out)
        return wide_linear(
            grad, ctx.layer.dequantize().to(grad.dtype).T
        ), None  # (…, in); W is constant, without gradient


class Linear4bit(nn.Linear):
    """A frozen `nn.Linear` in NF4: (…, in_features) → (…, out_features), computed in the dtype of x.

    block: weights that share a largest size. double: keep these sizes in 8 bits. `weight` holds the packed codes, two a
    byte, as in bitsandbytes' layer of this name; `dequantize()` gives the matrix. Gradients reach x, not the weight.
    """

    def __init__(self, linear: nn.Linear, block: int = BLOCK, double: bool = True) -> None:
        nn.Module.__init__(self)  # not nn.Linear's, which would make a whole matrix
        self.out_features, self.in_features = linear.weight.shape
        self.block, self.double, self.bias = block, double, linear.bias
        self.computes_in = linear.weight.dtype
        codes, absmax = quantize_blocks(linear.weight, nf4_codebook(), block)
        self.weight = nn.Parameter(pack_codes(codes), requires_grad=False)  # ⌈N·K/2⌉ bytes
        if double:
            absmax, scale, mean = double_quantize(absmax)
            self.register_buffer("scale", scale)
            self.register_buffer("mean", mean)
        self.register_buffer("absmax", absmax)

    def forward(self, x: Tensor) -> Tensor:
        y = _Product.apply(x, self)
        return y if self.bias is None else y + self.bias.to(y.dtype)

    @torch.no_grad()
    def dequantize(self) -> Tensor:
        """The matrix that the codes stand for, (out_features, in_features), in the dtype that it was made from."""
        absmax = double_dequantize(self.absmax, self.scale, self.mean) if self.double else self.absmax
        pairs = F.embedding(self.weight.int(), _pairs().to(self.weight.device))  # (⌈n/2⌉, 2): a byte has 256 values
        values = pairs.flatten()[: self.out_features * self.in_features]
        whole = _times_absmax(values, absmax, self.block)
        return whole.view(self.out_features, self.in_features).to(self.computes_in)

    def plain(self) -> nn.Linear:
        """An ordinary layer that computes the same, as merging and fast inference want it; it takes the full memory."""
        with torch.device("meta"):
            layer = nn.Linear(self.in_features, self.out_features, bias=False)
        layer.weight, layer.bias = nn.Parameter(self.dequantize(), requires_grad=False), self.bias
        return layer

    def extra_repr(self) -> str:
        """What `print(model)` says of it."""
        return f"{self.in_features}, {self.out_features}, block={self.block}, double={self.double}"


@cache
def _pairs() -> Tensor:
    """The two values that each byte stands for, (256, 2): one look-up for both, and no shifting."""
    return nf4_codebook()[unpack_codes(torch.arange(256).to(torch.uint8), 512).view(256, 2).int()]


# Models --------------------------------------------------------------------------------------------------------------


def quantize_nf4_(
    model: nn.Module, block: int = BLOCK, double: bool = True, skip: str | Iterable[str] = ()
) -> nn.Module:
    """Exchange every `nn.Linear` inside `model` for a `Linear4bit`, in place; returns the model.

    A head that shares its matrix with an embedding is left as it is, as in the library: the matrix would stay for the
    embedding's sake. The bases of `LoRALinear`s are exchanged, too. skip: as for `quantize_`, and the same errors.
    """
    shared = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    chosen = linears_to_exchange(model, skip)
    chosen = {name: linear for name, linear in chosen.items() if id(linear.weight) not in shared}
    if not chosen:
        raise ValueError(f"All linear layers of this {type(model).__name__} share their matrix with an embedding.")
    exchange(model, chosen, lambda linear: Linear4bit(linear, block, double))
    return model


def dequantize_nf4_(model: nn.Module) -> nn.Module:
    """The reverse, as far as it can be reversed: every `Linear4bit` becomes an `nn.Linear` with what its codes say."""
    for name, layer in [(name, layer) for name, layer in model.named_modules() if isinstance(layer, Linear4bit)]:
        model.set_submodule(name, layer.plain())
    return model
