import { CELLS } from "../../config/cells.js";
import type { ModelConfig } from "../../config/model.js";
import { counted, formatCount } from "../../text.js";

/** `GRU, 1 layer of 128, embedding of 32: 74,000 parameters` */
export function modelLine(model: ModelConfig, parameters: number): string {
  const layers = `${counted(model.layers, "layer")} of ${formatCount(model.hiddenSize)}`;
  const facts = [CELLS[model.cell].title, layers];
  facts.push(model.embeddingSize > 0 ? `embedding of ${model.embeddingSize}` : "one-hot input");
  return `${facts.join(", ")}: ${formatCount(parameters)} parameters`;
}
