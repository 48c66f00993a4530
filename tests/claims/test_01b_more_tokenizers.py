"""What 01b_more_tokenizers and its quiz say in words, held against the tokenizers and the model themselves."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from importlib import import_module

import numpy as np
import pytest
import torch
from helpers.corpora import language_reference
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, trainers

from helpers.exercises.checking import registry
from helpers.models import chat_model, fetch
from helpers.stats import paired_bootstrap
from helpers.tokenization import (
    BERT_SPECIAL,
    BPETokenizer,
    UnigramTokenizer,
    WordPieceTokenizer,
    bits_per_byte,
    em_step,
    library_wordpiece,
    prune,
    seeds,
    sentencepiece_unigram,
    unigram_bits,
    word_counts,
)
from helpers.velunda import load_tickets

SIZE = 2048
TRAIN, HELD_OUT = language_reference().distinct().split(validation=0.2, seed=0)


def without_borders(page: str) -> str:
    return re.sub(r"([^\w\s])\1{3,}", "", page)


TEXT, PAGES = without_borders(TRAIN.text), [without_borders(page) for _, page in HELD_OUT]


def per_100_bytes(encode, change=str, pages=PAGES):
    """Tokens per 100 raw bytes of each held-out page."""
    return 100 * np.array([len(encode(change(page))) / len(page.encode()) for page in pages])


def ours_from(library: Tokenizer) -> WordPieceTokenizer:
    ids = library.get_vocab()
    return WordPieceTokenizer(sorted(ids, key=ids.get), {name: ids[name] for name in BERT_SPECIAL})


def merged_by_count() -> WordPieceTokenizer:
    """A vocabulary of the library's BPE trainer, on the same words in the same spelling as its WordPiece trainer."""
    library = Tokenizer(models.BPE(continuing_subword_prefix="##"))
    library.normalizer, library.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    options = {"special_tokens": list(BERT_SPECIAL), "show_progress": False, "continuing_subword_prefix": "##"}
    library.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=SIZE, **options))
    return ours_from(library)


@pytest.fixture(scope="module")
def library():
    return ours_from(library_wordpiece(TEXT, SIZE))


@pytest.fixture(scope="module")
def table() -> torch.Tensor:
    """The chat model's table, (V, d), read without loading the model."""
    with safe_open(fetch("chat") / "model.safetensors", framework="pt") as weights:
        return weights.get_tensor("model.embed_tokens.weight").float()


@pytest.fixture(scope="module")
def chat() -> BPETokenizer:
    return BPETokenizer.from_pretrained(fetch("chat"))


@pytest.fixture(scope="module")
def distance(table, chat) -> torch.Tensor:
    return (table - table[reserved(chat)].mean(0)).norm(dim=1)


def reserved(chat: BPETokenizer) -> list[int]:
    starts = ("<gh_", "<issue_", "<jupyter_", "<empty_")
    return [i for name, i in chat.special_tokens.items() if name.startswith(starts)]


def test_the_librarys_wordpiece_trainer_merges_by_count(library):
    """The last few tokens may differ: among equal counts the library's order changes from run to run."""
    by_count = merged_by_count()
    assert len(set(library.tokens) & set(by_count.tokens)) > 0.97 * SIZE


def test_the_score_prefers_rare_pairs_and_more_than_doubles_the_tokens_of_unseen_pages(library):
    by_score = WordPieceTokenizer.train(TEXT, SIZE)
    merged = [token for token in by_score.tokens if len(token.removeprefix("##")) > 1 and token not in BERT_SPECIAL]
    assert sum(token.removeprefix("##").isdigit() for token in merged[:12]) > 8
    bpe = per_100_bytes(BPETokenizer.train(TEXT, SIZE).encode).mean()
    by_count = per_100_bytes(library.encode).mean()
    assert per_100_bytes(by_score.encode).mean() > 2 * by_count  # "more than twice as many"
    assert by_count < bpe  # "even fewer than BPE"
    assert len(PAGES) == 21


def test_em_drops_most_seeds_and_lowers_the_bits():
    words = word_counts(TEXT)
    scores, characters = seeds(words, SIZE - 256)
    before, n_seeds = unigram_bits(words, scores), len(scores)
    scores = em_step(words, scores, characters)
    assert len(scores) < 0.3 * n_seeds and unigram_bits(words, scores) < 0.9 * before
    assert 9 * (SIZE - 256) < n_seeds < 11 * (SIZE - 256)  # "ten times as many tokens as you want"


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def single_spaces(text: str) -> str:
    return " ".join(text.split())


