/** Gradients of the definition in `test/reference/`, from what its loss does when numbers move a little. */

/** The error of central differences is of the order of the distance's square, that of rounding 1e-16 / distance. */
const DISTANCE = 1e-5;
/** All numbers of an array move together. */
const DISTANCE_ALONG = 1e-6;

/** The partial derivative of `loss` with respect to each of `values`, which it reads. */
export function gradient(loss: () => number, values: Float64Array): Float64Array {
  return Float64Array.from(values, (original, i) => {
    values[i] = original + DISTANCE;
    const above = loss();
    values[i] = original - DISTANCE;
    const below = loss();
    values[i] = original;
    return (above - below) / (2 * DISTANCE);
  });
}

/** The derivative of `loss` along a direction: its gradient with respect to `values`, times `direction`. */
export function slope(loss: () => number, values: Float64Array, direction: Float64Array): number {
  const original = values.slice();
  const lossAt = (distance: number) => {
    for (let i = 0; i < values.length; i++) values[i] = original[i] + distance * direction[i];
    return loss();
  };
  const difference = lossAt(DISTANCE_ALONG) - lossAt(-DISTANCE_ALONG);
  values.set(original);
  return difference / (2 * DISTANCE_ALONG);
}

/** A direction that has nothing to do with any gradient: each element 1 or -1 (lowbias32 of its index). */
export function direction(length: number, number: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    let x = (i + Math.imul(number, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    return (x ^ (x >>> 16)) & 1 ? 1 : -1;
  });
}
