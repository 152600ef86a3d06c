/** What the tensorflow backend does with cuDNN's operations; test/long/cudnn.ts has more. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { dataFolder } from "#src/data-folder.js";
import { passByStandIn, standIn, whyNoStandIn } from "../../helpers/cudnn-stand-in.js";
import { charnn, foxFolder, SMALL } from "../../helpers/executable.js";
import { slow } from "../../helpers/slow.js";
import { onTensorFlow } from "../../helpers/tensorflow.js";

const TRAIN = [
  ...["train", "fox.txt", "--backend", "tensorflow", "--threads", "1", ...SMALL],
  // With it no layer uses cuDNN.
  ...["--recurrent-dropout", "0"],
];

await onTensorFlow("cuDNN's operations", (backend) => {
  const skip = whyNoStandIn(backend);

  slow(
    "cuDNN's operations pass the conformance tests of the recurrent layers",
    { skip },
    async () => {
      await passByStandIn("conformance/rnn.test.js", 100, { CHARNN_TEST_QUICK: "1" });
    },
  );

  slow("cuDNN's operations are found by doctor", { skip }, async (t) => {
    const env = await standIn();
    const { stdout } = await charnn(t, ["doctor"], { env });
    assert.match(stdout, /^tensorflow +loads: .*, TensorFlow \d+\.\d+\.\d+ with cuDNN$/m);
    const { backends } = JSON.parse((await charnn(t, ["doctor", "--json"], { env })).stdout);
    const { tensorflow, warning } = backends.find(
      ({ name }: { readonly name: string }) => name === "tensorflow",
    );
    const { version, ...found } = tensorflow;
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.deepEqual({ ...found, warning }, { device: "CPU", cudnn: true, warning: undefined });
  });

  slow(
    "cuDNN's operations that give other numbers are left alone, and a warning says so",
    { skip },
    async (t) => {
      const cwd = await foxFolder(t);
      const data = { XDG_DATA_HOME: dataFolder() };
      const plain = await charnn(t, [...TRAIN, "--name", "plain"], { cwd, env: data });
      assert.equal(plain.code, 0, plain.stderr);
      assert.doesNotMatch(plain.stderr, /cuDNN/);
      const env = await standIn("-DEXCHANGED_GATES");
      const wrong = await charnn(t, [...TRAIN, "--name", "wrong"], { cwd, env });
      assert.equal(wrong.code, 0, wrong.stderr);
      const warning =
        "cuDNN's layers can't be used: a GRU gives other numbers than without them. " +
        "Using other layers, which are several times slower.";
      assert.equal(wrong.stderr.split(warning).length, 2, wrong.stderr);
      const [a, b] = await Promise.all(
        ["plain", "wrong"].map((name) =>
          readFile(path.join(cwd, "checkpoints", name, "last.safetensors")),
        ),
      );
      assert.ok(a.subarray(-1000).equals(b.subarray(-1000)));
      const { stdout } = await charnn(t, ["doctor"], { env });
      assert.ok(stdout.replace(/\s+/g, " ").includes(`. ${warning}`), stdout);
    },
  );
});
