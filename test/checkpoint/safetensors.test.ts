import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { pythonWith } from "#bench/peers/find.js";
import { checksumOf } from "#src/checkpoint/checksum.js";
import {
  decodeHeader,
  encodeSafetensors,
  headerSize,
  type NamedTensor,
} from "#src/checkpoint/safetensors.js";
import { CharnnError } from "#src/errors.js";
import { failsWith } from "../helpers/failure.js";
import fc from "../helpers/fast-check.js";
import { temporaryFolder } from "../helpers/folder.js";
import { decodeSafetensors } from "../helpers/safetensors.js";

/** A file made by hand: the header as it is given, and `dataBytes` bytes of data. */
function fileOf(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const text = Buffer.from(header);
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([start, text, Buffer.alloc(dataBytes, 1)]);
}

/** What a header says of an F32 tensor `[elements]`. */
function entry(start: number, end: number, elements: number | string = (end - start) / 4): string {
  return `{"dtype":"F32","shape":[${elements}],"data_offsets":[${start},${end}]}`;
}

function encoded(tensors: Iterable<NamedTensor>, metadata = new Map<string, string>()): Uint8Array {
  const { header, data } = encodeSafetensors(tensors, metadata);
  return Buffer.concat([header, ...data]);
}

function bitsOf({ data }: NamedTensor): number[] {
  return [
    ...new Uint32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)),
  ];
}

/** Decodes and asks for all data: undefined where the file is refused as it should be. */
function decodedOrRefused(bytes: Uint8Array): Map<string, NamedTensor> | undefined {
  try {
    const { tensors } = decodeSafetensors(bytes);
    for (const { shape, data } of tensors.values()) {
      assert.equal(
        data.length,
        shape.reduce((product, size) => product * size, 1),
      );
    }
    return new Map(tensors);
  } catch (error) {
    if (!(error instanceof CharnnError) || error.code !== "BAD_CHECKPOINT") throw error;
    return undefined;
  }
}

const name = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "1", "0", "rnn.weight_ih_l0", ""),
  fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
);

const namedTensor: fc.Arbitrary<NamedTensor> = fc
  .record({ name, shape: fc.array(fc.nat(4), { maxLength: 3 }) })
  .chain(({ name, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const bits = fc.uint32Array({ minLength: length, maxLength: length });
    return bits.map(({ buffer }) => ({ name, shape, data: new Float32Array(buffer, 0, length) }));
  });

const small: readonly NamedTensor[] = [
  { name: "decoder.bias", shape: [2], data: Float32Array.of(0.5, -2) },
  { name: "state", shape: [1, 3], data: Float32Array.of(1, 2, 3) },
];

test("tensors and metadata of any names, shapes and bits come back as they were", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(namedTensor, { selector: (tensor) => tensor.name, maxLength: 5 }),
      fc.uniqueArray(fc.tuple(name, fc.string({ unit: "binary" })), { selector: ([key]) => key }),
      (tensors, pairs) => {
        const file = decodeSafetensors(encoded(tensors, new Map(pairs)));
        assert.deepEqual(new Map(file.metadata), new Map(pairs));
        assert.equal(file.tensors.size, tensors.length);
        for (const tensor of tensors) {
          const back = file.tensors.get(tensor.name);
          assert.ok(back);
          assert.equal(back.name, tensor.name);
          assert.deepEqual(back.shape, tensor.shape);
          assert.deepEqual(bitsOf(back), bitsOf(tensor));
        }
      },
    ),
  );
});

test("NaN keeps its bits, and infinities and minus zero stay", () => {
  const data = new Float32Array(
    Uint32Array.of(0x7fc00001, 0xffc00000, 0x7f800000, 0xff800000, 0x80000000).buffer,
  );
  const tensor = { name: "odd", shape: [5], data };
  const back = decodeSafetensors(encoded([tensor])).tensors.get("odd");
  assert.ok(back);
  assert.deepEqual(bitsOf(back), bitsOf(tensor));
});

test("the bytes of a file are fixed: keys and tensors in the order given, then spaces", () => {
  const metadata = new Map([
    ["b", "2"],
    ["a", "1"],
  ]);
  const { header, data } = encodeSafetensors(small, metadata);
  const text =
    '{"__metadata__":{"b":"2","a":"1"},' +
    '"decoder.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' +
    '"state":{"dtype":"F32","shape":[1,3],"data_offsets":[8,20]}}';
  const length = Math.ceil(text.length / 8) * 8;
  assert.notEqual(length, text.length);
  assert.equal(Buffer.from(header).toString("utf8", 8), text.padEnd(length, " "));
  assert.equal(Buffer.from(header).readBigUInt64LE(), BigInt(length));
  assert.deepEqual(
    Buffer.concat(data).toString("hex"),
    `${"0000003f"}${"000000c0"}${"0000803f"}${"00000040"}${"00004040"}`,
  );
});

