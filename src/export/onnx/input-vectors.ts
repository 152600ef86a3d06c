import type { ModelConfig } from "../../config/model.js";
import { NGRAM_MODULUS, type NgramTable, ngramTables } from "../../config/ngrams.js";
import type { Constant, Node } from "./messages.js";
import type { Part, Weights } from "./recurrent-layers.js";

/** From tokens to vectors `[time, batch, input]`. */
export function inputVectors(model: ModelConfig, weights: Weights): Part {
  const { embeddingSize, vocabularySize } = model;
  if (embeddingSize === 0) return oneHotVectors(vocabularySize);
  const name = "encoder.weight";
  const tables = ngramTables(model);
  const output = tables.length > 0 ? "characters" : "vectors";
  const nodes: Node[] = [{ type: "Gather", inputs: [name, "tokens"], outputs: [output] }];
  const constants = [{ name, shape: [vocabularySize, embeddingSize], data: [weights(name)] }];
  if (tables.length === 0) return { nodes, constants };
  const symbols = symbolsByDistance(tables.length);
  const parts = [symbols, ...tables.map((table) => ngramVectors(table, embeddingSize, weights))];
  let sum = output;
  const sums = tables.map(({ name }, index): Node => {
    const inputs = [sum, `${name} vectors`];
    sum = index === tables.length - 1 ? "vectors" : `${name} sum`;
    return { type: "Add", inputs, outputs: [sum] };
  });
  return {
    nodes: [...nodes, ...parts.flatMap((part) => part.nodes), ...sums],
    constants: [...constants, ...parts.flatMap((part) => part.constants)],
  };
}

function oneHotVectors(vocabularySize: number): Part {
  return {
    nodes: [{ type: "OneHot", inputs: ["tokens", "depth", "off and on"], outputs: ["vectors"] }],
    constants: [
      integers("depth", vocabularySize),
      { name: "off and on", shape: [2], data: [Float32Array.of(0, 1)] },
    ],
  };
}

/**
 * Reads tokens and, in `p0`, the symbols before them. Gives `symbols k`, `[time, batch]`: for each token the symbol of the
 * character k places before it; and `pn`, the last symbols, for the next call.
 */
function symbolsByDistance(before: number): Part {
  const slice = (from: string, to: string, output: string): Node => ({
    type: "Slice",
    inputs: ["all symbols", from, to, "axis of time"],
    outputs: [output],
  });
  const distances = Array.from({ length: before + 1 }, (_, back) => back);
  return {
    nodes: [
      { type: "Add", inputs: ["tokens", "one"], outputs: ["symbols 0"] },
      {
        type: "Concat",
        inputs: ["p0", "symbols 0"],
        outputs: ["all symbols"],
        attributes: { axis: 0 },
      },
      ...distances
        .slice(1)
        .map((back) => slice(`place ${before - back}`, `place -${back}`, `symbols ${back}`)),
      slice(`place -${before}`, "end", "pn"),
    ],
    constants: [
      integers("one", 1),
      integers("axis of time", 0),
      integers("end", 2n ** 63n - 1n),
      ...distances.slice(0, -1).map((place) => integers(`place ${place}`, place)),
      ...distances.slice(1).map((back) => integers(`place -${back}`, -back)),
      integers("modulus", NGRAM_MODULUS),
    ],
  };
}

/** From symbols to the vectors of a table's n-grams, by the arithmetic of `ngramRow`. */
function ngramVectors(
  { name, rows, factors }: NgramTable,
  embeddingSize: number,
  weights: Weights,
): Part {
  const of = (what: string | number) => `${name} ${what}`;
  const nodes: Node[] = [];
  const constants: Constant[] = [];
  for (const [back, factor] of factors.entries()) {
    constants.push(integers(of(`factor ${back}`), factor));
    nodes.push({
      type: "Mul",
      inputs: [`symbols ${back}`, of(`factor ${back}`)],
      outputs: [of(`product ${back}`)],
    });
    if (back === 0) continue;
    const sum = back === 1 ? of("product 0") : of(`sum ${back - 1}`);
    nodes.push({
      type: "Add",
      inputs: [sum, of(`product ${back}`)],
      outputs: [of(`sum ${back}`)],
    });
  }
  return {
    nodes: [
      ...nodes,
      { type: "Mod", inputs: [of(`sum ${factors.length - 1}`), "modulus"], outputs: [of("hash")] },
      { type: "Mod", inputs: [of("hash"), of("rows")], outputs: [of("indices")] },
      { type: "Gather", inputs: [name, of("indices")], outputs: [of("vectors")] },
    ],
    constants: [
      ...constants,
      integers(of("rows"), rows),
      { name, shape: [rows, embeddingSize], data: [weights(name)] },
    ],
  };
}

function integers(name: string, value: number | bigint): Constant {
  return { name, shape: [1], data: [BigInt64Array.of(BigInt(value))] };
}
