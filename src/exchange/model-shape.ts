/** What the shapes of a PyTorch model's tensors say of it. */
import { CELL_NAMES, CELLS, type CellName } from "../config/cells.js";
import { type ModelConfig, modelConfig } from "../config/model.js";
import { MAX_LAYERS, MAX_NGRAM_ORDER } from "../config/names.js";
import { parameterShapes } from "../config/parameters.js";
import { CharnnError, shortened } from "../errors.js";
import {
  foreignTensor,
  lackingTensor,
  type NameMap,
  shapeText,
  type Tensors,
} from "./tensor-names.js";

const LAYER_PARAMETERS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/** A model that is in a file. */
export interface ForeignModel {
  readonly model: ModelConfig;
  /** The name in the file of each parameter; undefined for the biases of a model without any. */
  readonly sources: ReadonlyMap<string, string | undefined>;
}

/**
 * Finds out which model some tensors are, and that they are all of it and nothing else.
 *
 * @param tensors without what wrappers put before their names
 * @throws CharnnError `BAD_CHECKPOINT` that names the tensor that does not fit, its shape and what would fit
 */
export function modelOf(tensors: Tensors, names: NameMap): ForeignModel {
  names.check(tensors);
  for (const [name, entry] of tensors) {
    if (/_reverse$|\bweight_hr_l\d+$/.test(name)) throw foreignTensor(name, entry);
  }
  const matrix = (parameter: string) => matrixShape(names.of(parameter), tensors);
  const [gateRows, hiddenSize] = matrix("rnn.weight_hh_l0");
  const [vocabularySize] = matrix("decoder.weight");
  const isEmbedded = tensors.has(names.of("encoder.weight"));
  const [, embeddingSize] = isEmbedded ? matrix("encoder.weight") : [0, 0];
  const cell = cellOf(names.of("rnn.weight_hh_l0"), gateRows, hiddenSize);
  const layers = layersIn(tensors, names);
  const ngrams = isEmbedded ? ngramsIn(tensors, names) : {};
  const model = checkedModel({
    cell,
    layers,
    hiddenSize,
    embeddingSize,
    ...ngrams,
    vocabularySize,
  });
  const sources = sourcesOf(model, tensors, names);
  const used = new Set(sources.values());
  for (const [name, entry] of tensors) if (!used.has(name)) throw foreignTensor(name, entry);
  return { model, sources };
}

function matrixShape(name: string, tensors: Tensors): readonly [number, number] {
  const entry = tensors.get(name);
  if (!entry) throw lackingTensor(name, tensors);
  const [rows, columns] = entry.shape;
  if (entry.shape.length !== 2 || rows === 0 || columns === 0) {
    throw bad(`its tensor ${shortened(name)} is ${shapeText(entry.shape)}, and a matrix would fit`);
  }
  return [rows, columns];
}

function cellOf(name: string, rows: number, hiddenSize: number): CellName {
  const cell = CELL_NAMES.find((known) => CELLS[known].gates.length * hiddenSize === rows);
  if (cell) return cell;
  const fitting = CELL_NAMES.map((known) => {
    return `[${CELLS[known].gates.length * hiddenSize}, ${hiddenSize}] (${CELLS[known].title})`;
  });
  throw bad(
    `its tensor ${shortened(name)} is [${rows}, ${hiddenSize}], and ${fitting.slice(0, -1).join(", ")} or ${fitting.at(-1)} would fit`,
  );
}

function layersIn(tensors: Tensors, names: NameMap): number {
  const isThere = (layer: number) =>
    LAYER_PARAMETERS.some((name) => tensors.has(names.of(`rnn.${name}_l${layer}`)));
  let layers = 1;
  while (layers <= MAX_LAYERS && isThere(layers)) layers++;
  return layers;
}

/** The longest n-grams that have a table, and the rows of the largest one. */
function ngramsIn(tensors: Tensors, names: NameMap): Pick<ModelConfig, "ngramOrder" | "ngramRows"> {
  let ngramOrder = 1;
  let ngramRows = 0;
  for (let order = 2; order <= MAX_NGRAM_ORDER; order++) {
    const entry = tensors.get(names.of(`ngram${order}.weight`));
    if (!entry) break;
    ngramOrder = order;
    ngramRows = Math.max(ngramRows, entry.shape[0]);
  }
  return ngramOrder > 1 ? { ngramOrder, ngramRows } : {};
}

/** @throws CharnnError `BAD_CHECKPOINT` for a model that is larger than charnn's may be */
function checkedModel(values: ModelConfig): ModelConfig {
  try {
    return modelConfig(values);
  } catch (error) {
    if (!(error instanceof CharnnError)) throw error;
    throw bad(`its model is too large for charnn: ${error.message}`);
  }
}

function sourcesOf(
  model: ModelConfig,
  tensors: Tensors,
  names: NameMap,
): ReadonlyMap<string, string | undefined> {
  const shapes = parameterShapes(model);
  // PyTorch's layers have all biases or none.
  const hasBiases = [...shapes.keys()].some(
    (parameter) => parameter.startsWith("rnn.bias") && tensors.has(names.of(parameter)),
  );
  const sources = new Map<string, string | undefined>();
  for (const [parameter, shape] of shapes) {
    const name = names.of(parameter);
    const entry = tensors.get(name);
    const mayLack =
      parameter === "decoder.bias" || (parameter.startsWith("rnn.bias") && !hasBiases);
    if (!entry && !mayLack) throw lackingTensor(name, tensors);
    if (entry && entry.shape.join() !== shape.join()) {
      throw bad(
        `its tensor ${shortened(name)} is ${shapeText(entry.shape)}, and ${shapeText(shape)} would fit ` +
          described(model),
      );
    }
    sources.set(parameter, entry && name);
  }
  return sources;
}

/** As its shapes tell, for a message. */
function described({
  cell,
  layers,
  hiddenSize,
  embeddingSize,
  vocabularySize,
}: ModelConfig): string {
  const input = embeddingSize > 0 ? `an embedding of ${embeddingSize}` : "one-hot input";
  return `the others: ${CELLS[cell].title} ${layers}x${hiddenSize}, ${input}, ${vocabularySize} characters`;
}

function bad(message: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message);
}