test("writing copies no tensor, and takes those that are views of a larger array", () => {
  const all = Float32Array.of(0, 1, 2, 3);
  const part = { name: "part", shape: [2], data: all.subarray(1, 3) };
  const { data } = encodeSafetensors([part], new Map());
  assert.equal(data[0].buffer, all.buffer);
  assert.deepEqual(
    [...(decodeSafetensors(encoded([part])).tensors.get("part")?.data ?? [])],
    [1, 2],
  );
});

test("tensors come in the order of their data, not in that of the header", () => {
  const { tensors } = decodeSafetensors(fileOf(`{"b":${entry(4, 8)},"a":${entry(0, 4)}}`, 8));
  assert.deepEqual([...tensors.keys()], ["a", "b"]);
});

test("names, shapes and metadata are read from the header alone, which is held to the file's size", () => {
  const bytes = encoded(small, new Map([["format", "x"]]));
  const size = headerSize(bytes.subarray(0, 8), bytes.length);
  const header = decodeHeader(bytes.subarray(0, size), bytes.length);
  assert.equal(header.metadata.get("format"), "x");
  assert.equal(header.dataStart, size);
  assert.deepEqual(header.tensors.get("state"), {
    type: "F32",
    shape: [1, 3],
    start: 8,
    end: 20,
  });
  assert.throws(
    () => decodeHeader(bytes.subarray(0, size), bytes.length - 1),
    failsWith("BAD_CHECKPOINT", `ends after ${bytes.length - 1} of ${bytes.length} bytes`),
  );
});

const metadataOf = (members: string) => `{"__metadata__":{${members}}}`;
const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;

