import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { charnn, foxFolder, startCharnn } from "../helpers/executable.js";
import { openPage } from "../helpers/following.js";
import { openScreen, withTmux } from "../helpers/screen.js";
import { slow } from "../helpers/slow.js";
import { isWindows } from "../helpers/system.js";

test("report writes a page", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const plain = await charnn(t, ["report"], { cwd });
  assert.deepEqual([plain.code, plain.stdout, plain.stderr], [0, "fox-report.html\n", ""]);
  assert.match(await readFile(path.join(cwd, "fox-report.html"), "utf8"), /^<!doctype html>/);
  const piped = await charnn(t, ["report", "-o", "-"], { cwd });
  assert.deepEqual([piped.code, piped.stderr], [0, ""]);
  assert.match(piped.stdout, /^<!doctype html>[\s\S]*<\/html>\n$/);

  await writeFile(path.join(cwd, "other.txt"), "the quick brown fox says Ä\n".repeat(20));
  const skipping = ["--text", "other.txt", "--unknown", "skip"];
  const other = await charnn(t, ["report", "fox", ...skipping, "-o", "o.html"], { cwd });
  assert.deepEqual([other.code, other.stdout], [0, "o.html\n"]);
  assert.match(other.stderr, /^Warning: 20 characters that the model does not know.*"Ä"/);
  assert.match(await readFile(path.join(cwd, "o.html"), "utf8"), /role="note">Warning: 20 char/);

  for (const [args, code, said] of [
    [["fix"], 1, /no run "fix"/],
    [["--text", "none.txt"], 1, /no file or folder "none.txt"/],
    [["--text", "other.txt"], 1, /does not know the character "Ä"/],
    [["-o", "no/such/folder.html"], 1, /can't be written/],
    [["--port", "80"], 2, /--watch/],
    [["-o", "-", "--json"], 2, /^Error: --json .*\nLeave out --json, or choose a file/],
    [["-o", "-", "--open"], 2, /^Error: --open /],
    [["--watch", "fox", "fox"], 2, /Several runs/],
  ] as const) {
    const outcome = await charnn(t, ["report", ...args], { cwd });
    assert.deepEqual([outcome.code, outcome.stdout], [code, ""], outcome.stderr);
    assert.match(outcome.stderr, said);
  }
});

slow(
  "report takes the place of its own pages, and of nothing else without --overwrite",
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const before = await readFile(path.join(cwd, "fox.txt"), "utf8");
    await writeFile(path.join(cwd, "notes.html"), "<p>notes");
    await link(path.join(cwd, "fox.txt"), path.join(cwd, "link.html"));
    const report = ["report", "fox", "--text", "fox.txt"];
    for (const [file, reason] of [
      ["fox.txt", /fox\.txt can't be written: it is the file "fox\.txt" itself, which is read/],
      ["link.html", /link\.html can't be written: it is the file "fox\.txt" itself/],
      ["notes.html", /notes\.html can't be written: there is a file that charnn did not make/],
      ["checkpoints/fox/last.safetensors", /it would replace a checkpoint\./],
      ["checkpoints/fox/metrics.jsonl", /it would replace the metrics of a run\./],
      ["checkpoints", /checkpoints can't be written: it is a folder/],
    ] as const) {
      const { code, stdout, stderr } = await charnn(t, [...report, "--output", file], { cwd });
      assert.deepEqual([code, stdout], [1, ""], stderr);
      assert.match(stderr, reason);
      assert.match(stderr, /\nChoose another file with --output/);
    }
    assert.equal(await readFile(path.join(cwd, "fox.txt"), "utf8"), before);
    for (let k = 0; k < 2; k++) assert.equal((await charnn(t, report, { cwd })).code, 0);
    const told = await charnn(t, [...report, "-o", "notes.html", "--overwrite"], { cwd });
    assert.deepEqual([told.code, told.stdout], [0, "notes.html\n"]);
    assert.match(await readFile(path.join(cwd, "notes.html"), "utf8"), /^<!doctype html>/);
    assert.deepEqual((await readdir(cwd)).sort(), [
      "checkpoints",
      "fox-report.html",
      "fox.txt",
      "link.html",
      "notes.html",
    ]);
  },
);

/** A browser that writes the address which it is to open into a file. */
async function fakeBrowser(cwd: string) {
  const program = path.join(cwd, "browser");
  const seen = path.join(cwd, "seen");
  await writeFile(
    program,
    `#!/bin/sh\nprintf %s "$1" > "${seen}.new" && mv "${seen}.new" "${seen}"\n`,
  );
  await chmod(program, 0o755);
  const opened = async () => {
    for (;;) {
      const address = await readFile(seen, "utf8").catch(() => undefined);
      if (address !== undefined) return address;
      await sleep(50);
    }
  };
  return { env: { BROWSER: program, DISPLAY: ":99" }, opened };
}

const noFakeBrowser = (isWindows || process.platform === "darwin") && "has no BROWSER";

test("report --open opens the page in the browser", { skip: noFakeBrowser }, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const { env, opened } = await fakeBrowser(cwd);
  const { code, stdout, stderr } = await charnn(t, ["report", "--open"], { cwd, env });
  assert.deepEqual([code, stdout, stderr], [0, "fox-report.html\n", ""]);
  assert.match(await readFile(fileURLToPath(await opened()), "utf8"), /^<!doctype html>/);
});

test("report --open writes the page where no browser can be opened, and says so", async (t) => {
  if (noFakeBrowser) return t.skip(noFakeBrowser);
  const cwd = await foxFolder(t, { trained: true });
  const failing = path.join(cwd, "failing");
  await writeFile(failing, "#!/bin/sh\nexit 1\n");
  await chmod(failing, 0o755);
  for (const [env, reason] of [
    [{ BROWSER: "", DISPLAY: "", WAYLAND_DISPLAY: "" }, /there is no graphical display here/],
    [{ BROWSER: failing, DISPLAY: ":99", PATH: cwd }, /No browser could be opened/],
  ] as const) {
    const { code, stdout, stderr } = await charnn(t, ["report", "--open"], { cwd, env });
    assert.deepEqual([code, stdout], [0, "fox-report.html\n"]);
    assert.match(stderr, reason);
    assert.match(stderr, /Open the file in one\.\n$/);
    assert.match(await readFile(path.join(cwd, "fox-report.html"), "utf8"), /^<!doctype html>/);
  }
});

slow(
  "report --watch --open opens an address without the token, which leads to the page once",
  { skip: noFakeBrowser },
  async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    const { env, opened } = await fakeBrowser(cwd);
    const child = await startCharnn(t, ["report", "--watch", "--open"], { cwd, env });
    const address = await lineOf(child.stdout);
    const once = await opened();
    const token = new URL(address).searchParams.get("token") ?? "";
    assert.ok(token.length > 0 && !once.includes(token));
    const page = await fetch(once);
    assert.deepEqual([page.status, page.url], [200, address]);
    assert.equal((await fetch(once)).status, 403);
    child.kill("SIGINT");
  },
);

test("report says how to wait for a run that has reported nothing", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await mkdir(path.join(cwd, "checkpoints", "new"));
  const { code, stderr } = await charnn(t, ["report", "new"], { cwd });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /"new" has reported nothing.*\nWith --watch charnn waits for the first report/,
  );
});

