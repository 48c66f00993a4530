"""What only lessons that wait for their rework use of `helpers.assistants`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["passages", "reports", "taught", "ticket_baseline", "tickets"],
    submod_attrs={
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
            "predict_labels",
            "read_answer",
            "score_fields",
            "ticket_chat",
            "ticket_reader",
        ],
    },
)
