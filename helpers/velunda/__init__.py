"""Velunda, the invented maker of electric bicycles that the course works for: its canon and its texts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["answers", "company", "handbook", "parallel", "tickets"],
    submod_attrs={
        "answers": ["contains_answer"],
        "company": ["canon", "order_numbers", "products_named"],
        "handbook": [
            "Document",
            "Question",
            "Span",
            "load_everyday",
            "load_handbook",
            "load_questions",
            "read_document",
        ],
        "parallel": ["parallel_texts"],
        "tickets": ["FIELDS", "INSTRUCTION", "allowed_values", "answer_text", "load_tickets", "ticket_chat"],
    },
)
