/**
 * What the masks of dropout are (Srivastava et al., "Dropout", 2014; scaled by 1 / (1 - rate) while learning,
 * so that nothing changes afterwards). One mask stays for a whole window of text, in each batch row its own
 * (Gal and Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks", 2016,
 * section 4), or for all rows alike where it multiplies the recurrent weights (Merity et al., "Regularizing
 * and Optimizing LSTM Language Models", 2018, section 2). `model.ts` says where each is applied.
 */

/** `length` numbers: 0 where the word of the stream is below rate * 2^32, elsewhere 1 / (1 - rate). */
export function dropoutMask(length: number, rate: number, key: readonly number[]): Float64Array {
  const words = Array.from({ length: Math.ceil(length / 4) }, (_, block) =>
    philox([block, 0, 0, 0], key),
  ).flat();
  return Float64Array.from({ length }, (_, i) => (words[i] < rate * 2 ** 32 ? 0 : 1 / (1 - rate)));
}

/**
 * Philox4x32-10: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011, section 3.3.
 *
 * @param counter four words of 32 bits
 * @param key two
 * @returns four
 */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  const low = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt);
  let [k0, k1] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * c0;
    const second = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [
      (second >> 32n) ^ c1 ^ k0,
      second & low,
      (first >> 32n) ^ c3 ^ k1,
      first & low,
    ];
    k0 = (k0 + 0x9e3779b9n) & low;
    k1 = (k1 + 0xbb67ae85n) & low;
  }
  return [c0, c1, c2, c3].map(Number);
}
