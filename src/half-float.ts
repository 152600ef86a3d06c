/** Numbers of 16 bits (IEEE 754, binary16), which not every engine has an array for. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The nearest number of 16 bits; of two the even one. What is too large becomes infinite. */
export function halfFromFloat(number: number): number {
  float[0] = number;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65,520 and more are nearer to what would come after the largest one.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below the least normal number they are as far apart as 2^-24.
  if (magnitude < 0x38800000) return sign | roundedToEven(Math.abs(float[0]) * 2 ** 24);
  return sign | roundedToEven((magnitude - 0x38000000) / 2 ** 13);
}

/** What 16 bits stand for: one of sign, five of exponent, ten of fraction. */
export function floatFromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function roundedToEven(number: number): number {
  const below = Math.floor(number);
  const rest = number - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
