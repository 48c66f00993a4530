"""What only lessons that wait for their rework use of `helpers.velunda`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["orders", "reports", "slots", "tickets"],
    submod_attrs={
        "orders": ["load_orders"],
        "reports": ["FACTS", "fill_report", "generate_reports", "load_report_frames", "load_reports", "stated"],
        "slots": ["fill_different"],
        "tickets": ["FIELDS", "fill", "load_frames", "load_tickets"],
    },
)
