"""What the lesson concludes, over its own variables."""

assert n_right["word -> letters"] <= 2 and len(WORDS) == 24 and n_right["letters -> letters"] >= 18
assert encode_word(tuple("charger"), ranks) == ("charge", "r") and merges[:2] == [("g", "e"), ("a", "r")]
assert n_equal == len(texts) > 200 and decode(encode(hindi_text)) == hindi_text
assert mine == usual_call([system, honest]) and usual_call([system, attack]).count(START) == 4
assert repaired.count(START) == 3 and not control & set(encode(markers)) and control & set(tokenizer(markers).input_ids)
assert max(times_english["o200k_base"].max(), times_english["Tekken"].max()) < 2 < times_english["SmolLM2"]["Turkish"]
assert hindi_pays["Hindi"] < 1 < hindi_pays["mixed, 2 Hindi, 4"] < hindi_pays["mixed, 1 Hindi, 0"]
assert hindi_pays["mixed, 1 Hindi, 0"] < 2 < hindi_pays["English"]
assert n_pieces["GPT-2's pattern", "Hindi"] > 2 * n_pieces["marks kept", "Hindi"]
assert tokens_and_price(page, type("Vendor", (), {"encode_ordinary": str.encode}), 1)[0] == page.stat().st_size
