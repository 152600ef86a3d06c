/** Commands that repair a text, for messages: from FILE, in the text's encoding, to NEWFILE. */

/** @returns a sentence that names a command, or nothing on Windows, which has none of these programs */
export function advise(purpose: string, command: string): string {
  return process.platform === "win32" ? "" : ` ${purpose}: ${command}`;
}

/** What to do first with a text in an encoding that charnn does not read. */
export function convertFirst(encoding: string): string {
  return process.platform === "win32"
    ? "Save it as UTF-8 first, with an editor."
    : `Convert it first: iconv -f ${encoding} -t UTF-8 FILE > NEWFILE`;
}

/**
 * Names by which `iconv` knows encodings, where they differ, or where its encoding of that name has fewer
 * characters.
 */
const ICONV_NAMES: Readonly<Record<string, string>> = {
  "x-mac-cyrillic": "mac-cyrillic",
  "iso-8859-8-i": "iso-8859-8",
  shift_jis: "cp932",
  gbk: "gb18030",
};
/** Of a single byte a character: what `iconv` knows no character for is a control character. */
const SINGLE_BYTE = /^(windows|iso-8859|ibm|koi8|macintosh|x-mac)/;

/**
 * For each run of characters beyond ASCII: where their bytes in windows-1252 are UTF-8, the characters that
 * these are. Perl keeps the five bytes that windows-1252 has no character for as they are, and `iconv` fails.
 */
const AS_UTF8 =
  'eval { decode("utf-8", join("", map { ord() < 256 ? $_ : encode("cp1252", $_, 1) } split(//, $1)), 1) } // $1';

/** Mends a UTF-8 text of which a part was once taken for windows-1252. */
export const MEND_MISREAD = `perl -MEncode -CSD -pe 's{([^\\x00-\\x7F]+)}{${AS_UTF8}}ge' FILE > NEWFILE`;

/** Makes every line end a newline. */
export function lineEndCommand(
  { crlf, cr, lf }: { readonly crlf: number; readonly cr: number; readonly lf: number },
  encoding: string,
): string {
  const isUtf16 = encoding.startsWith("utf-16");
  const source = isUtf16 ? "" : " < FILE";
  const command =
    cr === 0
      ? `tr -d '\\r'${source}`
      : crlf + lf === 0
        ? `tr '\\r' '\\n'${source}`
        : `perl -pe 's/\\r\\n?/\\n/g'${source}`;
  // A byte is no character there.
  return isUtf16 ? throughUtf8(command, encoding) : `${command} > NEWFILE`;
}

/**
 * Leaves characters out.
 *
 * @param characters as in brackets of a regular expression of Perl
 */
export function removalCommand(characters: string, encoding: string): string {
  return substitution(`s/[${characters}]//g`, encoding);
}

/** Puts newlines in the place of characters. */
export function newlineCommand(characters: string, encoding: string): string {
  return substitution(`s/[${characters}]/\\n/g`, encoding);
}

function substitution(expression: string, encoding: string): string {
  const script = `perl -CSD -pe '${expression}'`;
  return encoding === "utf-8" ? `${script} FILE > NEWFILE` : throughUtf8(script, encoding);
}

function throughUtf8(command: string, encoding: string): string {
  const name = ICONV_NAMES[encoding] ?? encoding;
  const skip = SINGLE_BYTE.test(encoding) ? "-c " : "";
  return `iconv ${skip}-f ${name} -t utf-8 FILE | ${command} > NEWFILE, and leave \`encoding\` out`;
}
