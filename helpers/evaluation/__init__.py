"""May the new assistant replace the old one? Suites of questions, a harness, reports and a gate. Opened in 14.

    suite = load_suite("handbook")                            # or "tickets", or a file of your own
    new = run_suite(load_model("handbook"), suite)            # answers, kept on disk, and what each is worth
    old = run_suite(load_model("handbook-search"), suite)
    verdict = gate(new, old, margin=0.05)                     # verdict.status: 0 pass, 1 fail, 2 cannot be judged
    write_report("build/evaluation", new, old, verdict)       # JSON for programs, one HTML page for people

On the command line: `python -m helpers.evaluation --model handbook --suite handbook --against handbook-search`.

| module         | what                                                                                    |
|----------------|-----------------------------------------------------------------------------------------|
| `suites`       | questions with what a right answer says; duplicates and leaks are refused               |
| `systems`      | what is evaluated: the course's assistants, what came before them, a function of yours  |
| `answers`      | replies kept on disk by content: nothing is answered twice, also after a crash          |
| `scoring`      | what one reply is worth                                                                 |
| `harness`      | a suite put to a model; shares with intervals, overall and by slice                     |
| `gating`       | the paired difference of two runs against a margin                                      |
| `reports`, `page` | the same as JSON and as HTML |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["answers", "gating", "harness", "page", "reports", "scoring", "suites", "systems"],
    submod_attrs={
        "gating": ["Difference", "Verdict", "gate", "paired_difference"],
        "harness": ["Run", "Share", "run_suite"],
        "reports": ["as_json", "write_report"],
        "scoring": ["SCORERS", "reads_fields", "states_answer"],
        "suites": ["Item", "Suite", "SuiteError", "leaked", "load_suite"],
        "systems": ["MODELS", "Model", "Reply", "load_model"],
    },
)
