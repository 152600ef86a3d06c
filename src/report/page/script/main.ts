/** What the report's page does in a browser: draws the charts, and shows what each character holds. */
import { ChartGroup, extended } from "./charts.js";
import type { Charts, PageData, Update } from "./data.js";
import { element } from "./elements.js";
import { follow, showEvaluations, showStatus } from "./follow.js";
import { showNeurons } from "./neurons.js";
import { keepOverflowHints, showOverflowHints } from "./overflow-hints.js";
import { Samples } from "./samples.js";
import { showSurprisal } from "./surprisal.js";
import { type AxisName, axesFor } from "./x-axis.js";

const page: PageData = JSON.parse(element("data").textContent ?? "");
const axisChoice = element<HTMLFieldSetElement>("axis");

const charts = new ChartGroup(
  { runs: page.runs, data: page.charts, axis: "step", samples: { places: [], shown: [] } },
  (place) => samples.point(place),
);
const samples = new Samples({
  runs: () => charts.state.runs,
  placeOf: (run, step) => charts.placeOf(run, step),
  onMarks: (marks) => charts.showSamples(marks),
});

charts.draw();
offerAxes();
axisChoice.addEventListener("change", () => {
  const chosen = axisChoice.querySelector<HTMLInputElement>("input:checked");
  charts.showAxis(chosen?.value as AxisName);
  samples.reset();
});
addEventListener("resize", () => charts.resize());
// A chart is as wide as the page was, and of its colors, on paper as well.
addEventListener("beforeprint", () => showForPaper(true));
addEventListener("afterprint", () => showForPaper(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.draw());
if (page.text) {
  showSurprisal(page.text);
  showNeurons(page.text);
}
keepOverflowHints();
if (page.live) follow(show);

function showForPaper(isPaper: boolean): void {
  document.documentElement.classList.toggle("paper", isPaper);
  charts.draw();
}

/** Offers what all runs can be shown by. */
function offerAxes(): void {
  const axes = axesFor(charts.state.data.axes, charts.state.runs.length);
  for (const choice of axisChoice.querySelectorAll("input")) {
    const axis = choice.value as AxisName;
    choice.disabled = !axes.includes(axis);
    choice.checked = axis === charts.state.axis;
  }
}

function show(update: Update): void {
  if (update.edition !== undefined && update.edition !== page.edition) {
    location.reload();
    return;
  }
  showStatus(update);
  showEvaluations(update);
  if (update.result !== undefined) element("result-body").innerHTML = update.result;
  const { state } = charts;
  if (update.runs) state.runs = update.runs;
  if (update.charts) {
    const data = { ...state.data };
    for (const [name, change] of Object.entries(update.charts)) {
      data[name as keyof Charts] = extended(data[name as keyof Charts], change);
    }
    state.data = data;
  }
  if (update.charts || update.runs) {
    offerAxes();
    charts.update();
  }
  if (update.samples) samples.change(update.samples);
  else if (update.charts || update.runs) samples.refresh();
  showOverflowHints();
}
