import type { MetricName } from "../config/names.js";
import type {
  EvalRecord,
  ImportRecord,
  MetricsRecord,
  RunRecord,
  SampleRecord,
  StepRecord,
} from "./metrics.js";
import type { RunFolder } from "./run-folder.js";
import { type Point, ThinnedCurve, ThinnedList } from "./thinned.js";

/** What is followed over the steps of a run. */
export type CurveName = Exclude<MetricName, "loss">;

/** What a run has reported of itself, in order. Of very many reports evenly spread ones are kept. */
export interface Metrics {
  readonly run: RunFolder;
  /** How the run was begun, and last resumed; undefined in runs of earlier versions. */
  readonly origin: RunRecord | undefined;
  readonly resumption: RunRecord | undefined;
  /** How it was imported; undefined for one that charnn has trained. */
  readonly imported: ImportRecord | undefined;
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvalRecord[];
  readonly samples: readonly SampleRecord[];
  /** Steps, and values there that are finite, of every report; very many are merged. */
  readonly curves: Readonly<Record<CurveName, readonly Point[]>>;
  /** The evaluation of the lowest validation loss. */
  readonly best: { readonly step: number; readonly loss: number } | undefined;
  /** What is wrong with the file, in plain sentences. */
  readonly warnings: readonly string[];
}

/** At least half of these are kept where there are more, and twice these at most. */
const RECORDS = 2_000;
const SAMPLES = 300;
const POINTS = 10_000;

/** Collects what a run reports in memory that does not grow without bound. */
export class MetricsCollector {
  readonly #steps = new ThinnedList<StepRecord>(RECORDS);
  readonly #evaluations = new ThinnedList<EvalRecord>(RECORDS);
  readonly #samples = new ThinnedList<SampleRecord>(SAMPLES);
  readonly #curves: Readonly<Record<CurveName, ThinnedCurve>> = {
    "training-loss": new ThinnedCurve(POINTS),
    "validation-loss": new ThinnedCurve(POINTS),
    "learning-rate": new ThinnedCurve(POINTS),
    "gradient-norm": new ThinnedCurve(POINTS),
    speed: new ThinnedCurve(POINTS),
  };
  #best: { readonly step: number; readonly loss: number } | undefined;
  #origin: RunRecord | undefined;
  #resumption: RunRecord | undefined;
  #imported: ImportRecord | undefined;
  #isEmpty = true;

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  add(record: MetricsRecord): void {
    if (record.event === "run") {
      if (this.#origin) this.#resumption = record;
      this.#origin ??= record;
      return;
    }
    this.#isEmpty = false;
    if (record.event === "import") {
      this.#imported = record;
    } else if (record.event === "sample") {
      this.#samples.add(record);
    } else if (record.event === "step") {
      this.#steps.add(record);
      this.#addPoint("training-loss", record.step, record.loss);
      this.#addPoint("learning-rate", record.step, record.learningRate);
      this.#addPoint("gradient-norm", record.step, record.gradientNorm);
      this.#addPoint("speed", record.step, record.charsPerSecond);
    } else {
      const { step, validationLoss: loss } = record;
      this.#evaluations.add(record);
      this.#addPoint("validation-loss", step, loss);
      if (typeof loss === "number" && loss < (this.#best?.loss ?? Number.POSITIVE_INFINITY)) {
        this.#best = { step, loss };
      }
    }
  }

  metrics(run: RunFolder, warnings: readonly string[]): Metrics {
    return {
      run,
      origin: this.#origin,
      resumption: this.#resumption,
      imported: this.#imported,
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
