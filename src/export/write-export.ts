import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { ExportSettings } from "../config/export.js";
import { checkOutput, type OutputFile, writeOutput } from "../files/output-file.js";
import { loadCheckpoint } from "../runs/load-checkpoint.js";
import { checkedSettings, encodeModel } from "./export-model.js";
import { FORMATS } from "./formats.js";
import { nameOf } from "./model-origin.js";
import type { Precision } from "./precision.js";

/** Which model is exported, and where to. */
export interface ExportPlaces {
  /** A run's name or folder, or a checkpoint file; the newest run when left out. */
  readonly run?: string | undefined;
  /** The folder in which runs have theirs. */
  readonly out?: string | undefined;
  /** The file to write; in the current folder, and named after the run, when left out. */
  readonly output?: string | undefined;
  /** Whether it may take the place of any file; otherwise only of an earlier export. */
  readonly overwrite?: boolean | undefined;
}

/** A file that was written. */
interface WrittenExport {
  readonly file: string;
  /** How many it has. */
  readonly bytes: number;
  /** What was exported. */
  readonly checkpoint: Checkpoint & { readonly path: string };
  /** What fewer bits for its weights changed; undefined where they have all of theirs. */
  readonly precision: Precision | undefined;
}

/**
 * Writes a file of a model that other programs can read, as a whole or not at all.
 *
 * @param options `onModel` is called when the model has been read
 * @throws CharnnError as `loadCheckpoint` and `exportModel` do, and `NOT_WRITABLE`; the signal's reason once it is aborted
 */
export async function writeExport(
  { run, out, output, overwrite = false }: ExportPlaces,
  settings: ExportSettings,
  {
    signal,
    stdin,
    onModel,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly stdin?: AsyncIterable<Uint8Array> | undefined;
    readonly onModel?: ((checkpoint: WrittenExport["checkpoint"]) => unknown) | undefined;
  } = {},
): Promise<WrittenExport> {
  const valid = checkedSettings(settings);
  const { extension, marker } = FORMATS[valid.to];
  const outputAt = (file: string, inputs: readonly string[]): OutputFile => {
    return { path: file, inputs, marker, overwrite };
  };
  // What can't be written is refused before a large model is read.
  if (output !== undefined) await checkOutput(outputAt(output, valid.text ?? []));
  const checkpoint = await loadCheckpoint(run, {
    signal,
    weightsOnly: true,
    ...(out !== undefined && { out }),
  });
  await onModel?.(checkpoint);
  const file = output ?? `${nameOf(checkpoint.path)}${extension}`;
  const { bytes, precision } = await encodeModel(checkpoint, valid, { signal, stdin });
  signal?.throwIfAborted();
  await writeOutput(outputAt(file, [checkpoint.path, ...(valid.text ?? [])]), bytes);
  return { file, bytes: bytes.length, checkpoint, precision };
}
