"""Right answers that are written differently."""

LoRALinear = """
```
class LoRALinear(nn.Module):
    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        for parameter in base.parameters():
            parameter.requires_grad = False
        self.A = nn.Parameter(torch.empty(rank, base.in_features).uniform_(-0.1, 0.1))
        self.B = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + (x @ self.A.to(x.dtype).T) @ (self.scale * self.B).to(x.dtype).T
```
"""
quantize_nf4 = """
```
def quantize_nf4(weight, levels):
    rows = weight.detach().float().flatten().split(64)
    absmax = torch.stack([row.abs().max() for row in rows])
    shares = torch.stack([row / size if size > 0 else row for row, size in zip(rows, absmax)])
    codes = (shares.flatten()[:, None] - levels).abs().argmin(dim=1)
    return (codes.view(-1, 2) @ torch.tensor([16, 1])).to(torch.uint8), absmax
```
"""
