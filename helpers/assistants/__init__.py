"""What the course has taught its model to do, one call each. Opened in 07, 07b, 08, 12c and 12d.

| call                    | what it gives                                                  | adapter     | module     |
|-------------------------|----------------------------------------------------------------|-------------|------------|
| `ticket_reader()`       | a ticket's five fields, and how sure the model is of each      | `tickets`   | `tickets`  |
| `report_summarizer()`   | one sentence about a report, or None if none passes the check  | `summaries` | `reports`  |
| `passage_reader()`      | an answer from a text, or "Not in the text."                   | `reader`    | `passages` |
| `handbook_assistant()`  | a quote from the handbook with its source, or an abstention    | –           | `handbook` |
| `tool_caller()`         | an answer for which Velunda's tools were called, and each step | `tools`     | `tools`    |
| `taught_model(adapter)` | the model with any adapter, such as `steps`, and its tokenizer | –           | `taught`   |

Each module of the first three holds what its adapter was trained with, prompt, form and scores, so that training and
use cannot differ; the fourth puts search, a cross-encoder and, if asked for, the reader together, and the last calls
it as one of its tools. `ticket_baseline` is the cheap way to read a ticket, TF-IDF with rules, that the taught one has
to beat.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["handbook", "passages", "reports", "taught", "ticket_baseline", "tickets", "tool_plans", "tools"],
    submod_attrs={
        "handbook": [
            "HandbookAssistant",
            "Quote",
            "answer_by_quote",
            "around",
            "best_passages",
            "best_quotes",
            "handbook_assistant",
            "handbook_index",
            "in_force",
            "units_in",
        ],
        "passages": ["NOT_THERE", "PassageReader", "passage_chat", "passage_reader"],
        "reports": [
            "ReportSummarizer",
            "choose_draft",
            "choose_summary",
            "misplaced",
            "report_chat",
            "report_summarizer",
            "unsupported",
        ],
        "taught": ["taught_model"],
        "tickets": [
            "INSTRUCTION",
            "Predictions",
            "TicketReader",
            "allowed_values",
            "answer_text",
            "exact_match",
            "pick_shots",
            "predict_labels",
            "read_answer",
            "score_fields",
            "ticket_chat",
            "ticket_reader",
        ],
        "tool_plans": ["plan_by_rules"],
        "tools": [
            "TOOLS",
            "ToolCaller",
            "call_text",
            "handbook_search",
            "is_copied",
            "order_lookup",
            "price_lookup",
            "reply_pattern",
            "tool_caller",
            "tool_chat",
            "tool_line",
        ],
    },
)
