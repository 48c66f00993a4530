md("title", """
# 03 · Pretraining

**How does a model that knows nothing learn to write, and what makes it learn faster than nanoGPT?**

[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/hands-on-llms/hands-on-llms/blob/main/notebooks/03_pretraining.ipynb)
[![Launch on Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/hands-on-llms/hands-on-llms/main?urlpath=lab/tree/notebooks/03_pretraining.ipynb)

**55 minutes** · needs: 00b (probabilities, training), 02b (the transformer) · peak memory 0.8 GB

After this notebook you can

- **train** a GPT from nothing on a text of your own, and watch what it learns first;
- **hold out** text so that a loss on it means something, and find the leak where it does not;
- **compare** models with different tokenizers, in bits per byte;
- **build** the strongest cheap baseline, a smoothed n-gram model, and say what it cannot do;
- **explain** what Muon does to a gradient, and judge a faster recipe in a fair race.
""")
c = new_code_cell(setup.source); c["id"] = "setup"; c.metadata["tags"] = ["setup"]; cells.append(c)
code("parameters", 'SCALE = "laptop"', "parameters")

md("surprise", """
## 1 · Can a model learn to write in under a minute?

You will now train a language model from nothing. Its text is the Python language reference, a third of a megabyte
that comes with every Python. Its tokens are single **characters**: 103 different ones occur. The model is a GPT of
0.8 million parameters, the architecture of 02b with 4 blocks and 128 channels. At the start all of them are random
numbers.

Training repeats one step. Take 24 pieces of the text, 64 characters each. At every place, let the model say how
probable each of the 103 characters is as the next one. Its **loss** is its mean surprise at the characters that really
come next, −ln p, in **nats** (00b). Then change all parameters a little so that the loss falls.

Every few seconds the same prompt, *The*, is continued: a character is drawn from the model's probabilities, put behind
the text, and so on. Before you run it: what will these samples show first?
""")
code("guess-first", """
predict("03-first", "After the first few dozen steps, the samples will show …", guess=...,
        choices=["how often letters and spaces occur", "whole words", "the syntax of Python"])
""", "nbval-check-output")
code("text", """
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from helpers.pretraining import Recipe, bits_per_byte, pretrain, python_reference
from helpers.scale import device, scale
from helpers.transformer import GPT, GPTConfig

dial = scale(SCALE)
data = python_reference()
""")
md("train-md", """
`Recipe` says how the training goes (section 3 explains its parts), `GPTConfig` how large the model is. At
`SCALE = "gpu"` the same cells train a model of 85 million parameters.
""")
code("train", """
recipe = Recipe(steps=dial.pick(smoke=48, laptop=200, gpu=2000))
sizes = dial.pick(smoke={"d_model": 64, "n_layers": 1}, laptop={"d_model": 128, "n_layers": 4},
                  gpu={"d_model": 768, "n_layers": 12, "n_heads": 12})

torch.manual_seed(0)
gpt = GPT(GPTConfig(data.vocab_size, max_len=64, **sizes)).to(device())

def say(step, run):
    print(f"{step:4} steps, {run.validation[step]:.2f} nats: {run.samples[step]!r}")

run = pretrain(gpt, data, recipe, evaluate_every=recipe.steps // 8, evaluate_windows=100,
               prompt="The ", sample_tokens=70, on_look=say)
""")
code("words-learned", """
known = set(data.tokenizer.decode(data.train.ids.tolist()).split())

def share_of_words(sample):
    words = [word for word in sample.split() if len(word) > 2]
    return sum(word in known for word in words) / max(1, len(words))

shares = {step: share_of_words(text) for step, text in run.samples.items()}
print({step: f"{share:.0%}" for step, share in shares.items()})
reveal("03-first", "how often letters and spaces occur")
assert run.validation[recipe.steps] < run.validation[0] - 1
""")
md("surprise-md", """
The numbers in the last line are the share of words (of at least three letters) that occur in the training text. The
first sample is noise. Soon the letters are the common ones and the gaps have the length of words, but the words do not
exist. Then short words come, then long ones, then the manner of a manual, with its asterisks and quotation marks. The
sense does not come: this model has read three hundred kilobytes for less than a minute.

Nobody told it what a word is. All it was asked, a few hundred thousand times, is which character comes next. Two
questions follow, and they fill this notebook. Is that loss *good*, and compared with what? And what makes such a
training faster?
""")

