"""Draws what `quality.ts` keeps: the loss reached in a time, and the steps to a loss, by the number of workers.

    python bench/workers/curves.py bench/workers/results.jsonl bench/workers/curves.svg
"""

import json
import math
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams["svg.hashsalt"] = "charnn"
from matplotlib import pyplot
from matplotlib.ticker import ScalarFormatter

LOSSES = (1.9, 1.8, 1.7, 1.65)

source, target = sys.argv[1:3]
with open(source) as file:
    results = [json.loads(line) for line in file]


def means(selected, *names):
    """The mean loss over the seeds, by the values of these names."""
    losses = defaultdict(list)
    for result in selected:
        losses[tuple(result[name] for name in names)].append(result["loss"])
    return {key: sum(values) / len(values) for key, values in losses.items()}


def steps_to(loss, curve):
    """The steps of the run that just reaches a loss, between runs of fewer and more; None outside."""
    for (few, high), (many, low) in zip(curve, curve[1:]):
        if high >= loss >= low:
            part = (high - loss) / (high - low)
            return math.exp(math.log(few) + part * (math.log(many) - math.log(few)))
    return None


def drop_missing(points):
    return [(x, y) for x, y in points if y is not None]


figure, (times, steps) = pyplot.subplots(1, 2, figsize=(10, 4.2))

in_time = means((r for r in results if "seconds" in r), "text", "workers", "seconds")
markers = dict(zip(sorted({text for text, _, _ in in_time}), "os"))
colors = {1: "C0", 2: "C1", 4: "C2"}
for text, marker in markers.items():
    for workers in sorted({w for t, w, _ in in_time if t == text}):
        points = sorted((s, loss) for (t, w, s), loss in in_time.items() if (t, w) == (text, workers))
        label = f"{text.removesuffix('.txt')}, {workers} {'worker' if workers == 1 else 'workers'}"
        times.plot(*zip(*points), marker=marker, color=colors[workers], label=label)
times.set_xscale("log")
times.set_xticks(sorted({s for _, _, s in in_time}))
times.xaxis.set_major_formatter(ScalarFormatter())
times.minorticks_off()
times.set_xlabel("seconds of training")
times.set_ylabel("validation loss, nats/character")
times.legend(fontsize="small")

by_steps = means((r for r in results if "seconds" not in r and r["rate"] == 1), "workers", "steps")
for loss in LOSSES:
    points = []
    for workers in sorted({w for w, _ in by_steps}):
        curve = sorted((s, value) for (w, s), value in by_steps.items() if w == workers)
        points.append((workers, steps_to(loss, curve)))
    found = drop_missing(points)
    if found:
        steps.plot(*zip(*found), "o-", label=f"to {loss}")
steps.set_xscale("log", base=2)
steps.set_yscale("log", base=2)
for axis in (steps.xaxis, steps.yaxis):
    axis.set_major_formatter(lambda value, _: f"{value:g}")
steps.set_xlabel("workers")
steps.set_ylabel("steps")
steps.legend(title="validation loss", fontsize="small")
for axis in (times, steps):
    axis.grid(alpha=0.3)
figure.tight_layout()
figure.savefig(target, metadata={"Date": None, "Title": "What workers gain"})
