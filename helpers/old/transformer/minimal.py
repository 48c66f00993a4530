"""Four transformers in their smallest form, to be read whole: a decoder twice, an encoder, an encoder-decoder.

    from helpers.old.transformer import MinimalLlama
    model = MinimalLlama(vocab_size=49152, d_model=576, n_layers=30, n_heads=9, n_kv_heads=3, d_ff=1536, rope_base=1e5)
    model.load_state_dict(Llama.from_pretrained(fetch("chat")).state_dict())
    logits = model(ids)                        # (B, T) → (B, T, V), equal to the full Llama's

| class                   | full version     | published as                | what is its own                          |
|-------------------------|------------------|-----------------------------|------------------------------------------|
| `MinimalGPT`            | `GPT`            | GPT-2, Radford et al., 2019 | learned positions, LayerNorm, GELU       |
| `MinimalLlama`          | `Llama`          | Llama, Touvron et al., 2023 | RoPE, RMSNorm, SwiGLU, grouped queries   |
| `MinimalEncoder`        | `Encoder`        | BERT, Devlin et al., 2019   | post-norm, segments, no causal mask      |
| `MinimalEncoderDecoder` | `EncoderDecoder` | T5, Raffel et al., 2020     | cross-attention, relative position bias  |

Each is written in the order in which data meets it: the model, its block, its attention. Every parameter has the name
that it has in the full version. Letters in comments: B texts, T tokens (S in a source), C channels (d_model), h heads
of d channels each, V tokens in the vocabulary.

What they do not do: padding (only the encoder does), caches, dropout, fused kernels, options, checks of input.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F

from helpers.old.attention import T5RelativeBias
from helpers.transformer.layers import init_weights


def feed_forward(d_model, d_ff, activation, bias=True):
    """Widen, bend, narrow, at each position by itself: (B, T, C) → (B, T, C)."""
    up = nn.Linear(d_model, d_ff, bias=bias)
    down = nn.Linear(d_ff, d_model, bias=bias)
    return nn.Sequential(OrderedDict(up_proj=up, activation=activation, down_proj=down))


# GPT-2 ---------------------------------------------------------------------------------------------------------------


class MinimalGPT(nn.Module):
    """GPT-2: ids (B, T) → logits (B, T, V) of the next token at every position."""

    def __init__(self, vocab_size, max_len, d_model, n_layers, n_heads):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.position_embedding = nn.Embedding(max_len, d_model)
        self.blocks = nn.ModuleList(GPTBlock(d_model, n_heads) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocab_size, bias=False)
        init_weights(self, n_layers)
        self.head.weight = self.embedding.weight  # one matrix reads tokens and predicts them

    def forward(self, ids):
        positions = torch.arange(ids.shape[1], device=ids.device)  # (T,)
        x = self.embedding(ids) + self.position_embedding(positions)  # (B, T, C)
        for block in self.blocks:
            x = block(x)  # (B, T, C)
        return self.head(self.norm(x))  # (B, T, V)


class GPTBlock(nn.Module):
    """One layer of GPT-2: each sublayer reads a normalized copy of x and adds its result to x."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = GPTAttention(d_model, n_heads)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = feed_forward(d_model, 4 * d_model, nn.GELU(approximate="tanh"))

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class GPTAttention(nn.Module):
    """Causal multi-head attention: every position averages the values of itself and of those before it."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.o_proj = nn.Linear(d_model, d_model)

    def forward(self, x):
        q = self.q_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, T, C) → (B, h, T, d)
        k = self.k_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        v = self.v_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, h, T, T)
        future = torch.ones_like(scores, dtype=torch.bool).triu(1)  # key t' > query t
        weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1)

        out = weights @ v  # (B, h, T, d)
        return self.o_proj(out.transpose(1, 2).flatten(2))  # (B, T, C)


# Llama ---------------------------------------------------------------------------------------------------------------


class MinimalLlama(nn.Module):
    """Llama with tied embeddings, as the small ones have: ids (B, T) → logits (B, T, V) of the next token."""

    def __init__(self, vocab_size, d_model, n_layers, n_heads, n_kv_heads, d_ff, rope_base):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.blocks = nn.ModuleList(LlamaBlock(d_model, n_heads, n_kv_heads, d_ff, rope_base) for _ in range(n_layers))
        self.norm = nn.RMSNorm(d_model, eps=1e-5)
        self.head = nn.Linear(d_model, vocab_size, bias=False)
        init_weights(self, n_layers)
        self.head.weight = self.embedding.weight  # one matrix reads tokens and predicts them

    def forward(self, ids):
        x = self.embedding(ids)  # (B, T, C)
        for block in self.blocks:
            x = block(x)  # (B, T, C)
        return self.head(self.norm(x))  # (B, T, V)


class LlamaBlock(nn.Module):
    """One layer of Llama: each sublayer reads a normalized copy of x and adds its result to x."""

    def __init__(self, d_model, n_heads, n_kv_heads, d_ff, rope_base):
        super().__init__()
        self.attention_norm = nn.RMSNorm(d_model, eps=1e-5)
        self.attention = LlamaAttention(d_model, n_heads, n_kv_heads, rope_base)
        self.feed_forward_norm = nn.RMSNorm(d_model, eps=1e-5)
        self.feed_forward = LlamaFeedForward(d_model, d_ff)

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class LlamaAttention(nn.Module):
    """Causal attention with rotary positions, in which several query heads share a head of keys and values."""

    def __init__(self, d_model, n_heads, n_kv_heads, rope_base):
        super().__init__()
        self.head_dim, self.rope_base = d_model // n_heads, rope_base
        self.q_proj = nn.Linear(d_model, n_heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(d_model, n_kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(d_model, n_kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(n_heads * self.head_dim, d_model, bias=False)

    def forward(self, x):
        q = self.q_proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # (B, h, T, d)
        k = self.k_proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # (B, h_kv, T, d)
        v = self.v_proj(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)  # (B, h_kv, T, d)
        q, k = rotate(q, self.rope_base), rotate(k, self.rope_base)

        group = q.shape[1] // k.shape[1]  # query heads that share one head of keys and values
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)  # (B, h, T, d)
        scores = q @ k.transpose(-2, -1) / self.head_dim**0.5  # (B, h, T, T)
        future = torch.ones_like(scores, dtype=torch.bool).triu(1)  # key t' > query t
        weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1)

        out = weights @ v  # (B, h, T, d)
        return self.o_proj(out.transpose(1, 2).flatten(2))  # (B, T, C)


def rotate(x, base):
    """RoPE: turn the pair (x_i, x_{i + d/2}) of a head at position t by the angle t / base^(2i/d); (B, h, T, d)."""
    T, d = x.shape[-2:]
    frequencies = 1 / base ** (torch.arange(0, d, 2, device=x.device) / d)  # (d/2,), radians per token
    angles = torch.arange(T, device=x.device)[:, None] * frequencies  # (T, d/2)
    cos, sin = angles.cos(), angles.sin()
    first, second = x.chunk(2, dim=-1)  # (B, h, T, d/2) each
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim=-1)


class LlamaFeedForward(nn.Module):
    """SwiGLU: widen twice, let one copy gate the other, narrow."""

    def __init__(self, d_model, d_ff):
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_ff, bias=False)
        self.up_proj = nn.Linear(d_model, d_ff, bias=False)
        self.down_proj = nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))  # (B, T, d_ff) inside


# BERT ----------------------------------------------------------------------------------------------------------------


class MinimalEncoder(nn.Module):
    """BERT: ids (B, T) → a state for every token (B, T, C), which has seen the tokens on both sides.

    mask: (B, T), False at padding; segments: (B, T), 0 for the first sentence of a pair and 1 for the second.
    """

    def __init__(self, vocab_size, max_len, d_model, n_layers, n_heads, d_ff):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.position_embedding = nn.Embedding(max_len, d_model)
        self.segment_embedding = nn.Embedding(2, d_model)
        self.norm = nn.LayerNorm(d_model, eps=1e-12)
        self.blocks = nn.ModuleList(EncoderBlock(d_model, n_heads, d_ff) for _ in range(n_layers))
        init_weights(self, n_layers)

    def forward(self, ids, mask, segments):
        positions = torch.arange(ids.shape[1], device=ids.device)  # (T,)
        x = self.embedding(ids) + self.position_embedding(positions) + self.segment_embedding(segments)  # (B, T, C)
        x = self.norm(x)
        for block in self.blocks:
            x = block(x, mask)  # (B, T, C)
        return x


class EncoderBlock(nn.Module):
    """One layer of BERT: each sublayer reads x itself, and the sum of both is normalized."""

    def __init__(self, d_model, n_heads, d_ff):
        super().__init__()
        self.attention = EncoderAttention(d_model, n_heads)
        self.attention_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.feed_forward = feed_forward(d_model, d_ff, nn.GELU())
        self.feed_forward_norm = nn.LayerNorm(d_model, eps=1e-12)

    def forward(self, x, mask):
        x = self.attention_norm(x + self.attention(x, mask))
        return self.feed_forward_norm(x + self.feed_forward(x))


class EncoderAttention(nn.Module):
    """Multi-head attention in which every position sees every token that is not padding."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.o_proj = nn.Linear(d_model, d_model)

    def forward(self, x, mask):
        q = self.q_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, T, C) → (B, h, T, d)
        k = self.k_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        v = self.v_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

        scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, h, T, T)
        padding = ~mask[:, None, None, :]  # (B, 1, 1, T), the same keys for every head and query
        weights = scores.masked_fill(padding, float("-inf")).softmax(dim=-1)

        out = weights @ v  # (B, h, T, d)
        return self.o_proj(out.transpose(1, 2).flatten(2))  # (B, T, C)


