"""What only lessons that wait for their rework use of `helpers.generation`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "constrained",
        "json_schema",
        "jumping",
        "minimal",
        "minimal_grammar",
        "prefix",
        "regular",
        "replies",
        "source_limit",
        "speculation",
        "token_grammar",
    ],
    submod_attrs={
        "constrained": ["AnswerForm", "form_schema", "greedy_within", "json_grammar", "regex_grammar", "within"],
        "json_schema": ["Limits", "schema_node"],
        "jumping": ["Written", "generate_within", "jump_tokens"],
        "minimal": ["minimal_generate"],
        "minimal_grammar": ["choice_table", "grammar_mask", "jump_ahead", "minimal_within", "read_table"],
        "prefix": ["BehindPrefix"],
        "regular": ["Automaton", "GrammarError", "automaton", "parse"],
        "replies": ["drawn_replies", "greedy_replies"],
        "source_limit": ["Names", "Vocabulary", "source_limits"],
        "speculation": ["ModelDraft", "PromptLookup", "Speculation", "accept_or_resample", "speculative"],
        "token_grammar": ["TokenGrammar", "token_tree"],
    },
)
