import type { Precision } from "./precision.js";

/** `logits differ by 0.0010 on average and by 0.0045 at most` */
export function logitChange({ typical, largest }: Precision): string {
  return `logits differ by ${figure(typical)} on average and by ${figure(largest)} at most`;
}

/** `1.5283 nats/char, 0.00034 more than with 32 bits` */
export function lossChange({ before, after }: NonNullable<Precision["loss"]>): string {
  const loss = `${after.toFixed(4)} nats/char`;
  if (after === before) return `${loss}, the same as with 32 bits`;
  return `${loss}, ${figure(Math.abs(after - before))} ${after > before ? "more" : "less"} than with 32 bits`;
}

/** In two significant digits. */
function figure(difference: number): string {
  return Number(difference.toPrecision(2)).toString();
}
