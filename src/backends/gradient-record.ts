/**
 * Gradients in 8 bits a number, as workers exchange them. A record holds the numbers of a flat array in blocks of
 * {@link RECORD_BLOCK}. Each block is {@link RECORD_BLOCK_BYTES} bytes: its unit, a float in little-endian order, and a
 * signed byte for each number, which stands for that many units. The unit is a 127th of the block's largest absolute
 * value. A record can be cut between any two blocks.
 *
 * These are the plain versions of the operations; those of the native and wasm backends give the same bits.
 */

/** Numbers of a block. */
const RECORD_BLOCK = 256;
/** Size of a block in a record. */
export const RECORD_BLOCK_BYTES = RECORD_BLOCK + 4;

const LARGEST_CODE = 127;

/** How many blocks the record of `count` numbers has. */
export function recordBlocks(count: number): number {
  return Math.ceil(count / RECORD_BLOCK);
}

/** Size of the record of `count` numbers. */
export function recordBytes(count: number): number {
  return recordBlocks(count) * RECORD_BLOCK_BYTES;
}

/**
 * Writes `values` times `factor` into a record, each rounded to the nearest code, and to the even one of two. A block
 * with a number that is not finite gets NaN as its unit, and zeros; the codes behind the last number are zero.
 *
 * @param record of {@link recordBytes} bytes, which begins at a multiple of 4 in its buffer
 */
export function packGradients(values: Float32Array, factor: number, record: Uint8Array): void {
  const scale = Math.fround(factor);
  const scaled = new Float32Array(RECORD_BLOCK);
  for (let block = 0; block < recordBlocks(values.length); block++) {
    const begin = block * RECORD_BLOCK;
    const count = Math.min(RECORD_BLOCK, values.length - begin);
    scaled.fill(0);
    for (let i = 0; i < count; i++) scaled[i] = values[begin + i] * scale;
    packBlock(scaled, record, block);
  }
}

/**
 * Adds up records of the same numbers, and packs the sums again. Whatever their number, records are added in pairs, 0
 * and 1, 2 and 3, then the sums of two pairs, and so on; a last one without a partner waits for the next round.
 *
 * @param records one after the other, each as long as `sum`
 * @param sum overwritten; begins at a multiple of 4 in its buffer, as `records` does
 */
export function addRecords(records: Uint8Array, sum: Uint8Array): void {
  const count = records.length / sum.length;
  for (let block = 0; block < sum.length / RECORD_BLOCK_BYTES; block++) {
    let sums: Float32Array[] = Array.from({ length: count }, (_, k) => {
      const values = new Float32Array(RECORD_BLOCK);
      unpackBlock(records.subarray(k * sum.length, (k + 1) * sum.length), block, values);
      return values;
    });
    while (sums.length > 1) sums = pairwise(sums);
    packBlock(sums[0], sum, block);
  }
}

/** Overwrites `values` by the numbers of their record. */
export function unpackGradients(record: Uint8Array, values: Float32Array): void {
  for (let block = 0; block < recordBlocks(values.length); block++) {
    const begin = block * RECORD_BLOCK;
    unpackBlock(record, block, values.subarray(begin, begin + RECORD_BLOCK));
  }
}

function pairwise(sums: readonly Float32Array[]): Float32Array[] {
  const next: Float32Array[] = [];
  for (let k = 0; k < sums.length; k += 2) {
    const [left, right] = [sums[k], sums.at(k + 1)];
    next.push(right ? left.map((value, i) => value + right[i]) : left);
  }
  return next;
}

function packBlock(values: Float32Array, record: Uint8Array, block: number): void {
  const { unit, codes } = blockOf(record, block);
  const allFinite = values.every(Number.isFinite);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  unit[0] = allFinite ? largest / LARGEST_CODE : Number.NaN;
  for (let i = 0; i < RECORD_BLOCK; i++) codes[i] = unit[0] > 0 ? code(values[i], unit[0]) : 0;
}

function code(value: number, unit: number): number {
  const units = Math.fround(value / unit);
  return roundToEven(Math.max(-LARGEST_CODE, Math.min(LARGEST_CODE, units)));
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function unpackBlock(record: Uint8Array, block: number, values: Float32Array): void {
  const { unit, codes } = blockOf(record, block);
  for (let i = 0; i < values.length; i++) values[i] = codes[i] * unit[0];
}

/** The parts of a block, as views. */
function blockOf({ buffer, byteOffset }: Uint8Array, block: number) {
  const at = byteOffset + block * RECORD_BLOCK_BYTES;
  return {
    unit: new Float32Array(buffer, at, 1),
    codes: new Int8Array(buffer, at + 4, RECORD_BLOCK),
  };
}
