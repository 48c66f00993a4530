"""`python -m helpers.old.prompting`: the templates in data/prompts, listed, shown and tested.

python -m helpers.old.prompting test                    every template's tests; exit status 1 where one fails
python -m helpers.old.prompting test --fast             those that need no model
python -m helpers.old.prompting test extraction         one template, all its versions
python -m helpers.old.prompting list                    names, versions, purposes
"""

from __future__ import annotations

import argparse
import sys

from helpers.old.prompting.checking import check, check_replies
from helpers.old.prompting.templates import PromptError, Template, load, names, versions


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 0 where all is well, 1 where a test fails, 2 for a template that cannot be read."""
    options = _parser().parse_args(arguments)
    try:
        chosen = options.names or names()
        templates = [load(name, version) for name in chosen for version in versions(name)]
    except PromptError as error:
        print(error, file=sys.stderr)
        return 2
    if options.action == "list":
        print(
            "\n".join(
                f"{template!s:<26}{'' if template.measured else '(not measured here) '}{template.purpose}"
                for template in templates
            )
        )
        return 0
    problems = [problem for template in templates for problem in check(template)]
    asked = [] if options.fast else [t for t in templates if any("answers" in test for test in t.tests)]
    problems += _replies(asked) if asked else []
    print("\n".join(problems) or f"{len(templates)} templates hold, {len(asked)} of them asked of the chat model.")
    return 1 if problems else 0


def _replies(templates: list[Template]) -> list[str]:
    from transformers import AutoTokenizer

    from helpers.models import fetch
    from helpers.scale import matrix_dtype
    from helpers.transformer.llama import Llama

    folder = fetch("chat")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = Llama.from_pretrained(folder, matrix_dtype()).eval()
    return [problem for template in templates for problem in check_replies(model, tokenizer, template)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers.old.prompting", description="The course's prompts.")
    actions = parser.add_subparsers(dest="action", required=True)
    for action, what in (("test", "run the tests that the templates carry"), ("list", "what there is")):
        of = actions.add_parser(action, help=what)
        of.add_argument("names", nargs="*", help="which templates (default: all)")
        if action == "test":
            of.add_argument("--fast", action="store_true", help="without the chat model")
    return parser


if __name__ == "__main__":
    sys.exit(main())
