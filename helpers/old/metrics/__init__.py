"""Numbers for what a model says. Classes are metrics of the library `evaluate` that load nothing: no network is needed.

    evaluate.combine([BLEU(), ROUGE(), ExactMatch()]).compute(predictions=answers, references=right)
    ROUGE().each(predictions=answers, references=right)        # the same for every single answer

| module        | what                                                                              | opened in   |
|---------------|-----------------------------------------------------------------------------------|-------------|
| `calibration` | is a confidence of 80 % right in 80 % of cases? how varied is a text?             | 05          |
| `selective`   | risk against coverage, and a threshold for "I do not know"                        | 10b         |
| `grouped`     | a share of right answers when some items belong together                          | 07, 07b     |
| `text`        | overlap of words: ROUGE-1, F1; is an accepted answer stated?                      | 07b, 10     |
| `base`        | what the metrics share: checked inputs, no files, a score for each answer         | 14, 14c     |
| `overlap`     | `BLEU`, `ChrF`, `ROUGE`, by sacrebleu and rouge-score                             | 14c         |
| `answers`     | `ExactMatch` and `TokenF1` by SQuAD's rules, `Containment`, `NumberMatch`         | 14, 14c     |
| `embeddings`  | `BERTScore` with idf and a computed baseline, `MoverScore`                        | 14c         |
| `likelihood`  | `Perplexity` and bits per byte, of texts longer than the context too              | 14c         |
| `confidence`  | `CalibrationError`, `BrierScore`                                                  | 14c         |
| `pass_rates`  | `PassAtK`: is one of k samples right?                                             | 14c         |
| `reference`   | `METEOR`, `DistinctN`                                                             | 14c         |
| `minimal`     | chrF in a dozen lines                                                             | 14c         |
| `words`       | words in any script                                                               | 14          |
| `windows`     | how a text longer than the context is read                                        | 03, 14      |

Intervals are in `helpers.stats`; measures of a search in `helpers.old.retrieval.metrics`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        *("answers", "base", "calibration", "confidence", "embeddings", "grouped", "likelihood", "minimal", "overlap"),
        *("pass_rates", "reference", "selective", "text", "windows", "words"),
    ],
    submod_attrs={
        "answers": ["Containment", "ExactMatch", "NumberMatch", "TokenF1", "numbers", "squad_words"],
        "base": ["Metric"],
        "calibration": [
            "chance_error",
            "distinct_n",
            "expected_calibration_error",
            "reliability",
        ],
        "confidence": ["BrierScore", "CalibrationError"],
        "embeddings": ["BERTScore", "MoverScore", "greedy_match", "random_baseline"],
        "grouped": ["Score"],
        "likelihood": ["Perplexity"],
        "overlap": ["BLEU", "ROUGE", "ChrF"],
        "pass_rates": ["PassAtK", "pass_at_k"],
        "reference": ["DistinctN", "METEOR"],
        "selective": ["RiskCoverage", "calibrate_threshold", "risk_bound", "risk_coverage"],
        "text": ["answer_f1", "answer_words", "contains_answer", "exact_match", "rouge1", "unigram_f1"],
        "words": ["unicode_words"],
    },
)