md("data", """
## 2 · What did it learn from?

**From text to batches.** The text is tokenized once and kept as one long row of numbers; a file of it is read by
*memory map*, so that a text larger than the memory works as well. A batch is B windows of T + 1 tokens from this row.
The first T are the inputs; the last T, the same shifted by one, are the targets: at every place the next token.
""")
code("one-window", """
rows = data.train.batch(step=0, batch=24, length=64)            # (24, 65): B windows of T + 1 tokens
inputs, targets = rows[:, :-1], rows[:, 1:]                     # (B, T) each: the same, shifted by one

print(f"{len(data.train):,} tokens to train on, {len(data.held_out):,} held out, {data.vocab_size} characters")
print("inputs ", repr(data.tokenizer.decode(inputs[0, :40].tolist())))
print("targets", repr(data.tokenizer.decode(targets[0, :40].tolist())))
again = data.train.batch(step=0, batch=24, length=64)
print("the same step gives the same batch:", torch.equal(rows, again))
""")
md("make-batch-md", """
**Your turn** ●○○ 2 min. Cut a batch from the row yourself.
""")
code("make-batch", '''
@exercise
def make_batch(row: Tensor, starts: list[int], length: int) -> tuple[Tensor, Tensor]:
    """Inputs and targets of a training step: (B, length) each, for the B windows that begin at `starts`.

    row: (N,), the whole text as token ids. The target at each place is the token that follows the input there.
    """
    ...
''', "exercise", "nbval-check-output")
md("data-order", """
Which windows a step gets depends on the seed and the number of the step, and on nothing else. So a run that is killed
goes on with the batches it would have had, and ends with the same weights as one that was not (this is tested). One
*epoch* shows every token once; the next one begins at another place, so that the windows are cut differently.

**What should the first loss be?** A model that knows nothing should find all 103 characters equally probable. Its
surprise is then −ln(1/103) = ln 103 = 4.63 nats. A first loss far above that means that the model is confidently wrong
before it has seen anything: the initial weights are too large, or the targets are not what you think. This check costs
one line, and it has found many bugs.
""")
code("first-loss", """
import math

def loss_of(model, rows):
    predicted, following = model(rows[:, :-1]), rows[:, 1:]     # (B, T, V) and (B, T)
    return F.cross_entropy(predicted.flatten(0, 1), following.flatten())

nothing_known = math.log(data.vocab_size)
for tied in (True, False):
    torch.manual_seed(0)
    fresh = GPT(GPTConfig(data.vocab_size, max_len=64, tied=tied))
    first = loss_of(fresh, rows).item()
    print(f"tied embeddings: {tied!s:5}  first loss {first:.2f} nats, ln V = {nothing_known:.2f}")
    assert abs(first - nothing_known) < 0.4
""")
md("first-loss-md", """
Both are near. With *tied* embeddings, where one matrix reads the tokens and predicts them (02b), there is a small
difference: each token's vector resembles itself, so the fresh model expects the token that it has just read. In this
text with its runs of spaces that is even a good guess.

**Losses per token cannot be compared between tokenizers.** A model that reads 4 characters per token is asked a
quarter as many questions, and harder ones. What all tokenizers share is the text: its size in bytes is the same,
whoever cuts it. So spread the whole surprise over the bytes, and count it in bits (1 bit = ln 2 nats):

$$\\text{bits per byte} = \\frac{\\text{nats per token}\\cdot\\text{tokens}}{\\ln 2\\cdot\\text{bytes}}$$

For a text of 10 tokens and 40 bytes at 2.77 nats per token this is 27.7 / 0.693 / 40 = 1.0 bit per byte.

You wrote this function in 01; here it comes from `helpers.pretraining`. It takes the nats per token and the bytes per
token.
""")
md("leak", """
**What is held out?** A loss on text that was trained on measures memory. So a part is held out and never trained on.
But which part? nanoGPT takes the last tenth of the characters. In this text that would be a mistake, which is easy to
overlook: a third of the reference's topics stand a second time, word for word, inside longer ones.
""")
code("leaked", """
from helpers.corpora import language_reference

def shared(train, held_out, n=50):
    seen = {train[i : i + n] for i in range(len(train) - n)}
    asked = [held_out[i : i + n] in seen for i in range(0, len(held_out) - n, n)]
    return sum(asked) / len(asked)

whole = language_reference().text
cut = len(whole) * 9 // 10
ours = [data.tokenizer.decode(part.ids.tolist()) for part in (data.train, data.held_out)]
print(f"last tenth held out:   {shared(whole[:cut], whole[cut:]):.1%} of its stretches of 50 characters were trained on")
print(f"whole topics held out: {shared(*ours):.1%}")
assert shared(whole[:cut], whole[cut:]) > 2 * shared(*ours)
""")
md("whole-topics-md", """
Such a leak makes every model look better than it is, and the model that memorizes most gains most. The cure has two
parts: hold out whole documents, and drop what stands in others. The function below was meant to do both. It has a
bug, one of the most frequent in this field: the loss that it gives is wonderful.

**Your turn** ●●○ 6 min. Find and mend it.
""")
code("whole-topics", '''
@exercise
def whole_topics(documents, every):
    """Hold out every `every`-th document, whole: (documents to train on, documents held out), each in their order.

    Documents are counted from 1, so `every`=3 holds out the third, the sixth and so on. A document that is held out
    and stands word for word inside one to train on is dropped from what is held out: it was read in training.
    """
    train, held_out = [], []
    for number, text in enumerate(documents, start=1):
        train.append(text)
        if number % every == 0:
            held_out.append(text)
    unread = held_out
    return train, unread
''', "exercise", "nbval-check-output")

