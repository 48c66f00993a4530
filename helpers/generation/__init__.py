"""Generation from scratch: choose the next token, repeat, stop, and show the text while it arrives. Opened in 05."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["batching", "decoding", "sampling", "streaming"],
    submod_attrs={
        "batching": ["as_batch"],
        "decoding": ["generate", "stream"],
        "sampling": [
            "compose",
            "draw",
            "greedy",
            "min_p",
            "repetition_penalty",
            "sample",
            "temperature",
            "top_k",
            "top_p",
        ],
        "streaming": ["ReplyText", "reply_text", "text_decoder"],
    },
)
