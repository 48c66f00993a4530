"""Three tokenizers from scratch, two of them equal to those of real models. Opened in 01 and 01b."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["bpe", "bpe_files", "files", "pairs", "wordpiece"],
    submod_attrs={
        "bpe": ["BPETokenizer"],
        "bpe_files": ["GPT2_PATTERN", "byte_alphabet"],
        "files": ["TokenizerFileError"],
        "pairs": ["PairCounts", "learn_merges", "merge_by_rank"],
        "wordpiece": ["BERT_SPECIAL", "WordPieceTokenizer", "normalize", "split_words"],
    },
)
