"""Draws what `compare.ts` keeps: loss over time of charnn's plain command and of others.

    python bench/quality/curves.py compare.json bench/quality/curves.svg
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
# The same figures give the same file.
matplotlib.rcParams["svg.hashsalt"] = "charnn"
from matplotlib import pyplot
from matplotlib.ticker import ScalarFormatter

source, target = sys.argv[1:3]
with open(source) as file:
    comparison = json.load(file)
# Runs with another random seed look the same.
results = [it for it in comparison["results"] if "--random-seed" not in it["name"]]
figure, axis = pyplot.subplots(figsize=(7.5, 4.5))
for result in results:
    ours = result["name"].startswith("charnn")
    seconds, losses = zip(*result["curve"])
    label = f"{result['name']}: {result['loss']:.3f}"
    axis.plot(seconds, losses, "-" if ours else "--", marker=".", markersize=3, label=label)
losses = [loss for result in results for _, loss in result["curve"]]
axis.set_xscale("log")
axis.xaxis.set_major_formatter(ScalarFormatter())
axis.set_xlim(left=4)
axis.set_ylim(min(losses) - 0.05, 2.5)
axis.set_xlabel("seconds, with evaluation")
axis.set_ylabel("validation loss, nats/character")
axis.grid(alpha=0.3, which="both")
axis.legend(fontsize="small")
axis.set_title(f"The last tenth of {comparison['text']}", fontsize="medium")
figure.tight_layout()
figure.savefig(target, metadata={"Date": None, "Title": axis.get_title()})