const malformed: readonly [what: string, bytes: Uint8Array, says: string | RegExp][] = [
  ["an empty file", new Uint8Array(0), "ends after 0 bytes, before its header"],
  ["half a length", new Uint8Array(7), "ends after 7 bytes, before its header"],
  ["a header of no bytes", fileOf(""), "not a JSON object"],
  ["a text file", Buffer.from("First Citizen:\nBefore we proceed"), "not a safetensors file"],
  ["a header longer than the file", fileOf("{}", 0, 3n), "ends after 10 bytes, and its header"],
  ["a header of 2^24 + 1 bytes", fileOf("{}", 0, 2n ** 24n + 1n), "not a safetensors file"],
  ["a header of 2^53 bytes", fileOf("{}", 0, 2n ** 53n), "not a safetensors file"],
  ["a header of 2^64 - 1 bytes", fileOf("{}", 0, 2n ** 64n - 1n), "not a safetensors file"],
  ["bytes that are not UTF-8", fileOf(Buffer.from([0x7b, 0xff, 0x7d])), "not UTF-8"],
  ["a byte order mark", fileOf("\ufeff{}"), "names and whole numbers"],
  ["a space before the header", fileOf(" {}"), "not a JSON object"],
  ["a header that is a list", fileOf("[]"), "not a JSON object"],
  ["a header that is cut", fileOf('{"a":'), "not a JSON object"],
  ["two objects", fileOf("{}{}"), "not JSON"],
  ["an open string", fileOf('{"a}'), "not JSON"],
  ["an escape that is none", fileOf('{"\\x":1}'), "not JSON"],
  ["NULs as padding", fileOf("{}\0\0"), "names and whole numbers"],
  ["line ends as padding", fileOf("{}\n"), "not a JSON object with nothing but spaces"],
  ["an entry that is null", fileOf('{"a":null}'), "names and whole numbers"],
  ["an entry that is a number", fileOf('{"a":1}'), '"a" something that is not an object'],
  ["an entry that is a list", fileOf('{"a":[]}'), '"a" something that is not an object'],
  ["metadata that is a list", fileOf('{"__metadata__":[]}'), "not an object"],
  ["metadata that is not text", fileOf(metadataOf('"a":1')), 'metadata "a" is not a text'],
  ["metadata with half a character", fileOf(metadataOf('"a":"\\ud800"')), "not a text"],
  ["an entry without members", fileOf('{"a":{}}'), '"a" is not described by'],
  ["no offsets", fileOf('{"a":{"dtype":"F32","shape":[1]}}', 4), '"a" is not described by'],
  [
    "a member too many",
    fileOf('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":"y"}}', 4),
    '"a" is not described by',
  ],
  [
    "numbers of half precision",
    fileOf('{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 4),
    '"a" has elements of type "F16", and only F32 is read',
  ],
  [
    "an unknown element type",
    fileOf('{"a":{"dtype":"F31","shape":[],"data_offsets":[0,4]}}', 4),
    'elements of type "F31"',
  ],
  [
    "an element type that is an object",
    fileOf('{"a":{"dtype":{},"shape":[],"data_offsets":[0,4]}}', 4),
    "elements of type",
  ],
  ["a shape of text", fileOf(`{"a":${entry(0, 4, '"1"')}}`, 4), "is not described by"],
  ["a negative size", fileOf(`{"a":${entry(0, 4, "-1")}}`, 4), 'has "-" where'],
  ["a size with a fraction", fileOf(`{"a":${entry(0, 4, "1.0")}}`, 4), 'has "." where'],
  ["a size with an exponent", fileOf(`{"a":${entry(0, 40, "1e1")}}`, 40), 'has "e" where'],
  ["a size beyond 2^53", fileOf(`{"a":${entry(0, 4, "9007199254740993")}}`, 4), "not described"],
  ["a size of a thousand digits", fileOf(`{"a":${entry(0, 4, "9".repeat(1000))}}`, 4), "not descr"],
  ["a size with a leading zero", fileOf(`{"a":${entry(0, 4, "01")}}`, 4), "not JSON"],
  ["shapes that wrap to zero", fileOf(`{"a":${entry(0, 0, "4294967296,4294967296")}}`), "0 bytes"],
  [
    "an overflow before a zero",
    fileOf(`{"a":${entry(0, 0, "9007199254740991,9007199254740991,0")}}`),
    "0 bytes",
  ],
  ["a shape that needs more", fileOf(`{"a":${entry(0, 4, 2)}}`, 4), "has 4 bytes, which is not"],
  ["a shape that needs less", fileOf(`{"a":${entry(0, 8, 1)}}`, 8), "has 8 bytes, which is not"],
  ["an end before the beginning", fileOf(`{"a":${entry(4, 0, 1)}}`, 4), "does not end after"],
  [
    "one offset",
    fileOf('{"a":{"dtype":"F32","shape":[],"data_offsets":[0]}}', 4),
    "does not end after",
  ],
  ["no byte at the beginning", fileOf(`{"a":${entry(4, 8)}}`, 8), 'hole of 4 bytes before "a"'],
  ["a hole", fileOf(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), 'hole of 4 bytes before "b"'],
  ["an overlap", fileOf(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12), '"b" overlaps'],
  ["one range twice", fileOf(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4), '"b" overlaps'],
  ["data that is cut", fileOf(`{"a":${entry(0, 4096)}}`, 812), /ends after [\d,]+ of 4,\d+ bytes/],
  ["data that goes on", fileOf(`{"a":${entry(0, 4)}}`, 7), "goes on for 3 bytes"],
  ["data without tensors", fileOf("{}", 1), "goes on for 1 bytes"],
  ["a tensor twice", fileOf(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), "a key twice"],
  ["a tensor twice, escaped", fileOf(`{"a":${entry(0, 4)},"\\u0061":${entry(0, 4)}}`, 4), "twice"],
  [
    "a tensor twice in another shape",
    fileOf(`{"a":{"b":{}},"a":${entry(0, 4)}}`, 4),
    "a key twice",
  ],
  [
    "__proto__ twice",
    fileOf(`{"__proto__":${entry(0, 4)},"__proto__":${entry(0, 4)}}`, 4),
    "twice",
  ],
  ["metadata twice", fileOf('{"__metadata__":{},"__metadata__":{}}'), "a key twice"],
  ["a metadata key twice", fileOf(metadataOf('"a":"x","a":"y"')), "a key twice"],
  [
    "a member twice",
    fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4),
    "a key twice",
  ],
  ["a NUL in a name", fileOf(`{"a\\u0000":${entry(0, 4)}}`, 4), "has a NUL character"],
  ["half a character in a name", fileOf(`{"\\udc00":${entry(0, 4)}}`, 4), "is not Unicode text"],
  ["lists in lists", fileOf(deep), "too deep in each other"],
];

for (const [what, bytes, says] of malformed) {
  test(`refused: ${what}`, () => {
    assert.throws(() => decodeSafetensors(bytes), failsWith("BAD_CHECKPOINT", says));
  });
}

