import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { bytesOfBase64 } from "#src/portable/base64.js";

test("Base64 of any length, also of several pieces, is decoded to the bytes that it was made of", () => {
  for (const length of [0, 1, 2, 3, 49_151, 49_152, 49_153, 200_000]) {
    const bytes = randomBytes(length);
    assert.ok(bytes.equals(bytesOfBase64(bytes.toString("base64"))), `${length}`);
  }
});
