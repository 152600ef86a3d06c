import { isCalibrated } from "../config/run.js";
import { TRAIN_DEFAULTS } from "../config/train.js";
import type { TrainSettings } from "../config/train-settings.js";
import type { Normalization } from "../data/normalizer.js";
import { normalizedText } from "../data/prepare-text.js";
import type { Vocabulary } from "../data/vocabulary.js";
import { CharnnError } from "../errors.js";
import { Mixture, type Network } from "../sampling/mixture.js";
import { generate } from "../sampling/sampler.js";
import { Turns } from "../turns.js";
import { setTemperature } from "./calibration.js";
import type { SampleEvent } from "./events.js";
import type { Run } from "./run.js";

const SAMPLE = { length: 200, temperature: 0.8, topK: 0, topP: 1 };
/** How many lines are written, such as names, and how many longer documents. */
const LINES_IN_SAMPLE = 10;
const DOCUMENTS_IN_SAMPLE = 2;

/** What the model of a run writes on the way, and when: after each evaluation, every few steps, or never. */
export class Samples {
  readonly #run: Run;
  /** The members, which the run owns. */
  readonly #network: Network;
  readonly #prompt: string;
  readonly #every: number | undefined;
  readonly #isWanted: boolean;

  constructor(
    run: Run,
    { samples = TRAIN_DEFAULTS.samples, sampleEvery, samplePrompt = "" }: TrainSettings,
  ) {
    this.#run = run;
    this.#network = networkOf(run);
    this.#prompt = normalizedText(samplePrompt, run.config.text);
    this.#every = sampleEvery;
    this.#isWanted = samples;
  }

  /** What there is to yield after a step. */
  async *afterStep(): AsyncGenerator<SampleEvent, void> {
    const { step } = this.#run.progress;
    if (this.#isWanted && this.#every !== undefined && step % this.#every === 0) {
      yield await this.#write();
    }
  }

  /** What there is to yield after an evaluation. */
  async *afterEvaluation(): AsyncGenerator<SampleEvent, void> {
    if (this.#isWanted && this.#every === undefined) yield await this.#write();
  }

  async #write(): Promise<SampleEvent> {
    const { members, corpus, progress, config } = this.#run;
    const [{ random }] = members;
    if (isCalibrated(config.training)) setTemperature(members, progress.temperature ?? 1);
    const { vocabulary, documents } = corpus;
    const isLines = documents === "lines";
    const count = isLines ? LINES_IN_SAMPLE : documents ? DOCUMENTS_IN_SAMPLE : 1;
    const settings = { ...SAMPLE, documents, count, prompt: this.#prompt };
    const texts = new Array<string>(count).fill(this.#prompt);
    const turns = new Turns();
    const numbers = random.fork("sample", progress.step);
    for (const characters of generate(this.#network, vocabulary, settings, numbers)) {
      for (const [k, character] of characters.entries()) texts[k] += character;
      if (turns.isDue()) await turns.take();
    }
    return { event: "sample", step: progress.step, text: texts.join(isLines ? "\n" : "\n\n") };
  }
}

function networkOf({ members, corpus: { vocabulary } }: Run): Network {
  if (members.length === 1) return members[0].evalModel;
  const weight = 1 / members.length;
  return new Mixture(
    members.map(({ evalModel: network }) => ({ network, vocabulary, weight })),
    vocabulary,
  );
}

/**
 * Refuses a text that samples can't begin with.
 *
 * @throws CharnnError `INVALID_SETTING` where the vocabulary lacks a character of it
 */
export function refuseUnknownPrompt(
  prompt: string | undefined,
  normalization: Normalization,
  vocabulary: Vocabulary,
): void {
  try {
    vocabulary.encode(normalizedText(prompt ?? "", normalization));
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    throw new CharnnError(
      "INVALID_SETTING",
      `samplePrompt can't be used. ${error.message}`,
      error.hint,
      { setting: "samplePrompt", cause: error },
    );
  }
}