md("loop", """
## 3 · What happens in a training step?

Here is the whole of pretraining on one page: text in, model out, with the model `MinimalGPT` of 02b and the optimizer
AdamW. Read it once from top to bottom. The function that you have used in section 1, `pretrain`, computes the same
under the same recipe (a test holds it to that), and adds what a long run needs: checkpoints, samples, other
optimizers.
""")
code("show-minimal", """
from helpers.pretraining import minimal_pretrain

show(minimal_pretrain)
""")
md("loop-md", """
Three things in it are easy to get wrong.

- **The learning rate changes over the run.** It rises during the first steps, while AdamW's averages know little
  (*warm-up*). It ends at zero: large steps explore, small steps settle. How much the last part is worth you see in the
  samples of section 1, where the loss falls until the end.
- **The gradient is clipped.** If its length exceeds 1 it is cut to 1, so that one strange batch cannot ruin the run.
- **The held-out loss is computed without training on it**, and on all of the held-out text, or on the same part each
  time.

**One batch by heart.** Before any long run, try to overfit a single small batch. A model of 0.8 million parameters
must be able to learn 128 characters by heart; if it cannot, something is broken, and no amount of data will help.
""")
code("one-batch", """
few = data.train.batch(step=3, batch=4, length=32)              # 4 windows: 128 targets

torch.manual_seed(0)
heart = GPT(GPTConfig(data.vocab_size, max_len=64))
optimizer = torch.optim.AdamW(heart.parameters(), lr=3e-3)
learned = []
for step in range(100):
    loss = loss_of(heart, few)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    learned.append(loss.item())

""")
code("one-batch-result", """
unseen = loss_of(heart, data.held_out.windows(32)[:100]).item()
print(f"this batch: {learned[0]:.2f} → {learned[-1]:.2f} nats; held-out text: {unseen:.2f} nats")
assert learned[-1] < 0.7 and unseen > nothing_known
""")
md("one-batch-md", """
The batch is learned by heart, so gradients reach all parameters and the targets are right. On text that it has not
seen the same model is worse than one that knows nothing: it is sure of itself, and wrong. That is what *overfitting*
looks like, and why only the held-out loss counts.
""")

