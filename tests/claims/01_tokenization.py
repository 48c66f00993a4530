"""What the lesson concludes, over its own variables."""

assert n_right["word -> letters"] <= 2 and n_right["letters -> word"] <= 6, "it can hardly cross"
assert n_right["word -> word"] == len(WORDS) == 24 and n_right["letters -> letters"] >= 18, "it copies both"
assert encode_word(tuple("charger"), ranks) == ("charge", "r") and merges[:2] == [("g", "e"), ("a", "r")]
assert n_equal == len(texts) > 200
assert mine == usual_call([system, honest]) and usual_call([system, attack]).count(START) == 4
assert repaired.count(START) == 3
assert max(times_english["o200k_base"].max(), times_english["Tekken"].max()) < 2 < times_english["SmolLM2"]["Turkish"]
assert hindi_pays["Hindi"] < 1 < hindi_pays["all eight"] < 1.6, "merges for Hindi help Hindi"
assert 1.6 < hindi_pays["no text (bytes)"] < 3 < hindi_pays["English"]
assert tokens_and_price(page, chat_tokenizer, PRICE)[0] == len(encode(page.read_text(encoding="utf-8")))
