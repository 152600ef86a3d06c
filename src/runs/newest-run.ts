/** The run that is meant where none is named: the newest of those that have learned something. */
import { type CheckpointFacts, readCheckpointFacts } from "../checkpoint/checkpoint.js";
import { CharnnError } from "../errors.js";
import { readLines } from "../files/read-lines.js";
import { counted } from "../text.js";
import { hasCheckpoint, newestOf, runsIn } from "./all-runs.js";
import { parseRecord } from "./metrics.js";
import { checkpointsOf } from "./run-contents.js";
import type { RunFolder } from "./run-folder.js";

const NAMES_IN_HINT = 5;

/**
 * The checkpoint of the newest run in `out` whose model has been evaluated or imported, or where none has, of the newest that
 * has taken a step. One that can't be read is taken too, so that whoever reads it says why.
 *
 * @returns undefined where there is no checkpoint at all
 * @throws CharnnError `NOT_FOUND` where no run has taken a step, and as {@link runsIn} does
 */
export async function newestCheckpoint(out: string): Promise<string | undefined> {
  const runs = (await runsIn(out)).filter(hasCheckpoint);
  let begun: string | undefined;
  for (const { folder, contents } of runs) {
    const [path] = checkpointsOf(folder, contents);
    const facts = await factsOf(path);
    if (facts === undefined || hasLearned(facts)) return path;
    if (facts.progress.step > 0) begun ??= path;
  }
  if (begun === undefined && runs.length > 0) {
    const names = runs.map(({ folder }) => folder.name);
    const shown = names.slice(0, NAMES_IN_HINT).join(", ");
    throw new CharnnError(
      "NOT_FOUND",
      `No run in ${out} has learned anything yet.`,
      `Name one to use it all the same: ${shown}${names.length > NAMES_IN_HINT ? " ..." : ""}`,
    );
  }
  return begun;
}

/**
 * The newest run in `out` that has reported a step; where none has, the newest that has reported anything;
 * undefined where none did.
 *
 * @throws CharnnError as {@link runsIn} does
 */
export async function newestReportedRun(out: string): Promise<RunFolder | undefined> {
  const reported = [];
  for (const { folder, contents } of await runsIn(out)) {
    // What is no file has no time.
    if (contents.metrics && (await newestOf([folder.metrics])) > 0) reported.push(folder);
  }
  for (const folder of reported) if (await hasReportedStep(folder)) return folder;
  return reported[0];
}

/**
 * What is to be said of a model that may have learned nothing; undefined for one that has been evaluated.
 *
 * @param name of its run
 */
export function untrainedWarning(
  name: string,
  { step, evaluatedAt }: Pick<CheckpointFacts["progress"], "step" | "evaluatedAt">,
): string | undefined {
  if (evaluatedAt > 0) return undefined;
  return step === 0
    ? `The run ${name} has learned nothing yet: it has taken no step.`
    : `The run ${name} may have learned very little: it has taken ${counted(step, "step")}, and has not been evaluated.`;
}

/** Whether a model has surely learned something, here or elsewhere. */
function hasLearned({ config, progress }: Pick<CheckpointFacts, "config" | "progress">): boolean {
  return progress.evaluatedAt > 0 || config.imported === true;
}

/** Undefined for what can't be read. */
async function factsOf(path: string): Promise<CheckpointFacts | undefined> {
  try {
    return await readCheckpointFacts(path);
  } catch (error) {
    if (error instanceof CharnnError) return undefined;
    throw error;
  }
}

/** What can't be read may have: whoever reads it says why. */
async function hasReportedStep({ metrics }: RunFolder): Promise<boolean> {
  try {
    for await (const lines of readLines(metrics)) {
      for (const { bytes } of lines) {
        const event = parseRecord(bytes)?.event;
        if (event === "step" || event === "eval") return true;
      }
    }
    return false;
  } catch {
    return true;
  }
}
