/** Models in ONNX, held to charnn's own logits in onnxruntime-web. */
import path from "node:path";
import { after } from "node:test";
import { pathToFileURL } from "node:url";
import { onnxruntimeWeb } from "#bench/peers/find.js";
import { exportModel } from "#src/index.js";
import { closeBrowser, openPage, served, withoutChromium } from "../helpers/browser.js";
import {
  EVERY_SHAPE,
  logitsOf,
  randomCheckpoint,
  randomTexts,
  titleOf,
} from "../helpers/exported.js";
import { assertClose } from "../helpers/numbers.js";
import { slow } from "../helpers/slow.js";

const [TIME, BATCH] = [7, 2];
const MODULES = onnxruntimeWeb();
const skip = MODULES === undefined && "no onnxruntime-web; `npm run peers` gets it";

after(closeBrowser);

/** A model, and texts for it. */
interface Job {
  /** In base64. */
  readonly file: string;
  /** `[time, batch]` */
  readonly texts: readonly number[][];
  /** `[layers, batch, hidden]` */
  readonly stateShape: readonly number[];
  /** Characters before them that the model takes. */
  readonly before: number;
}

/** Computes logits; it uses nothing of this file, so that a page can run it too. */
async function logitsByWeb(module: string, jobs: readonly Job[]): Promise<number[][]> {
  const ort = await import(module);
  ort.env.wasm.numThreads = 1;
  const all: number[][] = [];
  for (const { file, texts, stateShape, before } of jobs) {
    const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    const tokens = BigInt64Array.from(texts.flat(), BigInt);
    const feeds = { tokens: new ort.Tensor("int64", tokens, [texts.length, texts[0].length]) };
    const size = stateShape.reduce((product, length) => product * length, 1);
    const [, batch] = stateShape;
    const states = session.inputNames.slice(1).map((name: string) => {
      // Nothing is before the first characters.
      if (name === "p0") {
        const symbols = new BigInt64Array(before * batch);
        return [name, new ort.Tensor("int64", symbols, [before, batch])];
      }
      return [name, new ort.Tensor("float32", new Float32Array(size), stateShape)];
    });
    const { logits } = await session.run({ ...feeds, ...Object.fromEntries(states) });
    all.push([...logits.data]);
    await session.release();
  }
  return all;
}

async function newJobs(): Promise<Job[]> {
  const jobs = [];
  for (const model of EVERY_SHAPE) {
    const bytes = await exportModel(randomCheckpoint(model), { to: "onnx" });
    jobs.push({
      file: Buffer.from(bytes).toString("base64"),
      texts: randomTexts(model, TIME, BATCH),
      stateShape: [model.layers, BATCH, model.hiddenSize],
      before: (model.ngramOrder ?? 1) - 1,
    });
  }
  return jobs;
}

function assertLogits(logits: readonly number[][], jobs: readonly Job[]): void {
  for (const [k, model] of EVERY_SHAPE.entries()) {
    const expected = logitsOf(randomCheckpoint(model), jobs[k].texts);
    assertClose(logits[k], expected, 1e-5, titleOf(model));
  }
}

slow(
  "onnxruntime-web computes charnn's logits in Node.js, with every exported model",
  { skip },
  async () => {
    const jobs = await newJobs();
    const module = pathToFileURL(path.join(String(MODULES), "ort.node.min.mjs")).href;
    assertLogits(await logitsByWeb(module, jobs), jobs);
  },
);

slow(
  "onnxruntime-web computes charnn's logits in Chromium, with every exported model",
  { skip: skip || withoutChromium },
  async (t) => {
    const address = await served(t, String(MODULES));
    const { page } = await openPage(address);
    const jobs = await newJobs();
    const module = new URL("ort.wasm.min.mjs", address).href;
    assertLogits(await page.evaluate(logitsByWeb, module, jobs), jobs);
  },
);
