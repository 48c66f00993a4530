"""One model for many people: an engine that batches requests as they come, and a server around it. Opened in 18 to 18d.

| what                                                                         | module         |
|------------------------------------------------------------------------------|----------------|
| a request, and what it gets at each step: `Ask`, `Piece`, `Usage`            | `requests`     |
| continuous batching in its smallest form, to be shown: `minimal_serve`       | `minimal`      |
| pages of keys and values: owners, sharing, what is given up first: `PagePool` | `pages`       |
| the model's step over pages, many texts at once: `PagedLlama`; a single one  | `paged`, `alone` |
| several adapters in one batch                                                | `corrections`  |
| the next token of one request                                                | `choosing`     |
| who is served at each step: `Engine`                                         | `engine`       |
| the thread that steps the engine, and async streams: `EngineWorker`          | `worker`       |
| how many replicas N users need: queueing formulas, costs                     | `capacity`     |
| the same, simulated request by request                                       | `fleet`        |
| replicas that follow the load, simulated: cost against waits                 | `autoscaling`  |
| a new version, step by step, decided by late outcomes; guardrails            | `rollout`      |
| the same on simulated traffic                                                | `rollout_drill` |
| what can be set: `Settings`                                                  | `settings`     |
| the server: `create_app`, and `python -m helpers.serving`                    | `app`          |
| a server in a process of its own: `start_server`                             | `process`      |
| OpenAI's APIs: chat, completions; responses; vectors, models, health | `api_chat`, `api_responses`, `api_other` |
| bodies of requests; errors; events of a stream; replies on their way | `wire`, `errors`, `sse`, `replies`, `writing` |
| prompts and grammars; what is served, in which version; what all share       | `prompts`, `backend`, `service` |
| static, dynamic, continuous batching, step by step, as a Gantt picture       | `schedules`    |
| a board of replies that grow, pages in memory, curves of servers             | `pictures`     |
| what else serves a model, and when to take it                                | `choices`      |
| API keys; requests and tokens per minute; metrics, logs and cost             | `keys`, `limits`, `watch` |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "alone",
        "api_chat",
        "api_other",
        "api_responses",
        "app",
        "autoscaling",
        "backend",
        "capacity",
        "choices",
        "choosing",
        "corrections",
        "engine",
        "errors",
        "fleet",
        "keys",
        "limits",
        "minimal",
        "paged",
        "pages",
        "pictures",
        "process",
        "prompts",
        "replies",
        "requests",
        "rollout",
        "rollout_drill",
        "schedules",
        "service",
        "settings",
        "sse",
        "watch",
        "wire",
        "worker",
        "writing",
    ],
    submod_attrs={
        "app": ["create_app"],
        "autoscaling": ["Fixed", "Outcome", "Policy", "Reactive", "Scheduled", "autoscale", "day_of_traffic"],
        "backend": ["Backend", "Model", "load_backend"],
        "capacity": [
            "Curve",
            "Queue",
            "break_even",
            "cost_per_million",
            "erlang_b",
            "erlang_c",
            "open_queue",
        ],
        "choices": ["ServingOption", "choices_table", "load_options"],
        "corrections": ["Corrections"],
        "engine": ["Engine"],
        "errors": ["ApiError"],
        "fleet": ["Fleet", "Simulation", "simulate_queue"],
        "keys": ["Keys", "Owner", "add_key"],
        "limits": ["Limits"],
        "minimal": ["minimal_serve"],
        "paged": ["PagedLlama", "Row"],
        "pages": ["PagePool", "page_key"],
        "pictures": ["board", "curves_of", "draw_curves", "draw_pages"],
        "process": ["ServerFailed", "ServerProcess", "start_server"],
        "requests": ["Ask", "EngineStats", "Full", "Piece", "TokenLogprobs", "Usage"],
        "rollout": ["Decision", "Guardrail", "NotWorse", "Rollout", "RolloutPlan", "in_canary", "planned_pairs"],
        "rollout_drill": ["Agents", "Drill", "Version", "run_drill"],
        "schedules": ["POLICIES", "Bar", "busy_share", "draw_schedules", "schedule"],
        "settings": ["Settings"],
        "sse": ["event", "read_events"],
        "watch": ["Watch"],
        "worker": ["EngineWorker"],
    },
)
