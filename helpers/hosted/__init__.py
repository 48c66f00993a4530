"""Hosted models: calls that fail, streams that break, and what all of it costs. Opened in 06, 06b.

| what                                                                        | module          |
|-----------------------------------------------------------------------------|-----------------|
| a conversation cut to a budget of tokens, turn by turn                      | `conversations` |
| what has come of a streamed reply, however it ends                          | `streams`       |
| how long to wait after a failure: full jitter, `Retry-After`, a deadline    | `backoff`       |
| an invoice matched with the journal: paid once, twice, for nothing          | `reconcile`     |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["backoff", "conversations", "reconcile", "streams"],
    submod_attrs={
        "backoff": ["backoff_schedule", "retry_after_seconds", "wait_after"],
        "conversations": ["truncate_conversation", "turns"],
        "reconcile": ["reconcile_invoice", "reconciled_sums"],
        "streams": ["collect_stream"],
    },
)
