/** The models of docs/checkpoint-format.md in PyTorch and Keras read checkpoints, and predict what charnn predicts. */
import assert from "node:assert/strict";
import path from "node:path";
import type { TestContext } from "node:test";
import { pythonWith } from "#bench/peers/find.js";
import { CELL_NAMES, type CellName } from "#src/config/cells.js";
import {
  documentedCode,
  runPython,
  TORCH_LOSSES,
  TORCH_MODEL,
  withPath,
} from "../helpers/documented-python.js";
import { assertClose } from "../helpers/numbers.js";
import { greedyText, lossesOf } from "../helpers/scored-text.js";
import { slow } from "../helpers/slow.js";
import { inventedText, smallRun, trained, workplace } from "../helpers/training.js";
import { makeUnknownLikeliest } from "../helpers/unknown-character.js";

const TEXT = inventedText(200, 7);
const PROMPT = "lo";
const LENGTH = 60;
const TOLERANCE = 1e-5;

interface Job {
  readonly cell: CellName;
  readonly layers: number;
  readonly embeddingSize: number;
  readonly ngramOrder?: number;
  readonly ngramRows?: number;
  readonly path: string;
}

interface Answer {
  readonly losses: number[];
  readonly text: string;
}

slow("The model in PyTorch of the documentation loses and writes what charnn does", async (t) => {
  const python = pythonWith("torch", "safetensors");
  if (python === undefined) return t.skip("no Python with PyTorch; `npm run peers` gets it");
  const ofNgrams = {
    cell: "gru",
    layers: 1,
    embeddingSize: 5,
    ngramOrder: 4,
    ngramRows: 900,
  } as const;
  const jobs = [...(await trainedModels(t)), await trainedModel(t, ofNgrams)];
  const program = `${TORCH_MODEL.definitions}${TORCH_LOSSES}
import sys

answers = []
for job in json.load(sys.stdin):
    model, characters = load(job["path"])
    text = write(model, characters, ${JSON.stringify(PROMPT)}, ${LENGTH}, temperature=0)
    answers.append({"losses": losses(model, characters, ${JSON.stringify(TEXT)}), "text": text})
print(json.dumps(answers))
`;
  await compare(jobs, runPython<Answer[]>(python, program, jobs));
});

