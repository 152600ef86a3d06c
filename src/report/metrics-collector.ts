import type { MetricName } from "../config/names.js";
import type { RunFolder } from "../runs/run-folder.js";
import type { Point } from "./binned.js";
import type { EvalReport, Report, SampleReport, StepReport } from "./reports.js";
import { ThinnedCurve, ThinnedList } from "./thinned.js";

/** What is followed over the steps of a run. */
export type CurveName = Exclude<MetricName, "loss">;

/** What a run has reported of itself, in order. Of very many reports evenly spread ones are kept. */
export interface Metrics {
  readonly run: RunFolder;
  readonly steps: readonly StepReport[];
  readonly evaluations: readonly EvalReport[];
  readonly samples: readonly SampleReport[];
  /** Steps, and values there that are finite, of every report; very many are merged. */
  readonly curves: Readonly<Record<CurveName, readonly Point[]>>;
  /** The evaluation of the lowest validation loss. */
  readonly best: { readonly step: number; readonly loss: number } | undefined;
  /** What is wrong with the file, in plain sentences. */
  readonly warnings: readonly string[];
}

/** At least half of these are kept where there are more, and twice these at most. */
const REPORTS = 2_000;
const SAMPLES = 300;
const POINTS = 10_000;

/** Collects what a run reports in memory that does not grow without bound. */
export class MetricsCollector {
  readonly #steps = new ThinnedList<StepReport>(REPORTS);
  readonly #evaluations = new ThinnedList<EvalReport>(REPORTS);
  readonly #samples = new ThinnedList<SampleReport>(SAMPLES);
  readonly #curves: Readonly<Record<CurveName, ThinnedCurve>> = {
    "training-loss": new ThinnedCurve(POINTS),
    "validation-loss": new ThinnedCurve(POINTS),
    "learning-rate": new ThinnedCurve(POINTS),
    "gradient-norm": new ThinnedCurve(POINTS),
    speed: new ThinnedCurve(POINTS),
  };
  #best: { readonly step: number; readonly loss: number } | undefined;
  #isEmpty = true;

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  add(report: Report): void {
    this.#isEmpty = false;
    if (report.event === "sample") {
      this.#samples.add(report);
    } else if (report.event === "step") {
      this.#steps.add(report);
      this.#addPoint("training-loss", report.step, report.loss);
      this.#addPoint("learning-rate", report.step, report.learningRate);
      this.#addPoint("gradient-norm", report.step, report.gradientNorm);
      this.#addPoint("speed", report.step, report.charsPerSecond);
    } else {
      const { step, validationLoss: loss } = report;
      this.#evaluations.add(report);
      this.#addPoint("validation-loss", step, loss);
      if (typeof loss === "number" && loss < (this.#best?.loss ?? Number.POSITIVE_INFINITY)) {
        this.#best = { step, loss };
      }
    }
  }

  metrics(run: RunFolder, warnings: readonly string[]): Metrics {
    return {
      run,
      steps: this.#steps.items,
      evaluations: this.#evaluations.items,
      samples: this.#samples.items,
      curves: {
        "training-loss": this.#curves["training-loss"].points,
        "validation-loss": this.#curves["validation-loss"].points,
        "learning-rate": this.#curves["learning-rate"].points,
        "gradient-norm": this.#curves["gradient-norm"].points,
        speed: this.#curves.speed.points,
      },
      best: this.#best,
      warnings,
    };
  }

  #addPoint(curve: CurveName, step: number, value: number | null | undefined): void {
    if (typeof value === "number") this.#curves[curve].add(step, value);
  }
}
