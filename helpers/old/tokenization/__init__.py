"""What only lessons that wait for their rework use of `helpers.tokenization`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["em", "libraries", "unigram", "wordpiece"],
    submod_attrs={
        "em": ["em_step", "prune", "seeds", "viterbi"],
        "libraries": ["library_bpe"],
        "unigram": ["UnigramTokenizer", "word_counts"],
        "wordpiece": ["WordPieceTokenizer"],
    },
)
