/** The addon checks all that it is given: what is wrong throws a TypeError that names it, and changes nothing. */
import assert from "node:assert/strict";
import { openSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Addon } from "#src/backends/native/addon.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { onTheAddon } from "../../helpers/addon.js";
import {
  backwardArguments,
  crossEntropyArguments,
  decodeArguments,
  detached,
  forwardArguments,
  SOURCES,
  sizesOf,
  stepArguments,
} from "../../helpers/addon-calls.js";
import { Draw } from "../../helpers/numbers.js";
import { recordCalls } from "../../helpers/record-calls.js";
import { rowCalls } from "../../helpers/row-calls.js";

type Values = Readonly<Record<string, unknown>>;

/** A function of the addon's with arguments that are all right, and all of which it looks at. */
interface Call {
  readonly title: string;
  readonly name: keyof Addon;
  readonly values: Values;
}

/** What may be left out. */
const OPTIONAL = new Set(["average", "nonzero"]);

onTheAddon("A function of the native addon", (addon) => {
  const run = (name: keyof Addon, values: unknown) =>
    (addon[name] as (v: unknown) => unknown)(values);

  for (const [name, right, mistake, message] of someMistakes(addon)) {
    const [[argument, wrong]] = Object.entries(mistake);
    test(`A function of the native addon refuses ${argument} = ${describeValue(wrong)} of ${name}: ${message}`, () => {
      assert.throws(() => run(name, { ...right, ...mistake }), { name: "TypeError", message });
    });
  }

  for (const { title, name, values } of calls(addon)) {
    test(`A function of the native addon refuses each wrong value of each argument: ${title}`, () => {
      run(name, values);
      for (const wrong of [undefined, null, 5, "text", true, []]) {
        assert.throws(() => run(name, wrong), TypeError, `${wrong}`);
      }
      const before = bytesOf(values);
      for (const { what, changed } of everyMistake(values)) {
        assert.throws(
          () => run(name, changed),
          (error) => error instanceof TypeError && error.message.length > 10,
          `${name} with ${what}`,
        );
      }
      assert.deepEqual(bytesOf(values), before);
      run(name, values);
    });

    test(`A function of the native addon says which argument is missing: ${title}`, () => {
      // Each of these may be given as the other.
      const others = new Map([
        ["vectors", "inputPanels"],
        ["gradientOutput", "gradientOutputPanels"],
      ]);
      for (const argument of Object.keys(values)) {
        if (OPTIONAL.has(argument)) continue;
        const says = new RegExp(`\\b(${argument}|${others.get(argument) ?? argument})\\b`);
        assert.throws(() => run(name, { ...values, [argument]: undefined }), says);
      }
    });
  }

  test("A function of the native addon throws on what a property of its argument throws", () => {
    const values = {
      get count(): number {
        throw new RangeError("not today");
      },
    };
    assert.throws(() => addon.adamStep(values as never), /not today/);
  });
});

type Mistake = [name: keyof Addon, right: object, mistake: Values, message: string];

