"""What the course has taught its model to do, one call each: `handbook_assistant()`, `ticket_reader()`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["handbook", "tickets"],
    submod_attrs={
        "handbook": [
            *("Answer", "Citation", "HandbookAssistant", "Quote", "answer_by_quote", "around", "best_passages"),
            *("best_quotes", "handbook_assistant", "handbook_index", "in_force", "units_in"),
        ],
        "tickets": ["TicketReader", "ticket_reader"],
    },
)
