"""Right answers that are written differently."""

pmi_choice = """
```
def pmi_choice(scores, unlabeled):
    chosen = []
    for row in scores:
        gains = [float(score - column.mean()) for score, column in zip(row, unlabeled.T)]
        chosen.append(gains.index(max(gains)))
    return chosen
```
"""
breaking = """
```
import html
import re

def breaking(fill, texts, marks):
    def safe(text):
        prompt = fill(text)
        if len(re.findall("</?ticket>", prompt)) != 2 or [mark for mark in marks if mark in prompt]:
            return False
        inside = re.search("<ticket>(.*)</ticket>", prompt, re.DOTALL)
        return inside is not None and html.unescape(inside[1]).strip() == text.strip()
    return [text for text in texts if not safe(text)]
```
"""
