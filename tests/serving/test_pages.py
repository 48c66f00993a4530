"""Pages are in use, kept or free; the count of owners is right after any sequence of operations."""

from __future__ import annotations

import random

import pytest

from helpers.old.serving.pages import ROOT, PagePool, page_key, pages_for, root_key


def test_a_pool_gives_each_page_once_and_then_none():
    pool = PagePool(3, 4)
    assert sorted(pool.take() for _ in range(3)) == [0, 1, 2]
    assert pool.take() is None and pool.available == 0 and pool.used == 3
    pool.release(1)
    assert pool.take() == 1


def test_a_kept_page_is_found_shared_and_given_up_last():
    pool = PagePool(2, 4)
    first, second = pool.take(), pool.take()
    pool.keep(first, b"a")
    pool.release(first)
    pool.release(second)
    assert (pool.kept, pool.available) == (1, 2)
    assert pool.take() == second, "the free page goes first"
    assert pool.share(b"a") == first and pool.share(b"a") == first and pool.owners[first] == 2
    pool.release(first)
    assert pool.take() is None, "it still has an owner"
    pool.release(first)
    assert pool.take() == first and pool.share(b"a") is None, "given up, it cannot be found"


def test_the_page_used_longest_ago_is_given_up_first():
    pool = PagePool(3, 4)
    pages = [pool.take() for _ in range(3)]
    for page, key in zip(pages, (b"a", b"b", b"c"), strict=True):
        pool.keep(page, key)
    for page in pages:
        pool.release(page)
    pool.release(pool.share(b"a"))
    assert [pool.take() for _ in range(3)] == [pages[1], pages[2], pages[0]]


def test_of_a_released_text_the_last_page_is_given_up_first():
    pool = PagePool(3, 4)
    pages = [pool.take() for _ in range(3)]
    for page in pages:
        pool.keep(page, bytes([page]))
    pool.release_all(pages)
    assert [pool.take() for _ in range(3)] == pages[::-1]


def test_the_first_page_with_a_key_is_the_one_that_is_found():
    pool = PagePool(2, 4)
    first, second = pool.take(), pool.take()
    pool.keep(first, b"a")
    pool.keep(second, b"a")
    assert pool.share(b"a") == first
    pool.release(second)
    assert pool.kept == 0, "the second one is free again"


def test_a_forgotten_page_is_not_found_and_not_lost():
    pool = PagePool(2, 4)
    owned, kept = pool.take(), pool.take()
    pool.keep(owned, b"a")
    pool.keep(kept, b"b")
    pool.release(kept)
    pool.forget(owned)
    pool.forget(kept)
    assert pool.share(b"a") is None and pool.share(b"b") is None and not pool.owned(b"a")
    pool.release(owned)
    assert {pool.take(), pool.take()} == {owned, kept}


def test_a_page_without_owner_cannot_be_released():
    with pytest.raises(ValueError, match="no owner"):
        PagePool(2, 4).release(0)
    with pytest.raises(ValueError, match="at least 1 page"):
        PagePool(0, 4)


@pytest.mark.parametrize("seed", range(5))
def test_no_page_is_ever_lost_or_owned_by_mistake(seed):
    rng, pool, owned, n = random.Random(seed), PagePool(8, 4), [], 0
    for _ in range(2_000):
        action = rng.choice(("take", "share", "release", "keep", "forget"))
        if action == "take" and (page := pool.take()) is not None:
            assert page not in owned
            owned.append(page)
        elif action == "share" and (page := pool.share(b"%d" % rng.randrange(max(n, 1)))) is not None:
            owned.append(page)
        elif action == "release" and owned:
            pool.release(owned.pop(rng.randrange(len(owned))))
        elif action == "keep" and owned:
            pool.keep(rng.choice(owned), b"%d" % n)
            n += 1
        elif action == "forget" and owned:
            pool.forget(rng.choice(owned))
        assert pool.owners == [owned.count(page) for page in range(8)]
        assert pool.used == len(set(owned)) and pool.available == 8 - len(set(owned))


def test_a_key_stands_for_all_tokens_so_far_and_the_adapter():
    first = page_key(ROOT, [1, 2])
    assert page_key(first, [3, 4]) == page_key(page_key(ROOT, [1, 2]), [3, 4])
    different = [first, page_key(ROOT, [2, 1]), page_key(first, [1, 2]), page_key(root_key("tickets"), [1, 2])]
    assert len(set(different)) == 4
    assert page_key(ROOT, [1, 256]) != page_key(ROOT, [257, 0])


def test_how_many_pages_hold_so_many_tokens():
    assert [pages_for(n, 4) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
