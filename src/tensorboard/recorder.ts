import type { ParameterArray } from "../backends/backend.js";
import { numbersOf } from "../backends/plain-arrays.js";
import { EventFile } from "./event-file.js";
import type { Summary } from "./events.js";
import { histogramOf } from "./histogram.js";

/** What it takes of a run's events. */
interface StepFigures {
  readonly event: "step";
  readonly step: number;
  /** Nats/char. */
  readonly loss: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  readonly charsPerSecond: number;
}
interface EvalFigures {
  readonly event: "eval";
  readonly step: number;
  /** Nats/char. */
  readonly validationLoss?: number;
  readonly bitsPerCharacter?: number;
}
interface Sample {
  readonly event: "sample";
  readonly step: number;
  readonly text: string;
}

/** The run that is recorded, as it is at any time. */
interface RecordedRun {
  readonly folder: { readonly path: string };
  readonly progress: { readonly step: number };
  readonly learner: {
    readonly model: { readonly parameters: ParameterArray };
    readonly average: ParameterArray | undefined;
    readonly gradients: ParameterArray;
  };
}

/**
 * Keeps what a run reports for TensorBoard, in a file in its folder; with each evaluation how weights and
 * gradients are spread. The weights are those that are evaluated, the gradients those of the last step, as
 * they were used, that is clipped.
 *
 * @returns takes one event of the run after the other
 */
export function eventFileRecorder(
  run: RecordedRun,
): (event: StepFigures | EvalFigures | Sample) => Promise<void> {
  const { model, average, gradients } = run.learner;
  const firstStep = run.progress.step + 1;
  const file = new EventFile(run.folder.path, firstStep);
  let last = firstStep - 1;
  return async (event) => {
    if (event.event === "step") {
      // A run whose numbers were not finite goes back to its last checkpoint.
      if (event.step <= last) file.goBackTo(event.step);
      last = event.step;
      await file.add(event.step, ofStep(event));
    } else if (event.event === "eval") {
      await file.add(event.step, [
        ...ofEvaluation(event),
        ...histograms("weights", average ?? model.parameters),
        // Before the first step there are none.
        ...(event.step >= firstStep ? histograms("gradients", gradients) : []),
      ]);
    } else if (event.event === "sample") {
      // Four spaces keep it as it is, where TensorBoard takes it for Markdown.
      const text = event.text
        .split(/\r\n|\r|\n/)
        .map((line) => `    ${line}`)
        .join("\n");
      await file.add(event.step, [{ tag: "sample", text }]);
    }
  };
}

function ofStep({ loss, learningRate, gradientNorm, charsPerSecond }: StepFigures): Summary[] {
  return [
    { tag: "loss/training", scalar: loss },
    { tag: "learning rate", scalar: learningRate },
    { tag: "gradient norm", scalar: gradientNorm },
    { tag: "chars per second", scalar: charsPerSecond },
  ];
}

function ofEvaluation({ validationLoss, bitsPerCharacter }: EvalFigures): Summary[] {
  if (validationLoss === undefined || bitsPerCharacter === undefined) return [];
  return [
    { tag: "loss/validation", scalar: validationLoss },
    { tag: "bits per character", scalar: bitsPerCharacter },
  ];
}

function histograms(group: string, array: ParameterArray): Summary[] {
  const summaries: Summary[] = [];
  for (const [name, tensor] of array.byName) {
    const histogram = histogramOf(numbersOf(tensor));
    if (histogram) summaries.push({ tag: `${group}/${name}`, histogram });
  }
  return summaries;
}
