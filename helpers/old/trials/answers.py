"""Many questions about the handbook answered, a batch at a time, and whether an answer says what the right one says.

index = quality_index()
trials = answer_all(questions, index, model, tokenizer)
is_right(trials[0].text, "It weighs 18 kg.")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.assistants.handbook import CHUNKS as CHUNKS
from helpers.assistants.handbook import handbook_chunks
from helpers.old.generation.replies import greedy_replies
from helpers.old.metrics.text import answer_words
from helpers.old.retrieval.prompt import GroundedPrompt, encode_prompt, grounded_prompt
from helpers.retrieval.chunking import Chunk, sentence_spans
from helpers.retrieval.content_words import content
from helpers.retrieval.dense import encode_texts
from helpers.retrieval.hybrid import C, HybridIndex
from helpers.retrieval.index import Hit, SearchIndex

POOL = 20  # hits that are read again
K = 1  # passages that an answer is made from, chosen on dev: the small model mixes up two
BUDGET, NEW_TOKENS = 1024, 32
Order = Callable[[str, list[Hit]], list[Hit]]
MARK = re.compile(r"\s*\[\d+\]")  # a citation that the model made up: it was not asked for any
CLOSED_BOOK = "You answer questions about Velunda, a maker of electric bicycles, in one short sentence."


def quality_index(encoder: Any = None, documents: Collection[str] | None = None) -> HybridIndex:
    """The hybrid index that all trials search: over the handbook, or over some of its documents only."""
    index = HybridIndex(encoder, c=C, with_headings=True)  # what was recorded was found with this c
    chunks = [piece for piece in handbook_chunks() if documents is None or piece.document in documents]
    index.add(chunks, progress=False)
    return index


# Answers -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """One question's answer with what its confidence can be made of.

    likelihood: the geometric mean of the reply's token probabilities, 0 to 1; retrieval: the best hit's score; found:
    the chunks that the search found, best first; read: those that the prompt showed, none for a closed book.
    """

    text: str
    likelihood: float
    retrieval: float
    found: tuple[Chunk, ...]
    read: tuple[Chunk, ...]


def answer_all(
    questions: Sequence[str],
    index: SearchIndex,
    model: Any,
    tokenizer: Any,
    *,
    k: int = K,
    closed_book: bool = False,
    batch: int = 8,
    order: Order | None = None,
) -> list[Trial]:
    """Each question answered greedily from its k best passages, as `helpers.old.retrieval.answer` does, in batches.

    closed_book: from nothing; what the search would have found is kept for judging. order: as in `look_up`.
    """
    searches = [look_up(question, index, k, order) for question in questions]
    return answer_from(questions, searches, model, tokenizer, closed_book=closed_book, batch=batch)


def look_up(question: str, index: SearchIndex, k: int = K, order: Order | None = None) -> list[Hit]:
    """The k hits that an answer is made from. order: what makes of the `POOL` best hits those to read, best first, such
    as a reranker or a filter."""
    hits = index.search(question, k if order is None else max(POOL, k))
    return (hits if order is None else order(question, hits))[:k]


def answer_from(
    questions: Sequence[str],
    searches: Sequence[Sequence[Hit]],
    model: Any,
    tokenizer: Any,
    *,
    closed_book: bool = False,
    batch: int = 8,
) -> list[Trial]:
    """Each question answered from its own hits; prompts of about one length are read side by side."""
    prompts = [
        GroundedPrompt(encode_prompt(question, [], tokenizer, CLOSED_BOOK), ())
        if closed_book
        else grounded_prompt(question, hits, tokenizer, BUDGET - NEW_TOKENS)
        for question, hits in zip(questions, searches, strict=True)
    ]
    replies = greedy_replies(model, tokenizer, [prompt.ids for prompt in prompts], NEW_TOKENS, batch)
    return [
        Trial(
            MARK.sub("", reply.text).strip(),
            reply.likelihood,
            hits[0].score if hits else 0.0,
            tuple(hit.chunk for hit in hits),
            prompt.chunks,
        )
        for reply, hits, prompt in zip(replies, searches, prompts, strict=True)
    ]


def quote_all(questions: Sequence[str], index: HybridIndex) -> list[Trial]:
    """The cheap rival: of the k best passages, the sentence nearest in meaning to the question is quoted.

    likelihood: here its cosine with the question, 0 or more. Where the passages have no sentence, nothing is quoted.
    """
    encoder, trials = index.dense.encoder, []
    for question in questions:
        hits = look_up(question, index, 3)
        said = [(hit.chunk.text[start:end], hit.chunk) for hit in hits for start, end in sentence_spans(hit.chunk.text)]
        said = [(text, chunk) for text, chunk in said if not text.startswith("#") and "---" not in text]
        found = tuple(hit.chunk for hit in hits)
        if not said:
            trials.append(Trial("", 0.0, hits[0].score if hits else 0.0, found, ()))
            continue
        cosines = encode_texts(encoder, [text for text, _ in said]) @ encode_texts(encoder, [question], query=True)[0]
        text, chunk = said[int(cosines.argmax())]
        trials.append(Trial(text, max(0.0, float(cosines.max())), hits[0].score, found, (chunk,)))
    return trials


# Verdicts ------------------------------------------------------------------------------------------------------------


def is_right(text: str, answer: str | None, question: str = "") -> bool:
    """Does the text say what the right answer says? Its yes or no first; then all its numbers, or half of its words.

    An answer that begins with the right "yes" or "no" needs the numbers only. One that has numbers needs no other word,
    since units are spelled in many ways. Words that the question has, too, tell nothing and are not counted, unless the
    answer has no others. None, for a question that cannot be answered: every text is wrong.
    """
    if answer is None or numbers(answer) - numbers(text):
        return False
    first, wanted = answer_words(text)[:1], answer_words(answer)[0]
    said = set(content(text)) | set(answer_words(text))
    words = [word for word in content(answer) if word not in ("yes", "not")]
    words = [word for word in words if word not in content(question)] or words
    if wanted in YES_OR_NO:
        if first in (["yes"], ["no"]):
            return first == [wanted]
        if ("not" in said) != (wanted == "no") or not (words or wanted == "no"):
            return False
    return bool(numbers(answer)) or sum(word in said for word in words) >= len(words) / 2


YES_OR_NO = ("yes", "no")


def numbers(text: str) -> set[str]:
    """The numbers and codes of a text as `content` spells them: 2,490 is one, E05 is one; "two" counts as 2."""
    bare = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())
    words = re.findall(r"[a-z]*-?\d+(?:\.\d+)?|[a-z]+", bare)
    return {COUNTS.get(word, word) for word in words if word in COUNTS or any(letter.isdigit() for letter in word)}


COUNTS = {
    word: str(n) for n, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2)
}
