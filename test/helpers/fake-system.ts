import type { TestContext } from "node:test";
import type { System } from "#src/in-use.js";

/** A system of any platform, on which no pause takes time. */
export class FakeSystem implements System {
  /** In milliseconds. */
  readonly pauses: number[] = [];

  constructor(readonly platform: NodeJS.Platform) {}

  readonly sleep = async (milliseconds: number): Promise<void> => {
    this.pauses.push(milliseconds);
  };
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made to fail`), { code });
}

/** A call that fails once with each of these codes, and then gives the result. */
export function failing<Result>(codes: readonly string[], result: Result): () => Promise<Result> {
  const left = [...codes];
  return async () => {
    const code = left.shift();
    if (code !== undefined) throw systemError(code);
    return result;
  };
}

/** Lets a test run as if on another system, as far as `process.platform` goes. */
export function playSystem(t: TestContext, value: NodeJS.Platform): void {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
  Object.defineProperty(process, "platform", { ...platform, value });
  t.after(() => Object.defineProperty(process, "platform", platform));
}
