/** What is printed to be pasted is pasted here, into a real shell. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { TestContext } from "node:test";
import { charnn, SMALL, sentences, shell, startCharnn, written } from "../helpers/executable.js";
import { temporaryFolder } from "../helpers/folder.js";
import { slow } from "../helpers/slow.js";
import { noShell, slashed } from "../helpers/system.js";

const ODD = 'it\'s "$HOME" `id` !x é日本\u202e\u200b';
/** The same without a character that no run's name may have. */
const ODD_NAME = ODD.replaceAll('"', "");
/** So slow that it is interrupted before its end, and ends soon when it goes on. */
const SLOW =
  "--hidden-size 24 --batch-size 4 --seq-length 16 --steps 250 --eval-every 25 --backend wasm".split(
    " ",
  );

/** Interrupts a training after its first evaluation, and returns what it then says. */
async function interrupted(
  t: TestContext,
  cwd: string,
  args: readonly string[],
  stdin?: string,
): Promise<string> {
  const child = await startCharnn(t, ["train", ...args], { cwd });
  child.stdin.end(stdin);
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  child.stdout.resume();
  await written(child.stderr, /^ +1 +\d+ .*best/m);
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  assert.equal(code, 130, stderr);
  return stderr;
}

/** Pastes the line that goes on with a run, and returns what that writes. */
async function pasted(t: TestContext, cwd: string, said: string, before = ""): Promise<string> {
  const [, line] = /^To continue: (.*)$/m.exec(said) ?? [];
  assert.ok(line, said);
  const { code, stdout, stderr } = await shell(t, before + line, { cwd });
  assert.equal(code, 0, `${line}\n${stderr}`);
  assert.match(stderr, /^ {2}run +steps \d+ to /m);
  assert.match(stderr, /^Done: step 250 of 250/m);
  return stdout;
}

slow(
  "the line that goes on with an interrupted run works when it is pasted",
  { skip: noShell },
  async (t) => {
    const cwd = await temporaryFolder(t);
    await mkdir(path.join(cwd, `folder ${ODD}`));
    const files = ["-dash.txt", `${ODD}\\\n.txt`, "a b.txt", "c", "d", "e", `folder ${ODD}/f`];
    for (const file of files) await writeFile(path.join(cwd, file), sentences(80));
    await writeFile(path.join(cwd, `val ${ODD}`), sentences(12));

    await t.test("with odd names, of seven files, with all that was chosen", async (sub) => {
      const chosen = ["--keep", "2", "--save-every", "10", "--threads", "1", "--tensorboard"];
      const places = [
        `--name=-run ${ODD_NAME}`,
        "--out",
        `runs ${ODD}`,
        "--validation-file",
        `val ${ODD}`,
      ];
      const said = await interrupted(sub, cwd, [...SLOW, ...chosen, ...places, "--", ...files]);
      await pasted(sub, cwd, said);
      const run = await readdir(path.join(cwd, `runs ${ODD}`, `-run ${ODD_NAME}`));
      assert.equal(run.filter((name) => name.startsWith("step-")).length, 2, `${run}`);
      assert.equal(run.filter((name) => name.startsWith("events.out")).length, 2, `${run}`);
      assert.match(said, /^To continue: [\x20-\x7e\p{L}]*$/mu);
      assert.match(said, / --keep 2 /);
      assert.match(said, / --save-every 10 /);
      assert.match(said, / --threads 1 /);
      assert.match(said, / --backend wasm /);
    });

    await t.test("of a run whose options are in a file", async (sub) => {
      const small = { "hidden-size": 24, batchSize: 4, seqLength: 16, steps: 250 };
      const options = { ...small, eval_every: 25, backend: "wasm", keep: 1 };
      await writeFile(path.join(cwd, "options.json"), JSON.stringify(options));
      const said = await interrupted(sub, cwd, ["c", "d", "e", "--config", "options.json"]);
      await pasted(sub, cwd, said);
      assert.match(said, / --keep 1 /);
    });

    await t.test("of a text on standard input", async (sub) => {
      const text = sentences(400);
      const said = await interrupted(sub, cwd, ["-", "--name", "piped", ...SLOW], text);
      assert.match(said, /^It needs the same text again, on standard input\.$/m);
      await writeFile(path.join(cwd, "forty lines"), text);
      await pasted(sub, cwd, said, "< 'forty lines' ");

      if (process.platform !== "linux") return;
      const saidOf = async (name: string, file: string, before = "") => {
        const inner = `charnn train - --name ${name} ${SLOW.join(" ")} < ${file} 2> said > out & `;
        const wait = "until [ -s said ] && grep -q best said; do sleep 0.1; done;";
        const line = `set -m; rm -f said; ${inner} ${wait} ${before} kill -INT -- -$!; wait $!`;
        await shell(sub, line, { cwd });
        return readFile(path.join(cwd, "said"), "utf8");
      };
      await pasted(sub, cwd, await saidOf("given", "'forty lines'"));

      await shell(sub, "cp 'forty lines' $'\\xff'; cp 'forty lines' removed", { cwd });
      for (const again of [
        await saidOf("bytes", "$'\\xff'"),
        await saidOf("gone", "removed", "rm removed;"),
      ]) {
        assert.match(again, /^It needs the same text again, on standard input\.$/m);
        await pasted(sub, cwd, again, "< 'forty lines' ");
      }
    });
  },
);

