import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import { numbersOf } from "../../checkpoint/checkpoint-tensors.js";
import type { ModelConfig } from "../../config/model.js";
import { parameterCount } from "../../config/parameters.js";
import { pick } from "../../config/schema.js";
import { CharnnError } from "../../errors.js";
import { formatCount } from "../../text.js";
import { version } from "../../version.js";
import { inputVectors } from "./input-vectors.js";
import { encodeModel, type Value } from "./messages.js";
import { recurrentLayers, statesOf } from "./recurrent-layers.js";
import { joined, transposed } from "./weights.js";

/** Those of ONNX 1.6 of 2019, so that many programs read the file; nothing in it has changed its meaning since. */
const OPSET = 11;
const IR_VERSION = 6;

/** Protocol Buffers have no longer messages. */
const MAX_BYTES = 2 ** 31 - 1;
/** The most that the graph and its metadata take beside the weights. */
const MAX_OTHER_BYTES = 2 ** 24;

/**
 * The bytes of an ONNX file with a model and all that a program needs to write with it.
 *
 * One graph both reads whole texts and goes on character by character: tokens `[time, batch]` and the states before
 * them `[layers, batch, hidden]` go in; logits `[time, batch, vocabulary]` and the states after them come out. With
 * embeddings of n-grams the tokens before, each plus 1, 0 where there is none, are a state too: `[ngramOrder - 1, batch]`.
 *
 * @throws CharnnError `NOT_WRITABLE` for a model that is too large; the signal's reason once it is aborted
 */
export async function encodeOnnx(
  { config, vocabulary, tensors }: Checkpoint,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { model } = config;
  refuseTooLarge(model);
  const { cell, layers, hiddenSize, ngramOrder = 1, vocabularySize } = model;
  const weights = (name: string) => numbersOf(tensors, name);
  const input = inputVectors(model, weights);
  const recurrent = recurrentLayers(model, weights);
  const decoder = await transposed(weights("decoder.weight"), [vocabularySize, hiddenSize], signal);
  const stateShape = [layers, "batch", hiddenSize];
  const stateValues = (suffix: string) => [
    ...statesOf(cell).map(
      (state): Value => ({ name: state + suffix, type: "float", shape: stateShape }),
    ),
    ...(ngramOrder > 1
      ? [{ name: `p${suffix}`, type: "int64", shape: [ngramOrder - 1, "batch"] } satisfies Value]
      : []),
  ];
  const tokens: Value = { name: "tokens", type: "int64", shape: ["time", "batch"] };
  const logits: Value = {
    name: "logits",
    type: "float",
    shape: ["time", "batch", vocabularySize],
  };
  const pieces = encodeModel({
    irVersion: IR_VERSION,
    opset: OPSET,
    producer: { name: "charnn", version: version() },
    description: "A character-level language model. The metadata has its vocabulary.",
    graph: {
      name: "charnn",
      inputs: [tokens, ...stateValues("0")],
      outputs: [logits, ...stateValues("n")],
      nodes: [
        ...input.nodes,
        ...recurrent.nodes,
        { type: "MatMul", inputs: [recurrent.output, "decoder.weight"], outputs: ["products"] },
        { type: "Add", inputs: ["products", "decoder.bias"], outputs: ["logits"] },
      ],
      constants: [
        ...input.constants,
        ...recurrent.constants,
        { name: "decoder.weight", shape: [hiddenSize, vocabularySize], data: [decoder] },
        { name: "decoder.bias", shape: [vocabularySize], data: [weights("decoder.bias")] },
      ],
    },
    metadata: {
      vocabulary: JSON.stringify(vocabulary),
      model: JSON.stringify(model),
      text: JSON.stringify(pick(config.text, ["documents", "normalize", "lowercase", "lineEnds"])),
    },
  });
  return joined(pieces, signal);
}

function refuseTooLarge(model: ModelConfig): void {
  const parameters = parameterCount(model);
  if (parameters * Float32Array.BYTES_PER_ELEMENT + MAX_OTHER_BYTES <= MAX_BYTES) return;
  throw new CharnnError(
    "NOT_WRITABLE",
    `The model does not fit into an ONNX file: it has ${formatCount(parameters)} parameters, more than 2 GB.`,
    "PyTorch reads its checkpoint as it is: docs/checkpoint-format.md says how.",
  );
}
