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
  readonly members: readonly {
    readonly learner: {
      readonly model: { readonly parameters: ParameterArray };
      readonly average: ParameterArray | undefined;
      readonly gradients: ParameterArray;
    };
  }[];
}

/**
 * Keeps what a run reports for TensorBoard, in a file in its folder; with each evaluation how weights and
 * gradients are spread. The weights are those that are evaluated, the gradients those of the last step, as
 * they were used, that is clipped. While another program has the file open, all of it waits.
 */
export class EventFileRecorder {
  readonly #members: RecordedRun["members"];
  readonly #file: EventFile;
  readonly #firstStep: number;
  /** The step that was reported last. */
  #last: number;

  constructor({ folder, progress, members }: RecordedRun) {
    this.#members = members;
    this.#firstStep = progress.step + 1;
    this.#last = progress.step;
    this.#file = new EventFile(folder.path, this.#firstStep);
  }

  /**
   * @returns the error where the file is in use
   * @throws CharnnError for any other failure
   */
  async add(event: StepFigures | EvalFigures | Sample): Promise<Error | undefined> {
    const { step } = event;
    if (event.event === "step") {
      // A run whose numbers were not finite goes back to its last checkpoint.
      if (step <= this.#last) this.#file.goBackTo(step);
      this.#last = step;
      return this.#file.add(step, ofStep(event));
    }
    if (event.event === "eval") return this.#file.add(step, this.#ofEvaluation(event));
    return this.#file.add(step, [ofSample(event)]);
  }

  /**
   * Writes all that waits.
   *
   * @throws CharnnError `NOT_WRITABLE` also where the file is in use
   */
  async finish(): Promise<void> {
    await this.#file.finish();
  }

  #ofEvaluation(event: EvalFigures): Summary[] {
    // Before the first step there are none.
    const hasGradients = event.step >= this.#firstStep;
    const ofMembers = this.#members.flatMap(({ learner }, index) => {
      const { model, average, gradients } = learner;
      const whose = index === 0 ? "" : `member ${index + 1} `;
      return [
        ...histograms(`${whose}weights`, average ?? model.parameters),
        ...(hasGradients ? histograms(`${whose}gradients`, gradients) : []),
      ];
    });
    return [...ofEvaluation(event), ...ofMembers];
  }
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

/** Four spaces keep it as it is, where TensorBoard takes it for Markdown. */
function ofSample({ text }: Sample): Summary {
  const lines = text.split(/\r\n|\r|\n/).map((line) => `    ${line}`);
  return { tag: "sample", text: lines.join("\n") };
}

function histograms(group: string, array: ParameterArray): Summary[] {
  const summaries: Summary[] = [];
  for (const [name, tensor] of array.byName) {
    const histogram = histogramOf(numbersOf(tensor));
    if (histogram) summaries.push({ tag: `${group}/${name}`, histogram });
  }
  return summaries;
}
