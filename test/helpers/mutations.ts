/** Checkpoints that are damaged, or that were made to do harm. */
import { checksumDigits, checksumOf } from "#src/checkpoint/checksum.js";
import type { Draw } from "./numbers.js";

/** A changed checkpoint, and what was done to it. */
export interface Mutation {
  readonly what: string;
  readonly bytes: Buffer;
}

/** The two parts of a checkpoint after the length of its header. */
export interface Parts {
  readonly header: string;
  readonly data: Buffer;
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** What is written in a header for a tensor, or for the metadata. */
type Member = [name: string, value: Json];

const LENGTH_BYTES = 8;
const METADATA = "__metadata__";
/** Most of what can go wrong is in the header. */
const HEADER_SHARE = 0.7;

export function partsOf(bytes: Buffer): Parts {
  const end = LENGTH_BYTES + Number(bytes.readBigUInt64LE());
  return { header: bytes.toString("utf8", LENGTH_BYTES, end), data: bytes.subarray(end) };
}

/** A checkpoint of these parts, with the right length and checksum. */
export function sealed({ header, data }: Parts): Buffer {
  const text = Buffer.from(header);
  const start = Buffer.alloc(LENGTH_BYTES);
  start.writeBigUInt64LE(BigInt(text.length));
  const bytes = Buffer.concat([start, text, data]);
  const digits = checksumDigits(bytes.subarray(0, LENGTH_BYTES + text.length));
  digits?.fill("0".charCodeAt(0));
  digits?.set(Buffer.from(checksumOf([bytes])).subarray(0, digits.length));
  return bytes;
}

/** A header with another value of its metadata, as it stands in there. */
export function withValue(header: string, key: string, value: string): string {
  return header.replace(new RegExp(`("${key}":)"(?:[^"\\\\]|\\\\.)*"`), `$1"${value}"`);
}

/** What disks, networks and programs do to a file. The checksum stays as it was. */
export function damaged(draw: Draw, bytes: Buffer, other: Buffer): Mutation {
  let [what, changed] = ["", bytes];
  const times = draw.pick([1, 1, 1, 2, 3]);
  for (let time = 0; time < times; time++) {
    const [name, damage] = draw.pick(Object.entries(DAMAGES));
    changed = damage(draw, changed, other);
    what += `${what && ", "}${name}`;
  }
  return { what, bytes: changed };
}

/** The checkpoint that mutated bytes come from; where parts of another make up all of that, the other. */
export function originalOf(mutated: Buffer, original: Buffer, others: readonly Buffer[]): Buffer {
  return others.find((other) => other.equals(mutated)) ?? original;
}

/** What a person with a text editor does: the checksum is right afterwards. */
export function forged(draw: Draw, parts: Parts): Mutation {
  let [what, changed] = ["", parts];
  const times = draw.pick([1, 1, 2]);
  for (let time = 0; time < times; time++) {
    const [name, forgery] = draw.pick(Object.entries(FORGERIES));
    try {
      changed = forgery(draw, changed);
    } catch (error) {
      // The header of the forgery before is no JSON.
      if (!(error instanceof SyntaxError)) throw error;
    }
    what += `${what && ", "}${name}`;
  }
  return { what, bytes: sealed(changed) };
}

type Damage = (draw: Draw, bytes: Buffer, other: Buffer) => Buffer;

const DAMAGES: Readonly<Record<string, Damage>> = {
  "bits flipped": (draw, bytes) => {
    const changed = Buffer.from(bytes);
    const times = 1 + draw.below(8);
    for (let time = 0; time < times && bytes.length > 0; time++) {
      changed[placeIn(draw, bytes)] ^= 1 << draw.below(8);
    }
    return changed;
  },
  "end cut off": (draw, bytes) => bytes.subarray(0, placeIn(draw, bytes)),
  "bytes removed": (draw, bytes) => {
    const at = placeIn(draw, bytes);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + draw.below(9))]);
  },
  "bytes added": (draw, bytes) => {
    const at = placeIn(draw, bytes);
    return Buffer.concat([bytes.subarray(0, at), noise(draw, 9), bytes.subarray(at)]);
  },
  "end added": (draw, bytes) => Buffer.concat([bytes, noise(draw, 5_000)]),
  "sector of zeros": (draw, bytes) => {
    const changed = Buffer.from(bytes);
    const at = 512 * Math.floor(placeIn(draw, bytes) / 512);
    return changed.fill(0, at, Math.min(bytes.length, at + draw.pick([512, 4096])));
  },
  "two parts swapped": (draw, bytes) => {
    const size = draw.pick([1, 2, 4, 64, 512]);
    const [first, second] = [placeIn(draw, bytes), placeIn(draw, bytes)].sort((a, b) => a - b);
    const end = Math.min(first + size, second, bytes.length - size);
    const changed = Buffer.from(bytes);
    for (let from = first; from < end; from++) {
      const to = second + from - first;
      if (to < bytes.length) [changed[from], changed[to]] = [changed[to], changed[from]];
    }
    return changed;
  },
  "part copied elsewhere": (draw, bytes) => {
    const changed = Buffer.from(bytes);
    const from = placeIn(draw, bytes);
    bytes.copy(changed, placeIn(draw, bytes), from, from + draw.pick([4, 64, 512]));
    return changed;
  },
  "end of another": (draw, bytes, other) => {
    const at = placeIn(draw, bytes);
    return Buffer.concat([bytes.subarray(0, at), other.subarray(at)]);
  },
  "middle of another": (draw, bytes, other) => {
    const changed = Buffer.from(bytes);
    const at = placeIn(draw, bytes);
    const end = Math.min(bytes.length, at + draw.pick([8, 512, 4096]));
    changed.set(other.subarray(at, end), at);
    return changed;
  },
  "other length of the header": (draw, bytes) => {
    const changed = Buffer.from(bytes);
    if (bytes.length < LENGTH_BYTES) return changed;
    const length = bytes.readBigUInt64LE();
    const near = BigInt(draw.below(20) - 10);
    changed.writeBigUInt64LE(
      BigInt.asUintN(64, draw.pick([0n, 1n, length + near, 2n ** 21n, 2n ** 53n, 2n ** 63n, -1n])),
    );
    return changed;
  },
};

