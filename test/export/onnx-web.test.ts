/** Models in ONNX, held to charnn's own logits in onnxruntime-web. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";
import { onnxruntimeWeb } from "#bench/peers/find.js";
import { exportModel } from "#src/index.js";
import { CHROMIUM, withoutChromium } from "../helpers/chromium.js";
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

/** A model, and texts for it. */
interface Job {
  /** In base64. */
  readonly file: string;
  /** `[time, batch]` */
  readonly texts: readonly number[][];
  /** `[layers, batch, hidden]` */
  readonly stateShape: readonly number[];
}

/** Computes logits; it uses nothing of this file, so that a page can run it too. */
async function logitsByWeb(module: string, jobs: readonly Job[]): Promise<number[][]> {
  const ort = await import(module);
  ort.env.wasm.numThreads = 1;
  const all: number[][] = [];
  for (const { file, texts, stateShape } of jobs) {
    const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    const tokens = BigInt64Array.from(texts.flat(), BigInt);
    const feeds = { tokens: new ort.Tensor("int64", tokens, [texts.length, texts[0].length]) };
    const size = stateShape.reduce((product, length) => product * length, 1);
    const states = session.inputNames
      .slice(1)
      .map((name: string) => [name, new ort.Tensor("float32", new Float32Array(size), stateShape)]);
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
    const browser = await puppeteer.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    t.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(address);
    const jobs = await newJobs();
    const module = new URL("ort.wasm.min.mjs", address).href;
    assertLogits(await page.evaluate(logitsByWeb, module, jobs), jobs);
  },
);

const TYPES: Readonly<Record<string, string>> = {
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** The address of a server with an empty page and the modules of a folder. */
async function served(t: TestContext, folder: string): Promise<string> {
  const server = createServer(async ({ url = "/" }, response) => {
    const name = path.basename(url);
    const type = TYPES[path.extname(name)];
    response.setHeader("Content-Type", type ?? "text/html");
    response.end(type ? await readFile(path.join(folder, name)) : "<!doctype html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.ok(port > 0);
  return `http://127.0.0.1:${port}/`;
}
