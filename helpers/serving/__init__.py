"""One model for many people: an engine that batches requests as they come, and a server around it. Opened in 18, 18b.

| what                                                                         | module          |
|------------------------------------------------------------------------------|----------------|
| a request, and what it gets at each step: `Ask`, `Piece`, `Usage`            | `requests`     |
| how many replicas N users need: queueing formulas, costs                     | `capacity`     |
| the same, simulated request by request                                       | `fleet`        |
| replicas that follow the load, simulated: cost against waits                 | `autoscaling`  |
| a new version, step by step, decided by late outcomes; guardrails            | `rollout`      |
| the same on simulated traffic                                                | `rollout_drill` |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "autoscaling",
        "capacity",
        "fleet",
        "requests",
        "rollout",
        "rollout_drill",
    ],
    submod_attrs={
        "autoscaling": ["Fixed", "Outcome", "Policy", "Reactive", "Scheduled", "autoscale", "day_of_traffic"],
        "capacity": [
            "Curve",
            "Plan",
            "Queue",
            "break_even",
            "closed_queue",
            "cost_per_million",
            "erlang_b",
            "erlang_c",
            "open_queue",
            "replicas_for",
        ],
        "fleet": ["Fleet", "Simulation", "simulate_queue"],
        "requests": ["Ask", "EngineStats", "Full", "Piece", "TokenLogprobs", "Usage"],
        "rollout": ["Decision", "Guardrail", "Rollout", "RolloutPlan", "in_canary", "planned_pairs"],
        "rollout_drill": ["Agents", "Drill", "Version", "run_drill"],
    },
)