md("counts", """
## 4 · Is that loss any good?

A number needs something to be compared with. The oldest language model needs no gradients at all: it counts. In 1948,
Claude Shannon wrote English by looking up which letter follows the last few letters in a book. Such a model of
**order** n predicts a token from the n − 1 tokens before it.

With long contexts it meets a difficulty: most contexts of the new text never occurred in the old one, and after those
that did, most characters never came. A probability of 0 is an infinite surprise. **Smoothing** solves this. Take a
discount d from every count, and give what you have saved to the probabilities after the *shorter* context, which
occurred more often:

$$p(\\text{token}) = \\frac{\\max(\\text{count} - d,\\, 0)}{\\text{total}} + \\frac{d\\cdot\\text{kinds}}{\\text{total}}\\; p_{\\text{shorter}}(\\text{token})$$

*total* is the number of times that the context occurred, *kinds* the number of different tokens that came after it.
An example: after “th” came e 6 times, a 2 times, i once, so total = 9 and kinds = 3. With d = 0.75 the counts keep
5.25, 1.25 and 0.25. The saved 3 · 0.75 = 2.25 of 9 are a quarter of all probability. It goes to all 103 characters as
the shorter context “h” has them. Nothing is impossible any more, and the sum is still 1.

**Your turn** ●●○ 7 min. Write it; if what you take and what you give differ, the check will tell you.
""")
code("smoothed", '''
@exercise
def smoothed(counts: dict[str, int], shorter: dict[str, float], discount: float) -> dict[str, float]:
    """The probability of every token after a context, from counts and from the probabilities after a shorter context.

    counts: how often each token came after this context; tokens that never came are missing. shorter: the probability
    of every token after the context without its oldest token; they sum to 1. discount: above 0 and at most 1.

        p(token) = max(count − discount, 0) / total  +  (discount · kinds / total) · shorter[token]

    total: the sum of the counts; kinds: how many different tokens came. After a context that never occurred, the
    shorter one's probabilities are the answer.
    """
    ...
''', "exercise", "nbval-check-output")
md("guess-table-md", """
`NGram` does this for all contexts of the training text at once (Kneser and Ney, 1995, whose discount is estimated from
the text, and whose shorter contexts count *different* predecessors). Counting takes a second. Your GPT has trained for
about a minute.
""")
code("guess-table", """
predict("03-table", "The best table of counts, compared with the GPT of section 1, is on held-out text …", guess=...,
        choices=["far worse", "about as good", "better"])
""", "nbval-check-output")
code("orders", """
from helpers.pretraining import NGram, continue_text, surprise, text_losses

per_byte = data.held_out.bytes_per_token
ours = surprise(gpt, data.held_out, length=64, limit=300)
yours = ours.bits_per_byte

tables = {order: NGram.count(data.train, data.vocab_size, order) for order in range(1, 9)}
bits = {order: table.surprise(data.held_out).bits_per_byte for order, table in tables.items()}
for order in (1, 3, 7):
    sample = continue_text(tables[order], data.tokenizer, "The ", 60, length=64)
    print(f"order {order}: {bits[order]:.2f} bits per byte, {tables[order].n_counts:>7,} counts: {sample!r}")
reveal("03-table", "better" if bits[7] < yours - 0.02 else "about as good")
""")
code("orders-figure", """
from helpers.plots import PALETTE, figure, label_lines

fig, ax = figure("A table of counts beats the minute-old GPT", "order of the n-gram model",
                 "bits per byte, held-out text", size=(6.4, 3.2))
ax.plot(list(bits), list(bits.values()), color=PALETTE["main"], marker="o")
ax.axhline(yours, color=PALETTE["compare"], linestyle=(0, (4, 3)))
ax.annotate(f"your GPT, {recipe.steps} steps: {yours:.2f}", (8, yours), xytext=(0, 5), ha="right",
            textcoords="offset points")
ax.annotate(f"{bits[7]:.2f}", (7, bits[7]), xytext=(0, -14), ha="center", textcoords="offset points")
ax.set_ylim(0, None)
fig.alt = (f"Bits per byte of n-gram models of orders 1 to 8, falling from {bits[1]:.1f} to {bits[7]:.2f} at order 7; "
           f"a dashed line at {yours:.2f} marks the GPT.")
assert bits[7] < yours and bits[1] > bits[3] > bits[5]
""")
md("orders-md", """
The table is better, after a second of counting. Most courses do not show this baseline. On a text this small, the
exact last six characters tell nearly everything that a minute of gradient descent can find out.

What the table *cannot* do decides the rest of the story. It knows nothing about contexts that merely resemble each
other: “the method” and “a method” share no count. Each further character of context multiplies the number of contexts,
so the next gain costs ever more text: the curve is flat from order 7 on. The table of order 7 holds 326 thousand
counts, as many as the text has characters; on a trillion characters it would hold hundreds of billions. A network
has the same number of parameters after any amount of text, and goes on improving.
""")

