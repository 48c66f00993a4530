"""Numbers for what a model says. Each takes results, never a model.

| module        | what                                                                              | opened in   |
|---------------|-----------------------------------------------------------------------------------|-------------|
| `calibration` | is a confidence of 80 % right in 80 % of cases? how varied is a text?             | 05          |
| `selective`   | risk against coverage, and a threshold for "I do not know"                        | 10b         |
| `grouped`     | a share of right answers when some items belong together                          | 07, 07b     |
| `text`        | overlap of words: ROUGE-1, F1; is an accepted answer stated?                      | 07b, 10     |

Intervals are in `helpers.stats`; measures of a search in `helpers.retrieval.metrics`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["calibration", "grouped", "selective", "text"],
    submod_attrs={
        "calibration": [
            "calibration_interval",
            "chance_error",
            "distinct_n",
            "expected_calibration_error",
            "reliability",
            "text_perplexity",
        ],
        "grouped": ["Score"],
        "selective": ["RiskCoverage", "calibrate_threshold", "risk_bound", "risk_coverage"],
        "text": ["answer_f1", "answer_words", "contains_answer", "exact_match", "rouge1", "sentences", "unigram_f1"],
    },
)
