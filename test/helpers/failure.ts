import assert from "node:assert/strict";
import { CharnnError, type ErrorCode } from "#src/errors.js";

/** For `assert.throws` and `assert.rejects`: a CharnnError of this code that says all of this. */
export function failsWith(code: ErrorCode, ...says: readonly (string | RegExp)[]) {
  return (error: unknown): true => {
    if (!(error instanceof CharnnError)) throw error;
    assert.equal(error.code, code, error.message);
    const text = `${error.message}\n${error.hint ?? ""}`;
    for (const part of says) {
      assert.ok(
        typeof part === "string" ? text.includes(part) : part.test(text),
        `${JSON.stringify(text)} does not say ${part}`,
      );
    }
    return true;
  };
}