def test_one_change_at_a_time_single_spaces_save_most_and_wordpiece_saves_as_much_as_all_three(library):
    def bpe(change):
        return per_100_bytes(BPETokenizer.train(change(TEXT), SIZE).encode, change)

    as_it_is = bpe(str)
    changed = {"lower": bpe(str.lower), "accents": bpe(without_accents), "spaces": bpe(single_spaces)}
    changed["all"] = bpe(lambda text: without_accents(single_spaces(text.lower())))
    changed["unigram"] = per_100_bytes(UnigramTokenizer.train(TEXT, SIZE + len(set(TEXT))).encode)
    changed["wordpiece"] = per_100_bytes(library.encode)
    gap = {name: paired_bootstrap(values, as_it_is) for name, values in changed.items()}
    assert gap["unigram"].low < 0 < gap["unigram"].high  # "it could as well be zero"
    assert gap["accents"].difference == pytest.approx(0, abs=0.05)
    assert gap["spaces"].difference < 3 * gap["lower"].difference < 0 and gap["lower"].high < 0
    assert gap["all"].difference < gap["spaces"].difference
    assert gap["wordpiece"].difference == pytest.approx(gap["all"].difference, abs=0.6)  # "about as much"


def test_with_the_borders_of_tables_wordpiece_would_seem_to_save_hardly_anything():
    pages = [page for _, page in HELD_OUT]
    as_it_is = per_100_bytes(BPETokenizer.train(TRAIN.text, SIZE).encode, pages=pages)
    wordpiece = per_100_bytes(ours_from(library_wordpiece(TRAIN.text, SIZE)).encode, pages=pages)
    gap = paired_bootstrap(wordpiece, as_it_is)
    assert -1.5 < gap.difference < 1.5 and gap.low < 0 < gap.high
    cleaned = per_100_bytes(ours_from(library_wordpiece(TEXT, SIZE)).encode)
    lost = np.sort(wordpiece - cleaned)[::-1]
    assert lost[:4].sum() > 0.5 * lost.sum()  # "a few pages full of them would distort the averages"


def test_pruning_by_hand_on_the_tokens_of_cab():
    scores = {"c": -3.0, "a": -2.0, "b": -3.5, "ca": -5.5, "ab": -3.0, "cab": -8.0}
    assert scores["ab"] - (scores["a"] + scores["b"]) == 2.5
    assert scores["ca"] - (scores["c"] + scores["a"]) < 0
    kept = prune({"ab": 9, "ca": 1}, scores, {"a", "b", "c"}, keep=4)
    assert kept.keys() == {"a", "b", "c", "ab"}


def test_one_round_of_em_by_hand():
    """The table of section 2: "aba" four times, p(a) = 0.5, p(b) = 0.2, p(ab) = 0.3."""
    logs = {token: math.log(p) for token, p in {"a": 0.5, "b": 0.2, "ab": 0.3}.items()}
    after = em_step({"aba": 4}, logs, {"a", "b"})
    assert {token: math.exp(score) for token, score in after.items()} == pytest.approx(
        {"a": 5 / 9, "b": 1 / 9, "ab": 3 / 9}
    )


def test_wrong_expected_counts_cannot_agree_with_the_cuts_that_sentencepiece_lists():
    """The comparison of section 2: in its words no cut has all the weight, so that each known mistake is seen."""
    words, exercise = ["repeated", "intention", "statistics"], registry()["expected_uses"]
    case = import_module("helpers.exercises.course.01b_more_tokenizers.expected_uses").both
    pieces = sentencepiece_unigram(TEXT.split("\n"), SIZE - 256 + len(set(TEXT)))
    p = {pieces.id_to_piece(i): math.exp(pieces.get_score(i)) for i in range(3, len(pieces))}

    def gap(function) -> float:
        """The largest relative difference over the words; infinite where the tokens differ."""
        gaps = []
        for word in words:
            cuts = pieces.nbest_encode(word, nbest_size=512, out_type=str)
            weights = [math.prod(p[token] for token in tokens) for tokens in cuts]
            assert max(weights) < 0.75 * sum(weights)
            listed: Counter[str] = Counter()
            for tokens, weight in zip(cuts, weights, strict=True):
                for token in tokens:
                    listed[token] += weight / sum(weights)
            try:
                yours = function(*case(word, p))
            except LookupError:
                return math.inf
            if yours.keys() != listed.keys():
                return math.inf
            gaps.append(max(abs(yours[token] / listed[token] - 1) for token in listed))
        return max(gaps)

    assert gap(exercise.reference) < 1e-6
    assert {mistake.cause: gap(mistake.variant) for mistake in exercise.mistakes if gap(mistake.variant) < 0.01} == {}


