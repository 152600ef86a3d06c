import { areFinite, type Checkpoint, writeCheckpoint } from "../checkpoint/checkpoint.js";
import type { NamedTensor } from "../checkpoint/safetensors.js";
import { CharnnError } from "../errors.js";
import { copyDurably } from "../files/durable-file.js";
import { isInUse } from "../in-use.js";
import { memoryLeft } from "../memory.js";
import { checkpointBytes } from "../planning/memory-need.js";
import { putBestInPlace, removeBestAside } from "../runs/best-aside.js";
import { contentsOf, keepNewestSteps } from "../runs/run-contents.js";
import type { CheckpointEvent, TrainingEvent } from "./events.js";
import { gatherTogether } from "./lead.js";
import { diverged } from "./roll-back.js";
import type { Run } from "./run.js";
import { checkpointOf } from "./snapshot.js";

/**
 * Saves a run. While it goes on, a checkpoint that another program has open is no failure: a warning says so,
 * and the next save tries again. At its end it is one.
 */
export class Saver {
  readonly #run: Run;
  readonly #keep: number;
  /** Whether the last checkpoint is not that of the last evaluation, or could not be replaced by the last save. */
  #isLastOld = false;
  /** A copy of the best checkpoint, where no file has it yet. */
  #waitingBest: Checkpoint | undefined;

  /** @param keep how many checkpoints of steps are kept */
  constructor(run: Run, keep: number) {
    this.#run = run;
    this.#keep = keep;
  }

  /**
   * Saves the last checkpoint, and before that the best one where it has waited.
   *
   * @throws CharnnError for any failure but that of a file that is in use
   */
  async *saveLast(): AsyncGenerator<TrainingEvent, void> {
    yield* this.saveWaitingBest();
    yield* this.#saveLast(undefined);
  }

