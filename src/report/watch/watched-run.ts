import { stat } from "node:fs/promises";
import { type CheckpointFacts, readCheckpointFacts } from "../../checkpoint/checkpoint.js";
import { encodingName } from "../../data/decoding.js";
import { Inputs } from "../../data/inputs.js";
import { checkNames, findSources } from "../../data/sources.js";
import { CharnnError } from "../../errors.js";
import { findReportedRun, lookForReportedRun, newestBegunRun } from "../../runs/find-runs.js";
import { watchTraining } from "../../runs/lock.js";
import type { Metrics } from "../../runs/metrics-collector.js";
import { MetricsReader } from "../../runs/metrics-reader.js";
import type { RunFolder } from "../../runs/run-folder.js";
import { systemErrorCode } from "../../system-error-code.js";
import { type ModelParts, modelParts, NO_MODEL } from "../model-parts.js";
import { reportPage } from "../page/page.js";
import { checkpointOf, type ReportPlan, reportOf } from "../report.js";
import { type ReportedRun, totalStepsOf } from "../reported-run.js";
import type { OnWork } from "../view-text.js";
import { howFar } from "./how-far.js";
import { type Shown, shownOf } from "./shown.js";

const WAITING = "Waiting for the run to report; the page follows it then.";
const TRAINING = "The run goes on; the page follows it.";
const GONE = "The run is not there at the moment; the page shows what there was last.";
const OVER = "The run is over; the page follows it if it is resumed.";
const IMPORTED = "The model was imported; the page follows what takes its place.";

export interface WatchOptions {
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal;
  /** Called with a sentence for what is waited for. */
  readonly onWaiting: (message: string) => void;
  readonly onWarning: (message: string) => void;
  readonly onWork?: OnWork | undefined;
}

/**
 * A run that is looked at repeatedly, and may not exist yet. Without a name it is the newest one: when it is
 * over and another begins, the other is followed.
 */
export class WatchedRun {
  readonly #plan: ReportPlan;
  readonly #name: string | undefined;
  readonly #options: WatchOptions;
  readonly #inputs: Inputs;
  /** Undefined as long as there is no such run. */
  #found:
    | { readonly reader: MetricsReader; readonly isTrained: () => Promise<boolean> }
    | undefined;
  #checkpoint: string | undefined;
  #model: { readonly version: string; readonly parts: ModelParts } | undefined;
  /** What the checkpoints say. */
  #facts: { readonly version: string; readonly own: CheckpointFacts | undefined } | undefined;
  #totalSteps: { readonly version: string; readonly own: number | undefined } | undefined;
  #shown = shownOf(undefined, { status: WAITING, progress: "", edition: 0 });
  #saysHow = false;
  /** Changes with all that a page shows. */
  #looks = 0;
  #page: { readonly version: string; readonly bytes: Buffer } | undefined;
  #making: Promise<Buffer> | undefined;
  /** What has been said, so that it is not said every second. */
  readonly #said = new Set<string>();

  constructor(plan: ReportPlan, options: WatchOptions) {
    this.#plan = plan;
    this.#name = plan.names[0];
    this.#options = options;
    this.#inputs = new Inputs(options.stdin);
  }

  /** What was found at the last look. */
  get shown(): Shown {
    return this.#shown;
  }

