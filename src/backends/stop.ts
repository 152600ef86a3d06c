/** Ends kernels early, so that a signal is heard in the middle of a long batch. */

import { stopped } from "../turns.js";

/** Not 0 while kernels are to stop. The handler of a signal changes it at any time. */
let flag: Uint8Array = Uint8Array.of(0);
let isStoppable = false;

/** Lets a byte in the addon's memory say whether kernels are to stop. */
export function stopKernelsBy(byte: Uint8Array): void {
  flag = byte;
}

/**
 * Does work that a signal of the system can stop: then it throws the error of `stopped`, and what it has
 * written is of no use.
 */
export function stoppable<Result>(work: () => Result): Result {
  return withStop(true, work);
}

/** Does work within a kernel that must be finished once it has begun. */
export function unstoppable<Result>(work: () => Result): Result {
  return withStop(false, work);
}

/** To be called often by kernels: between pieces of work that take some milliseconds. */
export function stopHere(): void {
  if (isToStop()) throw stopped();
}

/** Whether {@link stopHere} would throw, for kernels that can't throw themselves. */
export function isToStop(): boolean {
  return isStoppable && Atomics.load(flag, 0) !== 0;
}

function withStop<Result>(mayStop: boolean, work: () => Result): Result {
  const before = isStoppable;
  isStoppable = mayStop;
  try {
    return work();
  } finally {
    isStoppable = before;
  }
}
