"""What the lesson concludes, over its own variables."""

from helpers.stats import wilson

assert len(test) == 77 and len(dev) == 36 and len({t["family"] for t in test} & {t["family"] for t in dev}) == 0
assert wilson(max((lists == desks_of(test)).sum(1)), len(test)).low < 1 / 9, "no list is clearly ahead of guessing"
assert agree < 6 and by_vote < wilson(by_pmi, len(test)).low * len(test), "votes repair nothing, PMI is ahead of them"
assert max(right["dev"], key=right["dev"].get) == "less dev's mean" and by_embedder > by_pmi, "test reverses it"
assert right["test"]["most probable"] < right["test"]["per token"] < right["test"]["less an empty prompt's"] < by_pmi
assert max(list_right) < wilson(by_pmi, len(test)).low * len(test), "the mean alone does not repair a list"
assert corrected["test"].min() >= 1.5 * counts["test"].min() and counts["test"][best] < no_example < embedded
assert max(WAYS, key=numbers["dev"].get) == "begun" and numbers["test"]["begun"] > numbers["test"]["both"]
assert obeyed["as it is"] == obeyed["delimited"] and abs(with_persona - by_pmi) < 3
assert breaking(colleague, TEXTS, tokenizer.all_special_tokens) and not breaking(from_file, TEXTS, ["<|im_start|>"])
