"""Replies that cannot leave their form, from `helpers.old.generation.constrained`: part of how a model is asked.

    grammar = json_grammar(tokenizer, schema)
    generate_within(model, prompt_ids, grammar, max_new_tokens=64).text

How it works stands where it is written: `regular`, `json_schema`, `token_grammar`, `jumping` in `helpers.generation`.
"""

from helpers.old.generation.constrained import (
    AnswerForm,
    GrammarError,
    Limits,
    TokenGrammar,
    Written,
    form_schema,
    generate_within,
    greedy_within,
    json_grammar,
    regex_grammar,
    within,
)

__all__ = [
    "AnswerForm",
    "GrammarError",
    "Limits",
    "TokenGrammar",
    "Written",
    "form_schema",
    "generate_within",
    "greedy_within",
    "json_grammar",
    "regex_grammar",
    "within",
]
