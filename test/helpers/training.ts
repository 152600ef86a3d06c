import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { readCheckpoint } from "#src/checkpoint/checkpoint.js";
import { type TrainingEvent, type TrainOptions, type TrainSettings, train } from "#src/index.js";
import type { EndEvent } from "#src/training/events.js";
import { temporaryFolder } from "./folder.js";
import { Draw } from "./numbers.js";

const SYLLABLES = ["lo", "ve", "ra", "in", "sum", "mer", "day", "thou", "eye", "'s"];

/** Lines of invented words, the same for the same seed. */
export function inventedText(characters: number, seed = 1): string {
  const draw = new Draw(seed);
  let text = "";
  while (text.length < characters) {
    const word = Array.from({ length: 1 + draw.below(3) }, () => draw.pick(SYLLABLES)).join("");
    text += `${word}${draw.uniform() < 0.2 ? "\n" : " "}`;
  }
  return `${text.slice(0, characters - 1)}\n`;
}

/** Where a test trains. */
export interface Workplace {
  /** The folder of the runs. */
  readonly out: string;
  /** The text to learn from. */
  readonly text: string;
}

export async function workplace(t: TestContext, text = inventedText(700)): Promise<Workplace> {
  const folder = await temporaryFolder(t);
  const file = path.join(folder, "text.txt");
  await writeFile(file, text);
  return { out: path.join(folder, "runs"), text: file };
}

/** Settings of a run that takes a moment, and those that a test asks for. */
export function smallRun({ out, text }: Workplace, settings: Partial<TrainSettings> = {}) {
  return {
    files: [text],
    out,
    name: "run",
    preset: "tiny",
    hiddenSize: 8,
    batchSize: 4,
    seqLength: 8,
    ngramOrder: 1,
    dropout: 0,
    inputDropout: 0,
    recurrentDropout: 0,
    warmupSteps: 0,
    learningRate: 5e-3,
    weightDecay: 0,
    evalEvery: 500,
    backend: "wasm",
    ...settings,
  } satisfies TrainSettings;
}

/** The arguments that make the executable train with these settings. */
export function commandFor({ files, ...settings }: TrainSettings): string[] {
  const options = Object.entries(settings).flatMap(([name, value]) => {
    const word = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return value === false ? [`--no-${word}`] : [`--${word}`, String(value)];
  });
  return ["train", ...files, ...options];
}

/** Trains to the end, or until it is stopped: aborted by the event for which `stopAt` holds. */
export async function trained(
  settings: TrainSettings,
  stopAt: (event: TrainingEvent) => boolean = () => false,
  options: TrainOptions = {},
): Promise<TrainingEvent[]> {
  const controller = new AbortController();
  const events: TrainingEvent[] = [];
  for await (const event of train(settings, { signal: controller.signal, ...options })) {
    events.push(event);
    if (stopAt(event)) controller.abort();
  }
  return events;
}

/** For {@link trained}: stops when this step was taken. */
export function afterStep(step: number): (event: TrainingEvent) => boolean {
  return (event) => event.event === "step" && event.step === step;
}

export function endOf(events: readonly TrainingEvent[]): EndEvent {
  const end = events.at(-1);
  if (end?.event !== "end") throw new Error(`The last event is ${end?.event}.`);
  return end;
}

/** The events of one kind. */
export function only<Kind extends TrainingEvent["event"]>(
  events: readonly TrainingEvent[],
  kind: Kind,
): Extract<TrainingEvent, { event: Kind }>[] {
  return events.filter(
    (event): event is Extract<TrainingEvent, { event: Kind }> => event.event === kind,
  );
}

/** The bytes of a file of a run. */
export function fileOf({ out }: Workplace, name: string, file: string): Promise<Buffer> {
  return readFile(path.join(out, name, file));
}

/** The numbers of a run's last checkpoint, by tensor name. */
export async function tensorsOf(
  { out }: Workplace,
  name: string,
): Promise<Map<string, Float32Array | Int32Array>> {
  const { tensors } = await readCheckpoint(path.join(out, name, "last.safetensors"));
  return new Map([...tensors].map(([tensor, { data }]) => [tensor, data]));
}
