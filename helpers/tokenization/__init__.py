"""Three tokenizers from scratch, two of them equal to those of real models. Opened in 01 and 01b.

| class                | used by                     | picks what to merge or keep by          | module      |
|----------------------|-----------------------------|-----------------------------------------|-------------|
| `BPETokenizer`       | GPT-2, Llama 3, SmolLM2     | the most frequent pair                  | `bpe`       |
| `WordPieceTokenizer` | BERT, all-MiniLM            | the pair that occurs more than expected | `wordpiece` |
| `UnigramTokenizer`   | T5, ALBERT (sentencepiece)  | the likelihood of the text              | `unigram`   |

All three are made by `train(text, vocab_size)`, `load(path)` or `from_pretrained(folder)`, and have `encode`, `decode`
and `save`. Their parts: `pairs` (counting and merging), `em` (how Unigram is trained), `files` and `bpe_files`
(reading and writing), `libraries` (the same tokenizers trained by the usual libraries), `measures` (bits per byte,
bytes per token), `trigram` (a language model from counts, which judges vocabularies).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["bpe", "bpe_files", "em", "files", "libraries", "measures", "pairs", "trigram", "unigram", "wordpiece"],
    submod_attrs={
        "bpe": ["BPETokenizer"],
        "bpe_files": ["GPT2_PATTERN", "byte_alphabet"],
        "em": ["em_step", "prune", "seeds", "viterbi"],
        "files": ["TokenizerFileError"],
        "libraries": ["library_bpe", "library_wordpiece", "sentencepiece_unigram"],
        "measures": ["ask_to_repeat", "bits_per_byte", "bytes_per_token", "unigram_bits", "word_counts"],
        "pairs": ["PairCounts", "learn_merges", "merge_by_rank"],
        "trigram": ["Trigram"],
        "unigram": ["UnigramTokenizer"],
        "wordpiece": ["BERT_SPECIAL", "WordPieceTokenizer", "normalize", "split_words"],
    },
)
