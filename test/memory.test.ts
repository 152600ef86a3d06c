import assert from "node:assert/strict";
import { test } from "node:test";
import { CharnnError } from "#src/errors.js";
import { containerLimit, inMemory, isOutOfMemory } from "#src/memory.js";

/** A system that has these files. */
function reading(files: Readonly<Record<string, string>>) {
  return (path: string) => {
    if (path in files) return files[path];
    throw new Error(`ENOENT: ${path}`);
  };
}

test("The memory of a container is the lowest limit of the groups around the process", () => {
  const read = reading({
    "/proc/self/cgroup": "0::/outer/inner\n",
    "/sys/fs/cgroup/outer/inner/memory.max": "max\n",
    "/sys/fs/cgroup/outer/memory.max": "3000000\n",
    "/sys/fs/cgroup/memory.max": "5000000\n",
  });
  assert.equal(containerLimit(read), 3_000_000);
});

test("The memory of a container is read from the older version of control groups too", () => {
  const read = reading({
    "/proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/0a\n1:cpuset:/\n",
    "/sys/fs/cgroup/memory/docker/0a/memory.limit_in_bytes": "2000000\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  });
  assert.equal(containerLimit(read), 2_000_000);
});

test("The memory of a container is unlimited where no file names a limit", () => {
  assert.equal(containerLimit(reading({})), Number.POSITIVE_INFINITY);
  const read = reading({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" });
  assert.equal(containerLimit(read), Number.POSITIVE_INFINITY);
});

test("An allocation that fails is distinguished from other errors", async () => {
  // More than any machine has, or any array can have.
  const failures = [
    () => new ArrayBuffer(2 ** 52),
    () => new Float32Array(2 ** 40),
    () => "a".repeat(2 ** 30),
  ];
  const explained = new CharnnError("OUT_OF_MEMORY", "explained");
  for (const fails of failures) {
    await assert.rejects(
      inMemory<unknown>(fails, () => explained),
      explained,
    );
  }
  const other = new RangeError("toFixed() digits argument must be between 0 and 100");
  assert.ok(!isOutOfMemory(other));
  await assert.rejects(
    inMemory(
      () => {
        throw other;
      },
      () => explained,
    ),
    other,
  );
});
