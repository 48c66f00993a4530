"""What the lesson concludes, over its own variables."""

assert sum(products) < sum(is_right(line, order) for _, line, order in filled), "it reads better than it multiplies"
assert any(told and line for told, line, _ in filled), "being told makes more replies fit"
assert not any(told and is_right(line, order) for told, line, order in filled), "and none of them right"
assert "Monday" not in message.tool_calls[0].function.arguments, "with the pattern, a number is made up"
assert [name for name, *_ in steps] == ["order_info", "shop_price", "calculate"] and "2334" in answer
assert list((table["model, offered"] - table["model"]).groupby("split").sum()) == [7, 5], "gained on dev and on test"
assert total["rules"] < total["rules first"] < total["model"] and table.loc["dev"][WAYS].sum().idxmax() == "rules first"
assert test.loc[["two calls", "three calls"], ["model, offered", "questions"]].sum().to_list() == [39, 48]
assert test["model, offered"]["argument missing"] < test["model"]["argument missing"]