  /** Saves the last checkpoint unless there is one. */
  async *saveFirst(): AsyncGenerator<TrainingEvent, void> {
    const contents = await contentsOf(this.#run.folder);
    if (!contents?.last) yield* this.saveLast();
  }

  /**
   * Saves what was evaluated: as the best checkpoint where it is that, as that of its step where those are kept, and as the
   * last one.
   *
   * @throws CharnnError for any failure but that of a file that is in use
   */
  async *saveEvaluated(isBest: boolean): AsyncGenerator<TrainingEvent, void> {
    if (isBest) this.#waitingBest = undefined;
    yield* this.saveWaitingBest();
    const best = isBest ? yield* this.#saveBest(this.#run.progress.step) : undefined;
    const newest = this.#keep > 0 ? yield* this.#saveStep(best) : undefined;
    yield* this.#saveLast(best ?? newest);
  }

  /** Whether there is memory for a best checkpoint that waits, and as much again. */
  canWait(): boolean {
    return 2 * checkpointBytes(this.#run.config) < memoryLeft();
  }

  /**
   * Leaves what was evaluated to the next save: a best checkpoint waits in memory until then. A run that is killed before goes
   * on from its last checkpoint, and comes to the same again.
   */
  async waitWithEvaluated(isBest: boolean): Promise<void> {
    this.#isLastOld = true;
    if (!isBest) return;
    await gatherTogether(this.#run);
    this.#waitingBest = copyOf(checkpointOf(this.#run), this.#waitingBest);
  }

  /**
   * Saves a best checkpoint that has waited.
   *
   * @throws CharnnError for any failure but that of a file that is in use
   */
  async *saveWaitingBest(): AsyncGenerator<TrainingEvent, void> {
    const waiting = this.#waitingBest;
    if (!waiting) return;
    this.#waitingBest = undefined;
    yield* this.#saveBest(waiting.progress.step, waiting);
  }

  /**
   * Saves what is not saved when the run ends.
   *
   * @param isDue whether there was no save at this step
   * @throws CharnnError `NOT_WRITABLE` also for a file that is in use
   */
  async *saveAtEnd(isDue: boolean): AsyncGenerator<TrainingEvent, void> {
    yield* this.saveWaitingBest();
    if (isDue || this.#isLastOld) yield await save(this.#run, "last");
    await this.#putBestInPlace();
  }

  /** @param written a file with the checkpoint, where it was just written */
  async *#saveLast(written: string | undefined): AsyncGenerator<TrainingEvent, void> {
    yield* unlessInUse(async () => {
      await this.#putBestInPlace();
      return undefined;
    });
    this.#isLastOld = true;
    const saved = yield* unlessInUse(() => save(this.#run, "last", { written }));
    if (saved) this.#isLastOld = false;
  }

  /**
   * A best checkpoint that can't take its place is kept as that of its step until it can.
   *
   * @param checkpoint undefined: the run as it is
   * @returns the file that has it; undefined where it could not be written
   */
  async *#saveBest(
    step: number,
    checkpoint?: Checkpoint,
  ): AsyncGenerator<TrainingEvent, string | undefined> {
    const run = this.#run;
    const saved = yield* unlessInUse(() => save(run, "best", { step, checkpoint }));
    const earlier = run.bestAside;
    run.bestAside = undefined;
    const aside = saved
      ? undefined
      : yield* unlessInUse(() => save(run, "step", { step, checkpoint }));
    if (aside) run.bestAside = step;
    if (earlier !== undefined && this.#keep === 0) await removeBestAside(run.folder, earlier);
    return (saved ?? aside)?.path;
  }

  /** Saves the checkpoint of this step, and removes older ones. */
  async *#saveStep(written: string | undefined): AsyncGenerator<TrainingEvent, string | undefined> {
    const { folder, progress, bestAside } = this.#run;
    const saved = yield* unlessInUse(() => save(this.#run, "step", { written }));
    yield* unlessInUse(async () => {
      await keepNewestSteps(folder, this.#keep, progress.step, bestAside);
      return undefined;
    });
    return saved?.path;
  }

  async #putBestInPlace(): Promise<void> {
    const { folder, lock, bestAside } = this.#run;
    if (bestAside === undefined) return;
    await putBestInPlace(folder, bestAside, this.#keep > 0, () => lock.check());
    this.#run.bestAside = undefined;
  }
}

/** What is saved, where it is not just the run as it is. */
interface Saved {
  readonly step?: number;
  /** Of that step. */
  readonly checkpoint?: Checkpoint | undefined;
  /** A file that has the checkpoint already: a copy takes less time, and is the same to the byte. */
  readonly written?: string | undefined;
}

async function save(
  run: Run,
  kind: CheckpointEvent["kind"],
  { step = run.progress.step, checkpoint, written }: Saved = {},
): Promise<CheckpointEvent> {
  const { folder, lock } = run;
  const path = kind === "step" ? folder.stepFile(step) : folder[kind];
  const event: CheckpointEvent = { event: "checkpoint", step, kind, path };
  const checkLock = () => lock.check();
  if (written !== undefined && (await isCopied(written, path, checkLock))) return event;
  if (!checkpoint) await gatherTogether(run);
  const whole = checkpoint ?? checkpointOf(run);
  await refuseNotFinite(run, whole);
  await lock.check();
  // Once more at the end: the process may have been stopped while it wrote.
  await writeCheckpoint(path, whole, checkLock);
  return event;
}

/** @returns whether it could be: the file to be copied may be gone, or another program have it open */
async function isCopied(
  source: string,
  path: string,
  beforeRename: () => Promise<void>,
): Promise<boolean> {
  try {
    await copyDurably(source, path, undefined, { beforeRename });
    return true;
  } catch (error) {
    if (error instanceof CharnnError && error.code === "NOT_WRITABLE") return false;
    throw error;
  }
}

/** @throws CharnnError `DIVERGED` */
async function refuseNotFinite(run: Run, { tensors }: Checkpoint): Promise<void> {
  // Never in the place of a checkpoint that can be read.
  for (const { name, data } of tensors.values()) {
    if (!(await areFinite(data))) {
      throw await diverged(run, `${name} has numbers that are not finite`);
    }
  }
}

/**
 * One that stays as it is while the run goes on.
 *
 * @param earlier an earlier copy, whose memory it takes
 */
function copyOf(checkpoint: Checkpoint, earlier: Checkpoint | undefined): Checkpoint {
  const tensors = new Map<string, NamedTensor>();
  for (const [name, tensor] of checkpoint.tensors) {
    const data = earlier?.tensors.get(name)?.data ?? new Float32Array(tensor.data.length);
    data.set(tensor.data);
    tensors.set(name, { ...tensor, data });
  }
  return { ...checkpoint, progress: structuredClone(checkpoint.progress), tensors };
}

/** Yields and returns what `action` reports; a warning in its place where another program has a file open. */
async function* unlessInUse(
  action: () => Promise<CheckpointEvent | undefined>,
): AsyncGenerator<TrainingEvent, CheckpointEvent | undefined> {
  try {
    const event = await action();
    if (event) yield event;
    return event;
  } catch (error) {
    if (!isInUse(error)) throw error;
    const { message } = error as CharnnError;
    yield {
      event: "warning",
      message: `${message} Training continues, and the next save tries again.`,
    };
    return undefined;
  }
}
