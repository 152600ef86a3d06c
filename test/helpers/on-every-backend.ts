import { test } from "node:test";
import type { Backend } from "#src/backends/backend.js";
import { openBackend } from "#src/backends/select.js";
import { BACKEND_NAMES, type BackendName } from "#src/config/names.js";
import { caseSeed, Draw } from "./numbers.js";

type Verify = (backend: Backend, draw: Draw) => void | Promise<void>;

/**
 * Defines one test for each backend. One of a backend that does not load is skipped, with the reason.
 *
 * @param sentence says what holds; the test's title adds on which backend
 * @param verify gets random numbers that are the same for the same sentence, whatever else runs
 * @param options.define may be `slow`
 */
export function testOnEveryBackend(
  sentence: string,
  verify: Verify,
  { define = test, except }: { define?: typeof test; except?: BackendName } = {},
): void {
  for (const [name, backend] of backends) {
    if (name === except) continue;
    const skip = typeof backend === "string" && backend;
    define(`${sentence} on the ${name} backend`, { skip }, () =>
      typeof backend === "string" ? undefined : verify(backend, drawFor(sentence)),
    );
  }
}

/** Every backend, or the reason why it does not load. */
const backends = new Map<BackendName, Backend | string>();
// All before the first test, which begins to run as soon as anything is waited for.
for (const name of BACKEND_NAMES) {
  const opened = openBackend(name).catch(({ message }: Error) => message);
  backends.set(name, await opened);
}

const SEED = caseSeed();

function drawFor(sentence: string): Draw {
  let seed = SEED;
  for (const character of sentence) {
    seed = Math.imul(seed ^ (character.codePointAt(0) as number), 0x01000193);
  }
  return new Draw(seed);
}
