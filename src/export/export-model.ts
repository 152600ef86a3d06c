import type { Checkpoint } from "../checkpoint/checkpoint.js";
import { EXPORT, EXPORT_FORMATS, type ExportSettings } from "../config/export.js";
import { checked, settingsSchema } from "../config/schema.js";
import { CharnnError } from "../errors.js";
import { FORMATS } from "./formats.js";

const schema = settingsSchema<ExportSettings>(EXPORT, ["to"]);

/**
 * Makes a file of a model that other programs can read. Nothing is written.
 *
 * @param checkpoint needs no more than its weights
 * @returns the bytes of the file
 * @throws CharnnError `INVALID_SETTING`, or `NOT_WRITABLE` for a model that the format has no room for; the signal's
 *   reason once it is aborted
 */
export async function exportModel(
  checkpoint: Checkpoint,
  settings: ExportSettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Uint8Array> {
  const valid = checkedSettings(settings);
  return FORMATS[valid.to].encode(checkpoint, valid, signal);
}

/**
 * Settings of an export, checked.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function checkedSettings(settings: ExportSettings): ExportSettings {
  if (settings.to === undefined) {
    const formats = EXPORT_FORMATS.map((format) => `\`to: ${format}\``);
    const hint = `Say in which format: ${formats.join(", ")}.`;
    throw new CharnnError("INVALID_SETTING", "to is missing.", hint, { setting: "to" });
  }
  return checked(schema, settings);
}
