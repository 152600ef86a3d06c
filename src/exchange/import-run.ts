import { basename } from "node:path";
import { type Checkpoint, writeCheckpoint } from "../checkpoint/checkpoint.js";
import { cleanUpOnFailure, thenCleanUp } from "../clean-up.js";
import { IMPORT, IMPORT_DEFAULTS, type ImportSettings } from "../config/import.js";
import { checked, definedOnly, settingsSchema } from "../config/schema.js";
import { CharnnError } from "../errors.js";
import { removeFile } from "../files/durable-file.js";
import { type FileKind, withFile } from "../files/readable-file.js";
import { claimRun } from "../runs/claim.js";
import { appendMetrics, type ImportRecord, readOrigin } from "../runs/metrics.js";
import { checkpointsOf, clearRun, contentsOf } from "../runs/run-contents.js";
import { freeName, type RunFolder, runFolder } from "../runs/run-folder.js";
import { defaultName } from "../runs/run-name.js";
import { version } from "../version.js";
import { importedCheckpoint } from "./imported-checkpoint.js";
import { NameMap } from "./tensor-names.js";
import { readVocabulary, vocabularyFrom } from "./vocabulary-file.js";
import { type ForeignWeights, readWeights } from "./weights-file.js";

const importSettingsSchema = settingsSchema<ImportSettings>(IMPORT, ["weights"]);
const MAP_FILE: FileKind = { noun: "file" };
const MAX_MAP_BYTES = 1024 * 1024;

/**
 * Makes a run of the weights of a PyTorch model, as a safetensors file has them. It can do what a trained run
 * can, except go on with its training.
 *
 * @returns its checkpoint, with the path of the file
 * @throws CharnnError `BAD_CHECKPOINT` for a file that does not hold such a model, its characters or a map,
 *   `RUN_EXISTS` where there is a run of its name, `NOT_FOUND`, `NOT_READABLE`, `NOT_WRITABLE` or
 *   `INVALID_SETTING`; the reason of the signal once it is aborted. Nothing is changed then.
 */
export async function importRun(
  settings: ImportSettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Checkpoint & { readonly path: string }> {
  const valid = checked(importSettingsSchema, settings);
  const given = { ...IMPORT_DEFAULTS, ...definedOnly(valid) };
  const names = given.map === undefined ? new NameMap() : await readMap(given.map);
  const weights = await readWeights(given.weights, names, signal);
  const checkpoint = importedCheckpoint(weights, await charactersOf(given, weights));
  signal?.throwIfAborted();
  const { out } = given;
  const name = given.name ?? (await unusedName(given, weights));
  const folder = runFolder(out, name);
  await writeRun(folder, checkpoint, recordOf(valid, name), given.overwrite === true, signal);
  return { ...checkpoint, path: folder.last };
}

async function readMap(path: string): Promise<NameMap> {
  return withFile(path, MAP_FILE, async (file) => {
    if (file.size > MAX_MAP_BYTES) throw new CharnnError("BAD_CHECKPOINT", "it is too large");
    const bytes = new Uint8Array(file.size);
    await file.readInto(bytes, 0);
    return NameMap.fromJSON(new TextDecoder().decode(bytes));
  });
}

/** The model's code points by their indices. */
async function charactersOf(
  { vocabulary, weights: path }: ImportSettings,
  { model, vocabulary: own }: ForeignWeights,
): Promise<number[]> {
  const wanted = { size: model.vocabularySize, weights: path };
  if (vocabulary !== undefined) return readVocabulary(vocabulary, wanted);
  if (own !== undefined) return vocabularyFrom(own, wanted);
  throw new CharnnError(
    "INVALID_SETTING",
    `Nothing says which ${model.vocabularySize} characters the model in ${path} knows.`,
    "Give `vocabulary` a file with them, in the order of their indices: a JSON list, or plain text.",
    { setting: "vocabulary" },
  );
}

/** The name of a run that was given none. */
async function unusedName(
  { weights, out = IMPORT_DEFAULTS.out, overwrite }: ImportSettings,
  { model }: ForeignWeights,
): Promise<string> {
  const wanted = defaultName([weights], model);
  return overwrite ? wanted : freeName(out, wanted);
}

/** What the run's metrics say of how it came to be. */
function recordOf(settings: ImportSettings, name: string): ImportRecord {
  return {
    event: "import",
    step: 0,
    date: new Date().toISOString(),
    version: version(),
    file: basename(settings.weights),
    settings: { ...definedOnly(settings), name },
  };
}

async function writeRun(
  folder: RunFolder,
  checkpoint: Checkpoint,
  record: ImportRecord,
  overwrite: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const lock = await claimRun(folder, signal);
  await thenCleanUp(
    async () => {
      await makeRoom(folder, overwrite);
      await lock.check();
      // The checkpoint makes it a run: whatever ends the process before leaves none.
      await cleanUpOnFailure(
        async () => {
          await appendMetrics(folder.metrics, record);
          await writeCheckpoint(folder.last, checkpoint, () => lock.check());
        },
        () => removeFile(folder.metrics),
      );
    },
    () => lock.release(),
  );
}

/** @throws CharnnError `RUN_EXISTS` where the folder has a run that is not to be overwritten */
async function makeRoom(folder: RunFolder, overwrite: boolean): Promise<void> {
  const contents = await contentsOf(folder);
  if (!contents) return;
  const isBroken =
    checkpointsOf(folder, contents).length === 0 &&
    (await readOrigin(folder.metrics))?.event === "import";
  if (overwrite || isBroken) return clearRun(folder);
  throw new CharnnError(
    "RUN_EXISTS",
    `There is a run ${folder.name} already, in ${folder.path}.`,
    "Add `overwrite` to replace it, or choose another `name`.",
  );
}