/** One of each kind, to be read; the table of wrong values below has all. */
function someMistakes(addon: Addon): Mistake[] {
  const draw = new Draw(3);
  const layer = forwardArguments(addon, sizesOf("gru", "vectors"), draw);
  const reading = forwardArguments(addon, sizesOf("gru", "embedded"), draw);
  const decoder = crossEntropyArguments(addon, sizesOf("gru", "vectors"), draw);
  const step = stepArguments(40, draw);
  const masked = forwardArguments(addon, sizesOf("gru", "panels"), draw);
  const mask = { rate: 0.5, key0: 7, key1: 8 };
  const shape = { cell: "lstm", layers: 2, sequences: 3, hidden: 5, vocabulary: 7 } as const;
  const session = decodeArguments({ ...shape, embedding: 4 }, draw);
  const [lowest, upper] = session.weights;
  const { weightIh, biasIh } = layer;
  const { packGradients, addRecords, unpackGradients } = recordCalls(draw);
  const { records } = addRecords;
  const { sumRows } = rowCalls(draw);
  const rowSums = { ...sumRows, rows: sumRows.rows.map((row) => Math.min(row, 5)) };
  return [
    // Arrays
    [
      "forwardSequence",
      layer,
      { weightIh: weightIh.subarray(1) },
      "weightIh must be a Float32Array of 270, not of 269.",
    ],
    ["forwardSequence", layer, { biasIh: undefined }, "biasIh must be a Float32Array."],
    ["forwardSequence", layer, { biasIh: [...biasIh] }, "biasIh must be a Float32Array."],
    [
      "forwardSequence",
      layer,
      { biasIh: Float64Array.from(biasIh) },
      "biasIh must be a Float32Array.",
    ],
    ["forwardSequence", layer, { biasIh: biasIh.buffer }, "biasIh must be a Float32Array."],
    [
      "forwardSequence",
      layer,
      { biasIh: detached(biasIh) },
      "biasIh must be a Float32Array of 15, not of 0.",
    ],
    ["adamStep", step, { count: 39 }, "parameters must be a Float32Array of 39, not of 40."],
    [
      "packGradients",
      packGradients,
      { record: packGradients.record.subarray(1) },
      "record must be a Uint8Array of 520, not of 519.",
    ],
    [
      "unpackGradients",
      unpackGradients,
      { count: 600 },
      "record must be a Uint8Array of 780, not of 520.",
    ],
    [
      "addRecords",
      addRecords,
      { sum: new Int8Array(addRecords.sum.length) },
      "sum must be a Uint8Array.",
    ],
    ["addRecords", addRecords, { count: 4 }, "records must be a Uint8Array of 2080, not of 1560."],
    ["addRecords", addRecords, { count: 4097 }, "count must be a whole number from 1 to 4096."],
    [
      "addRecords",
      addRecords,
      { sum: records.subarray(0, 520) },
      "records and sum must not overlap.",
    ],
    [
      "addRecords",
      { ...addRecords, records: records.subarray(0, 520), count: 1 },
      { sum: records.subarray(519, 1039) },
      "records and sum must not overlap.",
    ],
    ["sumRows", rowSums, { tableRows: 6 }, "table must be a Float32Array of 30, not of 35."],
    ["sumRows", rowSums, { rows: rowSums.rows.with(3, 7) }, "rows must be below 7, not 7."],
    // Tokens
    [
      "forwardSequence",
      reading,
      { tokens: reading.tokens?.with(3, 9) },
      "tokens must be below 9, not 9.",
    ],
    [
      "forwardSequence",
      reading,
      { tokens: reading.tokens?.with(3, -1) },
      "tokens must be below 9, not -1.",
    ],
    [
      "crossEntropy",
      decoder,
      { targets: decoder.targets.with(3, 9) },
      "targets must be below 9, not 9.",
    ],
    // Numbers
    ["forwardSequence", layer, { time: -1 }, "time must be a whole number from 1 to 2147483648."],
    ["forwardSequence", layer, { time: 2.5 }, "time must be a whole number from 1 to 2147483648."],
    ["forwardSequence", layer, { time: "3" }, "time must be a number."],
    [
      "forwardSequence",
      masked,
      { weightMask: { ...mask, rate: 1 } },
      "rate must be above 0 and below 1.",
    ],
    [
      "forwardSequence",
      masked,
      { weightMask: { ...mask, key0: 2 ** 32 } },
      "key0 must be a whole number from 0 to 4294967295.",
    ],
    ["setThreads", {}, { threads: 0 }, "threads must be a whole number from 1 to 1024."],
    // Names and flags
    ["forwardSequence", layer, { cell: "transformer" }, "cell must be gru, lstm or rnn."],
    ["forwardSequence", layer, { hasStateMask: 1 }, "hasStateMask must be true or false."],
    [
      "setInstructionSet",
      {},
      { name: "abacus" },
      "This processor, or this build, does not have abacus.",
    ],
    // Lists of layers
    ["openDecodeSession", session, { weights: [lowest] }, "weights must be an array of 2."],
    [
      "openDecodeSession",
      session,
      { weights: [lowest, null] },
      "weights must be an array of objects.",
    ],
    [
      "openDecodeSession",
      session,
      { weights: [lowest, { ...upper, biasIh }] },
      "biasIh must be a Float32Array of 20, not of 15.",
    ],
  ];
}