function placeIn(draw: Draw, bytes: Buffer): number {
  const isHeader = draw.uniform() < HEADER_SHARE && bytes.length > LENGTH_BYTES;
  const end = isHeader ? LENGTH_BYTES + Number(bytes.readBigUInt64LE()) : bytes.length;
  return draw.below(Math.max(1, Math.min(end, bytes.length)));
}

function noise(draw: Draw, most: number): Buffer {
  return Buffer.from(Array.from({ length: 1 + draw.below(most) }, () => draw.below(256)));
}

type Forgery = (draw: Draw, parts: Parts) => Parts;

/** What may stand in JSON, or in its place. */
const TOKENS = [
  ...["0", "-1", "1e999", "9007199254740993", "null", "[]", "{}", "true", '\\"\\"', '"', "\\", ":"],
  ...["65536", "1e308", "-0", "0.5", "[[[[[[[[[[", "\\u0000", "\\ud800", "__proto__", "F64", ","],
];
const NAMES = ["", "__proto__", "constructor", METADATA, "a\0b", "\u202e", "x".repeat(70_000)];
const SIZES = [0, 1, 2, 3, -1, 0.5, 65_536, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300];
const VALUES: readonly Json[] = [
  ...SIZES,
  ...[null, true, "", "1", "gru", "lstm", [], {}, [[[]]], -0, 1e-300, 0.999999],
];

