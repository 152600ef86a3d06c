import { CharnnError } from "../errors.js";
import { gigabytes, memoryLimit } from "../memory.js";
import { CELLS } from "../model/cells.js";
import { type ModelConfig, parameterCount } from "../model/config.js";

const BYTES_PER_NUMBER = 4;
/** Weights as they are, at first, averaged and packed for a kernel; gradients, and two moments of them. */
const COPIES_OF_PARAMETERS = 7;
/** Beside the gates, for each unit and place: states and their gradients. Measured on native. */
const STATES_PER_UNIT = 3;
const SMALLER = "Choose a smaller --hidden-size, --batch-size or --seq-length, or fewer --layers.";

interface Shape {
  readonly batchSize: number;
  readonly seqLength: number;
}

/**
 * Refuses what could not fit into the memory that there is before anything is made for it.
 *
 * @throws CharnnError `INVALID_SETTING`
 */
export function refuseTooLarge(model: ModelConfig, shape: Shape): void {
  const limit = memoryLimit();
  if (bytesFor(model, shape) <= limit) return;
  const message = `${needOf(model, shape)}; there are ${gigabytes(limit)} for it.`;
  throw new CharnnError("INVALID_SETTING", message, SMALLER);
}

/** The error where training got less memory than it needs. */
export function trainingOutOfMemory(model: ModelConfig, shape: Shape, cause: unknown): CharnnError {
  const message = `${needOf(model, shape)}, and the system did not give it so much.`;
  return new CharnnError("OUT_OF_MEMORY", message, SMALLER, { cause });
}

function bytesFor(model: ModelConfig, { batchSize, seqLength }: Shape): number {
  const { layers, hiddenSize, cell } = model;
  const perUnit = CELLS[cell].gates.length + STATES_PER_UNIT;
  return (
    bytesForParameters(model) +
    BYTES_PER_NUMBER * batchSize * seqLength * layers * hiddenSize * perUnit
  );
}

function bytesForParameters(model: ModelConfig): number {
  return BYTES_PER_NUMBER * COPIES_OF_PARAMETERS * parameterCount(model);
}

function needOf(model: ModelConfig, shape: Shape): string {
  const count = parameterCount(model).toLocaleString("en");
  return (
    `Training needs about ${gigabytes(bytesFor(model, shape))} of memory, ` +
    `${gigabytes(bytesForParameters(model))} of it for ${count} parameters and the rest for batches`
  );
}
