import { CELLS } from "../../config/cells.js";
import { inputName } from "../../config/input-name.js";
import { memberCount } from "../../config/members.js";
import type { ModelConfig } from "../../config/model.js";
import { REGULARIZERS } from "../../config/optimization.js";
import type { RunConfig } from "../../config/run.js";
import { bitsPerCharacter, counted, formatCount, spaced } from "../../text.js";

/** `1.500 nats/char (2.164 bits/char)` */
export function inUnits(loss: number): string {
  return `${loss.toFixed(3)} nats/char (${bitsPerCharacter(loss).toFixed(3)} bits/char)`;
}

/** `dropout 0.3`, `weight decay 0.1` ...: what keeps a run from learning its text by heart. */
export function regularization(training: RunConfig["training"]): string[] {
  return REGULARIZERS.filter((name) => (training[name] ?? 0) > 0).map(
    (name) => `${spaced(name)} ${training[name]}`,
  );
}

/** `GRU 1x256` */
export function modelName({ cell, layers, hiddenSize }: ModelConfig): string {
  return `${CELLS[cell].title} ${layers}x${hiddenSize}`;
}

/** `GRU 1x256, 3 members` */
export function modelsName(config: RunConfig): string {
  const members = memberCount(config);
  return modelName(config.model) + (members > 1 ? `, ${members} members` : "");
}

/** `240,349 parameters`, or of each member where there are several */
export function parametersName(config: RunConfig, parameters: number): string {
  return `${formatCount(parameters)} parameters${memberCount(config) > 1 ? " each" : ""}`;
}

/** `GRU, 1 layer of 128, embedding of 32: 74,000 parameters` */
export function modelLine(model: ModelConfig, parameters: number): string {
  const layers = `${counted(model.layers, "layer")} of ${formatCount(model.hiddenSize)}`;
  const facts = [CELLS[model.cell].title, layers];
  facts.push(inputName(model));
  return `${facts.join(", ")}: ${formatCount(parameters)} parameters`;
}