/** The ends of what numbers of a run may be, and what is just beyond. */
const LIMITS = [
  ...[1e15, 1e15 + 1, 2 ** 53 - 2, 2 ** 53 - 1, 1e308, 5e-324, 64, 100_000, 65_536, 1 - 2 ** -53],
];
const CHARACTERS = ["a", "\n", "\u001b", "\u202e", "\ud800", "\ufeff", "\u{10ffff}", "ab", ""];

const FORGERIES: Readonly<Record<string, Forgery>> = {
  "another word in the header": (draw, { header, data }) => {
    const words = [...header.matchAll(/\d+(\.\d+)?|\w+|[[\]{}:,"\\]/g)];
    if (words.length === 0) return { header, data };
    const { index, 0: word } = draw.pick(words);
    const changed = header.slice(0, index) + draw.pick(TOKENS) + header.slice(index + word.length);
    return { header: changed, data };
  },
  "two names swapped": inMembers((draw, members) => {
    const [first, second] = [draw.pick(members), draw.pick(members)];
    [first[0], second[0]] = [second[0], first[0]];
  }),
  "two tensors swapped": inMembers((draw, members) => {
    const [first, second] = [draw.pick(members), draw.pick(members)];
    [first[1], second[1]] = [second[1], first[1]];
  }),
  "another name": inMembers((draw, members) => {
    draw.pick(members)[0] = draw.pick([...NAMES, ...members.map(([name]) => name)]);
  }),
  "another description of a tensor": inMembers((draw, members) => {
    const member = draw.pick(members);
    member[1] = changedSomewhere(draw, member[1]);
  }),
  "another shape of as many numbers": inMembers((draw, members) => {
    const [, value] = draw.pick(members);
    if (!isObject(value) || !Array.isArray(value.shape)) return;
    const shape = value.shape as number[];
    const whole = shape.reduce((product, size) => product * size, 1);
    value.shape = draw.pick([shape.toReversed(), [whole], [...shape, 1], [1, whole], []]);
  }),
  "another element type": inMembers((draw, members) => {
    const [, value] = draw.pick(members);
    if (isObject(value)) value.dtype = draw.pick(["I32", "F64", "F16", "U8", "F4", "f32", ""]);
  }),
  "other offsets": inMembers((draw, members) => {
    const [, value] = draw.pick(members);
    if (!isObject(value) || !Array.isArray(value.data_offsets)) return;
    const by = draw.pick([1, 4, -4, 1_000_000]);
    value.data_offsets = value.data_offsets.map((offset) => Number(offset) + by);
  }),
  "a member left out": inMembers((draw, members) => {
    members.splice(draw.below(members.length), 1);
  }),
  "a member twice": inMembers((draw, members) => {
    members.splice(draw.below(members.length), 0, structuredClone(draw.pick(members)));
  }),
  "a tensor more": inMembers((draw, members) => {
    const entry = { dtype: "F32", shape: [draw.pick([0, 1])], data_offsets: [0, 0] };
    members.push([draw.pick([...NAMES, "more"]), entry]);
  }),
  "members in another order": inMembers((draw, members) => {
    members.push(...draw.shuffled(members.splice(0)));
  }),
  "another fact": inFacts((draw, facts) => changedSomewhere(draw, facts)),
  "other metadata": inMembers((draw, members) => {
    const metadata = members.find(([name]) => name === METADATA)?.[1];
    if (!isObject(metadata)) return;
    const key = draw.pick(Object.keys(metadata));
    if (draw.uniform() < 0.5) metadata[draw.pick(NAMES)] = metadata[key];
    if (draw.uniform() < 0.5) delete metadata[key];
    else metadata[key] = draw.pick(VALUES);
  }),
  "a number at its limit": inFacts((draw, facts) => {
    const text = JSON.stringify(facts);
    const numbers = [...text.matchAll(/(?<=:)\d+(\.\d+)?(?=[,}])/g)];
    if (numbers.length === 0) return facts;
    const { index, 0: number } = draw.pick(numbers);
    const limit = JSON.stringify(draw.pick(LIMITS));
    return JSON.parse(text.slice(0, index) + limit + text.slice(index + number.length));
  }),
  "other characters": inMembers((draw, members) => {
    const metadata = members.find(([name]) => name === METADATA)?.[1];
    if (!isObject(metadata)) return;
    const vocabulary: Json = JSON.parse(String(metadata.vocabulary));
    if (!Array.isArray(vocabulary) || vocabulary.length === 0) return;
    vocabulary[draw.below(vocabulary.length)] = draw.pick(CHARACTERS);
    metadata.vocabulary = json(vocabulary);
  }),
  "a long text in the metadata": inMembers((draw, members) => {
    const metadata = members.find(([name]) => name === METADATA)?.[1];
    if (isObject(metadata)) metadata.note = "x".repeat(draw.pick([1_900_000, 3_000_000]));
  }),
  "one number all over": (draw, { header, data }) => {
    const value = Buffer.alloc(4);
    value.writeFloatLE(draw.pick([3e38, -1, 0, 1e-45]));
    return { header, data: Buffer.alloc(data.length, value) };
  },
  "lists in lists": inFacts((draw) => {
    const depth = draw.pick([3, 9, 10, 1_000]);
    return JSON.parse("[".repeat(depth) + "]".repeat(depth));
  }),
  "many values": inFacts((draw) => {
    return Array.from({ length: draw.pick([2_000, 40_000]) }, (_, index) => index);
  }),
  "other numbers": (draw, { header, data }) => {
    const changed = Buffer.from(data);
    const times = draw.pick([1, 5, 500]);
    const values = [Number.NaN, Number.POSITIVE_INFINITY, 3e38, -3e38, 1e-45, -0, 1e6];
    for (let time = 0; time < times && data.length >= 4; time++) {
      changed.writeFloatLE(draw.pick(values), 4 * draw.below(Math.floor(data.length / 4)));
    }
    return { header, data: changed };
  },
  "data cut or longer": (draw, { header, data }) => {
    const more = noise(draw, 64);
    const changed =
      draw.uniform() < 0.5 ? data.subarray(0, -more.length) : Buffer.concat([data, more]);
    return { header, data: changed };
  },
};

/** Changes the list of what a header has. */
function inMembers(change: (draw: Draw, members: Member[]) => void): Forgery {
  return (draw, { header, data }) => {
    const members: Member[] = Object.entries(JSON.parse(header));
    if (members.length > 0) change(draw, members);
    const written = members.map(([name, value]) => `${json(name)}:${json(value)}`);
    return { header: `{${written}}`, data };
  };
}

/** Changes one of the JSON texts in the metadata. */
function inFacts(change: (draw: Draw, facts: Json) => Json): Forgery {
  return inMembers((draw, members) => {
    const metadata = members.find(([name]) => name === METADATA)?.[1];
    if (!isObject(metadata)) return;
    const key = draw.pick(["config", "config", "progress", "vocabulary", "random", "format"]);
    metadata[key] = json(change(draw, JSON.parse(String(metadata[key] ?? "null"))));
  });
}

/** A copy with another value, another key, or one less, somewhere in it. */
function changedSomewhere(draw: Draw, value: Json): Json {
  const isList = Array.isArray(value);
  if ((!isList && !isObject(value)) || Object.keys(value).length === 0 || draw.uniform() < 0.02) {
    return draw.pick(VALUES);
  }
  const entries = Object.entries(value);
  const at = draw.below(entries.length);
  const [key, inner] = entries[at];
  const kind = draw.uniform();
  if (kind < 0.8) entries[at] = [key, changedSomewhere(draw, inner)];
  else if (kind < 0.9) entries.splice(at, 1);
  else entries.push([draw.pick([...NAMES, key]), inner]);
  return isList ? entries.map(([, entry]) => entry) : Object.fromEntries(entries);
}

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function json(value: Json): string {
  return JSON.stringify(value);
}
