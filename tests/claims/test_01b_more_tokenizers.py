"""What 01b_more_tokenizers and its quiz say in words, held against the tokenizers and the model themselves."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from helpers.corpora import language_reference
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
    normalize,
    prune,
    seeds,
    split_words,
    unigram_bits,
    word_counts,
)
from helpers.velunda import load_tickets

SIZE = 2048
TRAIN, HELD_OUT = language_reference().distinct().split(validation=0.2, seed=0)


def ours_from(library: Tokenizer) -> WordPieceTokenizer:
    ids = library.get_vocab()
    return WordPieceTokenizer(sorted(ids, key=ids.get), {name: ids[name] for name in BERT_SPECIAL})


def merged_by_count() -> WordPieceTokenizer:
    """A vocabulary of the library's BPE trainer, on the same words in the same spelling as its WordPiece trainer."""
    library = Tokenizer(models.BPE(continuing_subword_prefix="##"))
    library.normalizer, library.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    options = {"special_tokens": list(BERT_SPECIAL), "show_progress": False, "continuing_subword_prefix": "##"}
    library.train_from_iterator([TRAIN.text], trainers.BpeTrainer(vocab_size=SIZE, **options))
    return ours_from(library)


@pytest.fixture(scope="module")
def library():
    return ours_from(library_wordpiece(TRAIN.text, SIZE))


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


def test_the_score_prefers_rare_pairs_and_makes_text_far_longer(library):
    by_score = WordPieceTokenizer.train(TRAIN.text, SIZE)
    merged = [token for token in by_score.tokens if len(token.removeprefix("##")) > 1 and token not in BERT_SPECIAL]
    assert sum(token.removeprefix("##").isdigit() for token in merged[:12]) > 8
    text = HELD_OUT.text
    assert len(by_score.encode(text)) > 1.4 * len(library.encode(text))


def test_q_and_u_lie_between_the_most_frequent_pair_and_the_most_surprising_one():
    words = split_words(normalize(TRAIN.text))
    letters = Counter("".join(words))
    pairs = Counter(pair for word in words for pair in zip(word, word[1:], strict=False))
    score = {pair: n / (letters[pair[0]] * letters[pair[1]]) for pair, n in pairs.items() if n > 1}
    frequent, surprising, qu = max(score, key=pairs.get), max(score, key=score.get), ("q", "u")
    assert pairs[surprising] < 20 < pairs[qu] < pairs[frequent]
    assert score[frequent] < score[qu] < score[surprising]


def test_em_drops_most_seeds_and_lowers_the_bits():
    words = word_counts(TRAIN.text)
    scores, characters = seeds(words, SIZE - 256)
    before, n_seeds = unigram_bits(words, scores), len(scores)
    scores = em_step(words, scores, characters)
    assert len(scores) < 0.3 * n_seeds and unigram_bits(words, scores) < 0.9 * before
    assert 9 * (SIZE - 256) < n_seeds < 11 * (SIZE - 256)  # "ten times as many tokens as you want"


def test_the_second_step_of_em_helps_the_training_text_and_no_longer_the_unseen_pages():
    words, unseen = word_counts(TRAIN.text), word_counts(HELD_OUT.text)
    scores, characters = seeds(words, SIZE - 256)
    rounds = [(unigram_bits(words, scores), unigram_bits(unseen, scores))]
    for _ in range(2):
        scores = em_step(words, scores, characters)
        rounds.append((unigram_bits(words, scores), unigram_bits(unseen, scores)))
    (seen_0, new_0), (seen_1, new_1), (seen_2, new_2) = rounds
    assert seen_2 < seen_1 < seen_0 and new_1 < new_2 < new_0 and new_2 < 1.01 * new_1  # "rises slightly"


def test_unbound_has_a_token_without_a_space_because_it_mostly_starts_a_line():
    before = Counter(TRAIN.text[at - 1] for at in range(len(TRAIN.text)) if TRAIN.text.startswith("unbound", at))
    assert before["\n"] > sum(before.values()) / 2
    unigram = UnigramTokenizer.train(TRAIN.text, SIZE)
    assert unigram.segment(" unbound") == [b" ", b"unbound"]
    assert sum(token.startswith(" ") for token in unigram.scores) > len(unigram.scores) / 2  # "more than half"


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def single_spaces(text: str) -> str:
    return " ".join(text.split())


