"""Training, from conversations to weights; each part in a module of its own.

| what                                                        | lives in                  |
|-------------------------------------------------------------|---------------------------|
| `encode_chat`: which tokens are trained                     | `helpers.chat_data`       |
| `collate`: examples side by side                            | `helpers.collation`       |
| `shift_labels`, `loss_at_labels`: how wrong the model is    | `helpers.losses`          |
| `cosine_with_warmup`: the learning rate                     | `helpers.schedules`       |
| `Recipe`, `train`: the loop                                 | `helpers.training_loop`   |
| checkpoints and exact resumption                            | `helpers.training_state`  |
| adapters                                                    | `helpers.lora`            |
"""

from helpers.chat_data import (
    ChatDataError,
    Example,
    encode_chat,
    has_marker,
    require_messages,
)
from helpers.collation import Batch, collate
from helpers.losses import loss_at_labels, shift_labels
from helpers.schedules import cosine_with_warmup
from helpers.training_loop import (
    History,
    Recipe,
    TrainingDiverged,
    accumulate,
    batch_order,
    train,
    training_step,
    undisturbed,
)
from helpers.training_state import load_checkpoint, save_checkpoint

__all__ = [
    "Batch",
    "ChatDataError",
    "Example",
    "History",
    "Recipe",
    "TrainingDiverged",
    "accumulate",
    "batch_order",
    "collate",
    "cosine_with_warmup",
    "encode_chat",
    "has_marker",
    "load_checkpoint",
    "loss_at_labels",
    "require_messages",
    "save_checkpoint",
    "shift_labels",
    "train",
    "training_step",
    "undisturbed",
]
