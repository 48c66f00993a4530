"""Two models from before the transformer, trained by gradients: a bag of vectors, and a network with a memory.

    BagOfVectors(vocab_size, context=8)     # which tokens came lately, in no order
    Recurrent(vocab_size, d_hidden=192)     # an LSTM: one state that every token changes

Both map ids (B, T) to logits (B, T, V), so that the same loop trains them and the same measure judges them.
`lstm_step` is what an LSTM does with one token, as PyTorch's kernel computes it for a whole text.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BagOfVectors(nn.Module):
    """The mean of the vectors of the last `context` tokens, through one hidden layer: (B, T) → (B, T, V).

    A mean has no order: "tca" and "cat" are the same bag. The continuous bag of words (Mikolov et al., 2013), looking
    back only.
    """

    def __init__(self, vocab_size: int, context: int = 4, d_model: int = 128, d_hidden: int = 512) -> None:
        super().__init__()
        self.context = context
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.hidden = nn.Linear(d_model, d_hidden)
        self.head = nn.Linear(d_hidden, vocab_size)

    def forward(self, ids: Tensor) -> Tensor:
        """ids: (B, T) → logits (B, T, V)."""
        vectors = self.embedding(ids).transpose(1, 2)  # (B, C, T)
        sums = F.avg_pool1d(F.pad(vectors, (self.context - 1, 0)), self.context, stride=1) * self.context
        n = torch.arange(1, ids.shape[1] + 1, device=ids.device).clamp(max=self.context)  # tokens in each bag
        return self.head(F.gelu(self.hidden((sums / n).transpose(1, 2))))


class Recurrent(nn.Module):
    """An LSTM over embeddings (Hochreiter and Schmidhuber, 1997): (B, T) → (B, T, V).

    What it knows of the text so far is one state of `d_hidden` numbers per layer, whatever the text's length.
    """

    def __init__(self, vocab_size: int, d_model: int = 128, d_hidden: int = 256, n_layers: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, d_model)
        self.lstm = nn.LSTM(d_model, d_hidden, n_layers, batch_first=True)
        self.head = nn.Linear(d_hidden, vocab_size)

    def forward(self, ids: Tensor) -> Tensor:
        """ids: (B, T) → logits (B, T, V)."""
        states, _ = self.lstm(self.embedding(ids))  # (B, T, d_hidden)
        return self.head(states)
