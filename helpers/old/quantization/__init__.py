"""Products of bfloat16 numbers on processors that have no instructions for them: `wide`."""
