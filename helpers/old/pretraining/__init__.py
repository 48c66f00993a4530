"""A language model from nothing: its text, its optimizer, its loop, and how it is judged. Opened in 03 and 03b.

| what                                                                             | module       |
|----------------------------------------------------------------------------------|--------------|
| a text as numbers, cut into batches: `Characters`, `TokenData`                   | `data`       |
| training in its smallest form, to be shown: `minimal_pretrain`                   | `minimal`    |
| `Muon`, and `orthogonalize`, which it applies to every update                    | `muon`       |
| the learning rate over a run: warm-up, constant, decay                           | `schedules`  |
| surprise at held-out text, in nats per token and in bits per byte                | `bits`       |
| `Recipe` and `pretrain`: the loop, its samples, its checkpoints                  | `run`        |
| a trained GPT as a folder                                                        | `shipped`    |
| a model from counts: `NGram`                                                     | `ngram`      |
| models from before the transformer: `BagOfVectors`, `Recurrent`                  | `recurrent`  |
| `MixtureOfExperts`: more parameters for the same operations                      | `experts`    |
| counts of parameters and operations; laws of size and text, with intervals       | `scaling`    |

A model is anything that maps ids (B, T) to logits (B, T, V).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "bits",
        "data",
        "experts",
        "minimal",
        "muon",
        "ngram",
        "recurrent",
        "run",
        "scaling",
        "schedules",
        "shipped",
    ],
    submod_attrs={
        "bits": ["Surprise", "bits_per_byte", "loss_by_context", "surprise", "text_losses"],
        "data": [
            "Characters",
            "TokenData",
            "Tokens",
            "own_text",
            "python_reference",
        ],
        "experts": ["MixtureOfExperts", "expert_loads", "with_experts"],
        "minimal": ["minimal_pretrain"],
        "muon": ["Muon", "Optimizers", "orthogonalize"],
        "ngram": ["NGram"],
        "recurrent": [
            "BagOfVectors",
            "Recurrent",
        ],
        "run": ["Recipe", "Run", "continue_text", "make_optimizer", "pretrain"],
        "scaling": [
            "Law",
            "Laws",
            "PUBLISHED",
            "count_parameters",
            "fit_law",
            "forward_flops",
            "resampled_laws",
            "training_flops",
        ],
        "shipped": ["load_gpt", "save_gpt"],
        "schedules": ["share_of_peak", "warmup_stable_decay"],
    },
)
