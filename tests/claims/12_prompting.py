"""What the lesson concludes, over its own variables."""

from helpers.stats import wilson

assert len(test) == 77 and len(dev) == 36 and len({t["family"] for t in test} & {t["family"] for t in dev}) == 0
assert wilson(best_list, len(test)).low < 1 / 9, "the best list is not clearly ahead of guessing"
assert agree < 6 and by_vote < wilson(by_pmi, len(test)).low * len(test), "votes repair nothing, PMI is ahead of them"
assert max(right["dev"], key=right["dev"].get) == "less dev's mean", "dev chooses the mean over tickets"
assert right["fresh"]["most probable"] < right["fresh"]["less an empty prompt's"] < by_pmi < by_embedder
assert N_DRAWS < 5 or (np.mean(curve[36]) < by_pmi < np.mean(curve[72]) and min(curve[288]) > by_embedder)
assert corrected["fresh"].min() >= 1.5 * counts["fresh"].min() and counts["fresh"][best] < no_example
assert numbers["1.0.0"] < 0.5 * numbers["2.0.0"] and numbers["2.0.0"] < numbers["regex"] < numbers["rule"]
assert obeyed["as it is"] == obeyed["delimited"] and abs(with_persona - by_pmi) < 3
assert breaking(colleague, TEXTS, tokenizer.all_special_tokens) and not breaking(from_file, TEXTS, ["<|im_start|>"])
