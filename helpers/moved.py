"""Old names of modules, for notebooks of an older clone: an import of one says in a sentence where it stands now.

Kept for one release, then deleted with its lines in `helpers/__init__.py` and its tests. What it does not do: load the
old name from the new place (a notebook that works by accident is never updated), or know single names that changed.
"""

from __future__ import annotations

import sys

MOVED = {  # where to import from now: the names that stood in `helpers` itself
    "assistants": "ticket_reading",
    "assistants.ticket_baseline": "baselines",
    "attention": "attention_plots masks positions subquadratic",
    "display": "frontend old_snippets source verdict",
    "fetching": "gguf_conversion model_cache model_wheel",
    "files": "safe_files",
    "foundations": "gradients probability",
    "generation": "answer_form batching copying decoding decoding_plots likelihood replies sampling shared_prefix "
    "speculative stopping streaming",
    "measuring": "costs",
    "metrics": "abstention family_score",
    "plots": "grids live_loss token_boxes",
    "retrieval": "answer_cache bm25_index chunking citations dense_index grounded_prompt grounding hybrid_index "
    "poisoned_documents query_rewriting reranking retrieval_metrics retrieval_plots search_index vector_index",
    "speed": "fast_llama lean_step llama_cpp speed_plots",
    "tokenization": "bpe bpe_files pair_merging token_counts tokenizer_files tokenizer_libraries tokenizer_measures "
    "unigram unigram_training wordpiece",
    "training": "chat_data collation losses recomputation schedules seq2seq_training sft_libraries training_loop "
    "training_state",
    "transformer": "checkpoints encoder encoder_decoder gpt heads influence kv_cache layers llama residuals t5_library",
    "velunda": "frames handbook parallel_texts reports tickets",
    "trials.answers": "answer_trial",
    "trials.answers_recorded": "quality_record",
    "trials.backwards": "toy_t5",
    "trials.deep_stacks": "deep_stack",
    "trials.families": "family_trial",
    "trials.forgetting": "forgetting",
    "trials.hidden_words": "masked_lm",
    "trials.ladder": "speed_ladder",
    "trials.lengths": "length_trial",
    "trials.moved_facts": "facts",
    "trials.needles": "long_context",
    "trials.number_words": "number_words",
    "trials.openings": "decoding_trial",
    "trials.planted_orders": "poison_trial",
    "trials.question_pairs": "question_pairs",
    "trials.readers": "verdict_check",
    "trials.records": "records",
    "trials.searches": "rag_record retrieval_trial",
    "trials.summaries": "summaries",
    "trials.summary_training": "summary_trial",
    "trials.ticket_training": "ticket_training",
    "trials.tickets_recorded": "sft_record",
    "trials.vector_indexes": "index_plots index_trial",
}
REMOVED = ("beam_search", "ticket_noise", "trained_tokens", "vocabulary_trial")


def sentence(name: str) -> str | None:
    """What to tell somebody who asks for `helpers.<name>` of an older clone; None if it was never there."""
    if name in REMOVED:
        return f"`helpers.{name}` was removed: nothing in the course uses it."
    for place, names in MOVED.items():
        if name in names.split():
            return f"`helpers.{name}` has moved to `helpers.{place}`: write `from helpers.{place} import …`."
    return None


class OldNames:
    """The last finder that `import` asks: it knows the old names alone, and says where they went.

    It is asked only for what no other finder has found, so that modules that exist never pay for it.
    """

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> None:
        """None, or ModuleNotFoundError with the sentence where `fullname` is an old name."""
        package, _, name = fullname.partition(".")
        text = sentence(name) if package == "helpers" else None
        if text is not None:
            # `from helpers import old` swallows an error that bears its `name`, and says less: so it bears none
            raise ModuleNotFoundError(text)


def install() -> None:
    """Put the finder behind all others, once in a process."""
    if not any(getattr(finder, "__name__", "") == OldNames.__name__ for finder in sys.meta_path):
        sys.meta_path.append(OldNames)
