"""How many tokens Velunda's letter takes in eight languages, with two current multilingual vocabularies.

    pip install bpe-openai mistral-common        both packages bring their vocabularies: nothing else is fetched
    make recorded NAME=01_languages

OpenAI's o200k_base (GPT-4o and later) and Mistral's Tekken (Mistral Nemo and later). Typed markers are plain text.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from helpers.records import record
from helpers.velunda import parallel_texts

LETTER = parallel_texts()
TEKKEN = "tekken_240911.json"


def openai():
    """Plain text -> ids, the number of ordinary tokens; `bpe-openai` has the vocabulary of `tiktoken`."""
    import bpe_openai

    encoding = bpe_openai.get_encoding("o200k_base")
    assert encoding.encode("hello world") == [24912, 2375]  # as tiktoken gives them
    return encoding.encode_ordinary, 199_998


def mistral():
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer

    folder = Path(find_spec("mistral_common").submodule_search_locations[0]) / "data"
    tekken = Tekkenizer.from_file(str(folder / TEKKEN))
    return lambda text: tekken.encode(text, bos=False, eos=False), tekken.n_words - tekken.num_special_tokens


TOKENIZERS = {"o200k_base": openai, "Tekken": mistral}


def measure(run: dict, rows: list[dict]) -> dict:
    """The tokens of the 24 sentences in one language, each encoded by itself."""
    encode, vocabulary = TOKENIZERS[run["tokenizer"]]()
    return {"vocabulary": vocabulary, "tokens": sum(len(encode(sentence)) for sentence in LETTER[run["language"]])}


if __name__ == "__main__":
    if missing := [name for name in ("bpe_openai", "mistral_common") if find_spec(name) is None]:
        sys.exit(f"This needs {' and '.join(missing)}: pip install bpe-openai mistral-common")
    runs = [{"tokenizer": name, "language": language} for name in TOKENIZERS for language in LETTER]
    record("01_languages", runs, measure, packages=("bpe-openai", "mistral-common"))
