"""Words compared by their vectors instead of their letters: BERTScore and MoverScore over an encoder of your choice.

    encoder = embedder()
    BERTScore(encoder).compute(predictions=["It is free."], references=["It costs nothing."])    # {"bertscore_f1": …}
    baseline = random_baseline(encoder, sentences)                  # what two unrelated sentences get: the new zero
    BERTScore(encoder, baseline=baseline, idf=True).each(…)["bertscore_f1"]
    MoverScore(encoder).compute(…)                                                               # {"moverscore": …}

`greedy_match` is BERTScore. An encoder is a SentenceTransformer, the course's own `Encoder`, or a pair of one of the
library's BERTs and its tokenizer.

What they do not see: negation and numbers move a vector only a little.
"""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from helpers.old.metrics.base import Metric, texts

NAMES = ("bertscore_precision", "bertscore_recall", "bertscore_f1")


def greedy_match(
    answer: Tensor, reference: Tensor, answer_weights: Tensor, reference_weights: Tensor
) -> tuple[float, float, float]:
    """BERTScore of one pair (Zhang et al., 2020): every token takes its most similar token of the other text.

    answer: (n, C), reference: (m, C), vectors of length 1, one per token; weights (n,) and (m,), 0 for tokens that only
    may be taken, such as [CLS]  →  precision, recall, F1. Without a token that counts, all three are 0.
    """
    if not answer_weights.any() or not reference_weights.any():
        return 0.0, 0.0, 0.0
    cosine = answer @ reference.T  # (n, m)

    precision = (cosine.amax(dim=1) * answer_weights).sum() / answer_weights.sum()  # is what was said in the reference?
    recall = (cosine.amax(dim=0) * reference_weights).sum() / reference_weights.sum()  # was the reference said?
    f1 = 2 * precision * recall / (precision + recall)
    return float(precision), float(recall), float(f1)


def inverse_document_frequency(rows: Sequence[Sequence[int]]) -> Callable[[int], float]:
    """How rare a token is in these texts: log((N + 1) / (texts with it + 1)), in nats; what no text has counts most.

    rows: the token ids of N texts  →  a function from an id to its weight. [CLS] and [SEP], in every text, weigh 0.
    """
    holding = Counter(token for row in rows for token in set(row))
    return lambda token: math.log((len(rows) + 1) / (holding[token] + 1))


class BERTScore(Metric):
    """BERTScore (Zhang et al., 2020): cosines of contextual token vectors, matched greedily. Equals `bert-score`.

    compute → bertscore_precision, bertscore_recall, bertscore_f1, means over the texts; each → of single texts. Range:
    −1 to 1, in practice a narrow band near the top, whose bottom depends on encoder and layer; with a baseline about 0
    to 1, below 0 for less than unrelated. Several references: the best, for each of the three by itself. Empty answer
    or reference: 0 before rescaling.

    What it cannot see: "not" and a swapped number, whose vectors are near those of what they replace. The encoder reads
    the first 512 tokens at most. In scripts that the encoder does not know, all-MiniLM's above all, most words are
    [UNK], and unlike texts get high scores.

    encoder: a SentenceTransformer (`helpers.models.embedder()`), the course's `Encoder`, or (model, tokenizer).
    layer: whose output is compared, the last by default; which is best has to be measured against ratings, and nobody
    has published it for all-MiniLM. idf: weigh rare tokens more, counted over the references of the call (True) or over
    texts of yours. baseline: what `random_baseline` gives, with the same layer and idf.
    """

    PAPER = "Zhang et al., 2020, BERTScore: evaluating text generation with BERT. ICLR."

    def __init__(
        self,
        encoder: Any,
        layer: int | None = None,
        idf: bool | Sequence[str] = False,
        baseline: Sequence[float] | None = None,
        **options: Any,
    ) -> None:
        if baseline is not None and not all(value < 1 for value in baseline):  # False for NaN too
            raise ValueError(f"A baseline is three numbers below 1, as random_baseline gives, not {baseline}.")
        self.tokens = TokenVectors(encoder, layer)
        self.idf = idf if isinstance(idf, bool) else texts("idf", idf)
        self.baseline = np.zeros(3) if baseline is None else np.array(baseline, dtype=float)
        super().__init__(**options)

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        everything = [text for right in references for text in right]
        weigh = self.tokens.weigher(everything if self.idf is True else self.idf)
        read = self.tokens.read([*predictions, *everything])
        scores = []
        for answer, right in zip(predictions, references, strict=True):
            ours, vectors = read[answer]
            found = [greedy_match(vectors, read[one][1], weigh(ours), weigh(read[one][0])) for one in right]
            scores.append(np.max(found, axis=0))  # (3,)
        rescaled = (np.array(scores) - self.baseline) / (1 - self.baseline)  # (N, 3)
        return dict(zip(NAMES, rescaled.T.tolist(), strict=True))


