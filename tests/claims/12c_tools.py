"""What the lesson concludes, over its own variables."""

assert sum(products) < sum(is_right(line, order) for _, line, order in filled), "it reads better than it multiplies"
assert any(told and line for told, line, _ in filled), "being told makes more replies fit"
assert not any(told and is_right(line, order) for told, line, order in filled), "and none of them right"
assert rule > sum(is_right(line, order) for _, line, order in filled), "the rule is ahead on six products"
assert "Monday" not in message.tool_calls[0].function.arguments, "held to the pattern, a number is made up"
assert [name for name, *_ in steps] == ["order_info", "shop_price", "calculate"] and "2334" in answer
assert table.loc["dev"].idxmax() == "rules first" and table.loc["test"].idxmax() == "model, offered"
assert table["rules"]["test"] < table["model"]["test"] and table["rules first"]["test"] < table["model"]["test"]
assert all(table["model, offered"][split] > table["model"][split] for split in ("dev", "test"))
