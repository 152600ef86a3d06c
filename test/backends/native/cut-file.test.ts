import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { isCutShort } from "#src/backends/native/cut-file.js";
import { temporaryFolder } from "../../helpers/folder.js";

/** A file of zeros but for these numbers: where each lies, of how many bytes it is, and what it is. */
function file(length: number, ...numbers: [at: number, bytes: 2 | 4 | 8, value: number][]) {
  const bytes = Buffer.alloc(length);
  for (const [at, size, value] of numbers) {
    if (size === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, size);
  }
  return bytes;
}

/** The smallest that each format allows to say where its last part is; all have it up to their end. */
const LIBRARIES = {
  ELF: file(1_000, [0, 4, 0x464c457f], [40, 8, 872], [58, 2, 64], [60, 2, 2]),
  "Mach-O": file(
    900,
    [0, 4, 0xfeedfacf],
    [16, 4, 3],
    // A symbol table lies between two segments.
    ...([
      [32, 4, 0x19],
      [36, 4, 72],
      [72, 8, 0],
      [80, 8, 500],
    ] as [number, 4 | 8, number][]),
    ...([
      [104, 4, 0x2],
      [108, 4, 24],
    ] as [number, 4 | 8, number][]),
    ...([
      [128, 4, 0x19],
      [132, 4, 72],
      [168, 8, 500],
      [176, 8, 400],
    ] as [number, 4 | 8, number][]),
  ),
  PE: file(
    1_536,
    [0, 2, 0x5a4d],
    [0x3c, 4, 128],
    [128, 4, 0x4550],
    [134, 2, 2],
    [148, 2, 240],
    // Two sections: how long each is, and where it lies.
    ...([
      [408, 4, 512],
      [412, 4, 1_024],
    ] as [number, 4, number][]),
    ...([
      [448, 4, 512],
      [452, 4, 512],
    ] as [number, 4, number][]),
  ),
};

for (const [format, bytes] of Object.entries(LIBRARIES)) {
  test(`A library in ${format} is cut short wherever its end is missing`, async (t) => {
    const library = path.join(await temporaryFolder(t), "library");
    for (const length of [bytes.length - 1, bytes.length >> 1, 140, 16, bytes.length]) {
      await writeFile(library, bytes.subarray(0, length));
      assert.equal(isCutShort(library), length < bytes.length, `${length} bytes`);
    }
    await writeFile(library, Buffer.concat([bytes, Buffer.from("a signature")]));
    assert.equal(isCutShort(library), false);
  });
}

test("A file that is no library does not count as cut short", async (t) => {
  const other = path.join(await temporaryFolder(t), "other");
  for (const content of ["", "M", "MZ no program", "text".repeat(100), `MZ${"\0".repeat(100)}`]) {
    await writeFile(other, content);
    assert.equal(isCutShort(other), content === "MZ no program", JSON.stringify(content));
  }
});