def test_the_learners_expectation_gives_the_same_round_as_the_courses():
    case = import_module("helpers.exercises.course.01b_more_tokenizers.expected_uses").both
    words = word_counts(TRAIN.head(20_000))
    scores, characters = seeds(words, 500)

    def expectation(words, p):
        counts: Counter[str] = Counter()
        for word, n in words.items():
            for token, uses in registry()["expected_uses"].reference(*case(word, p)).items():
                counts[token] += n * uses
        return counts

    with_it = em_step(words, scores, characters, expectation)
    assert with_it == pytest.approx(em_step(words, scores, characters))
    assert em_step(words, scores, characters, lambda words, p: {"e": 1.0}) != pytest.approx(with_it)


def test_the_rounds_of_the_notebook_give_the_vocabulary_of_train():
    text = TRAIN.head(200_000)
    words, n_tokens = word_counts(text), 1024 - 256
    scores, characters = seeds(words, n_tokens)
    for _ in range(2):
        scores = em_step(words, scores, characters)
    while len(scores) > n_tokens:
        scores = prune(words, scores, characters, max(n_tokens, len(scores) * 3 // 4))
        for _ in range(2):
            scores = em_step(words, scores, characters)
    assert scores.keys() == UnigramTokenizer.train(text, 1024).scores.keys()


def test_reserved_markers_share_one_place_far_from_the_others(distance, chat):
    ids = reserved(chat)
    assert len(ids) == 10
    assert distance.median() > 200 * distance[ids].max()  # "hundreds of times as far"


def test_a_small_norm_finds_common_words_instead(table, chat):
    smallest = [chat.tokens[i] for i in table.norm(dim=1).argsort()[:12].tolist()]
    assert {b" John", b" Michael"} <= set(smallest)


def test_the_nearest_tokens_are_steps_of_longer_words_and_chat_markers(distance, chat):
    near = [i for i in distance.argsort().tolist() if i not in reserved(chat)][:36]
    assert {b" questionna", b" biomark"} <= {chat.tokens[i] for i in near}
    assert {chat.special_tokens["<|im_start|>"], chat.special_tokens["<|im_end|>"]} <= set(near)
    longer = [token for token in chat.tokens if token and token.startswith(b" questionna")]
    assert b" questionnaire" in longer


def test_the_table_is_a_fifth_of_the_model_and_a_twelfth_of_it_would_do(table):
    assert table.numel() / 134_515_008 == pytest.approx(0.2, abs=0.02)
    assert table.shape[0] / 4096 == 12


def test_the_tokens_of_the_first_merges_have_the_first_ids(chat):
    """So that the model's own first 4,096 tokens are spelled by its first merges and have the first 4,096 rows."""
    ids = {token: i for i, token in enumerate(chat.tokens) if token is not None}
    first = len(chat.tokens) - len(chat.merges)
    merged = [ids[chat.tokens[left] + chat.tokens[right]] for left, right in chat.merges]
    assert merged == list(range(first, len(chat.tokens)))


def test_added_names_save_a_little_and_nearly_nothing_where_they_leave_the_space_alone():
    plain = Tokenizer.from_file(str(fetch("chat") / "tokenizer.json"))
    training, unseen = ([ticket["text"] for ticket in load_tickets(part)] for part in ("train", "test"))
    found = Counter(word for text in training for word in re.findall(r" [A-Z][a-z]+\b", text))
    saves = {word: n * (len(plain.encode(word).ids) - 1) for word, n in found.items()}
    names = sorted(saves, key=saves.get, reverse=True)[:24]
    assert " Kite" in names and " Kwame" in names  # "also picks the names of customers"

    def added(words, **options):
        tokenizer = Tokenizer.from_file(str(fetch("chat") / "tokenizer.json"))
        tokenizer.add_tokens([AddedToken(word, normalized=False, **options) for word in words])
        return tokenizer

    def n_tokens(tokenizer):
        return sum(len(tokenizer.encode(text).ids) for text in unseen)

    anywhere, whole = added(names), added([word.strip() for word in names], single_word=True)
    saved = [1 - n_tokens(tokenizer) / n_tokens(plain) for tokenizer in (anywhere, whole)]
    assert 0.01 < saved[0] < 0.05 and saved[1] < saved[0] / 3
    assert anywhere.encode("two Kites").tokens[-2:] == [" Kite", "s"]
    assert whole.encode("two Kites").tokens == plain.encode("two Kites").tokens
    with_space = added(names, single_word=True)  # "would no longer be found after a letter"
    assert with_space.encode("a Kite").tokens == plain.encode("a Kite").tokens


def test_most_rows_of_the_table_belong_to_tokens_that_tickets_never_use(table):
    """With parts, bytes, special tokens and the chat template kept: a few percent more tokens, nearly a fifth less."""
    content = json.loads((fetch("chat") / "tokenizer.json").read_text(encoding="utf-8"))
    plain = Tokenizer.from_str(json.dumps(content))
    vocab, merges = content["model"]["vocab"], content["model"]["merges"]
    parts = {left + right: (left, right) for left, right in merges}
    special = {token["content"] for token in content["added_tokens"]}
    needed = {token for token in vocab if len(token) == 1} | special
    template = "system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face\nuser\nassistant\n"
    to_do = [token for t in load_tickets("train") for token in plain.encode(t["text"]).tokens]
    to_do += plain.encode(template).tokens
    while to_do:
        token = to_do.pop()
        if token not in needed:
            needed.add(token)
            to_do += parts.get(token, ())
    kept = sorted(needed, key=vocab.get)
    assert [token["content"] for token in content["added_tokens"]] == kept[:17]  # "keep the ids 0 to 16"
    content["model"]["vocab"] = {token: i for i, token in enumerate(kept)}
    content["model"]["merges"] = [pair for pair in merges if pair[0] + pair[1] in needed]
    assert sum(len(token) == 1 for token in vocab) == 235  # of 256 bytes
    smaller = Tokenizer.from_str(json.dumps(content))
    unseen = [ticket["text"] for ticket in load_tickets("test")]
    before, after = (sum(len(tokenizer.encode(text).ids) for text in unseen) for tokenizer in (plain, smaller))
    assert 1.02 * before < after < 1.08 * before
    assert len(kept) < 0.2 * len(table)
    assert 2 * table.numel() / 1e6 == pytest.approx(57, abs=0.5)
    assert 2 * len(kept) * table.shape[1] / 1e6 == pytest.approx(7, abs=0.5)
    assert 0.16 < (len(table) - len(kept)) * table.shape[1] / 134_515_008 < 0.2


@pytest.mark.slow
def test_new_tokens_are_worse_than_guessing_and_moved_rows_lie_behind_the_models_own_small_tokens(table, chat):
    model, _ = chat_model()
    texts = ["The brake lever felt spongy after the rain.", "Please cancel the order for the child seat."]
    small = BPETokenizer.train(TEXT, 4096)
    first = BPETokenizer(chat.tokens, chat.merges[: 4096 - len(chat.tokens) + len(chat.merges)], {}, split_digits=True)
    old_ids = {token: i for i, token in enumerate(chat.tokens) if token is not None}
    pieces = [chat.encode(t.decode("utf-8", "replace")) or [0] for t in small.tokens]
    exercise = registry()["move_embeddings"]
    moved = exercise.reference(table, old_ids, small.tokens, pieces)
    with_the_bug = exercise.planted(table, old_ids, small.tokens, pieces)

    def bits(rows, encode):
        return np.mean(bits_per_byte(model, rows, encode, texts))

    def guessing(encode, n_tokens):
        return np.mean([np.log2(n_tokens) * len(encode(t)) / len(t.encode()) for t in texts])

    own, own_first = bits(table, chat.encode), bits(table[:4096], first.encode)
    copied, carried = bits(table[:4096], small.encode), bits(moved, small.encode)
    assert copied > guessing(small.encode, 4096) > carried
    assert bits(with_the_bug, small.encode) > 0.97 * copied  # "stayed as bad as before"
    assert own < own_first < carried


def test_what_the_text_and_the_quiz_say_about_greedy_cutting():
    def cut(word, *tokens):
        tokenizer = WordPieceTokenizer(["[UNK]", *tokens], {"[UNK]": 0})
        return [tokenizer.tokens[i] for i in tokenizer.encode(word)]

    text = cut("unaffordable", "un", "##aff", "##able", "una", "##ff", "##ord")
    assert text == ["una", "##ff", "##ord", "##able"]
    assert cut("reporters", "re", "##port", "##ers", "rep", "##ort", "##er") == ["rep", "##ort", "##ers"]