def random_baseline(
    encoder: Any,
    sentences: Sequence[str],
    pairs: int = 1000,
) -> tuple[float, float, float]:
    """BERTScore's precision, recall and F1 of two different sentences drawn at random: what "nothing in common" gets.

    sentences: a hundred or more, of the kind that will be compared; each is encoded once. pairs: draws. The mean that
    `BERTScore(baseline=…)` makes 0 (Zhang et al., 2020, section 5.1). Raises ValueError for fewer than two sentences.
    """
    different = sorted(set(texts("sentences", sentences)))
    if len(different) < 2:
        raise ValueError("A baseline compares unlike sentences: give two different ones at least, better hundreds.")
    rng = np.random.default_rng(0)
    first = rng.integers(len(different), size=pairs)
    second = (first + rng.integers(1, len(different), size=pairs)) % len(different)  # never the same one
    metric = BERTScore(encoder)
    drawn = metric.each(predictions=[different[i] for i in first], references=[different[i] for i in second])
    precision, recall, f1 = (float(np.mean(drawn[name])) for name in NAMES)
    return precision, recall, f1


class MoverScore(Metric):
    """MoverScore (Zhao et al., 2019): what it costs to turn the answer's token vectors into the reference's.

    compute → moverscore: 1 minus the cost of the best transport, whose distances are those of unit vectors, so −1 to 1,
    as the authors' second version computes it for single words; a mean over the texts. each → of single texts. Unlike
    BERTScore's matching, each token can be used up only once. Special tokens, punctuation and continuations of a word
    are left out. Several references: the best. Empty answer or reference: 0.

    What it cannot see: negation and numbers, as BERTScore; order, beyond what context does to the vectors.

    encoder, layer, idf: as for `BERTScore`; of the authors' version the layers' mean and word pairs are left out.
    """

    PAPER = "Zhao et al., 2019, MoverScore: text generation evaluating with contextualized embeddings. EMNLP."

    def __init__(
        self, encoder: Any, layer: int | None = None, idf: bool | Sequence[str] = False, **options: Any
    ) -> None:
        self.tokens = TokenVectors(encoder, layer)
        self.idf = idf if isinstance(idf, bool) else texts("idf", idf)
        super().__init__(**options)

    def _each(self, predictions: list[str], references: list[list[str]]) -> dict[str, list[float]]:
        everything = [text for right in references for text in right]
        weigh = self.tokens.weigher(everything if self.idf is True else self.idf)
        read = self.tokens.read([*predictions, *everything])

        def score(answer: str, reference: str) -> float:
            (ours, a), (theirs, b) = read[answer], read[reference]
            masses = [weigh(ids).double().numpy() * self.tokens.is_word(ids) for ids in (ours, theirs)]
            if not all(mass.sum() > 0 for mass in masses):
                return 0.0
            distance = torch.cdist(a.double(), b.double()).numpy()
            return 1 - transport_cost(masses[0] / masses[0].sum(), masses[1] / masses[1].sum(), distance)

        pairs = zip(predictions, references, strict=True)
        return {"moverscore": [max(score(answer, one) for one in right) for answer, right in pairs]}


