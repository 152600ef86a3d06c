/** Models in ONNX, held to charnn's own logits and texts in onnxruntime. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { pythonWith } from "#bench/peers/find.js";
import type { TrainSettings } from "#src/config/train-settings.js";
import { exportModel, loadCheckpoint } from "#src/index.js";
import { documentedCode, runPython } from "../helpers/documented-python.js";
import {
  EVERY_SHAPE,
  logitsOf,
  randomCheckpoint,
  randomTexts,
  TEXT,
  titleOf,
} from "../helpers/exported.js";
import { failsWith } from "../helpers/failure.js";
import { temporaryFolder } from "../helpers/folder.js";
import { assertClose } from "../helpers/numbers.js";
import { greedyText } from "../helpers/scored-text.js";
import { slow } from "../helpers/slow.js";
import { smallRun, trained, workplace } from "../helpers/training.js";
import { makeUnknownLikeliest } from "../helpers/unknown-character.js";

const MODELS = new URL("../../test/fixtures/onnx_models.py", import.meta.url);
const [TIME, BATCH] = [9, 3];
const NO_PYTHON = "no Python with onnx and onnxruntime; `npm run peers` gets it";

/** What test/fixtures/onnx_models.py prints of a model. */
interface Answer {
  readonly metadata: object;
  readonly opset: number;
  readonly inputs: Record<string, (string | number)[]>;
  readonly outputs: Record<string, (string | number)[]>;
  readonly inferred: Record<string, (string | number)[]>;
  readonly whole: number[];
  readonly stepwise: number[];
}

slow(
  "onnxruntime computes charnn's logits with every exported model, of whole texts and step by step",
  async (t) => {
    const python = pythonWith("onnx", "onnxruntime", "numpy");
    if (python === undefined) return t.skip(NO_PYTHON);
    const folder = await temporaryFolder(t);
    const jobs = [];
    for (const [k, model] of EVERY_SHAPE.entries()) {
      const file = path.join(folder, `${k}.onnx`);
      await writeFile(file, await exportModel(randomCheckpoint(model), { to: "onnx" }));
      jobs.push({ path: file, texts: randomTexts(model, TIME, BATCH) });
    }
    const answers: Answer[] = runPython(python, await readFile(MODELS, "utf8"), jobs);
    for (const [k, model] of EVERY_SHAPE.entries()) {
      const title = titleOf(model);
      const { whole, stepwise, inferred, ...said } = answers[k];
      const expected = logitsOf(randomCheckpoint(model), jobs[k].texts);
      assertClose(whole, expected, 1e-5, title);
      assertClose(stepwise, expected, 1e-5, `${title}, step by step`);
      const { layers, hiddenSize, vocabularySize, ngramOrder = 1 } = model;
      const state = [layers, "batch", hiddenSize];
      const isLstm = model.cell === "lstm";
      assert.deepEqual(said, {
        metadata: { vocabulary: ["\n", " ", ..."abcdefgé😀"], model, text: TEXT },
        opset: 11,
        inputs: {
          tokens: ["time", "batch"],
          h0: state,
          ...(isLstm && { c0: state }),
          ...(ngramOrder > 1 && { p0: [ngramOrder - 1, "batch"] }),
        },
        outputs: {
          logits: ["time", "batch", vocabularySize],
          hn: state,
          ...(isLstm && { cn: state }),
          ...(ngramOrder > 1 && { pn: [ngramOrder - 1, "batch"] }),
        },
      });
      // The inference of shapes has followed the graph to its end.
      // It has no name for the length of a slice.
      assert.deepEqual(inferred.products.slice(1), ["batch", vocabularySize], title);
      if (ngramOrder === 1) assert.equal(inferred.products[0], "time", title);
    }
  },
);

const WRITING = documentedCode("onnxruntime.InferenceSession", "print(write(", "exporting.md");
const PROMPT = "lo";

/** Texts for which the program of the documentation has to look at different things, and prompts for them. */
const TRAININGS: [what: string, settings: Partial<TrainSettings>, prompts: readonly string[]][] = [
  ["a plain text", { cell: "lstm", layers: 2 }, [PROMPT, "e"]],
  ["lines", { documents: "lines", embeddingSize: 5 }, ["", PROMPT]],
  ["a plain text with n-grams", { ngramOrder: 3, ngramRows: 1_000 }, [PROMPT, "e"]],
  ["paragraphs", { documents: "paragraphs", cell: "rnn" }, ["", PROMPT]],
  ["a text with an unknown character", { minCount: 25 }, [PROMPT]],
];

for (const [what, settings, prompts] of TRAININGS) {
  slow(
    `The program in Python of the documentation writes what charnn writes, of a model of ${what}`,
    async (t) => {
      const python = pythonWith("onnx", "onnxruntime", "numpy");
      if (python === undefined) return t.skip(NO_PYTHON);
      const text = "love in summer\nthou eye\n\nday's love\n".repeat(30);
      const place = await workplace(t, `${text}quiz\n`);
      await trained(
        smallRun(place, { steps: 150, hiddenSize: 24, learningRate: 0.02, ...settings }),
      );
      const checkpoint = path.join(place.out, "run", "last.safetensors");
      if (settings.minCount !== undefined) await makeUnknownLikeliest(checkpoint);
      const file = path.join(place.out, "night.onnx");
      await writeFile(file, await exportModel(await loadCheckpoint(checkpoint), { to: "onnx" }));
      const program = `${WRITING.definitions}
import sys
print(json.dumps([write(${JSON.stringify(file)}, prompt, 40, 0) for prompt in json.load(sys.stdin)]))
`;
      const texts = runPython<string[]>(python, program, prompts);
      const expected = [];
      for (const prompt of prompts) expected.push(await greedyText(checkpoint, prompt, 40));
      assert.deepEqual(texts, expected);
      // As the page uses it, each character drawn.
      const use = WRITING.use.replace('"i love"', JSON.stringify(PROMPT));
      const printed = `${WRITING.definitions}${use.replace("print(", "print(json.dumps(").trimEnd()})`;
      const drawn = runPython<string>(python, printed, null, { cwd: place.out });
      assert.ok(drawn.startsWith(PROMPT), drawn);
      if (settings.documents === undefined) assert.equal(drawn.length, PROMPT.length + 200);
    },
  );
}

test("A model that no file of ONNX has room for is refused before anything is made of it", async () => {
  const model = { ...EVERY_SHAPE[0], hiddenSize: 16_384 };
  const { config, ...rest } = randomCheckpoint(EVERY_SHAPE[0]);
  await assert.rejects(
    exportModel({ ...rest, config: { ...config, model } }, { to: "onnx" }),
    failsWith("NOT_WRITABLE", "806,", "more than 2 GB", "PyTorch"),
  );
});

test("An export is refused without a format, or with one that there is not", async () => {
  const checkpoint = randomCheckpoint(EVERY_SHAPE[0]);
  const refused = (settings: object, ...says: string[]) =>
    assert.rejects(
      exportModel(checkpoint, settings as { to: "onnx" }),
      failsWith("INVALID_SETTING", ...says),
    );
  await refused({}, "to is missing", "`to: onnx`");
  await refused({ to: "t7" }, "to must be onnx");
  await refused({ to: "onnx", bytes: 3 }, "bytes");
});

test("An export stops where its signal is aborted", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const checkpoint = randomCheckpoint(EVERY_SHAPE[0]);
  await assert.rejects(exportModel(checkpoint, { to: "onnx" }, { signal }), /enough/);
});
