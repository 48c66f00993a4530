"""Velunda, the invented maker of electric bicycles that the course works for: its canon and its texts.

| module     | what                                                                          | opened in     |
|------------|-------------------------------------------------------------------------------|---------------|
| `company`  | products, prices, order numbers: what is true of Velunda                      | 07, 07b       |
| `tickets`  | labeled support tickets                                                       | 07            |
| `orders`   | orders of the shop, and what one piece of a product or part costs               | 12c           |
| `reports`  | workshop and incident reports with summaries                                  | 07b           |
| `handbook` | the handbook and the questions about it                                       | 10, 10b       |
| `parallel` | the same content in eight languages and three programming languages           | 01, 02        |
| `slots`    | texts with slots that are filled by chance: the format of `frames.txt`        | –             |

The texts themselves lie in `data/velunda/`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["company", "handbook", "orders", "parallel", "reports", "slots", "tickets"],
    submod_attrs={
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
        "orders": ["load_orders", "named_things", "price_of", "prices", "with_kind"],
        "parallel": ["parallel_programs", "parallel_texts"],
        "reports": ["FACTS", "fill_report", "generate_reports", "load_report_frames", "load_reports", "stated"],
        "slots": ["fill_different"],
        "tickets": ["FIELDS", "fill", "load_frames", "load_tickets"],
    },
)
