import { stat } from "node:fs/promises";
import path from "node:path";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { membersOf } from "../checkpoint/members.js";
import type { ExportSettings } from "../config/export.js";
import { CharnnError } from "../errors.js";
import { checkOutput, type OutputFile, writeOutput } from "../files/output-file.js";
import { loadCheckpoint } from "../runs/load-checkpoint.js";
import { inputsOf } from "../runs/metrics.js";
import { checkedSettings, encodeModel } from "./export-model.js";
import { FORMATS } from "./formats.js";
import { nameOf, originOf } from "./model-origin.js";
import type { Precision } from "./precision.js";

/** Which model is exported, and where to. */
export interface ExportPlaces {
  /** A run's name or folder, or a checkpoint file; the newest run when left out. */
  readonly run?: string | undefined;
  /** The folder in which runs have theirs. */
  readonly out?: string | undefined;
  /** The file to write; in the current folder, and named after the run, when left out. */
  readonly output?: string | undefined;
  /**
   * Whether it may take the place of any file in its format but a text, by the name's end; otherwise only of
   * an earlier export.
   */
  readonly overwrite?: boolean | undefined;
}

/** What was written, and where. */
interface WrittenExport {
  /** That of the settings where `write` got the bytes. */
  readonly file: string;
  /** The file that belongs beside it, where the format has one: the types of a module. */
  readonly companion: string | undefined;
  /** How many there are. */
  readonly bytes: number;
  /** What was exported. */
  readonly checkpoint: Checkpoint & { readonly path: string };
  /** What fewer bits for its weights changed; undefined where they have all of theirs. */
  readonly precision: Precision | undefined;
}

/**
 * Writes a file of a model that other programs can read, as a whole or not at all.
 *
 * @param options `onModel` is called when the model has been read; `write` gets the bytes in place of a file
 * @throws CharnnError as `loadCheckpoint` and `exportModel` do, and `NOT_WRITABLE`; the signal's reason once it is aborted
 */
export async function writeExport(
  { run, out, output, overwrite = false }: ExportPlaces,
  settings: ExportSettings,
  {
    signal,
    stdin,
    write,
    onModel,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly stdin?: AsyncIterable<Uint8Array> | undefined;
    readonly write?: ((bytes: Uint8Array) => Promise<void>) | undefined;
    readonly onModel?: ((checkpoint: WrittenExport["checkpoint"]) => unknown) | undefined;
  } = {},
): Promise<WrittenExport> {
  const valid = checkedSettings(settings);
  const { endings, marker, companion } = FORMATS[valid.to];
  const outputsAt = async (file: string, inputs: readonly string[]): Promise<OutputFile[]> => {
    const own = { path: file, inputs, marker, overwrite, endings };
    // Nothing can be beside a pipe or a device.
    if (!companion || (await isSpecial(file))) return [own];
    const path = beside(file, companion.extension);
    return [own, { ...own, path, marker: companion.marker, endings: companion.endings }];
  };
  // What can't be written is refused before a large model is read.
  if (output !== undefined && !write) {
    if (valid.to === "js") await refuseOtherThanModule(output);
    for (const each of await outputsAt(output, valid.text ?? [])) await checkOutput(each);
  }
  const checkpoint = await loadCheckpoint(run, {
    signal,
    weightsOnly: true,
    ...(out !== undefined && { out }),
  });
  await onModel?.(checkpoint);
  const file = output ?? `${nameOf(checkpoint.path)}${endings[0]}`;
  const { bytes, precision } = await encodeModel(membersOf(checkpoint)[0], valid, {
    signal,
    stdin,
  });
  signal?.throwIfAborted();
  if (write) {
    await write(bytes);
    return { file, companion: undefined, bytes: bytes.length, checkpoint, precision };
  }
  const { origin } = await originOf(checkpoint.path);
  const inputs = [checkpoint.path, ...(valid.text ?? []), ...inputsOf(origin)];
  const [own, second] = await outputsAt(file, inputs);
  // Neither is written where the other can't be.
  if (second) await checkOutput(second);
  await writeOutput(own, bytes);
  if (second && companion) await writeOutput(second, Buffer.from(companion.text));
  return { file, companion: second?.path, bytes: bytes.length, checkpoint, precision };
}

/** @throws CharnnError `INVALID_SETTING` for a name that JavaScript and TypeScript take for something else */
async function refuseOtherThanModule(file: string): Promise<void> {
  if (/\.m?js$/i.test(file) || (await isSpecial(file))) return;
  throw new CharnnError(
    "INVALID_SETTING",
    `output must end in .js or .mjs for a module, not ${JSON.stringify(path.basename(file))}.`,
    undefined,
    { setting: "output" },
  );
}

/** Whether there is something that is no file. */
async function isSpecial(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined);
  return stats !== undefined && !stats.isFile() && !stats.isDirectory();
}

/** A file of the same name with another extension, which depends on its own. */
function beside(file: string, extension: (ofFile: string) => string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}${extension(ext)}`);
}
