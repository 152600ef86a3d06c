"""Draws the figures of `bench/scaling.ts`: what was reached, beside the roofline.

    python bench/plot.py scaling.json bench/scaling.svg
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
    scaling = json.load(file)
series = scaling["results"]
figure, axes = pyplot.subplots(1, len(series), figsize=(4 * len(series), 3.6), sharey=True)
for axis, one in zip(axes, series):
    figures = one["figures"]
    values = [entry["value"] for entry in figures]
    for bound, style in (("matmul", "-"), ("memory", ":")):
        limit = [entry["roofline"] / 1e9 if entry["bound"] == bound else None for entry in figures]
        if any(limit):
            axis.plot(values, limit, style, color="0.6", marker="_", label=f"roofline, {bound}")
    axis.plot(values, [entry["rate"] / 1e9 for entry in figures], "o-", label="charnn")
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(values, [str(value) for value in values])
    axis.set_xlabel(one["title"])
    axis.grid(alpha=0.3)
    axis.legend(fontsize="small")
axes[0].yaxis.set_major_formatter(ScalarFormatter())
axes[0].yaxis.set_minor_formatter(ScalarFormatter())
axes[0].set_ylabel("GFLOP/s")
figure.suptitle(f"Training speed around {scaling['around']}", fontsize="medium")
figure.tight_layout()
figure.savefig(target, metadata={"Date": None, "Title": figure.get_suptitle()})