def test_one_change_at_a_time_single_spaces_save_most_and_marks_apart_cost_nearly_all_of_it(library):
    """Tokens per 100 raw bytes of each held-out page, compared with BPE as it is."""
    pages = [page for _, page in HELD_OUT]
    raw = np.array([len(page.encode()) for page in pages])

    def per_100_bytes(encode, change=str):
        return 100 * np.array([len(encode(change(page))) for page in pages]) / raw

    def bpe(change):
        return per_100_bytes(BPETokenizer.train(change(TRAIN.text), SIZE).encode, change)

    as_it_is = bpe(str)
    changed = {"lower": bpe(str.lower), "accents": bpe(without_accents), "spaces": bpe(single_spaces)}
    changed["all"] = bpe(lambda text: without_accents(single_spaces(text.lower())))
    changed["unigram"] = per_100_bytes(UnigramTokenizer.train(TRAIN.text, SIZE).encode)
    changed["wordpiece"] = per_100_bytes(library.encode)
    together = library_wordpiece(TRAIN.text, SIZE, marks_together=True)
    changed["marks together"] = per_100_bytes(lambda page: together.encode(page).ids)
    gap = {name: paired_bootstrap(values, as_it_is) for name, values in changed.items()}
    assert gap["unigram"].low < 0 < gap["unigram"].high  # "nothing that could be told from chance"
    assert gap["accents"].difference == pytest.approx(0, abs=0.05)
    assert gap["spaces"].difference < 3 * gap["lower"].difference < 0 and gap["lower"].high < 0
    assert gap["marks together"].difference < gap["all"].difference < gap["spaces"].difference
    assert gap["wordpiece"].difference > 0.3 * gap["all"].difference  # "nearly all of the gain is lost"
    assert library.encode("** ==") == [library.tokens.index(token) for token in "**=="]  # one token a mark


def test_one_round_of_em_by_hand():
    """The table of section 2: "aba" four times, p(a) = 0.5, p(b) = 0.2, p(ab) = 0.3."""
    logs = {token: math.log(p) for token, p in {"a": 0.5, "b": 0.2, "ab": 0.3}.items()}
    after = em_step({"aba": 4}, logs, {"a", "b"})
    assert {token: math.exp(score) for token, score in after.items()} == pytest.approx(
        {"a": 5 / 9, "b": 1 / 9, "ab": 3 / 9}
    )


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


def test_the_thin_tail_holds_steps_of_longer_words_and_chat_markers(distance, chat):
    tail = {chat.tokens[i] for i in (distance < 2.2).nonzero()[:, 0].tolist()}
    assert {b" questionna", b" biomark"} <= tail and 40 < len(tail) < 100
    assert all(distance[chat.special_tokens[name]] < 0.5 for name in ("<|im_start|>", "<|im_end|>"))
    longer = [token for token in chat.tokens if token and token.startswith(b" questionna")]
    assert b" questionnaire" in longer


def test_the_tokens_to_repeat_lie_left_of_the_line_and_are_mostly_names_from_code(table, distance, chat):
    names = [(i, (chat.tokens[i] or b"").decode("utf-8", "replace").strip()) for i in distance.argsort()[:200].tolist()]
    chosen = [(i, name) for i, name in names if len(name) > 3 and name.isascii() and name.isalpha()][:24]
    assert max(distance[i] for i, _ in chosen) < 2.2
    assert sum(any(letter.isupper() for letter in name[1:]) for _, name in chosen) > 12  # "ICENSE", "PeerClass", …


def test_the_marker_that_ends_a_turn_points_where_the_unused_rows_point(table, chat):
    center = table[reserved(chat)].mean(0)
    cosine = torch.nn.functional.cosine_similarity(table, center[None])
    assert cosine[chat.special_tokens["<|im_end|>"]] > 0.98 and cosine.median() < 0.7


def test_the_table_is_a_fifth_of_the_model_and_a_twelfth_of_it_would_do(table):
    assert table.numel() / 134_515_008 == pytest.approx(0.2, abs=0.02)
    assert table.shape[0] / 4096 == 12


