"""Experiments that only one notebook runs; each module is one experiment or its recorded result.

Import the module or from it, `from helpers.old.trials.families import train_trial`: this room has no face, for its
modules have nothing to do with each other.

| notebook | modules                                                                                              |
|----------|------------------------------------------------------------------------------------------------------|
| 02b      | `deep_stacks`, `moved_facts`                                                                         |
| 02c      | `lengths`, `needles`                                                                                 |
| 02d      | `hidden_words`, `number_words`, `families`                                                           |
| 03, 03c  | `recipes`                                                                                            |
| 05b, 05c | `ladder`                                                                                             |
| 06b, 06c | `desk_job`; 06c alone: `desk_repairs`                                                                |
| 12b      | `tickets_recorded`; `ticket_training` made the adapters                                              |
| 07b      | `summaries`, `summary_training`                                                                      |
| 10b      | `handbook_answers`                                                                                   |
| 14       | `six_answers`, `recorded_outputs`, `suites_recorded`, `word_desk`                                    |
| 14c      | `six_answers`, `metric_lies`                                                                         |

`records` reads what `make sweeps` has measured (`data/results/`). A module moves to a room below as soon as a second
notebook needs it.
"""
