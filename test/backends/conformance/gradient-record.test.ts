/** Gradients in 8 bits a number: the bits of the plain version on every backend. */
import type { Backend } from "#src/backends/backend.js";
import {
  addRecords,
  packGradients,
  RECORD_BLOCK_BYTES,
  recordBytes,
  unpackGradients,
} from "#src/backends/gradient-record.js";
import { assertSameBytes, type Draw, numbersOf } from "../../helpers/numbers.js";
import { testOnEveryBackend } from "../../helpers/on-every-backend.js";

/** At both ends of a vector and of a block, and more than each thread's share. */
const COUNTS = [1, 15, 16, 17, 255, 256, 257, 511, 512, 513, 5_000];

/** Calls `use` with a parameter array of these numbers. */
function withArray(
  backend: Backend,
  values: Float32Array,
  use: (array: ReturnType<Backend["parameterArray"]>) => void,
): void {
  const array = backend.parameterArray(new Map([["weights", [values.length]]]));
  array.write(values);
  try {
    use(array);
  } finally {
    array.dispose();
  }
}

/** Packs some numbers and unpacks them. */
function verifyPacking(backend: Backend, values: Float32Array, factor: number): void {
  const expected = new Uint8Array(recordBytes(values.length));
  packGradients(values, factor, expected);
  const unpacked = new Float32Array(values.length);
  unpackGradients(expected, unpacked);
  withArray(backend, values, (array) => {
    // It begins at a multiple of 4 only.
    const record = new Uint8Array(expected.length + 4).fill(0x55).subarray(4);
    backend.packGradients(array, factor, record);
    assertSameBytes(record, expected, "record");
    assertSameBytes(numbersOf(array.flat), values, "gradients that were packed");
    backend.unpackGradients(record, array);
    assertSameBytes(numbersOf(array.flat), unpacked, "gradients");
  });
}

/** @param records one after the other */
function verifyAdding(backend: Backend, records: Uint8Array, count: number): void {
  const expected = new Uint8Array(records.length / count);
  addRecords(records, expected);
  const before = records.slice();
  const sum = new Uint8Array(expected.length).fill(0x55);
  backend.addRecords(records, sum);
  assertSameBytes(sum, expected, `sum of ${count}`);
  assertSameBytes(records, before, `the ${count} that were added up`);
}

/**
 * Records whose sums depend on the order: some hold the same large numbers, with both signs, which cancel out and
 * leave what rounding has left of the small ones.
 */
function drawRecords(draw: Draw, count: number, numbers: number): Uint8Array {
  const bytes = recordBytes(numbers);
  const records = new Uint8Array(count * bytes);
  const large = draw.floats(numbers, 1e6);
  let sign = 1;
  for (let k = 0; k < count; k++) {
    const record = records.subarray(k * bytes, (k + 1) * bytes);
    if (draw.below(2) > 0) {
      packGradients(draw.floats(numbers), 1, record);
      continue;
    }
    packGradients(large, sign, record);
    sign = -sign;
  }
  return records;
}

for (const count of COUNTS) {
  testOnEveryBackend(
    `the record of ${count} gradients has the bits of the plain version, and so have they unpacked`,
    (backend, draw) => {
      verifyPacking(backend, draw.floats(count, 0.01), 0.3);
      verifyPacking(backend, new Float32Array(count), 1);
      // All exponents, subnormal numbers and what overflows too.
      const powers = Float32Array.from(
        { length: count },
        () => (2 * draw.uniform() - 1) * 2 ** (draw.below(277) - 149),
      );
      verifyPacking(backend, powers, 1.5);
      verifyPacking(
        backend,
        powers.map((value) => value * 2 ** -110),
        1,
      );
    },
  );
}

testOnEveryBackend("gradients between two codes are packed as in the plain version", (backend) => {
  const halves = Float32Array.from({ length: 509 }, (_, i) => (i - 254) / 2);
  for (const factor of [1, -0.5, 1 / 3]) verifyPacking(backend, halves, factor);
});

testOnEveryBackend(
  "gradients that are not finite are packed as in the plain version",
  (backend, draw) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38]) {
      for (const at of [0, 7, 255, 256, 500, 899]) {
        verifyPacking(backend, draw.floats(900).with(at, bad), 2);
      }
    }
  },
);

testOnEveryBackend("gradients near zero are packed as in the plain version", (backend) => {
  for (const largest of [1, 63, 64, 127, 190, 191, 400]) {
    const values = Float32Array.from({ length: 256 }, (_, i) => (largest - i) * 2 ** -149);
    verifyPacking(backend, values, 1);
  }
});

for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 33]) {
  testOnEveryBackend(
    `the sum of ${count} records has the bits of the plain version`,
    (backend, draw) => {
      for (const numbers of [1, 2, 3, 255, 256, 257, 3_000]) {
        verifyAdding(backend, drawRecords(draw, count, numbers), count);
      }
    },
  );
}

testOnEveryBackend(
  "the sum of the most records has the bits of the plain version",
  (backend, draw) => verifyAdding(backend, drawRecords(draw, 4096, 1), 4096),
);

testOnEveryBackend(
  "the sum of records of any bytes has the bits of the plain version",
  (backend, draw) => {
    const records = Uint8Array.from({ length: 5 * 9 * RECORD_BLOCK_BYTES }, () => draw.below(256));
    verifyAdding(backend, records, 5);
  },
);

testOnEveryBackend("records and their sum may lie side by side in one buffer", (backend, draw) => {
  const records = drawRecords(draw, 3, 300);
  const expected = new Uint8Array(recordBytes(300));
  addRecords(records, expected);
  const all = new Uint8Array(records.length + expected.length);
  all.set(records);
  const sum = all.subarray(records.length);
  backend.addRecords(all.subarray(0, records.length), sum);
  assertSameBytes(sum, expected, "sum");
});