md("inventions", """
## 5 · What did each invention add?

**A good place to stop.** You have trained a model, know how to judge it, and have a baseline that takes it seriously.

Between Shannon's tables and the transformer stand two ideas that are in every model since.

- **Vectors instead of counts** (Bengio et al., 2003). Every token gets a vector, and similar tokens get similar ones.
  In the simplest form, the *bag of vectors*, the prediction is made from the mean of the last 4 vectors. A mean has no
  order: “cat ” and “tac ” are the same bag.
- **A state that is carried along.** The LSTM (Hochreiter and Schmidhuber, 1997) reads token after token into one
  state of fixed size, with gates that decide what is kept. It knows the order, in principle without end. But all of
  the past has to fit into that state, and training cannot compute the places of a text at the same time.
- **Attention** (2017) keeps a vector for *every* earlier token and looks at all of them, and training computes all
  places at once.

The figure shows all of them on this text, each with about 0.8 million parameters and trained for the same time
(*recorded*; the n-gram model of order 5 is counted). To the right they see more of the text before the character that
they predict.
""")
code("by-context", """
from helpers.trials.recipes import HISTORY, RACE

found = {"n-gram, order 5": HISTORY.find("n-gram", order=5)}
found |= {name: HISTORY.find(name, seed=0) for name in ("bag of vectors", "LSTM", "GPT")}
curves = {name: {int(k): bits_per_byte(nats, per_byte) for k, nats in run["by context"].items()}
          for name, run in found.items()}

fig, ax = figure(TITLE_CONTEXT, "characters of context that the model sees",
                 "bits per byte, held-out text", size=(6.8, 3.6))
for name, curve in curves.items():
    ax.plot(list(curve), list(curve.values()), label=name)
ax.set_xscale("log", base=2)
label_lines(ax)
fig.alt = "Bits per byte against context for four models: " + "; ".join(
    f"{name} from {curve[1]:.1f} to {curve[63]:.2f}" for name, curve in curves.items()) + "."
gain = {name: curve[8] - curve[63] for name, curve in curves.items()}
ASSERT_CONTEXT
""")
md("by-context-md", """
CONTEXT_PROSE
""")
code("horizons", """
rows_of_table = {f"n-gram, order {order}": HISTORY.find("n-gram", order=order) for order in (2, 7)}
rows_of_table |= {name: HISTORY.find(name, seed=0) for name in ("bag of vectors", "LSTM", "GPT")}
rows_of_table |= {name: HISTORY.find(name) for name in ("gzip", "xz", "chat model")}

print(f"{'recorded':18} bits per byte   where the 5 characters before were seen / never seen")
for name, run in rows_of_table.items():
    parts = [run.get(f"nats where {kind}") for kind in ("seen", "not seen")]
    split = "" if None in parts else "  /  ".join(f"{bits_per_byte(nats, per_byte):.2f}"
                                                  for nats in parts)
    print(f"{name:18} {run['bits per byte']:13.2f}   {split}")
""")
md("horizons-md", """
HORIZON_PROSE
""")

