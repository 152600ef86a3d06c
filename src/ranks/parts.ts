/** Bytes for each rank, or from each, one rank's after the other's in one array. */
export interface Parts {
  readonly bytes: Uint8Array;
  /** How many are each rank's, [size]; they add up to the length of `bytes`, which is less than 2 GiB. */
  readonly lengths: Int32Array;
}

/** @param lengths in bytes, [size] */
export function makeParts(lengths: ArrayLike<number>): Parts {
  const copy = Int32Array.from(lengths);
  return { bytes: new Uint8Array(copy.reduce((sum, length) => sum + length, 0)), lengths: copy };
}

/** The bytes of one rank, in place. */
export function partOf({ bytes, lengths }: Parts, rank: number): Uint8Array {
  const begin = lengths.subarray(0, rank).reduce((sum, length) => sum + length, 0);
  return bytes.subarray(begin, begin + lengths[rank]);
}