slow("report --watch serves it until a signal ends it, even while it is read", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    const child = await startCharnn(t, ["report", "fox", "--watch"], { cwd });
    const address = await lineOf(child.stdout);
    const page = await fetch(address);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /charnn: fox/);
    assert.equal((await fetch(address.replace(/\?.*/, ""))).status, 403);
    await Promise.all([openPage(address), openPage(address)]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    // There a signal of Node ends a process without asking it.
    assert.equal(await ended, isWindows ? null : code);
  }
});

slow("report --watch waits for a run, and says for which and what others there are", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  const child = await startCharnn(t, ["report", "night", "--watch"], { cwd });
  let said = "";
  child.stderr.on("data", (bytes) => {
    said += bytes;
  });
  const address = await lineOf(child.stdout);
  const page = await openPage(address);
  await page.next();
  assert.match(page.shown.status, /Waiting for the run/);
  const { code, stderr } = await charnn(
    t,
    ["train", "fox.txt", "--name", "night", "--hidden-size", "8", "--steps", "7"],
    { cwd },
  );
  assert.equal(code, 0, stderr);
  await page.until(({ progress }) => progress.startsWith("Step 7 of 7, in "));
  child.kill("SIGINT");
  await once(child, "close");
  assert.match(
    said,
    /There is no run "night"\. Waiting for it\. The runs in checkpoints are: fox\./,
  );
});

slow("report shows in a terminal what it does, in a line that is erased", withTmux, async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  for (const [args, left] of [
    [[], /^fox-report\.html$/m],
    [["--watch"], /^http:.*$/m],
  ] as const) {
    const screen = await openScreen(t, ["report", "fox", "--text", "-", ...args], {
      cwd,
      columns: 80,
      // The text comes when it has been waited for.
      scriptOf: (command) =>
        `{ until test -e go; do sleep 0.1; done; cat fox.txt; } | ${command}; echo "code $?"`,
    });
    await screen.shows(/^Reading the text$/m);
    await writeFile(path.join(cwd, "go"), "");
    const lines = await screen.shows(left);
    assert.doesNotMatch(lines.join("\n"), /Reading/);
    assert.equal(screen.cursorIsShown(), true);
    screen.press("C-c");
    await screen.shows(args.length > 0 ? /^code 130$/m : /^code 0$/m);
    screen.close();
    await rm(path.join(cwd, "go"));
  }
});

/** The first line that a stream brings. */
async function lineOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0];
}