md("muon", """
## 6 · What makes one step worth more?

So far every parameter was updated by AdamW, which treats a matrix as a heap of numbers and gives each its own step
size. But a matrix is more: it maps vectors to vectors, and its **singular values** say how strongly it acts along its
directions (its singular vectors). Look at those of a real gradient, that of one matrix of your GPT.
""")
code("gradient", """
gpt.zero_grad()
loss_of(gpt, data.train.batch(step=999, batch=24, length=64).to(device())).backward()
gradient = gpt.blocks[-1].attention.q_proj.weight.grad.cpu()         # (C, C)

values = torch.linalg.svdvals(gradient)                              # from the largest to the smallest
share = values.square().cumsum(0) / values.square().sum()
few = int((share < 0.9).sum()) + 1
print(f"{few} of {len(values)} directions hold 90 % of the squared gradient; "
      f"the largest singular value is {values[0] / values.median():.0f} times the median")
assert few < len(values) / 3
""")
md("muon-idea", """
A step along this gradient changes the matrix in a handful of directions and hardly in the others. **Muon** (Jordan et
al., 2024) keeps the singular vectors and makes all singular values about equal: the update moves as far along the
rare directions as along the frequent ones. That is worth more per step, and it has become usual in large trainings.

An exact decomposition at every step would be slow. The **Newton–Schulz iteration** needs only matrix products. If
x = U S Vᵀ with the singular values in S, then x xᵀ x = U S³ Vᵀ: the product cubes each singular value and leaves the
vectors. So a polynomial in x is a polynomial in each singular value:

$$a\\,x + b\\,(xx^\\top)x + c\\,(xx^\\top)^2x \\quad\\Longrightarrow\\quad s \\mapsto a s + b s^3 + c s^5$$

With a = 3.4445, b = −4.7750, c = 2.0315 a small s more than triples, and one near 1 stays near 1: s = 0.01 becomes
0.034, s = 0.5 becomes 1.19, s = 1 becomes 0.70. Five such steps bring nearly all of them to about 1.

**Your turn** ●●○ 5 min. Write one step.
""")
code("newton-schulz", '''
@exercise
def newton_schulz(x: Tensor, a: float, b: float, c: float) -> Tensor:
    """One step: every singular value s of x becomes a·s + b·s³ + c·s⁵; the singular vectors stay.

    x: (m, n) with m ≤ n  →  (m, n). With the Gram matrix G = x xᵀ, (m, m), this is a·x + b·G x + c·G G x.
    """
    ...
''', "exercise", "nbval-check-output")
code("five-steps", """
x = gradient / gradient.norm()                              # no singular value is above 1
spectra = {"0 steps": torch.linalg.svdvals(x)}
for step in range(1, 6):
    x = newton_schulz(x, 3.4445, -4.7750, 2.0315)
    if step in (2, 5):
        spectra[f"{step} steps"] = torch.linalg.svdvals(x)

near_one = ((spectra["5 steps"] > 0.5) & (spectra["5 steps"] < 1.3)).float().mean().item()
fig, ax = figure(f"Five steps bring {near_one:.0%} of the singular values near 1", "singular values, sorted",
                 "singular value", size=(6.4, 3.2))
for name, values in spectra.items():
    ax.plot(values.numpy(), label=name)
label_lines(ax)
fig.alt = ("Sorted singular values of a gradient after 0, 2 and 5 Newton–Schulz steps; at first nearly all are close "
           f"to 0, after 5 steps {near_one:.0%} lie between 0.5 and 1.3.")
assert near_one > 0.7 and (spectra["0 steps"] > 0.5).float().mean() < 0.1
""")
md("muon-md", """
The course's `Muon` is this iteration on the average of the last gradients; a test holds it equal to `torch.optim.Muon`,
which PyTorch has had since version 2.9. It is meant for the matrices inside the network. Embeddings and the head stay
with AdamW: a row of theirs belongs to one token, and rare tokens have no gradient at most steps. The recipe of section
1 did exactly that; `Recipe(optimizer="adamw")` would do without.
""")

