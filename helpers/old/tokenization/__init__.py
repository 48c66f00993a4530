"""What only lessons that wait for their rework use of `helpers.tokenization`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["em", "libraries", "measures", "trigram", "unigram"],
    submod_attrs={
        "em": ["em_step", "prune", "seeds", "viterbi"],
        "libraries": [
            "library_bpe",
        ],
        "measures": ["ask_to_repeat", "bits_per_byte", "bytes_per_token", "word_counts"],
        "trigram": ["Trigram"],
        "unigram": ["UnigramTokenizer"],
    },
)