# T5 ------------------------------------------------------------------------------------------------------------------


class MinimalEncoderDecoder(nn.Module):
    """T5: source (B, S) and target (B, T) → logits (B, T, V) of the target token that comes next.

    Positions are a learned bias on the scores, one number for each head and bucket of distances (`T5RelativeBias`).
    """

    def __init__(self, vocab_size, d_model, n_layers, n_heads, d_ff):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.encoder_bias = T5RelativeBias(n_heads, bidirectional=True)
        self.encoder_blocks = nn.ModuleList(T5Block(d_model, n_heads, d_ff) for _ in range(n_layers))
        self.encoder_norm = nn.RMSNorm(d_model, eps=1e-6)
        self.decoder_bias = T5RelativeBias(n_heads, bidirectional=False)
        self.decoder_blocks = nn.ModuleList(T5Block(d_model, n_heads, d_ff, cross=True) for _ in range(n_layers))
        self.decoder_norm = nn.RMSNorm(d_model, eps=1e-6)
        self.head = nn.Linear(d_model, vocab_size, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, source, target):
        x = self.embedding(source)  # (B, S, C)
        bias = self.encoder_bias(source.shape[1])  # (1, h, S, S), the same in every layer
        for block in self.encoder_blocks:
            x = block(x, bias)  # (B, S, C)
        memory = self.encoder_norm(x)

        x = self.embedding(target)  # (B, T, C)
        bias = self.decoder_bias(target.shape[1])  # (1, h, T, T)
        bias = bias + torch.full_like(bias, float("-inf")).triu(1)  # −∞ where the key comes after the query
        for block in self.decoder_blocks:
            x = block(x, bias, memory)  # (B, T, C)
        x = self.decoder_norm(x)
        return self.head(x / x.shape[-1] ** 0.5)  # (B, T, V)