md("race", """
## 7 · Is it faster than nanoGPT?

nanoGPT is the reference that everybody knows: a small, clear training script by Andrej Karpathy, with a configuration
for laptops. A race against it is fair if everything is equal but the recipe: the same text and the same held-out
windows, the same number of parameters, the same machine and the same number of threads. Its own code runs, as its
README says. The course's recipe changes the learning rate, the positions (RoPE), the norm (RMSNorm), the feed-forward
network (SwiGLU), the batch (24 instead of 12), the optimizer (Muon) and the way in which the learning rate ends (a
line down to 0).
""")
code("race-figure", """
peer = RACE.find("nanoGPT", seed=0)
shares = (0.35, 0.5)
course = {share: RACE.find("course", share=share, seed=0)["nats"] for share in shares}

fig, ax = figure(TITLE_RACE, "share of nanoGPT's training time", "held-out loss (nats per character)", size=(6.4, 3.2))
ax.plot([100 * share for share in shares], list(course.values()), marker="o", color=PALETTE["main"])
ax.axhline(peer["nats"], color=PALETTE["compare"], linestyle=(0, (4, 3)))
ax.annotate(f"nanoGPT after all of its time: {peer['nats']:.2f}", (100, peer["nats"]), xytext=(0, 5), ha="right",
            textcoords="offset points")
for share, nats in course.items():
    ax.annotate(f"{nats:.2f}", (100 * share, nats), xytext=(0, -14), ha="center", textcoords="offset points")
ax.set(xlim=(0, 108), ylim=(min(course.values()) - 0.1, peer["nats"] + 0.1))
fig.alt = (f"Held-out loss of the course's recipe after 35 and 50 % of nanoGPT's time: {course[0.35]:.2f} and "
           f"{course[0.5]:.2f}; nanoGPT at the end: {peer['nats']:.2f}.")
ASSERT_RACE
""")
md("race-md", """
RACE_PROSE
""")
md("together", """
**And the table?** In 00b a small network and counted letters were better together than either alone. Does that still
hold for a transformer and a table of runs of seven? Mix their probabilities, with a weight w for the network. The weight is chosen on one half of the held-out text and judged
on the other half.
""")
code("mixture", """
network = text_losses(gpt, data.held_out, length=64, stride=32, limit=300)[5:]   # the table starts at token 6
table = torch.tensor(tables[7].nats(data.held_out.ids))[: len(network)]
p_network, p_table = (-network).exp(), (-table).exp()

def mixed(w, part):
    return -(w * p_network + (1 - w) * p_table)[part].log().mean().item()

""")
code("mixture-result", """
half = len(network) // 2
choose, judge = slice(0, half), slice(half, None)
best = min((w / 20 for w in range(21)), key=lambda w: mixed(w, choose))
alone = {"network": mixed(1.0, judge), "table": mixed(0.0, judge), f"both, w = {best:.2f}": mixed(best, judge)}
for name, nats in alone.items():
    print(f"{name:14} {bits_per_byte(nats, per_byte):.2f} bits per byte")
gain = min(mixed(1.0, judge), mixed(0.0, judge)) - mixed(best, judge)
assert gain > dial.pick(smoke=-0.01, laptop=0.02)
""")
md("together-md", """
Together they are better than either, on text that neither has seen: a minute of training and a second of counting
beat both the network and the strongest cheap baseline. Speech recognizers did this for years. Large models no longer
do, since with enough text and parameters the network comes to know what the table knows, but the idea lives on where
a model looks things up instead of remembering them (10).
""")
code("last-sample", """
for prompt in ("The ", "A class ", "If the argument is "):
    print(repr(prompt + continue_text(gpt, data.tokenizer, prompt, 120, length=64, seed=3)))
progress()
""")
md("own-text", """
## Appendix · On your own data

For the day when you have texts of your own (not counted in the minutes above): a folder of `.txt` files in, a model
and a sample out, in plain PyTorch, without `helpers`. Copy the three cells into an empty file and put your texts into the
folder `own_texts`. Without that folder the cells take a piece of the Python language reference, which shows the steps.

What you must choose yourself: `STEPS`, as many as show a falling held-out loss (a few thousand for a megabyte), and
whether your texts repeat each other; then take the repetitions out first (section 2). Whole files are held out, every
tenth of them. A file that is no UTF-8 text stops the first cell with its name.
""")
code("own-model", """
import json
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model
from torch import nn
from torch.nn import functional as F

class CharacterGPT(nn.Module):
    def __init__(self, vocab_size, width=128, length=64, layers=4):
        super().__init__()
        self.token, self.place = nn.Embedding(vocab_size, width), nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, vocab_size)

    def forward(self, ids):
        T = ids.shape[1]
        future = nn.Transformer.generate_square_subsequent_mask(T)
        x = self.token(ids) + self.place(torch.arange(T))
        return self.head(self.blocks(x, mask=future, is_causal=True))

files = sorted(Path("own_texts").rglob("*.txt"))
texts = [file.read_text(encoding="utf-8") for file in files]
if len(texts) < 2:
    from pydoc_data.topics import topics
    texts = [topics[name] for name in sorted(topics)[:20]]
alphabet = sorted(set("".join(texts)))
""")
code("own-train", """
STEPS, ids_of = 30, {character: i for i, character in enumerate(alphabet)}
held_out = [text for i, text in enumerate(texts) if i % 10 == 1]             # whole files
train = [text for i, text in enumerate(texts) if i % 10 != 1]
row, other = (torch.tensor([ids_of[c] for text in part for c in text]) for part in (train, held_out))
assert min(len(row), len(other)) > 65, "Each part needs more than 65 characters: take longer texts."

def loss_on(row, n=32):
    starts = torch.randint(len(row) - 65, (n, 1))
    windows = row[starts + torch.arange(65)]
    return F.cross_entropy(own(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())

own = CharacterGPT(len(alphabet))
adamw = torch.optim.AdamW(own.parameters(), lr=1e-3)
for step in range(STEPS):
    adamw.zero_grad()
    loss_on(row).backward()
    nn.utils.clip_grad_norm_(own.parameters(), 1.0)
    adamw.step()
with torch.no_grad():
    print(f"held out: {loss_on(other).item():.2f} nats per character")
""")
code("own-save", """
folder = Path("build/own_model")
folder.mkdir(parents=True, exist_ok=True)
save_model(own, folder / "model.safetensors")
(folder / "alphabet.json").write_text(json.dumps(alphabet), encoding="utf-8")

again = CharacterGPT(len(json.loads((folder / "alphabet.json").read_text(encoding="utf-8"))))
load_model(again, folder / "model.safetensors")
ids = [ids_of[texts[0][0]]]
for _ in range(80):
    with torch.no_grad():
        odds = again.eval()(torch.tensor([ids[-64:]]))[0, -1].softmax(-1)
    ids.append(int(torch.multinomial(odds, 1)))
print(repr("".join(alphabet[i] for i in ids)))
assert all(torch.equal(a, b) for a, b in zip(own.state_dict().values(), again.state_dict().values()))
""")
md("quiz-md", """
## Quiz

Five questions, each about something that you have seen above.
""")
code("quiz", 'quiz("03")', "nbval-check-output")
md("ending", """
## Key points

- Pretraining asks one question again and again: which token comes next? The first loss should be ln V; one batch
  should be learned by heart; only the loss on held-out documents counts, and these must not stand in the training
  text.
- Bits per byte compare models across tokenizers.
- A smoothed n-gram model is a strong baseline on little text. It shares nothing between similar contexts, and grows
  with the text.
- Muon makes the singular values of an update equal, by five steps of matrix products. It is one of several changes
  that together make a recipe faster; a race is fair if everything but the recipe is equal.

## References

- Shannon, “A Mathematical Theory of Communication”, 1948.
- Kneser and Ney, “Improved Backing-off for M-gram Language Modeling”, 1995.
- Chen and Goodman, “An Empirical Study of Smoothing Techniques for Language Modeling”, 1999.
- Hochreiter and Schmidhuber, “Long Short-Term Memory”, 1997.
- Bengio, Ducharme, Vincent and Jauvin, “A Neural Probabilistic Language Model”, 2003.
- Mikolov, Chen, Corrado and Dean, “Efficient Estimation of Word Representations in Vector Space”, 2013.
- Vaswani et al., “Attention Is All You Need”, 2017.
- Karpathy, nanoGPT, 2022.
- Jordan et al., “Muon: An Optimizer for Hidden Layers in Neural Networks”, 2024.

FINAL_ANSWER

Next: [who writes the answer, the model or your settings](05_inference.ipynb).
""")
