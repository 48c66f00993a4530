"""How far an answer from the handbook can be trusted: many questions answered, each answer judged without a reader.

    index = quality_index()
    trials = answer_all(questions, index, model, tokenizer)          # from passages, a batch at a time
    verdict = judge(trials[0].text, questions[0], witnesses(questions[0], trials[0].found, index.chunks), 0.6)
    verdict.right, verdict.hallucinated

Every verdict is a rule that anybody can apply again: words and numbers compared, nothing understood. So it is as good
as `helpers.retrieval.citations.word_support`, and a share of verdicts is to be read beside a few answers.

What it does not do: ask a larger model whether an answer is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.assistants.handbook import CHUNKS as CHUNKS
from helpers.assistants.handbook import handbook_chunks
from helpers.old.generation.replies import greedy_replies
from helpers.old.metrics.text import answer_words
from helpers.old.retrieval.prompt import GroundedPrompt, encode_prompt, grounded_prompt
from helpers.retrieval.chunking import Chunk, sentence_spans
from helpers.retrieval.citations import Support, cite, word_support
from helpers.retrieval.content_words import content
from helpers.retrieval.dense import encode_texts
from helpers.retrieval.hybrid import C, HybridIndex
from helpers.retrieval.index import Hit, SearchIndex
from helpers.velunda.handbook import Question

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


def write_all(orders: Sequence[str], model: Any, tokenizer: Any, batch: int = 15) -> list[str]:
    """The chat model's greedy reply to each order, on one line."""
    chats = [[{"role": "user", "content": order}] for order in orders]
    encoded = [tokenizer.apply_chat_template(chat, add_generation_prompt=True) for chat in chats]
    ids = [list(each["input_ids"] if isinstance(each, Mapping) else each) for each in encoded]
    return [" ".join(reply.text.split()) for reply in greedy_replies(model, tokenizer, ids, NEW_TOKENS, batch)]


# Verdicts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """right: it says what the right answer says. unsupported: it has a sentence that no passage bears out.
    wrong_number: in its own words it says a number that neither the question nor the passage that answers has.
    contradicts: it says yes where the right answer is no, or no where it is yes, or either where nothing answers."""

    right: bool
    unsupported: bool
    wrong_number: bool
    contradicts: bool

    @property
    def hallucinated(self) -> bool:
        """Something in it is made up, or taken from a place where it means something else."""
        return self.unsupported or self.wrong_number or self.contradicts


def witnesses(question: Question, found: Sequence[Chunk], chunks: Iterable[Chunk]) -> list[Chunk]:
    """What may bear an answer out: what the search found, and those of `chunks` that show the question's passages."""
    gold = [chunk for chunk in chunks if any(span.shown_by(chunk) for span in question.spans)]
    return list(dict.fromkeys([*found, *gold]))


def judge(text: str, question: Question, passages: Sequence[Chunk], minimum: float) -> Verdict:
    """The verdict on one answer. passages: what may bear it out, those that were read and those that answer.

    minimum: support of a sentence, 0 to 1, from which on it counts as borne out. What the question says itself is not
    made up by an answer that repeats it, and a sentence that is quoted word for word keeps what its numbers mean. An
    answer without a sentence says nothing, so that nothing in it is made up.
    """
    cited = cite(text, passages, minimum=minimum, support=support_behind(question.question))
    whole = [_spaced(chunk.text) for chunk in passages]
    own = [each.sentence for each in cited if not any(_spaced(each.sentence) in passage for passage in whole)]
    allowed = " ".join([question.question, question.answer or "", *(span.text for span in question.spans)])
    said = next((word for word in answer_words(" ".join(own)) if word in YES_OR_NO), None)
    wanted = answer_words(question.answer)[0] if question.answer else None
    return Verdict(
        is_right(text, question.answer, question.question),
        any(each.chunk is None for each in cited),
        bool(numbers(" ".join(own)) - numbers(allowed)),
        said is not None and said != wanted and (wanted is None or wanted in YES_OR_NO),
    )


def support_behind(question: str) -> Support:
    """`helpers.retrieval.citations.word_support` of what a sentence adds to the question, 1 where it adds nothing."""
    asked = set(content(question)) | set(content("The answer to this question is yes, no."))

    def support(sentence: str, passage: str) -> float:
        said = content(sentence)
        if said and (set(said) <= asked or _spaced(sentence) in _spaced(passage)):
            return 1.0
        return word_support(" ".join(word for word in said if word not in asked), passage)

    return support


def _spaced(text: str) -> str:
    return " ".join(text.split())


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