test("colons and quotes in names are not taken for members", () => {
  const odd = '":{[\\"}],: 1e3';
  const bytes = encoded(
    [{ name: odd, shape: [], data: Float32Array.of(1) }],
    new Map([[odd, odd]]),
  );
  const { tensors, metadata } = decodeSafetensors(bytes);
  assert.deepEqual([...tensors.keys()], [odd]);
  assert.equal(metadata.get(odd), odd);
});

test("white space inside the header and spaces after it are allowed", () => {
  const { tensors } = decodeSafetensors(fileOf(`{\n\t"a" : ${entry(0, 4)}\r\n}   `, 4));
  assert.deepEqual([...tensors.keys()], ["a"]);
});

test("a message stays short, no matter how long the name that it shows", () => {
  const bytes = fileOf(`{"${"x".repeat(100_000)}":{}}`);
  assert.throws(
    () => decodeSafetensors(bytes),
    (error: Error) => error.message.length < 300,
  );
});

test("a file cut anywhere, or longer by a byte, is refused", () => {
  const bytes = encoded(small, new Map([["format", "x"]]));
  assert.ok(decodedOrRefused(bytes));
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(decodedOrRefused(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
  assert.equal(decodedOrRefused(Buffer.concat([bytes, Buffer.of(0)])), undefined);
});

/** `bytes` with one bit changed, for every bit of the length and the header. */
function* bitFlips(bytes: Uint8Array): Generator<Uint8Array> {
  const { dataStart } = decodeHeader(bytes, bytes.length);
  for (let bit = 0; bit < dataStart * 8; bit++) {
    const flipped = Uint8Array.from(bytes);
    flipped[bit >> 3] ^= 1 << (bit & 7);
    yield flipped;
  }
}

test("a changed bit in the header is refused, or changes no more than a name", () => {
  const bytes = encoded(small, new Map([["format", "x"]]));
  for (const flipped of bitFlips(bytes)) {
    const tensors = decodedOrRefused(flipped);
    if (!tensors) continue;
    assert.deepEqual(
      [...tensors.values()].map(({ shape, data }) => [shape, [...data]]),
      small.map(({ shape, data }) => [shape, [...data]]),
    );
  }
});

test("a header with damaged text is read or refused with an error of this format, and nothing else happens", () => {
  const { header, data } = encodeSafetensors(small, new Map([["format", "x"]]));
  const text = Buffer.from(header).toString("utf8", 8);
  const damage = fc.constantFrom(
    ...["{", "}", "[", "]", ",", ":", '"', "\\", "0", "8", "-1", "1e3", "9".repeat(20), "null"],
    ...['"a"', '"steps":', '"__proto__":', '"__metadata__":{}', '"F64"', "\0", "\ud800", " ", "é"],
  );
  const place = fc.nat(text.length);
  const edits = fc.array(fc.tuple(place, fc.nat(12), damage), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(edits, (list) => {
      let damaged = text;
      for (const [at, removed, added] of list) {
        damaged = damaged.slice(0, at) + added + damaged.slice(at + removed);
      }
      const file = Buffer.concat([fileOf(damaged), ...data]);
      const tensors = decodedOrRefused(file);
      if (!tensors) return;
      const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.data.byteLength, 0);
      assert.equal(bytes, 20);
    }),
    { numRuns: 3000 },
  );
});

test("a header that is too long says so where the file has all of it", () => {
  const length = 2n ** 24n + 1n;
  assert.throws(
    () => headerSize(fileOf("{}", 0, length), 2 ** 30),
    failsWith("BAD_CHECKPOINT", "its header has 16,777,217 bytes", "at most 2,097,152"),
  );
});

test("random bytes are read or refused with an error of this format, and nothing else happens", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodedOrRefused(bytes)));
});

test("writing throws where names, shapes or data would make a wrong file", () => {
  const [tensor] = small;
  const encode = (...tensors: NamedTensor[]) => encodeSafetensors(tensors, new Map());
  assert.throws(() => encode(tensor, tensor), /"decoder.bias" is there twice/);
  assert.throws(() => encode({ ...tensor, name: "__metadata__" }), /is reserved/);
  assert.throws(() => encode({ ...tensor, name: "a\0" }), /NUL/);
  assert.throws(() => encode({ ...tensor, name: "\ud800" }), /not Unicode/);
  assert.throws(() => encode({ ...tensor, shape: [3] }), /has shape \[3\], but 2 elements/);
  assert.throws(() => encodeSafetensors([], new Map([["a", "\ud800"]])), /not Unicode/);
});

test("the checksum is SHA-256 over all pieces as one", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(checksumOf([Buffer.from("abc")]), abc);
  assert.equal(checksumOf([Buffer.from("a"), Buffer.from(""), Buffer.from("bc")]), abc);
});

