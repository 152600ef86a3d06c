import { areFinite, writeCheckpoint } from "../checkpoint/checkpoint.js";
import type { CharnnError } from "../errors.js";
import { isInUse } from "../in-use.js";
import { putBestInPlace, removeBestAside } from "../runs/best-aside.js";
import { keepNewestSteps } from "../runs/run-contents.js";
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
  /** Whether the last save could not replace the last checkpoint. */
  #isLastOld = false;

  /** @param keep how many checkpoints of steps are kept */
  constructor(run: Run, keep: number) {
    this.#run = run;
    this.#keep = keep;
  }

  /** @throws CharnnError for any failure but that of a file that is in use */
  async *saveLast(): AsyncGenerator<TrainingEvent, void> {
    yield* unlessInUse(async () => {
      await this.#putBestInPlace();
      return undefined;
    });
    this.#isLastOld = true;
    yield* unlessInUse(async () => {
      const event = await save(this.#run, "last");
      this.#isLastOld = false;
      return event;
    });
  }

  /** A best checkpoint that can't take its place is kept as that of its step until it can. */
  async *saveBest(): AsyncGenerator<TrainingEvent, void> {
    const run = this.#run;
    let isSaved = false;
    yield* unlessInUse(async () => {
      const event = await save(run, "best");
      isSaved = true;
      return event;
    });
    const earlier = run.bestAside;
    run.bestAside = undefined;
    if (!isSaved) {
      yield* unlessInUse(async () => {
        const event = await save(run, "step");
        run.bestAside = run.progress.step;
        return event;
      });
    }
    if (earlier !== undefined && this.#keep === 0) await removeBestAside(run.folder, earlier);
  }

  /** Saves the checkpoint of this step, where those of steps are kept, and removes older ones. */
  async *saveStep(): AsyncGenerator<TrainingEvent, void> {
    if (this.#keep === 0) return;
    const { folder, progress, bestAside } = this.#run;
    yield* unlessInUse(() => save(this.#run, "step"));
    yield* unlessInUse(async () => {
      await keepNewestSteps(folder, this.#keep, progress.step, bestAside);
      return undefined;
    });
  }

  /**
   * Saves what is not saved when the run ends.
   *
   * @param isDue whether there was no save at this step
   * @throws CharnnError `NOT_WRITABLE` also for a file that is in use
   */
  async *saveAtEnd(isDue: boolean): AsyncGenerator<TrainingEvent, void> {
    if (isDue || this.#isLastOld) yield await save(this.#run, "last");
    await this.#putBestInPlace();
  }

  async #putBestInPlace(): Promise<void> {
    const { folder, lock, bestAside } = this.#run;
    if (bestAside === undefined) return;
    await putBestInPlace(folder, bestAside, this.#keep > 0, () => lock.check());
    this.#run.bestAside = undefined;
  }
}

async function save(run: Run, kind: CheckpointEvent["kind"]): Promise<CheckpointEvent> {
  const { folder, progress, lock } = run;
  const path = kind === "step" ? folder.stepFile(progress.step) : folder[kind];
  await gatherTogether(run);
  const checkpoint = checkpointOf(run);
  // Never in the place of a checkpoint that can be read.
  for (const { name, data } of checkpoint.tensors.values()) {
    if (!(await areFinite(data))) {
      throw await diverged(run, `${name} has numbers that are not finite`);
    }
  }
  await lock.check();
  // Once more at the end: the process may have been stopped while it wrote.
  await writeCheckpoint(path, checkpoint, () => lock.check());
  return { event: "checkpoint", step: progress.step, kind, path };
}

/** Yields what `action` reports; a warning in its place where another program has a file open. */
async function* unlessInUse(
  action: () => Promise<CheckpointEvent | undefined>,
): AsyncGenerator<TrainingEvent, void> {
  try {
    const event = await action();
    if (event) yield event;
  } catch (error) {
    if (!isInUse(error)) throw error;
    const { message } = error as CharnnError;
    yield {
      event: "warning",
      message: `${message} Training continues, and the next save tries again.`,
    };
  }
}
