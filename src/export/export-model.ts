import { EXPORT, EXPORT_FORMATS, type ExportSettings } from "../config/export.js";
import { checked, settingsSchema } from "../config/schema.js";
import { CharnnError } from "../errors.js";
import { BITS, type Bits } from "../portable/packed-model.js";
import { type ExportedModel, FORMATS } from "./formats.js";
import { refuseTooLarge } from "./pack-model.js";
import { measurePrecision, type Precision } from "./precision.js";

const schema = settingsSchema<ExportSettings>(EXPORT, ["to"]);
const ALL_BITS = 32;

/** How a model is exported, beside its settings. */
interface ExportOptions {
  readonly signal?: AbortSignal | undefined;
  /** What the file `-` stands for. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
}

/**
 * Makes a file of a model that other programs can read. Nothing is written.
 *
 * @param checkpoint needs no more than its weights; a page says more of it where it has its `path`
 * @returns the bytes of the file
 * @throws CharnnError `INVALID_SETTING`, or `NOT_WRITABLE` for a model that the format has no room for; the signal's
 *   reason once it is aborted
 */
export async function exportModel(
  checkpoint: ExportedModel,
  settings: ExportSettings,
  options: ExportOptions = {},
): Promise<Uint8Array> {
  return (await encodeModel(checkpoint, checkedSettings(settings), options)).bytes;
}

/**
 * The same, with what fewer bits for the weights have changed.
 *
 * @param settings checked
 */
export async function encodeModel(
  checkpoint: ExportedModel,
  { to, text, ...settings }: ExportSettings,
  { signal, stdin }: ExportOptions,
): Promise<{ readonly bytes: Uint8Array; readonly precision: Precision | undefined }> {
  const format = FORMATS[to];
  const bits = (settings.bits ?? format.bits ?? ALL_BITS) as Bits;
  if (format.bits) refuseTooLarge(checkpoint.config.model, bits);
  const precision =
    bits === ALL_BITS
      ? undefined
      : await measurePrecision(checkpoint, bits, { text, signal, stdin });
  return { bytes: await format.encode(checkpoint, { bits, precision, signal }), precision };
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
  const valid = checked(schema, settings);
  const { to, bits, text } = valid;
  const format = FORMATS[to];
  const fail = (setting: keyof ExportSettings, message: string, hint?: string) =>
    new CharnnError("INVALID_SETTING", message, hint, { setting });
  if (bits !== undefined && !format.bits) {
    throw fail(
      "bits",
      `bits has no effect on ${format.title}, whose weights always have 32.`,
      "Leave it out.",
    );
  }
  if (bits !== undefined && !(BITS as readonly number[]).includes(bits)) {
    throw fail(
      "bits",
      `bits must be ${BITS.slice(0, -1).join(", ")} or ${BITS.at(-1)}, not ${bits}.`,
    );
  }
  if (text !== undefined && !format.bits) {
    throw fail(
      "text",
      `text has no effect on ${format.title}, whose weights always have 32 bits.`,
      "Leave it out.",
    );
  }
  if (text !== undefined && bits === ALL_BITS) {
    throw fail(
      "text",
      "text shows what fewer bits for the weights change, and 32 change nothing.",
      "Leave it out, or give fewer `bits`.",
    );
  }
  return valid;
}
