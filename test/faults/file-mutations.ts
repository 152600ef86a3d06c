/** Texts and JSON, changed as disks, editors and strangers change them. */
import type { Draw } from "../helpers/numbers.js";

/** A changed file, and how it was changed. */
export interface MutatedFile {
  readonly what: string;
  readonly bytes: Buffer;
}

type Change = (draw: Draw, bytes: Buffer, other: Buffer) => Buffer;

const MAX_BYTES = 2 ** 20;

/** What stands in JSON, or in its place. */
const WORDS = [
  ...["0", "-1", "0.5", "-0", "1e999", "-1e999", "1e308", "5e-324", "9007199254740993"],
  ...["null", "true", "[]", "{}", '""', '"', "\\", ":", ",", "NaN", "Infinity", '"__proto__"'],
  ...['"\\u0000"', '"\\ud800"', '"\\u202e"', '"\\u001b[2J"', '"a\\nb"', "[[[[[[[[[["],
];

/** Line ends, controls, marks of order and direction, and characters of several code points. */
export const ODDITIES = [
  ...["\r", "\n", "\r\n", "\u0085", "\u2028", "\0", "\x1b[2J", "\x7f", "\ufeff", "\u202e"],
  ...["\u200d", "e\u0301", "\ufffd", "\ufffe", "\u{1f600}", "\u{10ffff}", " ", "\t"],
].map((text) => Buffer.from(text));

/** Wrong or cut in UTF-8, UTF-16 or the encodings of East Asia. */
export const WRONG_BYTES = [
  ...[[0xff], [0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc0, 0xaf]],
  ...[
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0x00, 0xd8],
    [0x84, 0x31, 0xa4, 0x37],
  ],
  ...[[0xff, 0xfe], [0xfe, 0xff], [0x1b, 0x24, 0x42], [0x8e, 0xa1], [0x81]],
].map((bytes) => Buffer.from(bytes));

const CHANGES: Readonly<Record<string, Change>> = {
  "bits flipped": (draw, bytes) => {
    const changed = Buffer.from(bytes);
    for (let times = draw.below(9); times >= 0 && bytes.length > 0; times--) {
      changed[draw.below(bytes.length)] ^= 1 << draw.below(8);
    }
    return changed;
  },
  "end cut off": (draw, bytes) => bytes.subarray(0, draw.below(bytes.length + 1)),
  "beginning cut off": (draw, bytes) => bytes.subarray(draw.below(bytes.length + 1)),
  "part removed": (draw, bytes) => replaced(draw, bytes, Buffer.alloc(0), draw.pick([1, 9, 500])),
  "noise added": (draw, bytes) => {
    const noise = Array.from({ length: 1 + draw.below(20) }, () => draw.below(256));
    return replaced(draw, bytes, Buffer.from(noise));
  },
  "oddity added": (draw, bytes) => replaced(draw, bytes, draw.pick(ODDITIES)),
  "wrong bytes added": (draw, bytes) => replaced(draw, bytes, draw.pick(WRONG_BYTES)),
  "zeros, as after a power failure": (draw, bytes) => {
    const size = draw.pick([1, 512, 4_096]);
    return replaced(draw, bytes, Buffer.alloc(size), size);
  },
  "part repeated": (draw, bytes) => {
    const at = draw.below(bytes.length + 1);
    const part = bytes.subarray(at, at + draw.pick([1, 2, 10, 100]));
    return replaced(draw, bytes, repeated(part, draw.pick([1, 2, 30, 5_000])));
  },
  "part of another": (draw, bytes, other) => {
    const at = draw.below(other.length + 1);
    const part = other.subarray(at, at + draw.pick([1, 10, 100, 1_000]));
    return replaced(draw, bytes, part, draw.pick([0, part.length]));
  },
  "end of another": (draw, bytes, other) => {
    const at = draw.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(draw.below(other.length + 1))]);
  },
  "a line repeated": inLines((draw, lines) => {
    const line = draw.pick(lines);
    lines.splice(draw.below(lines.length), 0, ...new Array(draw.pick([1, 3, 500])).fill(line));
  }),
  "a line left out": inLines((draw, lines) => void lines.splice(draw.below(lines.length), 1)),
  "lines in another order": inLines((draw, lines) => {
    lines.push(...draw.shuffled(lines.splice(draw.below(lines.length))));
  }),
  "an empty line": inLines((draw, lines) => void lines.splice(draw.below(lines.length), 0, "")),
  "other line ends": (draw, bytes) => {
    const end = draw.pick(["\r", "\r\n", "\n\n", "\0", ""]);
    return Buffer.from(bytes.toString("latin1").replaceAll("\n", end), "latin1");
  },
  "another word of JSON": (draw, bytes) => {
    const text = bytes.toString("latin1");
    const words = [...text.matchAll(/-?\d+(\.\d+)?(e[+-]?\d+)?|"[^"\n]*"|[[\]{}:,]/g)];
    if (words.length === 0) return bytes;
    const { index, 0: word } = draw.pick(words);
    const changed = text.slice(0, index) + draw.pick(WORDS) + text.slice(index + word.length);
    return Buffer.from(changed, "latin1");
  },
  "a member twice": (draw, bytes) => {
    const text = bytes.toString("latin1");
    const members = [...text.matchAll(/"[^"\n]*":("[^"\n]*"|[^,{}[\]\n]*),/g)];
    if (members.length === 0) return bytes;
    const { index, 0: member } = draw.pick(members);
    return Buffer.from(text.slice(0, index) + member + text.slice(index), "latin1");
  },
  "lists in lists": (draw, bytes) => {
    const depth = draw.pick([5, 100, 20_000]);
    const text = bytes.toString("latin1");
    const values = [...text.matchAll(/(?<=":)[^,{}[\]\n]+/g)];
    if (values.length === 0) return bytes;
    const { index, 0: value } = draw.pick(values);
    const lists = "[".repeat(depth) + "]".repeat(depth);
    return Buffer.from(text.slice(0, index) + lists + text.slice(index + value.length), "latin1");
  },
  "a long value": (draw, bytes) => {
    const value = draw.pick(["9", "a", "\\u00e9", "é"]).repeat(draw.pick([300, 70_000]));
    const text = bytes.toString("latin1");
    const strings = [...text.matchAll(/(?<=")[^"\n]*(?=")/g)];
    if (strings.length === 0) return bytes;
    const { index, 0: string } = draw.pick(strings);
    return Buffer.from(text.slice(0, index) + value + text.slice(index + string.length), "latin1");
  },
};

/** Changes a file once or a few times; `other` may lend it a part. */
export function mutatedFile(draw: Draw, bytes: Buffer, other: Buffer): MutatedFile {
  let [what, changed] = ["", bytes];
  const times = draw.pick([1, 1, 2, 3, 5]);
  for (let time = 0; time < times; time++) {
    const [name, change] = draw.pick(Object.entries(CHANGES));
    what += `${what && ", "}${name}`;
    changed = change(draw, changed, other).subarray(0, MAX_BYTES);
  }
  return { what, bytes: changed };
}

/** Puts bytes at a random place, of `size` others. */
function replaced(draw: Draw, bytes: Buffer, by: Buffer, size = 0): Buffer {
  const at = draw.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + size)]);
}

function repeated(part: Buffer, times: number): Buffer {
  return Buffer.alloc(Math.min(part.length * times, MAX_BYTES), part);
}

function inLines(change: (draw: Draw, lines: string[]) => void): Change {
  return (draw, bytes) => {
    const lines = bytes.toString("latin1").split("\n");
    change(draw, lines);
    return Buffer.from(lines.join("\n"), "latin1");
  };
}
