# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26,<3", "pandas>=2.2,<4"]
# ///
"""May the new version replace the old one? Compares two files of scores item by item.

    gate.py old.csv new.csv [--margin .02] [--protect SLICE …] [--slice-column COLUMN] [--out OUT]

Each file has one row per item: an id and a score from 0 (wrong) to 1 (right), and may have a slice and a cost. Both
need the same ids, in any order; yes/no and true/false count as 1/0, and --range 1,5 reads scores of another range.
The gate looks at the mean difference, new minus old, and its 95 % interval, over all items and in each --protect slice:
    passed            every interval ends above −margin: a loss as large as the margin is excluded    exit status 0
    failed            one of them lies wholly below −margin: such a loss is shown                                 1
    cannot be judged  neither; too few items, or too many changes: the number that is needed is printed           2
    bad input, or a wrong option                                                                                  3
The interval is Tango's for paired scores (z = 2, one item added against the new version), or that of a paired
bootstrap where it is wider. A version that has lost exactly the margin passes in at most 2.5 % of cases, as --selftest
measures.
Scores between 0 and 1 are treated as if each change were whole, so they need more items than they might.
--slice-margin sets a wider margin for the protected slices. Other slices are shown and decide nothing.
--cost-column gives the cost of an item (tokens, seconds, euros), and --price what one unit of it costs. It is reported.
OUT gets summary.md, changed.csv (the lost items first) and report.json; the summary is added to $GITHUB_STEP_SUMMARY
where it is set. --action writes gate.yml, a GitHub Action that runs this very command; --dry-run says whether the files
fit, and how many items the margin needs, and decides and writes nothing.
"""

import argparse, hashlib, json, os, pathlib, shlex, sys  # noqa: E401, I001
import numpy as np, pandas as pd  # noqa: E401, I001
VERSION, Z, ITEM, RESAMPLES, MOST = "1.0", 2.0, 1.0, 2000, 100_000_000  # MOST: bytes of a file
STATUS = {"passed": 0, "failed": 1, "cannot be judged": 2}
WORDS = {"true": "1", "yes": "1", "right": "1", "false": "0", "no": "0", "wrong": "0"}
NOT_CHECKED = """Not checked: whether the score measures what matters, whether the items are like your users' questions,
whether they are independent (give one row per document or family), and whether they helped to build a version, or this
was run again until it passed. Each protected slice fails by chance in up to 2.5 % of runs at a loss of the margin."""
ACTION = """# Copy to .github/workflows/gate.yml. The job is green only if the gate has passed:
# exit status 1 is failed, 2 cannot be judged, 3 bad input. The table appears in the run's summary.
name: gate
on: pull_request
permissions:
  contents: read
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: astral-sh/setup-uv@v6
      - name: Score the new version
        run: {check}
      - name: Gate
        run: {command}
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: gate
          path: {out}
"""


def score(gains, losses, n, difference):
    """How many standard errors the sum of differences lies from n × difference (Tango 1998), and that error."""
    a, c = 2 * n, -losses * difference * (1 - difference)
    b = (2 * n - gains + losses) * difference - gains - losses
    lost = (np.sqrt(np.maximum(b * b - 4 * a * c, 0)) - b) / (2 * a)  # the likeliest rate of losses, were it true
    return gains - losses - n * difference, np.sqrt(np.maximum(n * (2 * lost + difference * (1 - difference)), 1e-12))
def excludes(gains, losses, n, difference):
    """Is a true difference this low (of −1 to 0, or any) excluded by what was gained and lost?"""
    above, error = score(gains, losses, n, difference)
    return above - ITEM >= Z * error
def lower(gains: float, losses: float, n: int) -> float:
    low, high = -1.0, (gains - losses) / n
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if excludes(gains, losses, n, middle) else (low, middle)
    return low

def interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean of paired differences that lie between −1 and 1."""
    n, rng = len(differences), np.random.default_rng(0)
    gains, losses = np.maximum(differences, 0).sum(), np.maximum(-differences, 0).sum()
    means = [rng.choice(differences, n).mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return min(lower(gains, losses, n), float(low)), max(-lower(losses, gains, n), float(high))

def items_needed(margin: float, changed: float) -> int:
    """How many items exclude a loss of the margin, if nothing gets worse and this share of items changes."""
    n = 1
    while not excludes(changed * n / 2, changed * n / 2, n, -margin):
        n = n + 1 if n < 10_000 else 2 * n
    return n

def judge(low: float, high: float, margin: float) -> str:
    return "passed" if low >= -margin else "failed" if high < -margin else "cannot be judged"

def read(path: pathlib.Path, args) -> pd.DataFrame:
    if path.stat().st_size > MOST:
        raise ValueError(f"{path} has more than {MOST // 10**6} MB: keep the id, the score, the slice and the cost.")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:
        raise ValueError(f"{path} is no CSV in UTF-8 ({str(error).strip()[:100]}).") from error
    sliced = args.slice_column or ("slice" if args.protect or "slice" in table else "")
    used = [args.id, args.score, *filter(None, [sliced, args.cost_column])]
    if missing := [name for name in used if name not in table]:
        raise ValueError(f"{path} has no column {missing[0]!r}, but {', '.join(table.columns) or 'none'}.")
    if table.empty or not isinstance(table.index, pd.RangeIndex):
        raise ValueError(f"{path} has no rows, or more cells in a row than its head.")
    ids = table[args.id].str.strip()
    if (ids == "").any() or ids.duplicated().any():
        what = "no id" if (ids == "").any() else f"an id that came before, {ids[ids.duplicated()].iloc[0]!r}"
        raise ValueError(f"{path}, row {1 + int(((ids == '') | ids.duplicated()).argmax())}, has {what}.")
    made = pd.DataFrame({"slice": table[sliced].str.strip() if sliced else ""})
    for name, column in {"score": args.score, "cost": args.cost_column}.items():
        if column:
            said = table[column].str.strip()
            made[name] = pd.to_numeric(said.str.lower().replace(WORDS), errors="coerce").astype(float)
            if not (fine := np.isfinite(made[name])).all():
                row = int((~fine).argmax())
                raise ValueError(f"{path}, row {row + 1}: the {name} {said[row]!r} is no number.")
    least, most = args.range
    if not made["score"].between(least, most).all():
        seen = f"{made['score'].min():g} to {made['score'].max():g}"
        raise ValueError(f"{path} has scores from {seen}, not {least:g} to {most:g}: name it, --range LOW,HIGH.")
    return made.set_index(ids.rename("id"))

def join(args) -> pd.DataFrame:
    old, new = read(args.old, args), read(args.new, args)
    for path, other in ((args.old, new.index.difference(old.index)), (args.new, old.index.difference(new.index))):
        if len(other):
            some = f"{len(other)} ids of the other file, such as {other[0]!r}"
            sizes = f"{len(old)} and {len(new)} rows"
            raise ValueError(f"{path} lacks {some}: {sizes}; run both versions on the same items.")
    both = old.add_suffix("_old").join(new.add_suffix("_new"))
    both["slice"] = both["slice_old"]
    if (moved := both.pop("slice_old") != both.pop("slice_new")).any():
        raise ValueError(f"The id {moved.idxmax()!r} lies in another slice in the new file: one item, one slice.")
    if both[["score_old", "score_new"]].stack().nunique() == 1:
        raise ValueError(f"Every score in both files is {old['score'].iloc[0]:g}: such a score cannot show a loss.")
    for name in args.protect:
        if name not in set(both["slice"]):
            there = ", ".join(sorted(set(both["slice"])))[:200]
            raise ValueError(f"No item lies in the slice {name!r}, but in {there}.")
    return both

def compare(both: pd.DataFrame, args) -> list[dict]:
    """A row for all items and one for each slice; `margin` is None where the row decides nothing."""
    width, rows = args.range[1] - args.range[0], []
    names = sorted(set(both["slice"]) - {""})
    names = [name for name in names if name in args.protect or len(names) <= 20]
    for name, part in [("all", both), *((name, both[both["slice"] == name]) for name in names)]:
        decides = args.margin if part is both else args.slice_margin if name in args.protect else None
        difference = ((part["score_new"] - part["score_old"]) / width).to_numpy()
        low, high = interval(difference)
        row = {"slice": name, "items": len(part), "old": part["score_old"].mean(), "new": part["score_new"].mean()}
        row |= {"difference": difference.mean() * width, "low": low * width, "high": high * width, "margin": decides}
        if decides is not None:
            row["verdict"] = judge(row["low"], row["high"], decides)
            changed = min(np.abs(difference).mean(), 1)
            row["needed"] = [items_needed(decides / width, share) for share in (0, changed)]
        rows.append(row)
    return rows

def verdict_of(rows: list[dict]) -> str:
    verdicts = {row.get("verdict") for row in rows}
    return next(name for name in ("failed", "cannot be judged", "passed") if name in verdicts)

def cost_of(both: pd.DataFrame, args) -> dict:
    if not args.cost_column:
        return {}
    old, new = (both[f"cost_{name}"].to_numpy() * args.price for name in ("old", "new"))
    rng, saved = np.random.default_rng(0), new - old
    means = [rng.choice(saved, len(saved)).mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"old": old.mean(), "new": new.mean(), "difference": saved.mean(), "low": float(low), "high": float(high)}

def summarize(rows: list[dict], cost: dict, args) -> str:
    lines = [f"## Gate: {verdict_of(rows)}", ""]
    lines += ["| slice | items | old | new | difference | 95 % interval | margin | |", "|---|" + "--:|" * 6 + "---|"]
    for row in rows:
        margin, name = row["margin"], row["slice"].replace("|", "\\|").replace("\n", " ")
        said = "–" if margin is None else f"{margin:g}", row.get("verdict", "shown")
        form = "| {} | {items} | {old:.3f} | {new:.3f} | {difference:+.3f} | {low:+.3f} to {high:+.3f} | {} | {} |"
        lines.append(form.format(name, *said, **row))
    lines.append("")
    for row in rows:
        if row.get("verdict") == "cannot be judged":
            least, needed = row["needed"]
            lines.append(f"*{row['slice']}*: {row['items']} items; at least {least} are needed if nothing changes, and "
                         f"about {needed} if as much changes as here, and no more is lost than gained.")  # fmt: skip
    if cost:
        lines.append(f"Cost of an item: {cost['old']:.4g} before, {cost['new']:.4g} now, "
                     f"{cost['difference']:+.4g} (95 % CI {cost['low']:+.4g} to {cost['high']:+.4g}).")  # fmt: skip
    return "\n".join([*lines, "", NOT_CHECKED, ""])

def run(args) -> int:
    both = join(args)
    if args.dry_run:
        print(f"{len(both)} items with the same ids in both files. Nothing is decided.")
        parts = [("all", len(both), args.margin)]
        parts += [(name, int((both["slice"] == name).sum()), args.slice_margin) for name in args.protect]
        for name, n, margin in parts:
            needed = [items_needed(margin / (args.range[1] - args.range[0]), share) for share in (0, 0.1, 0.2)]
            print("{}: {} items; a margin of {:g} needs {} if nothing changes, {} if a tenth does, {} if a fifth does."
                  .format(name, n, margin, *needed))  # fmt: skip
        return 0
    rows, cost = compare(both, args), cost_of(both, args)
    text, verdict = summarize(rows, cost, args), verdict_of(rows)
    args.out.mkdir(parents=True, exist_ok=True)
    changed = both.assign(difference=both["score_new"] - both["score_old"]).query("difference != 0")
    changed.sort_values("difference", kind="stable").to_csv(args.out / "changed.csv")
    (args.out / "summary.md").write_text(text, "utf-8")
    files = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in (args.old, args.new)}
    report = {"verdict": verdict, "version": VERSION, "files": files, "rows": rows, "cost": cost}
    (args.out / "report.json").write_text(json.dumps(report, indent=1, default=float), "utf-8")
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(os.environ["GITHUB_STEP_SUMMARY"], "a", encoding="utf-8") as page:
            page.write(text)
    if args.action:
        words = [word for word in sys.argv[1:] if word != "--action"]
        command = json.dumps(shlex.join(["uv", "run", pathlib.Path(__file__).name, *words]))
        check = json.dumps(f"test -f {shlex.quote(str(args.new))}  # replace this by the command that writes the file")
        action = ACTION.format(command=command, check=check, out=json.dumps(str(args.out)))
        (args.out / "gate.yml").write_text(action, "utf-8")
    print(text + f"Exit status {STATUS[verdict]}: {verdict}. {args.out / 'changed.csv'} has the items to read first.")
    return STATUS[verdict]

def false_passes(draws: int = 20_000) -> dict[str, float]:
    """How often a version passes that has lost exactly the margin, over sizes, margins and shares of gains."""
    rng, found = np.random.default_rng(0), {}
    for n in (20, 50, 75, 100, 200, 400, 1000):
        for margin in (0.01, 0.02, 0.05, 0.1, 0.2):
            for gain in (0, 0.002, 0.01, 0.05, 0.1, 0.2, 0.4):
                counts = rng.multinomial(n, [gain, gain + margin, max(1 - 2 * gain - margin, 0)], draws)
                found[f"{n} items, margin {margin}, {gain} gained"] = counts[:, 0], counts[:, 1], n, margin
            for size in (0.001, 0.01, 0.05):  # nearly every score rises a little, and a few are lost
                lost = rng.binomial(n, (margin + size) / (1 + size), draws)
                found[f"{n} items, margin {margin}, small gains {size}"] = (n - lost) * size, lost, n, margin
    return {name: float(excludes(*each[:3], -each[3]).mean()) for name, each in found.items()}

def selftest() -> int:
    assert abs(lower(0, 0, 400) + 0.0147) < 5e-4 and lower(0, 10, 75) < -0.2 and lower(30, 0, 75) > 0.2
    assert judge(*interval(np.repeat([1.0, 0.0], [30, 45])), 0.05) == "passed"
    assert judge(*interval(np.repeat([-1.0, 0.0], [30, 45])), 0.05) == "failed"
    assert judge(*interval(np.repeat([-1.0, 1.0, 0.0], [10, 9, 56])), 0.05) == "cannot be judged"
    rates = false_passes()
    worst = max(rates, key=rates.get)
    print(f"At a loss of exactly the margin, at most {rates[worst]:.1%} of versions pass, in {len(rates)} settings of "
          f"20,000 draws; the worst: {worst}.")  # fmt: skip
    assert rates[worst] <= 0.025
    print("The selftest has passed.")
    return 0

def pair(text: str) -> tuple[float, float]:
    low, high = map(float, text.split(","))
    if not -np.inf < low < high < np.inf:
        raise ValueError
    return low, high
class Parser(argparse.ArgumentParser):
    def error(self, message):  # argparse would exit with 2, which is a verdict here
        raise ValueError(f"{message[:200]}; --help shows how it is called.")

def main() -> int:
    parser = Parser("gate.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("old", "new"):
        parser.add_argument(name, nargs="?", type=pathlib.Path, metavar=f"{name}.csv")
    for name, default in {"id": "id", "score": "score", "slice-column": "", "cost-column": ""}.items():
        parser.add_argument(f"--{name}", default=default, help=f"({default})")
    for name, default in {"margin": 0.02, "slice-margin": None, "price": 1.0}.items():
        parser.add_argument(f"--{name}", type=float, default=default, help=f"({default})")
    parser.add_argument("--range", type=pair, default=(0.0, 1.0), help="LOW,HIGH (0,1)")
    parser.add_argument("--protect", action="append", nargs="+", default=[], metavar="SLICE")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/gate"), help="(build/gate)")
    for name in ("action", "dry-run", "selftest"):
        parser.add_argument(f"--{name}", action="store_true")
    try:
        args = parser.parse_args()
        args.protect = [name for names in args.protect for name in names]
        args.slice_margin = args.margin if args.slice_margin is None else args.slice_margin
        width = args.range[1] - args.range[0]
        if not all(0 < margin < width for margin in (args.margin, args.slice_margin)) or not np.isfinite(args.price):
            raise ValueError(f"A margin lies between 0 and {width:g}, the scores' range, and a price is a number.")
        if not args.selftest and args.new is None:
            raise ValueError("Two files are needed: the scores of the old version and those of the new one.")
        return selftest() if args.selftest else run(args)
    except (ValueError, OSError, KeyboardInterrupt) as error:
        print(str(error) or "Stopped.", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
