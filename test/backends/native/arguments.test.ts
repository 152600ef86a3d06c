/** The addon checks all that it is given: what is wrong throws a TypeError and changes nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { openSync } from "node:fs";
import { createServer } from "node:net";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import type { Addon } from "#src/backends/native/addon.js";
import type { StreamsHandle } from "#src/backends/native/kernels.js";
import { CELL_NAMES } from "#src/config/cells.js";
import { onTheAddon, scratchMemory } from "../../helpers/addon.js";
import {
  backwardArguments,
  crossEntropyArguments,
  forwardArguments,
  type LayerSizes,
  SOURCES,
  stepArguments,
  streamsArguments,
} from "../../helpers/addon-calls.js";
import { Draw } from "../../helpers/numbers.js";

const VOCABULARY = 9;

type Values = Readonly<Record<string, unknown>>;

/** A function of the addon's with arguments that are all right, and all of which it looks at. */
interface Call {
  readonly title: string;
  readonly name: keyof Addon;
  readonly values: Values;
}

/** What may be left out. */
const OPTIONAL = new Set(["average"]);

onTheAddon("A function of the native addon", (addon) => {
  const run = (name: keyof Addon, values: unknown) =>
    (addon[name] as (v: unknown) => unknown)(values);

  for (const { title, name, values } of calls(addon)) {
    it(`refuses what is wrong: ${title}`, () => {
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

    it(`says which argument is missing: ${title}`, () => {
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

  it("takes tokens of the vocabulary only, and targets of it or below 0", () => {
    const draw = new Draw(3);
    const forward = forwardArguments(addon, sizesOf("gru", "embedded"), draw);
    for (const token of [-1, VOCABULARY, 2 ** 31 - 1, -(2 ** 31)]) {
      const tokens = forward.tokens?.with(3, token);
      assert.throws(() => addon.forwardSequence({ ...forward, tokens }), /tokens .*not -?\d+/);
    }
    const sizes = sizesOf("gru", "vectors");
    const decoder = crossEntropyArguments(addon, sizes, draw);
    for (const target of [VOCABULARY, 2 ** 31 - 1]) {
      const targets = decoder.targets.with(3, target);
      assert.throws(() => addon.crossEntropy({ ...decoder, targets }), TypeError);
    }
    for (const target of [-1, -(2 ** 31)]) {
      addon.crossEntropy({ ...decoder, targets: decoder.targets.with(3, target) });
      assert.equal(decoder.losses[3], 0);
    }
  });

  it("is not deceived by a property that is a function and changes those read before", () => {
    const draw = new Draw(6);
    const vectors = forwardArguments(addon, sizesOf("gru", "vectors"), draw);
    const detaches = {
      ...vectors,
      get hiddenAfter() {
        structuredClone(vectors.vectors, { transfer: [vectors.vectors?.buffer as ArrayBuffer] });
        return vectors.hiddenAfter;
      },
    };
    assert.throws(() => addon.forwardSequence(detaches), /changed its memory/);
    const embedded = forwardArguments(addon, sizesOf("gru", "embedded"), draw);
    const overwrites = {
      ...embedded,
      get hiddenAfter() {
        embedded.tokens?.fill(2 ** 30);
        return embedded.hiddenAfter;
      },
    };
    assert.throws(() => addon.forwardSequence(overwrites), /tokens must be below/);
  });

  it("refuses scratch memory that is not aligned, and takes more than it needs", () => {
    const forward = forwardArguments(addon, sizesOf("gru", "vectors"), new Draw(3));
    const scratch = scratchMemory(addon, forward.scratch.length + 16);
    addon.forwardSequence({ ...forward, scratch });
    for (const begin of [1, 8, 15]) {
      const moved = scratch.subarray(begin);
      assert.throws(() => addon.forwardSequence({ ...forward, scratch: moved }), /64 bytes/);
    }
  });

  it("does not trust what forward left in the scratch memory", () => {
    const draw = new Draw(4);
    for (const cell of CELL_NAMES) {
      for (const source of SOURCES) {
        const backward = backwardArguments(addon, sizesOf(cell, source), draw);
        const words = new Int32Array(backward.scratch.buffer);
        for (let attempt = 0; attempt < 200; attempt++) {
          const most = draw.pick([2, 8, 2 ** 31]);
          for (let i = 0; i < words.length; i++)
            words[i] = draw.below(most) * draw.pick([1, 1, -1]);
          try {
            addon.backwardSequence(backward);
          } catch (error) {
            assert.ok(error instanceof TypeError, `${error}`);
          }
        }
      }
    }
  });

  it("takes panels where they lie within their array, and only there", () => {
    const sizes = { ...sizesOf("rnn", "panels"), input: 40, time: 2, batch: 3 };
    const rows = sizes.time * sizes.batch;
    const forward = forwardArguments(addon, sizes, new Draw(5));
    const data = new Float32Array(500);
    const below = (limit: number) => fc.integer({ min: 0, max: limit });
    fc.assert(
      fc.property(below(520), below(520), below(500), (offset, stride, length) => {
        const inputPanels = { data: data.subarray(0, length), offset, stride };
        const lieWithin = offset + 2 * stride + rows * 16 <= length;
        const call = () => addon.forwardSequence({ ...forward, inputPanels });
        if (lieWithin) call();
        else assert.throws(call, TypeError);
      }),
      {
        numRuns: 2_000,
        examples: [
          [404, 0, 500],
          [405, 0, 500],
          [0, 202, 500],
          [0, 203, 500],
        ],
      },
    );
  });

  it("takes any shape whose arrays fit it, and none with one that does not", () => {
    const draw = new Draw(6);
    const size = fc.integer({ min: 1, max: 40 });
    const sizes = fc.record({
      cell: fc.constantFrom(...CELL_NAMES),
      source: fc.constantFrom(...SOURCES),
      time: fc.integer({ min: 1, max: 5 }),
      batch: size,
      input: size,
      hidden: size,
      vocabulary: size,
    });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.constantFrom(-1, 1), (layer, which, more) => {
        for (const [name, values] of [
          ["forwardSequence", forwardArguments(addon, layer, draw)],
          ["backwardSequence", backwardArguments(addon, layer, draw)],
          ["crossEntropy", crossEntropyArguments(addon, layer, draw)],
        ] as const) {
          assert.equal(typeof run(name, values), "number");
          const arrays = Object.entries(values).filter(([, value]) => ArrayBuffer.isView(value));
          const [argument, array] = arrays[which % arrays.length];
          if (argument === "scratch" && more > 0) continue;
          const other = new (array.constructor as Float32ArrayConstructor)(array.length + more);
          assert.throws(() => run(name, { ...values, [argument]: other }), TypeError);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("says how much scratch memory any shape takes, or that it can't be", () => {
    const size = fc.oneof(
      fc.integer({ min: -2, max: 70 }),
      fc.integer({ min: 0, max: 2 ** 33 }),
      fc.double(),
    );
    const shape = fc.record({
      cell: fc.constantFrom(...CELL_NAMES, "transformer"),
      time: size,
      batch: size,
      input: size,
      hidden: size,
      vocabulary: size,
      rows: size,
      hasEmbedding: fc.boolean(),
      lanes: size,
      hasMask: fc.boolean(),
      inputMasks: size,
      hasStateMask: fc.boolean(),
      hasWeightMask: fc.boolean(),
      wantsGradient: fc.boolean(),
    });
    fc.assert(
      fc.property(shape, (values) => {
        for (const name of ["sequenceScratch", "crossEntropyScratch"] as const) {
          try {
            const floats = run(name, values) as number;
            assert.ok(Number.isSafeInteger(floats) && floats > 0, `${name}: ${floats}`);
          } catch (error) {
            assert.ok(error instanceof TypeError, `${name}: ${error}`);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("passes on what a property throws", () => {
    const values = {
      get count(): number {
        throw new RangeError("not today");
      },
    };
    assert.throws(() => addon.adamStep(values as never), /not today/);
  });

  it("refuses to read with what are no streams, or are closed", async () => {
    const sizes = { cell: "gru", layers: 1, hidden: 4, vocabulary: 5, embedding: 0 } as const;
    const streams = addon.openStreams(streamsArguments({ ...sizes, streams: 2 }, new Draw(7)));
    const tokens = Int32Array.of(1, 2);
    const logits = new Float32Array(10);
    addon.stepStreams(streams, tokens, logits);
    const read = (...values: unknown[]) =>
      (addon.stepStreams as (...values: unknown[]) => void)(...values);
    const wrongTokens = [
      [undefined, null, 1, [1, 2], new Float32Array(2), new Uint32Array(2), tokens.buffer],
      [Int32Array.of(1), Int32Array.of(1, 2, 3), detached(tokens)],
      [Int32Array.of(0, 5), Int32Array.of(-1, 0), Int32Array.of(0, 2 ** 31 - 1)],
    ].flat();
    for (const wrong of wrongTokens) assert.throws(() => read(streams, wrong, logits), TypeError);
    const before = logits.slice();
    for (const wrong of [
      [undefined, null, 1, [], new Float64Array(10), new Int32Array(10), logits.buffer],
      [new Float32Array(9), new Float32Array(11), detached(logits)],
    ].flat()) {
      assert.throws(() => read(streams, tokens, wrong), TypeError);
    }
    assert.throws(() => read(), TypeError);
    assert.throws(() => read(streams), TypeError);
    assert.throws(() => read(streams, tokens), TypeError);
    assert.deepEqual(logits, before);
    const [foreign, release] = await externalOfNode();
    const close = (value?: unknown) => addon.closeStreams(value as StreamsHandle);
    for (const wrong of [undefined, null, 1, "streams", {}, [], tokens, () => {}, foreign]) {
      assert.throws(() => read(wrong, tokens, logits), TypeError);
      assert.throws(() => close(wrong), TypeError);
    }
    release();
    addon.stepStreams(streams, tokens, logits);
    close(streams);
    assert.throws(() => read(streams, tokens, logits), /closed/);
    assert.throws(() => close(streams), /closed/);
  });

  it("refuses streams larger than any memory before it looks for their arrays", () => {
    const sizes = { cell: "gru", layers: 1, hidden: 1, vocabulary: 1, embedding: 0 } as const;
    const values = streamsArguments({ ...sizes, streams: 1 }, new Draw(7));
    const most = 2 ** 31;
    for (const larger of [
      { streams: most, vocabulary: most },
      { streams: most, hidden: most },
      { hidden: most },
      { vocabulary: most, embedding: most },
    ]) {
      assert.throws(() => addon.openStreams({ ...values, ...larger }), /larger than any array/);
    }
  });
});

function sizesOf(cell: LayerSizes["cell"], source: LayerSizes["source"]): LayerSizes {
  return { cell, source, time: 3, batch: 2, input: 18, hidden: 5, vocabulary: VOCABULARY };
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
  const mask = { rate: 0.5, key0: 7, key1: 8, mask: array, count: 40 };
  const streams = { cell: "lstm", layers: 2, streams: 3, hidden: 5, vocabulary: 7 } as const;
  const step = stepArguments(40, draw);
  const { firstMoment, secondMoment, beta1, beta2, stepSize, correction, ...others } = step;
  const { moment, momentum, decay, epsilon, ...common } = others;
  const adam = {
    ...common,
    firstMoment,
    secondMoment,
    beta1,
    beta2,
    epsilon,
    stepSize,
    correction,
  };
  return [
    ["setThreads", { threads: addon.describe().threads }],
    ["setInstructionSet", { name: addon.describe().instructionSet }],
    ["align", { array, count: 40 }],
    ["sequenceScratch", shape],
    [
      "crossEntropyScratch",
      { rows: 3, hidden: 4, vocabulary: 5, lanes: 3, hasMask: true, wantsGradient: true },
    ],
    ["writeMask", mask],
    ["lockFile", { descriptor: openSync(fileURLToPath(import.meta.url), "r"), shared: true }],
    ["adamStep", adam],
    ["sgdStep", { ...common, moment, momentum }],
    ["rmsPropStep", { ...common, moment, decay, epsilon }],
    ["openStreams", streamsArguments({ ...streams, embedding: 4 }, draw)],
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
    const wrongRates = name === "rate" ? [0, 1, -0.5, 2, Number.NaN] : [];
    for (const wrong of [...mistakesFor(value), ...wrongRates]) {
      if ((wrong ?? undefined) === undefined && OPTIONAL.has(name)) continue;
      yield { what: `${name} = ${describeValue(wrong)}`, changed: { ...values, [name]: wrong } };
    }
    const isList = Array.isArray(value);
    if (!isList && (typeof value !== "object" || ArrayBuffer.isView(value))) continue;
    for (const { what, changed } of everyMistake(value as Values)) {
      const parts = isList ? Object.values(changed) : changed;
      yield { what: `${name}.${what}`, changed: { ...values, [name]: parts } };
    }
  }
}

function mistakesFor(value: unknown): unknown[] {
  const others = [undefined, null, {}, [], () => {}, Symbol.iterator, 5n].filter(
    (other) => typeof other !== typeof value || other === null,
  );
  if (value instanceof Float32Array || value instanceof Int32Array) {
    const { length } = value;
    const Type = value.constructor as Float32ArrayConstructor;
    const Other = value instanceof Int32Array ? Float32Array : Int32Array;
    const strangers = [new Other(length), new Float64Array(length), new Uint32Array(length)];
    const sized = [new Type(length - 1), new Type(0), value.buffer, new DataView(value.buffer)];
    return [...others, {}, [], 1, "1", [...value], ...strangers, ...sized, detached(value)];
  }
  if (Array.isArray(value)) {
    const holes = [new Array(value.length), value.map(() => null), value.map(() => 1)];
    return [...others, {}, 1, [], value.slice(1), [...value, value[0]], ...holes];
  }
  switch (typeof value) {
    case "number":
      return [...others, "1", true, ...wrongNumbersFor(value)];
    case "boolean":
      return [...others, 0, 1, "true"];
    case "string":
      return [...others, 1, "", "abacus", `${value}\0`, `${value} `, value.repeat(100)];
    default:
      return [...others.filter((other) => typeof other !== "object"), null, 1, "1"];
  }
}

/** For sizes, counts and keys, which are whole; what has a part may be any number. */
function wrongNumbersFor(value: number): number[] {
  if (!Number.isInteger(value)) return [];
  return [-1, 0.5, Number.NaN, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53];
}

function describeValue(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${value.byteLength} bytes`;
  return typeof value === "number"
    ? `${value}`
    : `${typeof value} ${Object.prototype.toString.call(value)}`;
}

/** A copy whose memory was given away. */
function detached<A extends Float32Array | Int32Array>(array: A): A {
  const copy = array.slice() as A;
  structuredClone(copy.buffer, { transfer: [copy.buffer as ArrayBuffer] });
  assert.equal(copy.length, 0);
  return copy;
}

/** All bytes that arguments hold. */
function bytesOf(values: Values): Buffer {
  const arrays = Object.values(values).filter((value) => ArrayBuffer.isView(value));
  return Buffer.concat(
    arrays.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
  );
}

/** An external value that is not the addon's, and how to let it go. */
async function externalOfNode(): Promise<[external: unknown, release: () => void]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { _handle } = server as unknown as { _handle: { _externalStream: unknown } };
  return [_handle._externalStream, () => server.close()];
}
