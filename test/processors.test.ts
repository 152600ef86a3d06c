import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { defaultThreads } from "#src/processors.js";

/** A Linux system with these processors, each by the list of its core's threads and its speed. */
function linux(
  allowed: string,
  processors: readonly (readonly [siblings: string, speed?: number])[],
  others: Readonly<Record<string, string>> = {},
) {
  const files = new Map(Object.entries(others));
  files.set("/proc/self/status", `Name:\tnode\nCpus_allowed_list:\t${allowed}\n`);
  for (const [cpu, [siblings, speed]] of processors.entries()) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}`;
    files.set(`${folder}/topology/thread_siblings_list`, `${siblings}\n`);
    if (speed) files.set(`${folder}/cpufreq/cpuinfo_max_freq`, `${speed}\n`);
  }
  return (path: string) => {
    const text = files.get(path);
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  };
}

/** The numbers below do not depend on the machine that runs the test: it has at least one processor. */
const atMost = (threads: number) => Math.min(threads, availableParallelism());

test("There is one thread by default for each core, not for each of its threads", () => {
  const read = linux("0-3", [["0,2"], ["1,3"], ["0,2"], ["1,3"]]);
  assert.deepEqual(defaultThreads(undefined, read), {
    threads: atMost(2),
    why: "one for each core",
  });
});

test("Cores on which the process may not run get no thread by default", () => {
  const read = linux("0,2-3", [["0,1"], ["0,1"], ["2,3"], ["2,3"], ["4"]]);
  assert.equal(defaultThreads(undefined, read).threads, atMost(2));
  assert.equal(defaultThreads(undefined, linux("1", [["0"], ["1"]])).threads, 1);
});

test("The slow cores of a hybrid processor get no thread by default", () => {
  // Two fast cores of slightly different speed with two threads each, two slow ones.
  const read = linux("0-5", [
    ["0-1", 5_800_000],
    ["0-1", 5_800_000],
    ["2-3", 5_600_000],
    ["2-3", 5_600_000],
    ["4", 4_300_000],
    ["5", 4_300_000],
  ]);
  assert.deepEqual(defaultThreads(undefined, read), {
    threads: atMost(2),
    why: "one for each fast core; 2 slow ones are left out",
  });
});

test("The capacity of a core says how fast it is where the system has it", () => {
  const capacities = Object.fromEntries(
    [1024, 1024, 400].map((capacity, cpu) => [
      `/sys/devices/system/cpu/cpu${cpu}/cpu_capacity`,
      `${capacity}\n`,
    ]),
  );
  const read = linux("0-2", [["0"], ["1"], ["2"]], capacities);
  assert.match(defaultThreads(undefined, read).why, /1 slow/);
});

const oneCore = [["0"]] as const;

test("A container's quota limits the threads, by either version of control groups", () => {
  const newer = {
    "/proc/self/cgroup": "0::/outer/inner\n",
    "/sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/outer/cpu.max": "50000 100000\n",
  };
  const older = {
    "/proc/self/cgroup": "4:cpu,cpuacct:/docker/0a\n1:cpuset:/\n",
    "/sys/fs/cgroup/cpu/docker/0a/cpu.cfs_quota_us": "50000\n",
    "/sys/fs/cgroup/cpu/docker/0a/cpu.cfs_period_us": "100000\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
  };
  for (const files of [newer, older]) {
    assert.deepEqual(defaultThreads(undefined, linux("0", oneCore, files)), {
      threads: 1,
      why: "the process has a quota of 0.5 processors",
    });
  }
});

test("A quota is rounded to a number of threads", () => {
  const threadsOf = (quota: number) => {
    const files = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": `${quota} 100000\n` };
    return defaultThreads(undefined, linux("0-1", [["0"], ["1"]], files)).threads;
  };
  assert.equal(threadsOf(20_000), 1);
  assert.equal(threadsOf(140_000), 1);
  assert.equal(threadsOf(150_000), atMost(2));
});

test("A quota above the number of cores limits nothing", () => {
  const files = { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "400000 100000\n" };
  assert.equal(defaultThreads(undefined, linux("0", oneCore, files)).why, "one for each core");
});

test("Another system's cores are those that a program found, where it did", () => {
  const read = () => {
    throw new Error("ENOENT");
  };
  assert.equal(defaultThreads(1, read).threads, 1);
  assert.equal(defaultThreads(undefined, read).threads, availableParallelism());
});
