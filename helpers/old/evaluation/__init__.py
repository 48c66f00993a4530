"""How good is an assistant, who says so, and may the new one replace the old? Opened in 14 and 14b.

    suite = load_suite("handbook")                            # or "tickets", or a file of your own
    new = run_suite(load_model("handbook"), suite)            # answers, kept on disk, and what each is worth
    old = run_suite(load_model("handbook-search"), suite)
    verdict = gate(new, old, margin=0.05)                     # verdict.status: 0 pass, 1 fail, 2 cannot be judged
    write_report("build/evaluation", new, old, verdict)       # JSON for programs, one HTML page for people

On the command line: `python -m helpers.old.evaluation --model handbook --suite handbook --against handbook-search`.

| module          | what                                                                                           |
|-----------------|------------------------------------------------------------------------------------------------|
| `failures`      | forty recorded failures of the course's assistants, and what coders found wrong in each        |
| `coding`        | read failures, code them, count the codes: a table of widgets, and a form that needs none      |
| `judgments`     | pairs of answers with raters' preferences, by criterion: `data/judgments/`                     |
| `judges`        | a language model as a judge, asked in both orders: by its scores, or by what it writes         |
| `preferences`   | how often a judge prefers what raters prefer, beside its bias for length and for its own texts |
| `trained_judge` | a small judge trained on raters' preferences; length, overlap and a cross-encoder beside it    |
| `rating`        | pairs of answers that you rate, blind: buttons, and a form that needs none                     |
| `suites`        | questions with what a right answer says; duplicates and leaks are refused                      |
| `systems`       | what is evaluated: the course's assistants, what came before them, a function of yours         |
| `answers`       | replies kept on disk by content: nothing is answered twice, also after a crash                 |
| `scoring`       | what one reply is worth                                                                        |
| `harness`       | a suite put to a model: shares with intervals, overall and by slice                            |
| `gating`        | the paired difference of two runs against a margin                                             |
| `reports`       | a run, or a comparison, as JSON; `page`: the same as HTML                                      |
| `lm_eval_task`  | the tickets as a multiple-choice task, for the harness and for the library lm-eval             |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "answers",
        "coding",
        "failures",
        "gating",
        "harness",
        "judges",
        "judgments",
        "lm_eval_task",
        "page",
        "preferences",
        "rating",
        "reports",
        "scoring",
        "suites",
        "systems",
        "trained_judge",
    ],
    submod_attrs={
        "coding": ["coding_table", "my_codes", "write_code"],
        "failures": [
            "Code",
            "Failure",
            "counts",
            "load_categories",
            "load_codes",
            "load_failures",
        ],
        "gating": ["Difference", "Verdict", "gate", "paired_difference"],
        "harness": ["Run", "Share", "run_suite", "score"],
        "judges": ["BothOrders", "ask_judge", "grade", "judge_prompt", "label_judge", "parse_verdict"],
        "judgments": ["CRITERIA", "Pair", "Rating", "SystemAnswer", "load_pairs", "load_ratings"],
        "lm_eval_task": ["write_task"],
        "preferences": [
            "agreement",
            "compare_judges",
            "majority",
            "prefers_longer",
        ],
        "rating": ["my_ratings", "rating_form", "write_rating"],
        "reports": ["as_json", "write_report"],
        "scoring": ["SCORERS", "reads_fields", "states_answer"],
        "suites": ["Item", "Suite", "SuiteError", "leaked", "load_suite"],
        "systems": ["MODELS", "Model", "Reply", "load_model"],
        "trained_judge": ["TrainedJudge", "answer_measures", "fit_judge", "pair_features"],
    },
)
