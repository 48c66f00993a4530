"""What the lesson concludes, over its own variables."""

from helpers.assistants import handbook
from helpers.mine import load

assert [three for three, _ in sizes.values()] == [36, 47, 56, 67] and [same for _, same in sizes.values()] == [64, 62, 56, 41]
assert len(dev) == len(test) == 131 and chunks == list(assistant.index.chunks)
assert sum(found(fused, chunks, dev, 6)) == 89 == sum(map(max, by_words, by_meaning)) - 1, "fusion has all but one"