class T5Block(nn.Module):
    """One layer of T5; in the decoder, cross-attention looks at what the encoder made of the source."""

    def __init__(self, d_model, n_heads, d_ff, cross=False):
        super().__init__()
        self.attention_norm = nn.RMSNorm(d_model, eps=1e-6)
        self.attention = T5Attention(d_model, n_heads)
        if cross:
            self.cross_norm = nn.RMSNorm(d_model, eps=1e-6)
            self.cross_attention = T5Attention(d_model, n_heads)
        self.feed_forward_norm = nn.RMSNorm(d_model, eps=1e-6)
        self.feed_forward = feed_forward(d_model, d_ff, nn.ReLU(), bias=False)

    def forward(self, x, bias, memory=None):
        normed = self.attention_norm(x)
        x = x + self.attention(normed, normed, bias)
        if memory is not None:
            x = x + self.cross_attention(self.cross_norm(x), memory, bias=0)
        return x + self.feed_forward(self.feed_forward_norm(x))


class T5Attention(nn.Module):
    """Attention from x (B, T, C) to memory (B, S, C), in which scores are biased and not divided by √d."""

    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=False)
        self.k_proj = nn.Linear(d_model, d_model, bias=False)
        self.v_proj = nn.Linear(d_model, d_model, bias=False)
        self.o_proj = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x, memory, bias):
        q = self.q_proj(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, h, T, d)
        k = self.k_proj(memory).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, h, S, d)
        v = self.v_proj(memory).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)  # (B, h, S, d)

        weights = (q @ k.transpose(-2, -1) + bias).softmax(dim=-1)  # (B, h, T, S)
        return self.o_proj((weights @ v).transpose(1, 2).flatten(2))  # (B, T, C)
