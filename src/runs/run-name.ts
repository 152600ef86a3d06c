import { lstat } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import type { ModelConfig } from "../config/model.js";
import { CharnnError } from "../errors.js";
import { systemErrorCode } from "../system-error-code.js";
import type { RunFolder } from "./run-folder.js";

/** Sources whose names say nothing: the standard input, or what `<(...)` stands for. */
const STDIN = "-";
const FILE_DESCRIPTOR = /^\/(dev|proc\/self)\/fd\/\d+$/;

/**
 * Of the text's name in a default name. With all that is added to it (the model, `-2`, `-fold-3`,
 * `-report.html`, what temporary files add) it fits into the 143 bytes of encrypted home folders.
 */
const MAX_TEXT_NAME_BYTES = 80;
/** Of a name that is asked for: with all that is added it fits into 255 bytes. */
const MAX_NAME_BYTES = 180;

/** Names of devices on Windows, whatever follows a dot. */
const RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)/i;
/** Characters that can't be seen, or that a file system, a shell or a terminal takes for something else. */
const NO_PART_OF_A_NAME =
  /\p{Default_Ignorable_Code_Point}|[^\p{L}\p{N}\p{M}._-]|(?<![\p{L}\p{N}\p{M}])\p{M}/gu;

/** What a run is called when nothing is said: `shakespeare-gru-1x256`. */
export function defaultName(
  [first]: readonly string[],
  { cell, layers, hiddenSize }: ModelConfig,
): string {
  const name = `${textName(first)}-${cell}-${layers}x${hiddenSize}`;
  return RESERVED.test(name) ? `text-${name}` : name;
}

/** The run of a fold, in a cross-validation of this name. */
export function foldName(name: string, index: number): string {
  return `${name}-fold-${index}`;
}

/** The name of a file or folder as a part of a run's: safe on every system, and short. */
function textName(path: string): string {
  if (path === STDIN) return "stdin";
  if (FILE_DESCRIPTOR.test(path)) return "text";
  const whole = basename(resolve(path));
  const name = basename(whole, extname(whole)).normalize("NFC");
  const safe = name.replace(NO_PART_OF_A_NAME, "-").replace(/-{2,}/g, "-");
  return shortened(safe.replace(/^[-.]+/, ""), MAX_TEXT_NAME_BYTES).replace(/[-.]+$/, "") || "text";
}

/** As many of a text's characters, each with its accents, as fit into so many bytes of UTF-8. */
function shortened(text: string, most: number): string {
  let short = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (Buffer.byteLength(short + segment) > most) break;
    short += segment;
  }
  return short;
}

/**
 * Refuses a name that not every system can have as the name of a folder, or that leaves no room for what
 * is added to it.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseUnsafeName(name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    throw unsafeName(
      name,
      `is too long: it has ${bytes} bytes, and at most ${MAX_NAME_BYTES} are allowed`,
    );
  }
  if (RESERVED.test(name)) throw unsafeName(name, "is the name of a device on Windows");
  if (/[. ]$/.test(name)) throw unsafeName(name, "ends in a dot or a space, which Windows drops");
  if (name.startsWith("~")) throw unsafeName(name, "begins with ~, as home folders do in a shell");
  const [wildcard] = /[*?]/.exec(name) ?? [];
  if (wildcard) throw unsafeName(name, `has ${wildcard}, which shells take for any character`);
  const [character] = /[<>:"|]/.exec(name) ?? [];
  if (character) throw unsafeName(name, `has ${character}, which Windows does not allow`);
}

/** The same for a folder that is not there yet. One that is shows that its name will do. */
export async function refuseUnsafeFolder({ path, name }: RunFolder): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    if (["ENOENT", "ENAMETOOLONG"].includes(code)) refuseUnsafeName(name);
  }
}

function unsafeName(name: string, problem: string): CharnnError {
  const shown = name.length > 40 ? `${shortened(name, 40)}...` : name;
  return new CharnnError(
    "INVALID_SETTING",
    `name ${JSON.stringify(shown)} ${problem}.`,
    "Choose another `name`, made of letters, digits, dots and dashes.",
    { setting: "name" },
  );
}
