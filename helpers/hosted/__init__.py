"""Hosted models: one client for any back end, calls and streams that fail, and what all of it costs. Opened in 06, 06b.

| what                                                                        | module          |
|-----------------------------------------------------------------------------|-----------------|
| OpenAI's client for one of three back ends: `client`, `async_client`        | `backends`      |
| a service that fails when it is told to: `Scripted`                         | `scripted`      |
| what can come of a request, by script or by rates: `Outcome`, `Rates`       | `outcomes`      |
| what it writes; the same as the two APIs put it                             | `written`, `written_…` |
| a scripted reply on its way to the client                                   | `sending`       |
| the scripted service's bill: `Invoice`, `read_invoice`                      | `invoice`       |
| time that passes without anybody waiting: `SimulatedClock`                  | `clocks`        |
| a conversation cut to a budget of tokens, turn by turn                      | `conversations` |
| what has come of a streamed reply, however it ends                          | `streams`       |
| how long to wait after a failure: full jitter, `Retry-After`, a deadline    | `backoff`       |
| an invoice matched with the journal: paid once, twice, for nothing          | `reconcile`     |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "backends",
        "backoff",
        "clocks",
        "conversations",
        "invoice",
        "outcomes",
        "reconcile",
        "scripted",
        "sending",
        "streams",
        "written",
        "written_chat",
        "written_responses",
    ],
    submod_attrs={
        "backends": ["async_client", "client"],
        "backoff": ["backoff_schedule", "retry_after_seconds", "wait_after"],
        "clocks": ["RealClock", "SimulatedClock"],
        "conversations": ["truncate_conversation", "turns"],
        "invoice": ["Invoice", "read_invoice"],
        "outcomes": ["KINDS", "Outcome", "Rates"],
        "reconcile": ["reconcile_invoice", "reconciled_sums"],
        "scripted": ["Scripted"],
        "streams": ["collect_stream"],
    },
)
