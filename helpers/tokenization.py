"""Three tokenizers from scratch, two of them equal to those of real models.

| class                | used by                     | picks what to merge or keep by          | lives in            |
|----------------------|-----------------------------|-----------------------------------------|---------------------|
| `BPETokenizer`       | GPT-2, Llama 3, SmolLM2     | the most frequent pair                  | `helpers.bpe`       |
| `WordPieceTokenizer` | BERT, all-MiniLM            | the pair that occurs more than expected | `helpers.wordpiece` |
| `UnigramTokenizer`   | T5, ALBERT (sentencepiece)  | the likelihood of the text              | `helpers.unigram`   |

All three are made by `train(text, vocab_size)`, `load(path)` or `from_pretrained(folder)`, and have `encode`, `decode`
and `save`.
"""

from helpers.bpe import GPT2_PATTERN, BPETokenizer
from helpers.tokenizer_files import TokenizerFileError
from helpers.unigram import UnigramTokenizer
from helpers.wordpiece import WordPieceTokenizer

__all__ = ["GPT2_PATTERN", "BPETokenizer", "TokenizerFileError", "UnigramTokenizer", "WordPieceTokenizer"]
