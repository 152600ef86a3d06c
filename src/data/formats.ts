/** Files that hold text, but not plainly: how they begin, and how to get at the text. */

import { CharnnError } from "../errors.js";
import { convertFirst } from "./repair-commands.js";

interface Format {
  /** As messages name it: `a PDF document`. */
  readonly name: string;
  /** As it is counted: `PDF`. */
  readonly short: string;
  readonly advice: string;
}

/** `start` is in Latin-1, and `at` where it stands. */
interface Signature extends Format {
  readonly start: string;
  readonly at?: number;
}

const THEN_NAME = "and name the folder.";
const NO_TEXT = "Name a text file in its place.";
const PANDOC = (from: string) =>
  `Take its text out first: pandoc -f ${from} -t plain --wrap=none FILE -o NEWFILE`;

const ZIP: Format = {
  name: "a ZIP archive",
  short: "ZIP",
  advice: `Unpack it first: unzip FILE -d FOLDER, ${THEN_NAME}`,
};
const OFFICE: Format = {
  name: "an Office document (ZIP)",
  short: "Office",
  advice: `Take its text out first: pandoc -t plain --wrap=none FILE.docx -o NEWFILE, or save it as plain text.`,
};
const ODT: Format = {
  name: "an OpenDocument text (ZIP)",
  short: "OpenDocument",
  advice: PANDOC("odt"),
};
const UTF_32: Format = {
  name: "UTF-32 text",
  short: "UTF-32",
  advice: convertFirst("UTF-32"),
};
const EPUB: Format = { name: "an EPUB book (ZIP)", short: "EPUB", advice: PANDOC("epub") };

function packed(name: string, start: string, command: string, at = 0): Signature {
  return {
    name: `packed with ${name}`,
    short: name,
    start,
    at,
    advice: `Unpack it first: ${command} FILE > NEWFILE`,
  };
}

function noText(short: string, start: string): Signature {
  const article = /^(ELF|MP3|Ogg)$/.test(short) ? "an" : "a";
  return { name: `${article} ${short} file`, short, start, advice: NO_TEXT };
}

const SIGNATURES: readonly Signature[] = [
  {
    name: "a PDF document",
    short: "PDF",
    start: "%PDF-",
    advice: "Take its text out first: pdftotext FILE NEWFILE",
  },
  { name: "an RTF document", short: "RTF", start: "{\\rtf", advice: PANDOC("rtf") },
  {
    name: "a document of an older Office",
    short: "Office",
    start: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    advice: "Save it as plain text first: soffice --headless --convert-to txt:Text FILE",
  },
  {
    name: "a Kindle book",
    short: "Kindle",
    start: "BOOKMOBI",
    at: 60,
    advice: "Take its text out first: ebook-convert FILE NEWFILE.txt",
  },
  {
    name: "a DjVu document",
    short: "DjVu",
    start: "AT&TFORM",
    advice: "Take its text out first: djvutxt FILE NEWFILE",
  },
  packed("gzip", "\x1f\x8b\x08", "gunzip -c"),
  packed("bzip2", "1AY&SY", "bunzip2 -c", 4),
  packed("xz", "\xfd7zXZ\x00", "xz -dc"),
  packed("Zstandard", "\x28\xb5\x2f\xfd", "zstd -dc"),
  packed("LZ4", "\x04\x22\x4d\x18", "lz4 -dc"),
  packed("compress", "\x1f\x9d", "gunzip -c"),
  {
    name: "a 7-Zip archive",
    short: "7-Zip",
    start: "7z\xbc\xaf\x27\x1c",
    advice: `Unpack it first: 7z x -oFOLDER FILE, ${THEN_NAME}`,
  },
  {
    name: "a RAR archive",
    short: "RAR",
    start: "Rar!\x1a\x07",
    advice: `Unpack it first: unrar x FILE FOLDER/, ${THEN_NAME}`,
  },
  {
    name: "a tar archive",
    short: "tar",
    start: "ustar",
    at: 257,
    advice: `Unpack it first: mkdir FOLDER && tar -xf FILE -C FOLDER, ${THEN_NAME}`,
  },
  { ...UTF_32, start: "\xff\xfe\x00\x00" },
  { ...UTF_32, start: "\x00\x00\xfe\xff" },
  {
    name: "an SQLite database",
    short: "SQLite",
    start: "SQLite format 3\x00",
    advice: "Write its text out first: sqlite3 FILE 'SELECT column FROM table' > NEWFILE",
  },
  noText("PNG", "\x89PNG"),
  noText("JPEG", "\xff\xd8\xff"),
  noText("GIF", "GIF87a"),
  noText("GIF", "GIF89a"),
  noText("MP3", "ID3\x03\x00"),
  noText("MP3", "ID3\x04\x00"),
  noText("Ogg", "OggS\x00"),
  noText("ELF", "\x7fELF"),
  noText("Parquet", "PAR1\x15\x04"),
];

/** How many bytes {@link formatOf} looks at. */
const SIGNATURE_BYTES = 1_024;

/** The format that a file has by its first bytes; undefined for what may be plain text. */
export function formatOf(bytes: Uint8Array): Format | undefined {
  const start = Buffer.from(
    bytes.buffer,
    bytes.byteOffset,
    Math.min(bytes.length, SIGNATURE_BYTES),
  );
  const text = start.toString("latin1");
  if (text.startsWith("PK\x03\x04")) return zipFormat(text);
  return SIGNATURES.find((it) => text.startsWith(it.start, it.at));
}

/** The error for a source that has another format. */
export function wrongFormat(source: string, { name, advice }: Format): CharnnError {
  return new CharnnError("BAD_TEXT", `${source} is ${name}, not plain text.`, advice);
}

/** What is in an archive, by the name of its first file. */
function zipFormat(start: string): Format {
  const first = start.slice(30);
  if (first.startsWith("mimetypeapplication/epub")) return EPUB;
  if (first.startsWith("mimetypeapplication/vnd.oasis.opendocument")) return ODT;
  const isOffice = /^(\[Content_Types\]\.xml|_rels\/|docProps\/|word\/|ppt\/|xl\/)/.test(first);
  return isOffice ? OFFICE : ZIP;
}
