"""What only lessons that wait for their rework use of `helpers.transformer`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["encoder_decoder", "gpt", "heads", "library", "minimal"],
    submod_attrs={
        "encoder_decoder": ["EncoderDecoder", "EncoderDecoderConfig", "shift_right"],
        "gpt": ["GPT", "GPTConfig"],
        "heads": ["influence"],
        "library": ["library_t5"],
        "minimal": ["MinimalEncoder", "MinimalEncoderDecoder", "MinimalGPT", "MinimalLlama"],
    },
)