def transport_cost(supply: np.ndarray, demand: np.ndarray, distance: np.ndarray) -> float:
    """The least cost of moving the mass `supply` (n,) to `demand` (m,) over distances (n, m), both of sum 1.

    The exact solution of the linear program; equals `ot.emd2` of the library POT.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    n, m = distance.shape
    i, j = np.divmod(np.arange(n * m), m)  # flow[i, j] leaves i and arrives at j
    rows, columns = np.concatenate([i, n + j]), np.tile(np.arange(n * m), 2)
    balance = coo_matrix((np.ones(2 * n * m), (rows, columns)), shape=(n + m, n * m)).tocsr()
    found = linprog(distance.ravel(), A_eq=balance, b_eq=np.concatenate([supply, demand]), method="highs")
    if not found.success:
        raise ValueError(f"The transport has no solution: {found.message}")
    return float(found.fun)


class TokenVectors:
    """The vectors of a text's tokens, from any of the three kinds of encoders, of length 1.

    Raises TypeError for something else, ValueError for a layer that the encoder does not have.
    """

    def __init__(self, encoder: Any, layer: int | None = None, batch_size: int = 32) -> None:
        self.batch_size = batch_size
        if hasattr(encoder, "encode_text"):  # the course's own
            if layer is not None:
                raise ValueError("The course's Encoder gives its last layer only: leave layer out, or use embedder().")
            special = encoder.tokenizer.special_tokens
            self.special = {special["[CLS]"], special["[SEP]"]}
            self.pieces = dict(enumerate(encoder.tokenizer.tokens))
            self.encode, self.forward = encoder.encode_text, encoder
            return
        model, tokenizer = self._library(encoder)
        depth = model.config.num_hidden_layers
        if layer is not None and not 0 <= layer <= depth:
            raise ValueError(f"This encoder has the layers 1 to {depth} and the embeddings, 0: there is no {layer}.")
        self.special = {tokenizer.cls_token_id, tokenizer.sep_token_id}
        self.pieces = {i: piece for piece, i in tokenizer.get_vocab().items()}
        longest = min(tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", 512))
        self.encode = lambda text: tokenizer.encode(text, truncation=True, max_length=longest, padding=False)
        index = depth if layer is None else layer

        def forward(ids: Tensor, mask: Tensor) -> Tensor:
            ids, mask = ids.to(model.device), mask.to(model.device).long()
            return model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[index]

        self.forward = forward

    @staticmethod
    def _library(encoder: Any) -> tuple[Any, Any]:
        if hasattr(encoder, "tokenizer") and hasattr(encoder, "encode"):  # a SentenceTransformer
            return encoder[0].auto_model, encoder.tokenizer
        if isinstance(encoder, Sequence) and len(encoder) == 2:
            return encoder[0], encoder[1]
        raise TypeError(
            "An encoder is a SentenceTransformer such as helpers.models.embedder(), the course's Encoder, or a pair "
            f"(model, tokenizer), not {type(encoder).__name__}."
        )

    @torch.no_grad()
    def read(self, found: Sequence[str]) -> dict[str, tuple[list[int], Tensor]]:
        """For each different text its token ids and their vectors (T, C) of length 1, special tokens among them."""
        rows = {text: self.encode(text.strip()) for text in found}
        order = sorted(rows, key=lambda text: len(rows[text]))  # texts of one length together: little padding
        read = {}
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            lengths = torch.tensor([len(rows[text]) for text in batch])
            mask = torch.arange(int(lengths.max())) < lengths[:, None]  # (B, T)
            ids = torch.zeros(mask.shape, dtype=torch.long)
            ids[mask] = torch.tensor([token for text in batch for token in rows[text]])
            hidden = F.normalize(self.forward(ids, mask).float().cpu(), dim=-1)  # (B, T, C)
            read |= {text: (rows[text], hidden[b, : lengths[b]]) for b, text in enumerate(batch)}
        return read

    def weigher(self, idf: bool | Sequence[str]) -> Callable[[Sequence[int]], Tensor]:
        """A function from token ids to their weights: idf over these texts, or 1; special tokens weigh 0."""
        weight = inverse_document_frequency([self.encode(text.strip()) for text in idf]) if idf else lambda token: 1.0
        return lambda ids: torch.tensor([0.0 if token in self.special else weight(token) for token in ids])

    def is_word(self, ids: Sequence[int]) -> np.ndarray:
        """(T,) False for special tokens, punctuation and pieces that continue a word."""
        pieces = [self.pieces[token] for token in ids]
        return np.array(
            [
                token not in self.special and not piece.startswith("##") and piece not in string.punctuation
                for token, piece in zip(ids, pieces, strict=True)
            ]
        )
