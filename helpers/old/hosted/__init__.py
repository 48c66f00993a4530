"""Hosted models: one client for any back end, calls and streams that fail, and what it all costs. For 06b, 06c.

| what                                                                        | module          |
|-----------------------------------------------------------------------------|-----------------|
| OpenAI's client for a scripted or a paid service: `client`, `async_client`  | `backends`      |
| a bound on what a paid service may cost, held before each request           | `allowance`     |
| a service that fails when it is told to: `Scripted`                         | `scripted`      |
| what can come of a request, by script or by rates: `Outcome`, `Rates`       | `outcomes`      |
| what it writes; the same as the API puts it                                  | `written`, `written_chat` |
| a scripted reply on its way to the client                                   | `sending`       |
| the scripted service's bill: `Invoice`, `read_invoice`                      | `invoice`       |
| time that passes without anybody waiting: `SimulatedClock`                  | `clocks`        |
| how long to wait after a failure: full jitter, `Retry-After`, a deadline    | `backoff`       |
| an invoice matched with the journal: paid once, twice, for nothing          | `reconcile`     |
| what a call costs, from a dated table; tokens of a reply                    | `prices`        |
| tokens and money per call, and a budget that stops before the call          | `ledger`        |
| which failures are worth another try; the circuit breaker                   | `retries`       |
| what was about to be sent, and what came back                               | `journal`       |
| thirty items that a job relies on: is another model still the right one?    | `acceptance`    |
| a job of many calls, journaled, retried, within a budget, resumable         | `runner`        |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "acceptance",
        "allowance",
        "backends",
        "backoff",
        "clocks",
        "invoice",
        "journal",
        "ledger",
        "outcomes",
        "prices",
        "reconcile",
        "retries",
        "runner",
        "scripted",
        "sending",
        "written",
        "written_chat",
    ],
    submod_attrs={
        "acceptance": ["Item", "check_reply", "load_contract"],
        "allowance": ["Allowance", "NotAllowed"],
        "backends": ["HostedRefused", "async_client", "client", "model_name"],
        "backoff": ["backoff_schedule", "retry_after_seconds", "wait_after"],
        "clocks": ["RealClock", "SimulatedClock"],
        "invoice": ["Invoice", "read_invoice"],
        "journal": ["Journal", "JournalInUse", "read_journal"],
        "ledger": ["CostLedger", "OverBudget"],
        "outcomes": ["KINDS", "Outcome", "Rates"],
        "prices": ["ModelRetired", "Price", "Tokens", "UnknownModel", "load_prices", "price_of", "tokens_of"],
        "reconcile": ["reconcile_invoice", "reconciled_sums"],
        "retries": ["CircuitBreaker", "what_happened"],
        "runner": ["ChangedRequest", "Report", "run_batch"],
        "scripted": ["Scripted"],
    },
)
