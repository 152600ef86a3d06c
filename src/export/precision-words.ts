import type { Precision } from "./precision.js";

/** `logits differ by 0.0010 on average and by 0.0045 at most` */
export function logitChange({ typical, largest }: Precision): string {
  return `logits differ by ${figure(typical)} on average and by ${figure(largest)} at most`;
}

/** In two significant digits. */
function figure(difference: number): string {
  return Number(difference.toPrecision(2)).toString();
}
