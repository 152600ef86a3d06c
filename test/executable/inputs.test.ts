import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, test } from "node:test";
import {
  charnn,
  EXECUTABLE,
  foxFolder,
  outcomeOf,
  quoted,
  SMALL,
  sentences,
  shell,
  startCharnn,
} from "../helpers/executable.js";
import { slow } from "../helpers/slow.js";
import { slashed } from "../helpers/system.js";

const posix = { skip: process.platform === "win32" && "there are no named pipes" };
const QUIET = [...SMALL, "--quiet"];
const small = QUIET.join(" ");

/** The number of characters that a run has learned from. */
async function charactersOf(cwd: string, run: string): Promise<number> {
  const file = await readFile(path.join(cwd, run, "last.safetensors"));
  const header = file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString();
  const { __metadata__: metadata } = JSON.parse(header);
  const text = Object.values(metadata).find((test) => String(test).includes('"fingerprint"'));
  return JSON.parse(String(text)).text.characters;
}

slow(
  "A file that charnn wrote into a folder of texts is no part of the text, so that runs in that folder can be resumed",
  async (t) => {
    const cwd = await foxFolder(t);
    const { length } = sentences(60);
    const first = await charnn(t, ["train", ".", "--name", "self", ...QUIET], { cwd });
    assert.equal(first.code, 0, first.stderr);
    assert.doesNotMatch(first.stderr, /left out/);
    await charnn(t, ["report", "self"], { cwd });
    const log = await charnn(t, ["train", "fox.txt", "--out", "logged", "--json", ...SMALL], {
      cwd,
    });
    await writeFile(path.join(cwd, "log.jsonl"), log.stdout);
    await writeFile(path.join(cwd, "checkpoints", "notes.txt"), "notes on runs\n");
    for (const args of [["--name", "self"], []]) {
      const resumed = await charnn(t, ["train", ".", ...args, "--resume", "--quiet"], { cwd });
      assert.equal(resumed.code, 0, resumed.stderr);
      assert.match(
        slashed(resumed.stderr),
        /4 outputs of charnn in "\." left out.*: checkpoints\/, log\.jsonl, logged\/.*\/, self-report\.html\./,
      );
    }
    const other = await charnn(t, ["train", ".", "--out", "other", "--name", "b", ...QUIET], {
      cwd,
    });
    assert.match(slashed(other.stderr), /checkpoints\/self\//);
    assert.equal(await charactersOf(cwd, "other/b"), length + "notes on runs\n".length);
    await rm(path.join(cwd, "checkpoints", "notes.txt"));
    const beside = await charnn(t, ["train", ".", "--out", ".", "--name", "here", ...QUIET], {
      cwd,
    });
    assert.equal(beside.code, 0, beside.stderr);
    assert.equal(await charactersOf(cwd, "here"), length);
    const again = await charnn(
      t,
      ["train", ".", "--out", ".", "--name", "here", "--resume", "-q"],
      { cwd },
    );
    assert.equal(again.code, 0, again.stderr);
  },
);

test("A file that charnn wrote into a folder of texts is not confused with a text that only looks like it", async (t) => {
  const cwd = await foxFolder(t);
  await mkdir(path.join(cwd, "site"));
  await writeFile(path.join(cwd, "site/page.html"), "<!doctype html>\n<title>charnn</title>\n");
  await writeFile(path.join(cwd, "site/data.jsonl"), '{"event":"click","x":1}\n');
  await writeFile(path.join(cwd, "site/metrics.jsonl"), '{"loss":1}\n');
  const { code, stderr } = await charnn(t, ["train", ".", "--name", "a", ...QUIET], { cwd });
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /left out/);
});

test("A file that charnn wrote into a folder of texts is left out also where an older version wrote it", async (t) => {
  const cwd = await foxFolder(t);
  const page = `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src &#39;sha256-GcjU`;
  await writeFile(path.join(cwd, "old-report.html"), page);
  const { stderr } = await charnn(t, ["train", ".", "--name", "a", ...QUIET], { cwd });
  assert.match(stderr, /1 output of charnn in "\." left out.*: old-report\.html\./);
});

