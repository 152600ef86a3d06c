/** What is drawn into the loss chart beside its lines. */
import type uPlotClass from "uplot";
import type { RunData } from "./data.js";
import { colorOf, runColor } from "./run-style.js";

/** Where the samples are on the horizontal axis, and those that are shown. */
export interface SampleMarks {
  readonly places: readonly number[];
  readonly shown: readonly { readonly run: number; readonly place: number }[];
}

const RING = 5;
const TICK = 6;
const FONT = 12;

/**
 * Draws the n-gram baselines, rings at the best steps, and where the samples are.
 *
 * @param placeOf where a run's step is on the horizontal axis
 */
export function drawMarks(
  chart: uPlotClass,
  runs: readonly RunData[],
  placeOf: (run: number, step: number) => number,
  samples: SampleMarks,
): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  drawSamples(chart, samples, ratio);
  drawBaselines(chart, runs, ratio);
  for (const [run, { best }] of runs.entries()) {
    if (!best) continue;
    const x = chart.valToPos(placeOf(run, best.step), "x", true);
    const y = chart.valToPos(best.loss, "y", true);
    ctx.beginPath();
    ctx.arc(x, y, RING * ratio, 0, 2 * Math.PI);
    ctx.fillStyle = colorOf("--page");
    ctx.fill();
    ctx.strokeStyle = runColor(run);
    ctx.lineWidth = 2.5 * ratio;
    ctx.setLineDash([]);
    ctx.stroke();
  }
  ctx.restore();
}

/** One line for all runs that have the same. */
function drawBaselines(chart: uPlotClass, runs: readonly RunData[], ratio: number): void {
  const { ctx, bbox } = chart;
  const lines = new Map<string, { loss: number; order: number; of: number[] }>();
  for (const [run, { baseline }] of runs.entries()) {
    if (!baseline) continue;
    const key = `${baseline.order} ${baseline.loss}`;
    const line = lines.get(key) ?? { ...baseline, of: [] };
    line.of.push(run);
    lines.set(key, line);
  }
  for (const { loss, order, of } of lines.values()) {
    const y = chart.valToPos(loss, "y", true);
    const color = lines.size > 1 ? runColor(of[0]) : colorOf("--quiet");
    ctx.strokeStyle = color;
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    const names = lines.size > 1 ? ` of ${of.map((run) => runs[run].name).join(", ")}` : "";
    ctx.font = `${FONT * ratio}px system-ui, sans-serif`;
    // The losses are above it at the left, where they begin.
    ctx.textAlign = "left";
    ctx.textBaseline = "bottom";
    ctx.fillStyle = color;
    const text = `${order}-gram baseline${names} ${loss.toFixed(3)}`;
    // With a margin, so that it can be read on lines.
    ctx.strokeStyle = colorOf("--page");
    ctx.lineWidth = 4 * ratio;
    ctx.setLineDash([]);
    for (const draw of ["strokeText", "fillText"] as const) {
      ctx[draw](text, bbox.left + 6 * ratio, y - 4 * ratio);
    }
  }
}

function drawSamples(chart: uPlotClass, { places, shown }: SampleMarks, ratio: number): void {
  const { ctx, bbox } = chart;
  const bottom = bbox.top + bbox.height;
  ctx.setLineDash([]);
  const line = (place: number, height: number) => {
    const x = chart.valToPos(place, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bottom);
    ctx.lineTo(x, bottom - height);
    ctx.stroke();
  };
  ctx.strokeStyle = colorOf("--quiet");
  ctx.lineWidth = 2 * ratio;
  for (const place of places) line(place, TICK * ratio);
  ctx.lineWidth = 1.5 * ratio;
  for (const { run, place } of shown) {
    ctx.strokeStyle = runColor(run);
    line(place, bbox.height);
  }
}
