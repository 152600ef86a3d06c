import { CELLS } from "../config/cells.js";
import { memberCount } from "../config/members.js";
import { MOMENT_NAMES, type MomentName } from "../config/optimization.js";
import { DECODER_NAMES, parameterShapes } from "../config/parameters.js";
import { batchRows, isCalibrated, type RunConfig } from "../config/run.js";
import { CharnnError } from "../errors.js";
import { type NamedTensor, shown, type TensorEntry } from "./safetensors.js";

export function momentName(parameter: string, moment: MomentName): string {
  return `optimizer.${parameter}.${moment}`;
}

/** The name of a parameter as it is trained, where the plain name has its average. */
export function trainingName(parameter: string): string {
  return `training.${parameter}`;
}

/** The name of a parameter of the decoder before its logits are divided by a temperature, which the plain name has. */
export function uncalibratedName(parameter: string): string {
  return `uncalibrated.${parameter}`;
}

/** The name of a layer's carried hidden state, or of its cell state. */
export function stateName(layer: number, part: "hidden" | "cell"): string {
  return part === "hidden" ? `state.l${layer}` : `state.l${layer}.cell`;
}

/** The name of a tensor of a member; those of the first have the plain name. */
export function memberName(name: string, member: number): string {
  return member === 0 ? name : `member${member}.${name}`;
}

/** The plain name of a member's tensor. */
export function plainName(name: string): string {
  return name.replace(/^member\d+\./, "");
}

/** The shape of every tensor of a checkpoint under its name, in the order of the file. */
export function tensorShapes(config: RunConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (let member = 0; member < memberCount(config); member++) {
    for (const [name, shape] of shapesOfMember(config)) shapes.set(memberName(name, member), shape);
  }
  return shapes;
}

function shapesOfMember({
  model,
  training,
  imported,
}: RunConfig): ReadonlyMap<string, readonly number[]> {
  const parameters = parameterShapes(model);
  const shapes = new Map(parameters);
  if (imported) return shapes;
  const addParameters = (nameOf: (parameter: string) => string) => {
    for (const [name, shape] of parameters) shapes.set(nameOf(name), shape);
  };
  if (isCalibrated(training)) {
    for (const name of DECODER_NAMES)
      shapes.set(uncalibratedName(name), shapes.get(name) as number[]);
  }
  if (training.averageDecay > 0) addParameters(trainingName);
  for (const moment of MOMENT_NAMES[training.optimizer]) {
    addParameters((name) => momentName(name, moment));
  }
  for (let layer = 0; layer < model.layers; layer++) {
    const shape = [batchRows(training), model.hiddenSize];
    shapes.set(stateName(layer, "hidden"), shape);
    if (CELLS[model.cell].hasCellState) shapes.set(stateName(layer, "cell"), shape);
  }
  return shapes;
}

/**
 * Checks from the header alone that the tensors of a file have the names and shapes that its configuration asks for.
 *
 * @throws CharnnError `BAD_CHECKPOINT`
 */
export function checkTensors(
  config: RunConfig,
  tensors: ReadonlyMap<string, Pick<TensorEntry, "shape">>,
): void {
  const missing = new Map(tensorShapes(config));
  for (const [name, { shape }] of tensors) {
    const expected = missing.get(name);
    missing.delete(name);
    if (expected === undefined) throw bad(`its tensor ${shown(name)} is none of this model's`);
    if (shape.join() !== expected.join()) {
      throw bad(
        `its tensor ${name} should be F32 [${expected.join(", ")}], ` +
          `and is [${shape.join(", ")}]`,
      );
    }
  }
  for (const name of missing.keys()) throw bad(`its tensor ${name} is missing`);
}

/** The numbers of a tensor that a checkpoint has, as {@link checkTensors} made sure. */
export function numbersOf(tensors: ReadonlyMap<string, NamedTensor>, name: string): Float32Array {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`There is no tensor ${name}.`);
  return tensor.data;
}

function bad(message: string): CharnnError {
  return new CharnnError("BAD_CHECKPOINT", message);
}