/** Each function, in ways in which it looks at all of its arguments. */
function calls(addon: Addon): Call[] {
  const draw = new Draw(2);
  const layers = SOURCES.map((source, index) => sizesOf(CELL_NAMES[index % 3], source));
  const masks = { inputMasks: 2, hasStateMask: false, hasWeightMask: true };
  const shape = {
    hasEmbedding: false,
    cell: "gru",
    time: 3,
    batch: 2,
    input: 4,
    hidden: 5,
    vocabulary: 0,
    ...masks,
  } as const;
  const array = new Float32Array(40);
  const session = { cell: "lstm", layers: 2, sequences: 3, hidden: 5, vocabulary: 7 } as const;
  const step = stepArguments(40, draw);
  const { firstMoment, secondMoment, beta1, beta2, stepSize, gradientSize, correction, ...others } =
    step;
  const { moment, momentum, decay, epsilon, ...common } = others;
  const adam = {
    ...common,
    firstMoment,
    secondMoment,
    beta1,
    beta2,
    epsilon,
    stepSize,
    gradientSize,
    correction,
  };
  return [
    ["setThreads", { threads: addon.describe().threads }],
    ["setInstructionSet", { name: addon.describe().instructionSet }],
    ["align", { array, count: 40 }],
    ["sequenceScratch", shape],
    [
      "crossEntropyScratch",
      { rows: 3, hidden: 4, vocabulary: 5, batch: 3, hasMask: true, wantsGradient: true },
    ],
    ["lockFile", { descriptor: openSync(fileURLToPath(import.meta.url), "r"), shared: true }],
    ["adamStep", adam],
    ["sgdStep", { ...common, moment, momentum }],
    ["rmsPropStep", { ...common, moment, decay, epsilon }],
    ...Object.entries(recordCalls(draw)),
    ...Object.entries(rowCalls(draw)),
    ["openDecodeSession", decodeArguments({ ...session, embedding: 4 }, draw)],
    ...layers.map((sizes) => [
      "forwardSequence",
      forwardArguments(addon, sizes, draw),
      sizes.source,
    ]),
    ...layers.map((sizes) => [
      "backwardSequence",
      backwardArguments(addon, sizes, draw),
      sizes.source,
    ]),
    ...SOURCES.slice(2, 5).map((source) => {
      const sizes = sizesOf("gru", source);
      return ["crossEntropy", crossEntropyArguments(addon, sizes, draw), source];
    }),
  ].map(([name, values, source]) => ({
    title: [name, source].filter(Boolean).join(", "),
    name: name as keyof Addon,
    values: values as Values,
  }));
}

/** The same arguments with one mistake each; what is in an object or list in turn as well. */
function* everyMistake(values: Values): Generator<{ what: string; changed: Values }> {
  for (const [name, value] of Object.entries(values)) {
    for (const [what, wrong] of wrongValuesFor(name, value)) {
      if ((wrong ?? undefined) === undefined && OPTIONAL.has(name)) continue;
      yield { what: `${name}: ${what}`, changed: { ...values, [name]: wrong } };
    }
    const isList = Array.isArray(value);
    if (!isList && (typeof value !== "object" || ArrayBuffer.isView(value))) continue;
    for (const { what, changed } of everyMistake(value as Values)) {
      const parts = isList ? Object.values(changed) : changed;
      yield { what: `${name}.${what}`, changed: { ...values, [name]: parts } };
    }
  }
}

type WrongValues = readonly (readonly [what: string, wrong: unknown])[];

/** Wrong for every argument. */
const NEVER_RIGHT: WrongValues = [
  ["undefined", undefined],
  ["null", null],
  ["a function", () => {}],
  ["a symbol", Symbol.iterator],
  ["a big integer", 5n],
];

const NOT_A_NUMBER: WrongValues = [
  ["a text", "1"],
  ["true", true],
  ["an object", {}],
  ["a list", []],
];

