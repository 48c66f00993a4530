"""The checks of a reply's form: what they let pass, and what nonsense they refuse."""

from __future__ import annotations

import pytest

from helpers.old.tasks import CHECKS, Check

# name, parameters, replies that have the form, replies that do not (the last ones: nonsense of nearly the form)
CASES = [
    ("at_most_words", {"n": 3}, ["Rome", "In Rome.", "a well-known 1,000"], ["It is in Rome", "...", "- - -"]),
    (
        "at_least_words",
        {"n": 4},
        ["We went to the sea.", "one two three four"],
        ["We went home", "word word word word", "a , b ; c ! ."],
    ),
    ("exactly_words", {"n": 1}, ["green", "Green.", "don't"], ["It's green", "grass green", "!"]),
    ("exactly_words", {"n": 3}, ["red and blue"], ["red", "red red red", "red, blue"]),
    (
        "sentences",
        {"n": 2},
        ["It snows. We stay in.", "Is it Mr. Brown? It is 2.5 miles!", 'He said "go." Then he went.'],
        ["It snows.", "It snows. We stay in", "It snows. It snows.", "A. B.", "It snows.\nWe stay in.", "It... snows"],
    ),
    (
        "sentences",
        {"n": 1},
        ["Snow is ice.", "It is 2.5 km from Mrs. Hall, e.g. by sled."],
        ["Snow", "Snow. Ice is", "...", "No."],
    ),
    (
        "bullets",
        {"n": 2},
        ["- red\n- blue", "* red\n\n* blue", "• one thing\n• another  "],
        ["Here:\n- red\n- blue", "- red\n- red", "- red\n- ", "-red\n-blue", "- red", "- a\n- b\n- c", "- !\n- ?"],
    ),
    (
        "numbered",
        {"n": 2},
        ["1. boil\n2. pour", "1) boil\n2) pour"],
        ["2. pour\n1. boil", "1. boil\n1. pour", "1. boil\n2. boil", "1. boil\n2. pour\nDone!", "1.\n2.", "1. a\n3. b"],
    ),
    ("lines", {"n": 2}, ["red\nblue", "red\n\nblue"], ["red", "red\nred", "- red\n- blue", "1. a\n2. b", ".\n,"]),
    (
        "separated",
        {"n": 3},
        ["red, green, blue", "red,green,blue.", "New York, Rome, Los Angeles"],
        [
            *("red, green and blue", "red, green, and blue", "Sure: red, green, blue", "red, red, red", "red, green,"),
            *("Well, I think that it is the color blue, or green", "red\ngreen\nblue", "red, green; blue, x, y"),
        ],
    ),
    ("separated", {"n": 2, "by": "/"}, ["cup/glass", "cup / glass"], ["cup, glass", "cup/cup", "/", "cup//glass"]),
    ("alphabetical", {}, ["Austria, France", "apple, Banana, cherry"], ["France, Austria", "Austria", ", ,"]),
    (
        "labeled",
        {"labels": ["Name", "Color"]},
        ["Name: robin\nColor: red", "Name: robin\n\nColor: red: dark"],
        ["Color: red\nName: robin", "Name: robin", "Name:\nColor:", "Here:\nName: a\nColor: b", "name: a\ncolor: b"],
    ),
    (
        "table",
        {"columns": ["City", "River"], "rows": 2},
        ["| City | River |\n|---|---|\n| Rome | Tiber |\n| Cairo | Nile |"],
        [
            "| City | River |\n|---|---|\n| Rome | Tiber |",
            "| City | River |\n| Rome | Tiber |\n| Cairo | Nile |\n| a | b |",
            "| City | River |\n|---|---|\n| Rome | Tiber |\n| Rome | Tiber |",
            "| City | River |\n|---|---|\n| Rome | |\n| Cairo | Nile |",
            "| River | City |\n|---|---|\n| Rome | Tiber |\n| Cairo | Nile |",
        ],
    ),
    (
        "number_only",
        {},
        ["8", "12.", "1,250", "-3", "2.5"],
        ["eight", "8 legs", "12 34", "1,25", "8!", "1e9", "٣", "."],
    ),
    ("yes_or_no", {}, ["yes", "No.", " YES "], ["Yes, it is.", "yes no", "maybe", "yes!!", "."]),
    ("one_of", {"choices": ["A", "B"]}, ["a", "B."], ["A: carrot", "A B", "C", "AB", "."]),
    ("date", {}, ["2026-05-31", "2024-02-29."], ["31.05.2026", "2026-05-32", "2025-02-29", "2026-5-31", "0000-00-00"]),
    ("clock", {}, ["08:15", "23:59", "00:00."], ["8:15", "24:00", "12:60", "08:15 pm", "12:00:00", ":"]),
    ("lowercase", {}, ["paris", "it is paris, 3 km on."], ["Paris", "PARIS", "123", "..."]),
    ("uppercase", {}, ["PARIS", "FIRE! 112!"], ["Paris", "paris", "112!"]),
    ("capitalized", {}, ["Good Morning", "The 3 Bears"], ["Good morning", "GOOD MORNING", "Good", "3"]),
    (
        "includes",
        {"text": "seven"},
        ["Here live seven dwarfs.", "Seven of them came"],
        ["seven", "seven seven", "seventy of them came", "They all came back"],
    ),
    ("without", {"text": ","}, ["The sun goes down"], ["The sun, it goes down", "Sun", "!!!"]),
    ("without", {"text": "hot"}, ["The photo of summer"], ["It is hot today", "Hot days are long", "no"]),
    ("without", {"text": "z"}, ["Lions and giraffes"], ["We saw a Zebra", "apes"]),
    ("mentions", {"any_of": ["dog", "new york"]}, ["Two dogs.", "in New York"], ["dogma", "New Yor", "hotdog", "..."]),
    (
        "begins_with",
        {"text": "Well"},
        ["Well, it is late.", "Well then"],
        ["Well", "Well...", "Wellington is far", "well, it is", "It is well"],
    ),
    (
        "ends_with",
        {"text": "amen"},
        ["Thanks, amen"],
        ["amen", "Thanks, amen.", "We say yamen", "!!! amen", "Amen to that"],
    ),
    ("ends_with", {"text": "!"}, ["Great news!"], ["Great news", "!", "! ?"]),
    ("wrapped", {"start": '"', "end": '"'}, ['"Time flies."'], ['"', '""', '"."', 'He says "no".', '"a" and "b"']),
    ("wrapped", {"start": "<b>", "end": "</b>"}, ["<b>Bell</b>"], ["<b></b>", "Bell", "<b>a</b> <b>c</b>", "<b>Bell"]),
    (
        "question",
        {},
        ["What color is the hat?", "Is Mr. Hall at home?"],
        ["A hat?", "What? Why is that so?", "I see. What color is it?", "What is it", "???", "Is it so? Yes."],
    ),
    (
        "heading",
        {},
        ["# Blue\nThe sky is blue.", "# The sea\n\nIt is big."],
        ["Blue\nThe sky", "# Blue", "## Blue\nThe sky", "#Blue\nsky", "# \nsky", "# Blue\n# Sky", "# Blue\nBlue"],
    ),
    (
        "json_object",
        {"keys": ["name", "age"], "numbers": ["age"]},
        ['{"name": "Ann", "age": 7}', '\n{"age": 7.5,\n "name": ["Ann"]}'],
        [
            *('{"name": "Ann", "age": "7"}', '{"name": "", "age": 7}', '{"name": null, "age": 7}', '{"name": "Ann"}'),
            *('{"name": "A", "age": 7, "x": 1}', '{"name": "A", "name": "B", "age": 7}', "{'name': 'A', 'age': 7}"),
            *('```json\n{"name": "A", "age": 7}\n```', 'Sure: {"name": "A", "age": 7}', '{"name": "...", "age": 7}'),
            *(
                '{"name": "A", "age": NaN}',
                '{"name": "A", "age": true}',
                '[["name", "A"], ["age", 7]]',
                '{"name": "A", ',
            ),
        ],
    ),
    (
        "json_object",
        {"keys": ["a"]},
        ['{"a": false}', '{"a": {"b": 1}}'],
        ['{"a": []}', '{"a": {}}', '{"a": [""]}', "{}"],
    ),
    (
        "json_list",
        {"n": 2},
        ['["red", "blue"]'],
        [
            '["red"]',
            '["red", "red"]',
            '["red", ""]',
            "[1, 2]",
            '{"a": 1, "b": 2}',
            "red, blue",
            '["a", "b"',
            '["a", "."]',
        ],
    ),
]


