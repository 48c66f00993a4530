"""Training, from conversations to weights. What lessons that wait for their rework use of it.

| what                                                               | module          |
|--------------------------------------------------------------------|-----------------|
| `encode_chat`: which tokens of a conversation are trained          | `chats`         |
| `collate`: examples side by side                                   | `collation`     |
| `shift_labels`, `loss_at_labels`                                   | `losses`        |
| `cosine_with_warmup`: the learning rate                            | `schedules`     |
| `Recipe`, `train`: the loop                                        | `loop`          |
| checkpoints, and going on exactly where a run was stopped          | `state`         |
| silence for the libraries' trainers                                | `libraries`     |
| a small T5 that learns to summarize                                | `seq2seq`       |
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["chats", "collation", "libraries", "loop", "losses", "schedules", "seq2seq", "state"],
    submod_attrs={
        "chats": ["ChatDataError", "Example", "encode_chat", "require_messages"],
        "collation": ["Batch", "collate"],
        "libraries": ["quiet"],
        "loop": [
            "History",
            "Recipe",
            "TrainingDiverged",
            "accumulate",
            "batch_order",
            "train",
            "training_step",
            "undisturbed",
        ],
        "losses": ["loss_at_labels", "loss_behind_prefix", "shared_length", "shift_labels"],
        "schedules": ["cosine_with_warmup"],
        "seq2seq": [
            "encoder",
            "label_loss",
            "pad_rows",
            "report_tokenizer",
            "small_t5",
            "train_by_trainer",
            "write_summaries",
        ],
        "state": ["load_checkpoint", "save_checkpoint"],
    },
)