slow(
  "the command that resumes a cross-validation resumes all of it",
  { skip: noShell },
  async (t) => {
    const cwd = await temporaryFolder(t);
    await writeFile(path.join(cwd, "fox.txt"), sentences(400));
    const said = await interrupted(t, cwd, [
      "fox.txt",
      "--cross-validate",
      "2",
      ...SLOW,
      "--test",
      "0.1",
    ]);
    await pasted(t, cwd, said);
    assert.deepEqual((await readdir(path.join(cwd, "checkpoints"))).sort(), [
      "fox-gru-1x24-fold-1",
      "fox-gru-1x24-fold-2",
    ]);
    const info = await charnn(t, ["info"], { cwd });
    assert.equal(info.stdout.match(/ 250\/250 /g)?.length, 2, info.stdout);

    // Another one takes a name that none of its folds has.
    const again = [
      "train",
      "fox.txt",
      "--cross-validate",
      "2",
      "--hidden-size",
      "24",
      "--steps",
      "2",
    ];
    const { code, stdout, stderr } = await charnn(t, [...again, "--quiet"], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /fox-gru-1x24-2-fold-1.*\n.*fox-gru-1x24-2-fold-2/);
  },
);

slow("a limit that is given to a run that goes on replaces those of its kind alone", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  const train = (...args: string[]) =>
    charnn(t, ["train", "fox.txt", "--name", "fox", "--hidden-size", "8", ...args], { cwd });
  const limits = async () => {
    const { stdout } = await charnn(t, ["info", "fox", "--json"], { cwd });
    return JSON.parse(stdout).config.limits;
  };
  await train("--steps", "4", "--patience", "100", "--target-loss", "0.1");
  const resumed = await train("--resume", "--epochs", "2");
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.deepEqual(await limits(), { epochs: 2, patience: 100, targetLoss: 0.1 });
  await train("--resume", "--steps", "40", "--patience", "0");
  assert.deepEqual(await limits(), { steps: 40, targetLoss: 0.1 });
  await train("--overwrite", "--steps", "40", "--target-loss", "50", "--eval-every", "2");
  const ended = await train("--resume", "--steps", "50");
  assert.match(ended.stderr, /is already finished, by its --target-loss: .*--target-loss 0/);
  const freed = await train("--resume", "--steps", "50", "--target-loss", "0");
  assert.match(freed.stderr, /^Done: step 50 of 50/m);
  assert.deepEqual(await limits(), { steps: 50 });
});

slow("of several runs on a text, the newest with the settings asked for is resumed", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  for (const size of ["24", "16"]) {
    await charnn(t, ["train", "fox.txt", "--hidden-size", size, "--steps", "2", "--quiet"], {
      cwd,
    });
  }
  const resume = (...args: string[]) =>
    charnn(t, ["train", "fox.txt", "--resume", ...args], { cwd });
  const chosen = await resume("--hidden-size", "24", "--steps", "4");
  assert.equal(chosen.code, 0, chosen.stderr);
  assert.match(slashed(chosen.stdout), /^checkpoints\/fox-gru-1x24\//);
  const newest = await resume("--steps", "6");
  assert.match(slashed(newest.stdout), /^checkpoints\/fox-gru-1x24\//);
  const none = await resume("--hidden-size", "8");
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(
    none.stderr,
    /^Error: --hidden-size 8 is the setting of no run on this text.*, it is 24\.\n/,
  );
});

slow("--overwrite without a name overwrites the run of the default name", async (t) => {
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, "fox.txt"), sentences(60));
  const train = (...args: string[]) =>
    charnn(t, ["train", "fox.txt", "--quiet", ...SMALL, ...args], { cwd });
  const first = await train();
  const second = await train("--overwrite", "--random-seed", "1");
  assert.deepEqual([second.code, second.stdout], [0, first.stdout], second.stderr);
  assert.deepEqual(await readdir(path.join(cwd, "checkpoints")), ["fox-gru-1x8"]);
  assert.match(slashed((await train()).stdout), /^checkpoints\/fox-gru-1x8-2\//);
});