@pytest.mark.parametrize(
    ("name", "parameters", "right", "wrong"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)]
)
def test_a_check_tells_replies_of_the_form_from_others_and_from_nonsense(name, parameters, right, wrong):
    check = Check(name, parameters)
    assert [reply for reply in right if not check.passes(reply)] == []
    assert [reply for reply in wrong if check.passes(reply)] == []


def test_every_check_has_such_cases():
    assert {case[0] for case in CASES} == set(CHECKS)


@pytest.mark.parametrize("reply", ["", "  \n ", ".", "?!", "-", '"', "{", "[]", "\ufffd", "- \n- "])
def test_no_check_lets_a_reply_without_a_word_pass(reply):
    assert [name for name, parameters, _, _ in CASES if Check(name, parameters).passes(reply)] == []


def test_space_around_a_reply_does_not_count():
    for name, parameters, right, _ in CASES:
        assert all(Check(name, parameters).passes(f"\n  {reply} \n") for reply in right), name


@pytest.mark.parametrize(
    ("name", "parameters", "why"),
    [
        ("bulets", {}, "There is no check 'bulets': choose one of at_most_words,"),
        ("bullets", {}, "missing a required argument: 'n'"),
        ("bullets", {"n": 3, "m": 1}, "unexpected keyword argument 'm'"),
        ("bullets", {"n": 0}, "cannot use n=0."),
        ("bullets", {"n": True}, "cannot use n=True."),
        ("begins_with", {"text": ""}, "cannot use text=''."),
        ("one_of", {"choices": "AB"}, "cannot use choices='AB'."),
        ("mentions", {"any_of": [""]}, "cannot use any_of=['']."),
    ],
)
def test_an_unknown_check_or_parameter_is_refused_by_name(name, parameters, why):
    with pytest.raises(ValueError) as refused:
        Check(name, parameters)
    assert why in str(refused.value)


def test_deeply_nested_json_is_a_breach_and_no_crash():
    assert not Check("json_list", {"n": 1}).passes("[" * 100_000)
