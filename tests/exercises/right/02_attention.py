"""Right answers that are written differently."""

causal_attention = """
scores.masked_fill(~visible, float("-inf")) => torch.where(visible, scores, float("-inf"))
```
def causal_attention(q, k, v):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
```
```
def causal_attention(q, k, v):
    T, d = q.shape[-2:]
    rows = []
    for t in range(T):
        scores = (k[..., : t + 1, :] * q[..., t : t + 1, :]).sum(-1) / d**0.5
        rows.append((scores.softmax(-1)[..., None] * v[..., : t + 1, :]).sum(-2))
    return torch.stack(rows, -2)
```
"""
sees_future = """
torch.randn_like(k[..., cut:, :]) => k[..., cut:, :] + 1 && torch.randn_like(v[..., cut:, :]) => v[..., cut:, :] + 1
```
def sees_future(attend, q, k, v):
    leaks = False
    for t in range(q.shape[-2] - 1):
        k2, v2 = torch.randn_like(k), torch.randn_like(v)
        k2[..., : t + 1, :], v2[..., : t + 1, :] = k[..., : t + 1, :], v[..., : t + 1, :]
        same = torch.allclose(attend(q, k2, v2)[..., t, :], attend(q, k, v)[..., t, :], rtol=0, atol=1e-5)
        leaks = leaks or not same
    return leaks
```
"""
