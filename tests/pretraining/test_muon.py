"""Muon: singular values near one, singular vectors as they were, equal to the library's, saved and loaded as one."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from helpers.old.pretraining import Muon, Optimizers, orthogonalize


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 16), (8, 24), (24, 8), (3, 8, 24), (3, 24, 8)])
def test_singular_values_come_near_one_and_the_vectors_stay(shape):
    matrix = draw(*shape)
    out = orthogonalize(matrix)
    assert out.shape == matrix.shape
    values = torch.linalg.svdvals(out)
    assert 0.4 < values.min() and values.max() < 1.3  # square random matrices have singular values down to near 0
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    inside = u.mT @ out @ v.mT  # diagonal where the singular vectors are the same
    off = inside - torch.diag_embed(torch.diagonal(inside, dim1=-2, dim2=-1))
    assert off.abs().max() < 1e-3


def test_the_scale_of_a_gradient_changes_nothing():
    matrix = draw(8, 12)
    assert torch.allclose(orthogonalize(matrix), orthogonalize(1000 * matrix), atol=1e-4)


def test_steps_are_those_of_the_library():
    """The library orthogonalizes in bfloat16, which has 8 bits: an element of the update, of size 1/√32, may differ by
    a hundredth of it per step, where the singular values are apart; weights after four steps differ by less."""
    library = pytest.importorskip("torch.optim", reason="torch.optim.Muon came with PyTorch 2.9")
    if not hasattr(library, "Muon"):
        pytest.skip("torch.optim.Muon came with PyTorch 2.9")
    for shape in ((32, 32), (48, 32), (32, 48)):
        ours, theirs = nn.Parameter(draw(*shape)), nn.Parameter(draw(*shape))
        one = Muon([ours], lr=0.02, weight_decay=0.1)
        other = library.Muon([theirs], lr=0.02, weight_decay=0.1, momentum=0.95)
        start = ours.detach().clone()
        for step in range(4):
            ours.grad, theirs.grad = draw(*shape, seed=step + 1), draw(*shape, seed=step + 1)
            one.step()
            other.step()
        moved, apart = (ours - start).norm(), (ours - theirs).norm()
        assert apart < 0.05 * moved


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="for matrices"):
        Muon([nn.Parameter(torch.ones(3))])


def pair(model: nn.Module) -> Optimizers:
    vectors = [p for p in model.parameters() if p.dim() < 2]
    matrices = [p for p in model.parameters() if p.dim() == 2]
    return Optimizers(torch.optim.AdamW(vectors, lr=0.01), Muon(matrices, lr=0.02))


def test_saved_and_loaded_they_go_on_as_before():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 5))
    x = draw(4, 6)

    def step(model, optimizer):
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()

    optimizer = pair(model)
    for _ in range(3):
        step(model, optimizer)
    twin = copy.deepcopy(model)
    saved = copy.deepcopy(optimizer.state_dict())
    again = pair(twin)
    again.load_state_dict(saved)
    assert {i for group in saved["param_groups"] for i in group["params"]} == set(range(4))
    for _ in range(3):
        step(model, optimizer)
        step(twin, again)
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_share_reaches_every_optimizer():
    optimizer = pair(nn.Linear(4, 4))
    optimizer.scale(0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.005, 0.01]
    optimizer.scale(1.0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.01, 0.02]
