"""Several adapters in one batch: each row is corrected by its own, and the base is read once for all of them.

    corrections = Corrections(model, {"tickets": folder, "reader": folder})
    y = product(x) + corrections.layers[3]["o_proj"](x, corrections.marks([None, "reader", "tickets"]))

All adapters' small matrices stand side by side. A row's intermediate numbers are zeroed where they belong to another
adapter (or to all of them, for a row that has none), so that one pair of products serves every row (after S-LoRA, Sheng
et al., 2023, which gathers what this masks):

    low = x Aᵀ                (N, R)     R: the ranks of all adapters, summed
    low · mark                           1 where the column is the row's own adapter's
    low Bᵀ                    (N, out)

`FastLlama` has one product for queries, keys and values, and one for gate and up. Their corrections are joined in the
same way, with B block by block, its rows in the order into which `FastLlama` has put those of the matrix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.adapters import Adapter, AdapterUnavailable, read_adapter, require_fit, weights_checksum
from helpers.old.lora.files import read_matrices
from helpers.old.speed.fast_llama import FastLlama, turned_rows
from helpers.transformer.llama import library_llama_name

JOINED = {  # the products of a `FastBlock`: the parts that stand side by side in each
    "qkv_proj": ("attention.q_proj", "attention.k_proj", "attention.v_proj"),
    "o_proj": ("attention.o_proj",),
    "gate_up_proj": ("feed_forward.gate_proj", "feed_forward.up_proj"),
    "down_proj": ("feed_forward.down_proj",),
}


class Correction:
    """What all adapters add to one product: (N, in) → (N, out), float32.

    A: (R, in); B: (out, R), the adapters' scales multiplied in; owner: (R,) the number of each column's adapter.
    """

    def __init__(self, A: Tensor, B: Tensor, owner: Tensor) -> None:
        self.A, self.B, self.owner = A, B, owner

    def __call__(self, x: Tensor, marks: Tensor) -> Tensor:
        """x: (N, in) float32, marks: as `Corrections.marks` gives them."""
        return F.linear(F.linear(x, self.A) * marks[:, self.owner], self.B)


class Corrections:
    """The corrections of several adapters of one base, layer by layer.

    adapters: name → a shipped adapter's name or a folder. layers: for each block, product → `Correction`, for those
    products that some adapter corrects. Raises AdapterUnavailable for one that is unknown, damaged, no plain LoRA or
    made for another base. Of a quantized base only the shape is compared, since its weights cannot be told any more.
    """

    def __init__(self, model: FastLlama, adapters: Mapping[str, str | os.PathLike]) -> None:
        self.names = tuple(adapters)
        parts = _part_sizes(model)
        sizes = {
            _library_name(i, part): size
            for i in range(len(model.blocks))
            for product in parts.values()
            for part, size in product.items()
        }
        checksum = cache(lambda: weights_checksum(base_weights(model)))
        found = [_read(adapter, sizes, checksum) for adapter in adapters.values()]
        matrices = [(adapter.scale, read_matrices(adapter)) for adapter in found]
        self.layers: list[dict[str, Correction]] = []
        for i in range(len(model.blocks)):
            joined = {name: self._joined(model, i, parts[name], matrices) for name in JOINED}
            self.layers.append({name: correction for name, correction in joined.items() if correction is not None})

    def marks(self, adapters: Sequence[str | None]) -> Tensor | None:
        """(N, n_adapters) float32, 1 at each row's adapter; None where no row has any."""
        if all(name is None for name in adapters):
            return None
        return torch.tensor([[float(name == own) for own in self.names] for name in adapters])

    def _joined(
        self,
        model: FastLlama,
        layer: int,
        parts: Mapping[str, tuple[int, int]],
        matrices: Sequence[tuple[float, Mapping[str, tuple[Tensor, Tensor]]]],
    ) -> Correction | None:
        """The corrections of one product's parts, in this layer, by all adapters."""
        A, B, owner = [], [], []
        out_features = sum(n_out for _, n_out in parts.values())
        for number, (scale, tensors) in enumerate(matrices):
            begin = 0  # the part's first row in the product
            for part, (_, n_out) in parts.items():
                if (pair := tensors.get(_library_name(layer, part))) is not None:
                    a, b = (matrix.float() for matrix in pair)  # (rank, in), (n_out, rank)
                    if part.endswith(("q_proj", "k_proj")):
                        b = b[turned_rows(n_out, model.config.head_dim)]
                    block = torch.zeros(out_features, len(a))
                    block[begin : begin + n_out] = scale * b
                    A.append(a)
                    B.append(block)
                    owner += [number] * len(a)
                begin += n_out
        return Correction(torch.cat(A), torch.cat(B, dim=1), torch.tensor(owner)) if A else None


def _part_sizes(model: FastLlama) -> dict[str, dict[str, tuple[int, int]]]:
    """Product → part → (in, out), in the order in which the parts stand side by side."""
    c = model.config
    heads = {"q_proj": c.n_heads, "k_proj": c.n_kv_heads, "v_proj": c.n_kv_heads}
    wide = {name: (c.d_model, n * c.head_dim) for name, n in heads.items()}
    wide |= {"o_proj": (c.n_heads * c.head_dim, c.d_model), "down_proj": (c.d_ff, c.d_model)}
    wide |= dict.fromkeys(("gate_proj", "up_proj"), (c.d_model, c.d_ff))
    return {product: {part: wide[part.split(".")[1]] for part in parts} for product, parts in JOINED.items()}


def base_weights(model: FastLlama) -> Iterator[Tensor]:
    """The matrices, biases and norms of the `Llama` that a `FastLlama` was made of; codes where it is quantized."""
    parts, head_dim = _part_sizes(model), model.config.head_dim
    yield from (model.embedding.weight, model.norm.weight, *model.head.parameters(), *model.head.buffers())
    for block in model.blocks:
        yield from (block.attention_norm.weight, block.feed_forward_norm.weight)
        for product, sizes in parts.items():
            layer = getattr(block, product)
            for joined in (*layer.parameters(), *layer.buffers()):
                if not joined.is_floating_point() or len(joined) != sum(n_out for _, n_out in sizes.values()):
                    yield joined
                    continue
                for part, rows in zip(sizes, joined.split([n_out for _, n_out in sizes.values()]), strict=True):
                    moved = part.endswith(("q_proj", "k_proj"))
                    yield rows[turned_rows(len(rows), head_dim).argsort()] if moved else rows


def _library_name(layer: int, part: str) -> str:
    return library_llama_name(f"blocks.{layer}.{part}")


def _read(
    adapter: str | os.PathLike, sizes: Mapping[str, tuple[int, int]], checksum: Callable[[], str | None]
) -> Adapter:
    found = read_adapter(adapter)
    if found.beyond:
        raise AdapterUnavailable(f"{found.name} is more than plain LoRA ({found.beyond[0]}), which is not served.")
    require_fit(found, sizes, checksum)
    return found
