"""Hosted models: OpenAI's client for this machine, a service by script or a paid one; failures; money. Opened in 06.

| what                                                                  | module |
|-----------------------------------------------------------------------|--------|
| OpenAI's client for one of three back ends: `client`, `async_client`  | `backends` |
| a service that fails when it is told to: `Scripted`                   | `scripted` |
| what can come of a request, by script or by rates: `Outcome`, `Rates` | `outcomes` |
| what it writes, as the two APIs put it                                | `written`, `written_chat`, `…_responses` |
| a scripted reply on its way                                           | `sending` |
| the scripted service's bill: `Invoice`, `read_invoice`                | `invoice` |
| time that passes without anybody waiting: `SimulatedClock`            | `clocks` |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "backends",
        "clocks",
        "invoice",
        "outcomes",
        "scripted",
        "sending",
        "written",
        "written_chat",
        "written_responses",
    ],
    submod_attrs={
        "backends": ["async_client", "client"],
        "clocks": ["RealClock", "SimulatedClock"],
        "invoice": ["Invoice", "read_invoice"],
        "outcomes": ["KINDS", "Outcome", "Rates"],
        "scripted": ["Scripted"],
    },
)