def test_most_rows_of_the_table_belong_to_tokens_that_tickets_never_use(chat, table):
    """With their parts and all bytes kept: "more than four fifths", "a few percent more tokens", "nearly a fifth"."""
    ids = {token: i for i, token in enumerate(chat.tokens) if token is not None}
    parts = {ids[chat.tokens[left] + chat.tokens[right]]: (left, right) for left, right in chat.merges}
    needed = {i for token, i in ids.items() if len(token) == 1}
    to_do = [i for ticket in load_tickets("train") for i in chat.encode(ticket["text"])]
    while to_do:
        i = to_do.pop()
        if i not in needed:
            needed.add(i)
            to_do += parts.get(i, ())
    merges = [pair for pair in chat.merges if ids[chat.tokens[pair[0]] + chat.tokens[pair[1]]] in needed]
    trimmed = BPETokenizer(chat.tokens, merges, {}, split_digits=True)
    unseen = [ticket["text"] for ticket in load_tickets("test")]
    before, after = (sum(len(tokenizer.encode(text)) for text in unseen) for tokenizer in (chat, trimmed))
    assert all(set(trimmed.encode(text)) <= needed for text in unseen)
    assert len(needed) < 0.2 * len(table) and 1.02 * before < after < 1.08 * before
    assert 2 * table.numel() / 1e6 == pytest.approx(57, abs=0.5)
    assert 2 * len(needed) * table.shape[1] / 1e6 == pytest.approx(7, abs=0.5)
    assert 0.16 < (len(table) - len(needed)) * table.shape[1] / 134_515_008 < 0.2


@pytest.mark.slow
def test_shuffled_ids_are_worse_than_guessing_and_moved_rows_are_better_than_copied_ones(table, chat):
    model, _ = chat_model()
    texts = ["The brake lever felt spongy after the rain.", "Please cancel the order for the child seat."]
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(0)).tolist()
    small = BPETokenizer.train(TRAIN.text, 4096)
    old_ids = {token: i for i, token in enumerate(chat.tokens) if token is not None}
    pieces = [chat.encode(t.decode("utf-8", "replace")) or reserved(chat)[:1] for t in small.tokens]
    exercise = registry()["move_embeddings"]
    moved = exercise.reference(table, old_ids, small.tokens, pieces)
    with_the_bug = exercise.planted(table, old_ids, small.tokens, pieces)

    def bits(rows, encode):
        return np.mean(bits_per_byte(model, rows, encode, texts))

    def guessing(encode, n_tokens):
        return np.mean([np.log2(n_tokens) * len(encode(t)) / len(t.encode()) for t in texts])

    own, shuffled = bits(table, chat.encode), bits(table, lambda text: [order[i] for i in chat.encode(text)])
    half = BPETokenizer(chat.tokens, chat.merges[: len(chat.merges) // 2], {}, split_digits=True)
    copied, carried = bits(table[:4096], small.encode), bits(moved, small.encode)
    assert shuffled > guessing(chat.encode, len(table)) and copied > guessing(small.encode, 4096) > carried
    assert bits(with_the_bug, small.encode) > 0.97 * copied  # "nothing"
    assert own < carried < copied and bits(table, half.encode) < 1.3 * own


def test_bpe_has_four_spellings_of_the_and_wordpiece_one(library):
    bpe = BPETokenizer.train(TRAIN.text, SIZE).tokens
    assert {b"The", b"the", b" The", b" the"} <= set(bpe)
    assert "the" in library.tokens and not {"The", " the"} & set(library.tokens)
    assert b" dynamic" not in bpe and UnigramTokenizer.train(TRAIN.text, SIZE).segment(" dynamic") == [b" dynamic"]


def test_what_the_text_and_the_quiz_say_about_greedy_cutting():
    tokens = ["[UNK]", "un", "##aff", "##able", "una", "##ff", "##ord"]
    tokenizer = WordPieceTokenizer(tokens, {"[UNK]": 0})
    assert [tokens[i] for i in tokenizer.encode("unaffordable")] == ["una", "##ff", "##ord", "##able"]