/** Of sizes, counts and keys; any other number may have a fraction, and be infinite. */
const NOT_A_SIZE: WrongValues = [
  ["below 0", -1],
  ["a fraction", 0.5],
  ["not a number", Number.NaN],
  ["infinite", Number.POSITIVE_INFINITY],
  ["infinite below 0", Number.NEGATIVE_INFINITY],
  ["more than memory has bytes", 2 ** 53],
  ["far more", 1e300],
];

/** Of dropout: nothing, or all. */
const NOT_A_RATE: WrongValues = [
  ["0", 0],
  ["1", 1],
  ["below 0", -0.5],
  ["above 1", 2],
  ["not a number", Number.NaN],
];

const NOT_A_FLAG: WrongValues = [
  ["0", 0],
  ["1", 1],
  ["a text", "true"],
  ["an object", {}],
  ["a list", []],
];

const NOT_AN_OBJECT: WrongValues = [
  ["a number", 1],
  ["a text", "1"],
];

function notThisName(name: string): WrongValues {
  return [
    ["a number", 1],
    ["an object", {}],
    ["a list", []],
    ["empty", ""],
    ["unknown", "abacus"],
    ["with a zero after it", `${name}\0`],
    ["with a space after it", `${name} `],
    ["repeated", name.repeat(100)],
  ];
}

function notThisList(list: readonly unknown[]): WrongValues {
  return [
    ["a number", 1],
    ["an object", {}],
    ["empty", []],
    ["without its first", list.slice(1)],
    ["with one more", [...list, list[0]]],
    ["of holes", new Array(list.length)],
    ["of null", list.map(() => null)],
    ["of numbers", list.map(() => 1)],
  ];
}

function notThisArray(array: Float32Array | Int32Array | Uint8Array): WrongValues {
  const { length } = array;
  const Type = array.constructor as Float32ArrayConstructor;
  const Other = array instanceof Int32Array ? Float32Array : Int32Array;
  return [
    ["a number", 1],
    ["a text", "1"],
    ["an object", {}],
    ["an empty list", []],
    ["a plain list", [...array]],
    ["of the other type", new Other(length)],
    ["of doubles", new Float64Array(length)],
    ["of signed bytes", new Int8Array(length)],
    ["of clamped bytes", new Uint8ClampedArray(length)],
    ["of unsigned integers", new Uint32Array(length)],
    ["one number short", new Type(length - 1)],
    ["empty", new Type(0)],
    ["its buffer", array.buffer],
    ["a view of its bytes", new DataView(array.buffer)],
    ["detached from its memory", detached(array)],
  ];
}

function wrongValuesFor(name: string, value: unknown): WrongValues {
  if (value instanceof Float32Array || value instanceof Int32Array || value instanceof Uint8Array) {
    return [...NEVER_RIGHT, ...notThisArray(value)];
  }
  if (Array.isArray(value)) return [...NEVER_RIGHT, ...notThisList(value)];
  if (name === "rate") return [...NEVER_RIGHT, ...NOT_A_NUMBER, ...NOT_A_RATE];
  switch (typeof value) {
    case "number":
      return [...NEVER_RIGHT, ...NOT_A_NUMBER, ...(Number.isInteger(value) ? NOT_A_SIZE : [])];
    case "boolean":
      return [...NEVER_RIGHT, ...NOT_A_FLAG];
    case "string":
      return [...NEVER_RIGHT, ...notThisName(value)];
    default:
      return [...NEVER_RIGHT, ...NOT_AN_OBJECT];
  }
}

/** As a person would write it, in a few words. */
function describeValue(value: unknown): string {
  if (ArrayBuffer.isView(value))
    return `a ${value.constructor.name} of ${(value as Int32Array).length}`;
  if (value instanceof ArrayBuffer) return "an ArrayBuffer";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return JSON.stringify(value) ?? String(value);
}

/** All bytes that arguments hold. */
function bytesOf(values: Values): Buffer {
  const arrays = Object.values(values).filter((value) => ArrayBuffer.isView(value));
  return Buffer.concat(
    arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
  );
}