test("A file that charnn wrote into a folder of texts is not trained on where there is nothing else", async (t) => {
  const cwd = await foxFolder(t, { trained: true });
  await rm(path.join(cwd, "fox.txt"));
  const { code, stderr } = await charnn(t, ["train", "."], { cwd });
  assert.equal(code, 1);
  assert.match(slashed(stderr), /no text files, only what charnn wrote: checkpoints\//);
});

test(
  "A file that charnn wrote into a folder of texts is left out also while the command's output goes to it",
  posix,
  async (t) => {
    const cwd = await foxFolder(t);
    const line = `echo 'older lines of a log' > log.txt; charnn train . --name a ${small} 2>> log.txt`;
    assert.equal((await shell(t, line, { cwd })).code, 0);
    assert.equal(await charactersOf(cwd, "checkpoints/a"), sentences(60).length);
  },
);

describe("A source that can be read once", posix, () => {
  slow(
    "A source that can be read once is read once and kept, in a cross-validation and to find a run",
    async (t) => {
      const cwd = await foxFolder(t);
      await shell(t, "mkfifo pipe", { cwd });
      for (const [feed, name] of [
        ["cat fox.txt |", "-"],
        ["cat fox.txt |", "/dev/stdin"],
        ["", "<(cat fox.txt)"],
        ["(cat fox.txt > pipe) &", "pipe"],
      ]) {
        const folds = await shell(
          t,
          `${feed} charnn train ${name} --name k --overwrite --cross-validate 2 ${small}`,
          { cwd },
        );
        assert.equal(folds.code, 0, `${name}: ${folds.stderr}`);
        assert.equal(
          folds.stdout,
          "checkpoints/k-fold-1/best.safetensors\ncheckpoints/k-fold-2/best.safetensors\n",
        );
      }
      await charnn(t, ["train", "fox.txt", "--name", "fox", ...QUIET], { cwd });
      for (const line of [
        "cat fox.txt | charnn train - --resume -q",
        "charnn train <(cat fox.txt) --resume -q",
        "(cat fox.txt > pipe) & charnn train pipe --resume -q",
      ]) {
        const { code, stdout, stderr } = await shell(t, line, { cwd });
        assert.equal(code, 0, `${line}: ${stderr}`);
        assert.equal(stdout, "checkpoints/fox/best.safetensors\n");
      }
    },
  );

  slow("A source that can be read once is read by every command", async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    await charnn(t, ["train", "fox.txt", "--name", "dog", ...QUIET], { cwd });
    for (const line of [
      "charnn eval fox <(cat fox.txt) --also dog --no-baselines",
      "cat fox.txt | charnn eval fox - --also dog --no-baselines",
      "charnn score fox <(cat fox.txt) --also dog",
      "charnn copies <(cat fox.txt) <(cat fox.txt)",
      "cat fox.txt | charnn report fox --text -",
      "charnn report fox --text <(cat fox.txt)",
      "charnn sample fox -n 5 --max-copy 30 --training-text <(cat fox.txt)",
      "cat fox.txt | charnn sample fox -n 5 --max-copy 30 --training-text -",
      "printf 'The fox' | charnn sample fox -n 5 --seed-file -",
      "charnn sample fox -n 5 --seed-file <(printf 'The fox')",
      "printf 'The fox' | charnn sample fox -n 5 --start=FILE:/dev/stdin",
      "echo '{\"steps\": 1}' | charnn train fox.txt --name a -q --hidden-size 8 --config -",
      'charnn train - --name b -q --config <(echo \'{"steps": 1, "hidden-size": 8}\') < fox.txt',
    ]) {
      const { code, stderr } = await shell(t, line, { cwd });
      assert.equal(code, 0, `${line}: ${stderr}`);
    }
  });

  slow(
    "A source that can be read once is refused where it is named twice, and so is a device without an end",
    async (t) => {
      const cwd = await foxFolder(t);
      await shell(t, "mkfifo pipe", { cwd });
      await writeFile(path.join(cwd, "options.json"), '{"steps": 1}');
      for (const [line, message] of [
        ["charnn train pipe pipe", '"pipe" is named twice'],
        ["charnn train pipe --validation-file pipe", '"pipe" is named twice'],
        ["charnn train - /dev/stdin < fox.txt", "named twice"],
        ["charnn train - --config - < options.json", "The standard input (-) is named twice"],
        [
          "charnn train fox.txt --config /dev/stdin --validation-file - < options.json",
          "named twice",
        ],
        ["charnn sample --seed-file - --max-copy 9 --training-text - < fox.txt", "named twice"],
        ["charnn copies - - < fox.txt", "named twice"],
        ["(cat options.json > pipe) & charnn train pipe --config pipe", '"pipe" is named twice'],
        ["charnn train /dev/zero", '"/dev/zero" is a device'],
        ["charnn train fox.txt --validation-file /dev/urandom", '"/dev/urandom" is a device'],
      ]) {
        const { code, stderr } = await shell(t, line, { cwd });
        assert.ok(code === 1 || code === 2, stderr);
        assert.ok(stderr.includes(message), stderr);
      }
    },
  );

  slow("A source that can be read once is refused where it may not be read", async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    await shell(t, "chmod 777 . && cp fox.txt secret.txt && chmod 000 secret.txt", { cwd });
    const asOther = process.getuid?.() === 0 ? "setpriv --reuid 65534 --clear-groups" : "";
    if (asOther && (await shell(t, `${asOther} true`, { cwd })).code !== 0)
      return t.skip("no setpriv");
    for (const line of [
      "train secret.txt",
      "train fox.txt --config secret.txt",
      "train fox.txt --validation-file secret.txt",
      "sample fox --seed-file secret.txt",
      "eval fox secret.txt",
    ]) {
      const program = `${quoted(process.execPath)} ${quoted(EXECUTABLE)}`;
      const { code, stderr } = await shell(t, `${asOther} ${program} ${line}`, { cwd });
      assert.equal(code, 1, stderr);
      assert.match(stderr, /^Error: "secret\.txt" can't be read: permission is denied\.\n/m);
    }
  });

  slow("A source that can be read once is no longer waited for once a signal comes", async (t) => {
    const cwd = await foxFolder(t, { trained: true });
    await shell(t, "mkfifo pipe", { cwd });
    for (const args of [
      ["train", "pipe", "--resume"],
      ["train", "pipe"],
      ["eval", "fox", "pipe"],
      ["sample", "fox", "--seed-file", "pipe"],
      ["train", "fox.txt", "--config", "pipe"],
    ]) {
      const child = await startCharnn(t, args, { cwd });
      const ended = outcomeOf(child);
      // It says nothing while it waits.
      const isOver = await Promise.race([ended, new Promise((wait) => setTimeout(wait, 2_000))]);
      assert.equal(isOver, undefined, "it did not wait");
      child.kill("SIGINT");
      // A second one where the first only asks for the end of a step.
      setTimeout(() => child.kill("SIGINT"), 500).unref();
      const { code, signal } = await ended;
      assert.ok(code === 130 || signal === "SIGINT", `${args}: ${code} ${signal}`);
    }
  });
});