  /**
   * Finds the run, or says that it waits for it.
   *
   * @throws CharnnError for a run or a text that can't be read
   */
  async begin(): Promise<void> {
    const { out, text } = this.#plan;
    const { signal, onWaiting } = this.#options;
    if (text) {
      await checkNames(text.files);
      const finding = { encoding: encodingName(text.encoding), leftOut: [out] };
      await findSources(text.files, finding, { inputs: this.#inputs, signal });
    }
    try {
      const newest = this.#name === undefined ? await newestBegunRun(out) : undefined;
      if (newest && !newest.hasReported) {
        onWaiting(nothingReported(newest.folder));
        return;
      }
      this.#follow(newest?.folder ?? (await findReportedRun(this.#name, out)));
    } catch (error) {
      if (!(error instanceof CharnnError) || error.code !== "NOT_FOUND") throw error;
      const { message, hint } = error;
      onWaiting([`${message} Waiting for it.`, hint].filter(Boolean).join(" "));
      return;
    }
    await this.#look();
    const { reader } = this.#found ?? {};
    if (reader?.isDamaged) reader.refuseEmpty();
    if (reader?.isEmpty) {
      onWaiting(nothingReported(reader.run));
    } else if (text && this.#checkpoint !== undefined) {
      // What the text lacks is said before there is a page.
      await this.#modelParts();
    }
  }

  /** Looks for what is new. What can't be read for a while is a warning, and nothing has changed. */
  async look(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      const { signal, onWarning } = this.#options;
      if (signal.aborted) return;
      const isOfSystem = error instanceof CharnnError || systemErrorCode(error) !== undefined;
      if (!isOfSystem) throw error;
      if (error instanceof CharnnError && error.code === "NOT_FOUND") {
        // For a moment, where it begins again.
        this.#shown = { ...this.#shown, status: GONE };
        return;
      }
      const { message } = error as Error;
      if (!this.#said.has(message)) onWarning(`${message} Looking again every second.`);
      this.#said.add(message);
    }
  }

  /** The whole page, made once for all who ask for it at a time. */
  async page(): Promise<Buffer> {
    const version = `${this.#looks} ${await versionOf(this.#checkpoint)}`;
    if (this.#page?.version === version) return this.#page.bytes;
    this.#making ??= this.#makePage(version).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #look(): Promise<void> {
    const { signal } = this.#options;
    const isOther = await this.#find();
    if (!this.#found) return;
    const { reader, isTrained } = this.#found;
    const { added, beganAgain: isNew } = await reader.read(signal);
    const beganAgain = isNew || isOther;
    const ended = !(await isTrained());
    const checkpoint = await checkpointOf(reader.run);
    const isFirst = checkpoint !== undefined && this.#checkpoint === undefined;
    this.#checkpoint = checkpoint;
    const { metrics, isEmpty } = reader;
    const isImported = metrics.imported !== undefined;
    const status = isEmpty ? WAITING : isImported ? IMPORTED : ended ? OVER : TRAINING;
    // How the run was made stands on a page from its beginning on.
    const saysHow = metrics.origin !== undefined && !this.#saysHow;
    this.#saysHow = metrics.origin !== undefined;
    const edition = this.#shown.edition + Number(beganAgain || isFirst || saysHow);
    const run = await this.#runOf(metrics);
    const isAnywhere = !isEmpty && !isImported;
    const progress = isAnywhere ? howFar(run, await changedAt(reader.run.metrics), !ended) : "";
    const before = this.#shown;
    const isSame =
      status === before.status && edition === before.edition && progress === before.progress;
    if (added === 0 && !beganAgain && isSame) return;
    this.#shown = shownOf(run, { status, progress, edition });
    this.#looks++;
  }

  /** With what its checkpoints say, which are read again when they have changed. */
  async #runOf(metrics: Metrics): Promise<ReportedRun> {
    const version = await versionOf(this.#checkpoint);
    if (this.#facts?.version !== version) {
      this.#facts = { version, own: await factsOf(this.#checkpoint) };
    }
    const lastVersion = await versionOf(metrics.run.last);
    if (this.#totalSteps?.version !== lastVersion) {
      this.#totalSteps = { version: lastVersion, own: await totalStepsOf(metrics.run) };
    }
    return { metrics, facts: this.#facts.own, totalSteps: this.#totalSteps.own };
  }

  /** Finds the run where that was not done; whether it is another one than before. */
  async #find(): Promise<boolean> {
    const { out } = this.#plan;
    const before = this.#found;
    if (this.#name !== undefined) {
      const folder = before ? undefined : await lookForReportedRun(this.#name, out);
      if (folder) this.#follow(folder);
      return false;
    }
    // A run that goes on is not left for another.
    if (before && (await before.isTrained())) return false;
    const newest = await newestBegunRun(out);
    if (!newest?.hasReported || newest.folder.path === before?.reader.run.path) return false;
    this.#follow(newest.folder);
    return before !== undefined;
  }

  #follow(folder: RunFolder): void {
    this.#found = { reader: new MetricsReader(folder), isTrained: watchTraining(folder) };
    this.#looks++;
  }

  async #makePage(version: string): Promise<Buffer> {
    const { status, progress, edition } = this.#shown;
    const metrics = this.#found?.reader.metrics;
    const parts = await this.#partsForPage();
    const runs = metrics ? [await this.#runOf(metrics)] : [];
    const report = reportOf(runs, [parts], metrics ? undefined : this.#name);
    const bytes = Buffer.from(reportPage(report, { status, progress, edition }));
    this.#page = { version, bytes };
    return bytes;
  }

  /** Without what can't be read, which the page says. */
  async #partsForPage(): Promise<ModelParts> {
    try {
      return await this.#modelParts();
    } catch (error) {
      if (!(error instanceof CharnnError)) throw error;
      const warning = [error.message, error.hint].filter(Boolean).join(" ");
      return { ...NO_MODEL, warnings: [warning] };
    }
  }

  async #modelParts(): Promise<ModelParts> {
    const checkpoint = this.#checkpoint;
    if (checkpoint === undefined) return NO_MODEL;
    const version = await versionOf(checkpoint);
    if (this.#model?.version !== version) {
      const { signal, onWork } = this.#options;
      const options = { inputs: this.#inputs, signal, onWork };
      const parts = await modelParts(checkpoint, this.#plan.text, options);
      this.#model = { version, parts };
    }
    return this.#model.parts;
  }
}

function nothingReported({ name }: RunFolder): string {
  return `The run ${name} has reported nothing yet. Waiting for it.`;
}

/** Changes whenever a file does, and when another takes its place. */
async function versionOf(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  const stats = await stat(path).catch(() => undefined);
  return stats ? `${path} ${stats.ino} ${stats.size} ${stats.mtimeMs}` : "";
}

/** What a checkpoint says; undefined where there is none, or it is replaced at this moment. */
async function factsOf(path: string | undefined): Promise<CheckpointFacts | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readCheckpointFacts(path);
  } catch (error) {
    if (error instanceof CharnnError) return undefined;
    throw error;
  }
}

async function changedAt(path: string): Promise<Date | undefined> {
  return (await stat(path).catch(() => undefined))?.mtime;
}