slow(
  "The lines of the documentation that load a checkpoint into PyTorch write a text",
  async (t) => {
    const python = pythonWith("torch", "safetensors");
    if (python === undefined) return t.skip("no Python with PyTorch; `npm run peers` gets it");
    const [{ path: checkpoint }] = await trainedModels(t);
    const use = withPath(TORCH_MODEL.use, checkpoint).replace('"i love"', JSON.stringify(PROMPT));
    assert.match(use, /print\(/);
    const program = `${TORCH_MODEL.definitions}${use.replace("print(", "print(json.dumps(").trimEnd()})`;
    const text = runPython<string>(python, program, null);
    assert.ok(text.startsWith(PROMPT), text);
    assert.equal(text.length, PROMPT.length + 200);
  },
);

slow("The model in PyTorch of the documentation never writes the unknown character", async (t) => {
  const python = pythonWith("torch", "safetensors");
  if (python === undefined) return t.skip("no Python with PyTorch; `npm run peers` gets it");
  const place = await workplace(t, `${inventedText(2_000)}Q`);
  await trained(smallRun(place, { steps: 40, hiddenSize: 12, minCount: 2 }));
  const checkpoint = path.join(place.out, "run", "best.safetensors");
  await makeUnknownLikeliest(checkpoint);
  const program = `${TORCH_MODEL.definitions}
model, characters = load(${JSON.stringify(checkpoint)})
texts = [write(model, characters, ${JSON.stringify(PROMPT)}, ${LENGTH}, t) for t in (0, 1)]
print(json.dumps(texts))
`;
  const [likeliest, drawn] = runPython<string[]>(python, program, null);
  assert.equal(likeliest, await greedyText(checkpoint, PROMPT, LENGTH));
  assert.equal(drawn.length, PROMPT.length + LENGTH);
});

const KERAS = documentedCode("def set_weights", "tensors = load_file(");
const KERAS_LAYERS = { gru: "GRU", lstm: "LSTM", rnn: "SimpleRNN" } as const;

slow("The model in Keras of the documentation loses and writes what charnn does", async (t) => {
  const python = pythonWith("keras", "torch", "safetensors");
  if (python === undefined) return t.skip("no Python with Keras; `npm run peers` gets it");
  const jobs = await trainedModels(t);
  // The documented lines make the first one; the others have other layers.
  assert.deepEqual([jobs[0].cell, jobs[0].layers, jobs[0].embeddingSize], ["gru", 1, 5]);
  const program = `${KERAS.definitions}
import json
import sys
from safetensors import safe_open

def losses(model, tokens):
    logits = np.array(keras.ops.convert_to_numpy(model(np.array([tokens[:-1]]))))[0].astype("float64")
    logits -= logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return [-float(row[token]) for row, token in zip(logits, tokens[1:])]

def write(model, tokens, length):
    last = model(np.array([tokens]))[0, -1]
    for _ in range(length):
        tokens = tokens + [int(keras.ops.argmax(last))]
        last = model(np.array([tokens[-1:]]))[0, -1]
    return tokens

def documented(path):
${indented(withPath(KERAS.use, "PATH").replace('"PATH"', "path"))}
    return model

def built(path, layer, layers):
    tensors = load_file(path)
    characters, units = tensors["decoder.weight"].shape
    width = tensors["encoder.weight"].shape[1] if "encoder.weight" in tensors else characters
    recurrent = [layer(units, return_sequences=True, stateful=True) for _ in range(layers)]
    model = keras.Sequential([
        keras.Input(batch_shape=(1, None), dtype="int32"),
        keras.layers.Embedding(characters, width), *recurrent, keras.layers.Dense(characters),
    ])
    set_weights(model, tensors)
    return model

def reset(model):
    for layer in model.layers:
        if hasattr(layer, "reset_state"):
            layer.reset_state()

answers = []
for number, job in enumerate(json.load(sys.stdin)):
    with safe_open(job["path"], "np") as file:
        characters = json.loads(file.metadata()["vocabulary"])
    if number == 0:
        model = documented(job["path"])
    else:
        model = built(job["path"], getattr(keras.layers, ${JSON.stringify(KERAS_LAYERS)}[job["cell"]]), job["layers"])
    own = losses(model, [characters.index(it) for it in ${JSON.stringify(TEXT)}])
    reset(model)
    tokens = write(model, [characters.index(it) for it in ${JSON.stringify(PROMPT)}], ${LENGTH})
    answers.append({"losses": own, "text": "".join(characters[it] for it in tokens)})
print(json.dumps(answers))
`;
  // Keras runs on PyTorch too, which the tests have in any case.
  const env = {
    KERAS_BACKEND: process.env.CHARNN_KERAS_BACKEND ?? "torch",
    CUDA_VISIBLE_DEVICES: "",
  };
  await compare(jobs, runPython<Answer[]>(python, program, jobs, { env }));
});

/** A trained model of each kind, without embeddings of n-grams, which Keras has no layer for. */
async function trainedModels(t: TestContext): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const cell of CELL_NAMES) {
    for (const [layers, embeddingSize] of [
      [1, 5],
      [2, 5],
      [2, 0],
    ]) {
      jobs.push(await trainedModel(t, { cell, layers, embeddingSize }));
    }
  }
  return jobs;
}

async function trainedModel(t: TestContext, shape: Omit<Job, "path">): Promise<Job> {
  const place = await workplace(t, inventedText(2_000));
  await trained(smallRun(place, { ...shape, steps: 40, hiddenSize: 12, learningRate: 2e-2 }));
  return { ...shape, path: path.join(place.out, "run", "best.safetensors") };
}

async function compare(jobs: readonly Job[], answers: readonly Answer[]): Promise<void> {
  assert.equal(answers.length, jobs.length);
  for (const [index, { path: checkpoint, cell, layers, embeddingSize }] of jobs.entries()) {
    const title = `${cell}, ${layers} layers, embedding ${embeddingSize}`;
    assertClose(answers[index].losses, await lossesOf(checkpoint, TEXT), TOLERANCE, title);
    assert.equal(answers[index].text, await greedyText(checkpoint, PROMPT, LENGTH), title);
  }
}

function indented(code: string): string {
  return code.trim().replace(/^(?=.)/gm, "    ");
}
