/** Character-level models learn worse, or diverge, at much higher rates (Puri et al., 2018, section 4). */
const MOST = 3;

/**
 * What the learning rate is multiplied by for a number of workers. The gradients of more characters have less noise,
 * and allow longer steps: by the square root, as for Adam (Malladi et al., "On the SDEs and Scaling Rules for Adaptive
 * Gradient Algorithms", 2022), up to a limit.
 */
export function rateFactor(workers: number): number {
  return Math.min(Math.sqrt(workers), MOST);
}
