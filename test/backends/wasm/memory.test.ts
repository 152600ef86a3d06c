/** The memory of the WebAssembly module: what is handed out, taken back, and refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ModuleMemory } from "#src/backends/wasm/memory.js";
import { WebAssembly } from "#src/backends/wasm/webassembly.js";
import { Draw } from "../../helpers/numbers.js";

const START = 1000;

function emptyMemory(): ModuleMemory {
  const size = { initial: 1, maximum: 2 ** 16, shared: true };
  const memory = new ModuleMemory(new WebAssembly.Memory(size));
  memory.reserve(START);
  return memory;
}

test("The module's memory hands out zeros, aligned and apart from each other", () => {
  const memory = emptyMemory();
  const draw = new Draw(1);
  const arrays: Float32Array[] = [];
  let free = 0;
  for (let round = 0; round < 3000; round++) {
    if (arrays.length > 0 && draw.below(5) < 2) {
      const [array] = arrays.splice(draw.below(arrays.length), 1);
      assert.ok(array.every((value) => value === array.length));
      memory.free(array.byteOffset);
      free++;
      continue;
    }
    const array = memory.floats(1 + draw.below(draw.pick([8, 300, 9000])));
    assert.equal(array.byteOffset % 64, 0);
    assert.ok(array.byteOffset >= START);
    assert.ok(array.every((value) => value === 0));
    // Nothing but its own owner may write here: what is read later shows it.
    array.fill(array.length);
    arrays.push(array);
  }
  assert.ok(free > 500);
  const lengths = arrays.map(({ length }) => Math.ceil(length / 16) * 64);
  assert.equal(
    memory.inUse,
    lengths.reduce((sum, bytes) => sum + bytes, 0),
  );
});

test("The module's memory uses again what was freed, in any order", () => {
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [2, 0, 3, 1],
  ]) {
    const memory = emptyMemory();
    const first = Array.from({ length: 4 }, () => memory.floats(10_000).byteOffset);
    const { byteLength } = memory.memory.buffer;
    for (const index of order) memory.free(first[index]);
    assert.equal(memory.inUse, 0);
    assert.equal(memory.floats(40_000).byteOffset, first[0]);
    assert.equal(memory.memory.buffer.byteLength, byteLength);
  }
});

test("The module's memory knows its arrays, also those from before it grew, and no others", () => {
  const memory = emptyMemory();
  const before = memory.floats(4);
  before.set([1, 2, 3, 4]);
  const after = memory.floats(1_000_000);
  assert.notEqual(after.buffer, before.buffer);
  for (const array of [before, before.subarray(1), after]) {
    assert.equal(memory.addressOf(array), array.byteOffset);
  }
  assert.equal(memory.addressOf(new Float32Array(4)), undefined);
  assert.equal(memory.addressOf(emptyMemory().floats(4)), undefined);
  // Both see the same memory.
  assert.deepEqual([...new Float32Array(after.buffer, before.byteOffset, 4)], [1, 2, 3, 4]);
});

test("The module's memory refuses what it can't hold, and works as before", () => {
  const memory = emptyMemory();
  memory.floats(1000);
  assert.throws(() => memory.allocate(2 ** 32), {
    name: "CharnnError",
    code: "OUT_OF_MEMORY",
    message: /^The wasm backend needs 4\.3 GB of memory, and gets no more than 4\.3 GB\.$/,
  });
  assert.equal(memory.inUse, 4032);
  assert.ok(memory.floats(1000).every((value) => value === 0));
});

test("The module's memory takes back only what it has handed out", () => {
  const memory = emptyMemory();
  const { byteOffset } = memory.floats(5);
  assert.throws(() => memory.free(byteOffset + 64), /No memory was handed out/);
  memory.free(byteOffset);
  assert.throws(() => memory.free(byteOffset), /No memory was handed out/);
});
