/** Texts and names that nobody expects. */
import { sentences } from "../helpers/executable.js";
import type { Draw } from "../helpers/numbers.js";
import { ODDITIES, WRONG_BYTES } from "./file-mutations.js";

/** A text, and the options with which it is read. */
export interface HostileText {
  readonly what: string;
  readonly bytes: Buffer;
  readonly options: readonly string[];
}

const CONTROLS = Array.from({ length: 0xa0 }, (_, code) => code)
  .filter((code) => code < 0x20 || code >= 0x7f)
  .map((code) => String.fromCharCode(code));
const UNSEEN = [
  ..."\u202e\u202d\u2066\u2069\u200b\u200c\u200d\u2060\u00ad\u034f\ufe0f\ufeff\u061c",
];
const HEADS = [
  ...["%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "PK\x03\x04\x14\x00"],
  ...["{\\rtf1\\ansi ", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "\x7fELF\x02\x01\x01\x00"],
].map((head) => Buffer.from(head, "latin1"));

const TEXTS: Readonly<Record<string, (draw: Draw) => Buffer | string>> = {
  empty: () => "",
  "one character": (draw) => draw.pick(["a", "\n", "\0", "\ufeff", "é"]),
  "one character again and again": (draw) => draw.pick(["a", "\n", "\r", "\u202e"]).repeat(2_000),
  "all controls": (draw) => draw.shuffled(CONTROLS).join("").repeat(40),
  "sentences with controls": (draw) => sprinkled(draw, CONTROLS),
  "marks of order and direction, and no width": (draw) => sprinkled(draw, UNSEEN),
  "byte order marks inside": () => `\ufeff${sentences(10)}`.repeat(4),
  "zero bytes": (draw) => sprinkled(draw, ["\0", "\0\0\0\0"]),
  "one line of a megabyte": (draw) =>
    draw.pick(["a", "ab ", "日本 "]).repeat(400_000).slice(0, 1e6),
  "mixed line ends": (draw) => sprinkled(draw, ["\r", "\r\n", "\n\r", "\u0085", "\u2028", "\v"]),
  "halves of surrogates in UTF-16": (draw) => {
    const text = Buffer.from(
      `\ufeff${sprinkled(draw, ["\ud800", "\udc00", "\udbff\ud83d"])}`,
      "utf16le",
    );
    return draw.uniform() < 0.5 ? text : text.swap16();
  },
  "bytes that are wrong in UTF-8": (draw) => {
    const parts = sentences(30)
      .split(" ")
      .map((word) => Buffer.from(`${word} `));
    return Buffer.concat(
      parts.flatMap((part) => [part, ...(draw.uniform() < 0.1 ? [draw.pick(WRONG_BYTES)] : [])]),
    );
  },
  "oddities of all sorts": (draw) => {
    const parts = sentences(30)
      .split(" ")
      .map((word) => Buffer.from(`${word} `));
    return Buffer.concat(parts.flatMap((part) => [part, draw.pick(ODDITIES)]));
  },
  "the head of another format": (draw) => {
    const head = draw.pick(HEADS);
    return Buffer.concat([
      head,
      draw.uniform() < 0.5 ? randomBytes(draw, 4_000) : Buffer.from(sentences(40)),
    ]);
  },
  "50,000 different characters": () => {
    const codes = Array.from({ length: 50_000 }, (_, k) => 0x3400 + k).map((code) => {
      return code < 0xd800 ? code : code + 0x10000;
    });
    return codes.map((code) => String.fromCodePoint(code)).join("");
  },
  "random bytes": (draw) => randomBytes(draw, 5_000),
  "fewer characters than a window": (draw) => sentences(1).slice(0, 1 + draw.below(40)),
};

export const TEXT_KINDS = Object.keys(TEXTS);

export function hostileText(draw: Draw, what: string): HostileText {
  const text = TEXTS[what](draw);
  const options = draw.pick([
    ...[[], [], ["--invalid", "replace"], ["--invalid", "skip"], ["--documents", "lines"]],
    ...[
      ["--encoding", "windows-1252"],
      ["--encoding", "utf-16le"],
      ["--line-ends", "lf"],
    ],
    ...[
      ["--min-count", "2"],
      ["--validation", "0"],
    ],
  ]);
  return { what, bytes: typeof text === "string" ? Buffer.from(text) : text, options };
}

/** Sentences with one of the characters after every tenth word or so. */
function sprinkled(draw: Draw, characters: readonly string[]): string {
  return sentences(40)
    .split(" ")
    .map((word) => (draw.uniform() < 0.1 ? `${word}${draw.pick(characters)}` : word))
    .join(" ");
}

function randomBytes(draw: Draw, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => draw.below(256)));
}

/** Names of files, as bytes in latin1: some are no UTF-8. */
const FILE_NAMES = [
  ...[
    "text.txt",
    "-rf.txt",
    "--steps",
    "-",
    "--",
    "~",
    "~root",
    "*",
    "?[a-z]*.txt",
    "con",
    "nul.txt",
  ],
  ...'it\'s|"quoted"|a b.txt|$(id)|`id`|!x|\\|\\n.txt|%s%n|a=b|{a,b}|;ls|&|#x|...|.hidden'.split(
    "|",
  ),
  ...["line\nend.txt", "\x1b[2J.txt", "\x07\x7f.txt", "tab\t.txt", "space .txt ", "dot.txt.", "\r"],
  ...["\xff\xfe.txt", "caf\xe9.txt", "\xed\xa0\x80.txt", "a".repeat(255), `${"b".repeat(251)}.txt`],
].concat(
  ["\u202eexe.txt", "مرحبا.txt", "\u200b", "é.txt", "e\u0301.txt", "日".repeat(85), "😀.txt"].map(
    (name) => Buffer.from(name).toString("latin1"),
  ),
);

const RUN_NAMES = [
  ...["run", "-x", "--", "a\\b", "it's", '"', "~", "*", "$(id)", "!x", "%s", "\u202erun", "a b"],
  ...["مرحبا", "\u200b", "é", "e\u0301", "a".repeat(180), "日".repeat(60), "{a,b}", "#x", "..."],
];
const IMPOSSIBLE_NAMES = [
  ...["..", ".", "con", "NUL.txt", "dot.", "space ", "a:b", "a/b", "a\nb", "\x1b[2J", "", " "],
  ...["a".repeat(181), "a".repeat(255), "日".repeat(85), "/tmp", "../up"],
];

/** The name of a file in bytes. */
export function hostileFileName(draw: Draw): Buffer {
  return Buffer.from(draw.pick(FILE_NAMES), "latin1");
}

/** The name of a run; undefined: it gets its default name. */
export function hostileRunName(draw: Draw): string | undefined {
  const names = draw.pick([[undefined], RUN_NAMES, RUN_NAMES, RUN_NAMES, IMPOSSIBLE_NAMES]);
  return draw.pick<string | undefined>(names);
}
