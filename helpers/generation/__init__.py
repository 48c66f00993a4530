"""Generation from scratch: choose the next token, repeat, stop, and show the text while it arrives. Opened in 05.

| what                                                                         | module         |
|------------------------------------------------------------------------------|----------------|
| samplers `greedy`, `sample`; transforms `temperature`, `top_k`, `top_p` …    | `sampling`     |
| the loop: `generate`, and `stream` for text piece by piece                   | `decoding`     |
| the loop in its smallest form, to be shown: `minimal_generate`               | `minimal`      |
| the text of a reply while its tokens arrive                                  | `streaming`    |
| prompts of unequal lengths side by side                                      | `batching`     |
| `speculative`: a cheap draft, checked by the model in one pass               | `speculation`  |
| `token_log_probs`, `perplexity`                                              | `likelihood`   |
| replies of a chat model to many prompts, and several to one                  | `replies`      |
| output limited to a form, a pattern; to words of the source                  | `constrained`, `source_limit` |
| a JSON schema, a pattern as an automaton over bytes                          | `json_schema`, `regular` |
| an automaton over bytes as masks over tokens                                 | `token_grammar` |
| what has to follow is appended without asking the model: `generate_within`   | `jumping` |
| a grammar's mask in its smallest form, to be shown                           | `minimal_grammar` |
| a beginning that many prompts share, read once                               | `prefix`       |
| odds of the next token and reliability, drawn                                | `plots`        |

A model is anything with `forward(ids, cache=None)` that maps ids (B, T) to logits (B, T, V).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "batching",
        "constrained",
        "decoding",
        "json_schema",
        "jumping",
        "likelihood",
        "minimal",
        "minimal_grammar",
        "plots",
        "prefix",
        "regular",
        "replies",
        "sampling",
        "source_limit",
        "speculation",
        "streaming",
        "token_grammar",
    ],
    submod_attrs={
        "batching": ["as_batch"],
        "constrained": ["AnswerForm", "form_schema", "greedy_within", "json_grammar", "regex_grammar", "within"],
        "decoding": ["generate", "stream"],
        "json_schema": ["Limits", "schema_node"],
        "jumping": ["Written", "generate_within", "jump_tokens"],
        "likelihood": ["perplexity", "token_log_probs"],
        "minimal": ["minimal_generate"],
        "minimal_grammar": ["choice_table", "grammar_mask", "jump_ahead", "minimal_within", "read_table"],
        "plots": ["build_browser", "odds_browser", "odds_grid", "reliability_diagram"],
        "prefix": ["BehindPrefix"],
        "regular": ["Automaton", "GrammarError", "automaton", "parse"],
        "replies": ["drawn_replies", "greedy_replies"],
        "sampling": [
            "compose",
            "draw",
            "greedy",
            "min_p",
            "repetition_penalty",
            "sample",
            "temperature",
            "top_k",
            "top_p",
        ],
        "source_limit": ["Names", "Vocabulary", "source_limits"],
        "speculation": ["ModelDraft", "PromptLookup", "Speculation", "accept_or_resample", "speculative"],
        "streaming": ["ReplyText", "reply_text", "text_decoder"],
        "token_grammar": ["TokenGrammar", "token_tree"],
    },
)