/** Runs a Python program with these modules, or skips the test. */
function runPython(
  t: TestContext,
  modules: string[],
  program: string,
  ...values: string[]
): string | undefined {
  const python = pythonWith(...modules);
  if (python !== undefined) {
    return execFileSync(python, ["-c", program, ...values], { encoding: "utf8" });
  }
  t.skip(`no Python with ${modules.join(" and ")}: \`npm run peers\` gets one`);
  return undefined;
}

const READ_IN_PYTHON = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="numpy") as file:
    tensors = {}
    for name in file.keys():
        array = file.get_tensor(name)
        tensors[name] = [str(array.dtype), list(array.shape), array.tobytes().hex()]
    print(json.dumps({"metadata": file.metadata(), "tensors": tensors}))
`;

test("Python's safetensors reads what is written here", async (t) => {
  const file = path.join(await temporaryFolder(t), "ours.safetensors");
  const tensors: NamedTensor[] = [
    ...small,
    { name: "scalar", shape: [], data: Float32Array.of(Number.NaN) },
    { name: "empty", shape: [0, 4], data: new Float32Array(0) },
    { name: "Ünïcode \u{1f600}", shape: [1], data: Float32Array.of(Number.NEGATIVE_INFINITY) },
  ];
  await writeFile(file, encoded(tensors, new Map([["vocabulary", '["\\n"," ","\u{1f600}"]']])));
  const output = runPython(t, ["safetensors", "numpy"], READ_IN_PYTHON, file);
  if (output === undefined) return;
  assert.deepEqual(JSON.parse(output), {
    metadata: { vocabulary: '["\\n"," ","\u{1f600}"]' },
    tensors: Object.fromEntries(
      tensors.map(({ name, shape, data }) => [
        name,
        [
          "float32",
          shape,
          Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
        ],
      ]),
    ),
  });
});

const WRITE_IN_PYTHON = `
import sys
import numpy as np
from safetensors.numpy import save_file
save_file({
    "grid": np.arange(6, dtype=np.float32).reshape(2, 3),
    "odd": np.array([np.nan, np.inf, -0.0], dtype=np.float32),
    "scalar": np.array(7, dtype=np.float32),
    "empty": np.zeros((0, 5), dtype=np.float32),
}, sys.argv[1], metadata={"format": "x", "é": "\\n"})
`;

test("what Python's safetensors writes is read here", async (t) => {
  const file = path.join(await temporaryFolder(t), "theirs.safetensors");
  if (runPython(t, ["safetensors", "numpy"], WRITE_IN_PYTHON, file) === undefined) return;
  const { tensors, metadata } = decodeSafetensors(await readFile(file));
  assert.deepEqual(
    new Map(metadata),
    new Map([
      ["format", "x"],
      ["é", "\n"],
    ]),
  );
  const read = (name: string) => [tensors.get(name)?.shape, tensors.get(name)?.data];
  assert.deepEqual(read("grid"), [[2, 3], Float32Array.of(0, 1, 2, 3, 4, 5)]);
  assert.deepEqual(read("odd"), [[3], Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, -0)]);
  assert.deepEqual(read("scalar"), [[], Float32Array.of(7)]);
  assert.deepEqual(read("empty"), [[0, 5], new Float32Array(0)]);
});

const TRY_IN_PYTHON = `
import json, sys
from safetensors import SafetensorError, deserialize
def accepts(line):
    try:
        deserialize(bytes.fromhex(line))
        return True
    except SafetensorError:
        return False
print(json.dumps([accepts(line) for line in open(sys.argv[1]).read().split("\\n")]))
`;

test("what Python's safetensors refuses is refused here", async (t) => {
  const folder = await temporaryFolder(t);
  const files = [
    encoded(small),
    ...malformed.map(([, bytes]) => bytes),
    ...bitFlips(encoded(small, new Map([["format", "x"]]))),
  ];
  const lines = path.join(folder, "files.txt");
  await writeFile(lines, files.map((bytes) => Buffer.from(bytes).toString("hex")).join("\n"));
  const output = runPython(t, ["safetensors"], TRY_IN_PYTHON, lines);
  if (output === undefined) return;
  const accepted: boolean[] = JSON.parse(output);
  assert.equal(accepted.length, files.length);
  assert.equal(accepted[0], true);
  for (const [index, bytes] of files.entries()) {
    if (accepted[index]) continue;
    assert.equal(decodedOrRefused(bytes), undefined, Buffer.from(bytes).toString("latin1"));
  }
});
