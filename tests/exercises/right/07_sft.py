"""Right answers to the exercises of 07_sft, written differently."""

chat_labels = """
```
def chat_labels(render, messages):
    ids, labels = render(messages), []
    for k in range(len(messages)):
        piece = ids[len(labels) : len(render(messages[: k + 1]))]
        if messages[k]["role"] == "assistant":
            header = len(render(messages[:k], open=True)) - len(labels)
            labels += [-100] * header + piece[header:]
        else:
            labels += [-100] * len(piece)
    return ids, labels
```
"""

train = """
```
def train(model, batches, rates, after):
    optimizer = torch.optim.AdamW(filter(lambda p: p.requires_grad, model.parameters()), weight_decay=0)
    losses = []
    for step, (ids, labels) in enumerate(batches):
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        optimizer.zero_grad()
        logits = model(ids).logits
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1)
        optimizer.step()
        losses.append(loss.item())
        after(step + 1, losses[-1])
    return losses
```
"""
