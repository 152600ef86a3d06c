import { CELL_NAMES, CELLS } from "../../config/cells.js";
import { SPARSE_GROUP } from "../backend.js";
import {
  type AdamArguments,
  type BackwardArguments,
  type CrossEntropyArguments,
  type CrossEntropyShape,
  type ForwardArguments,
  type Kernels,
  type SequenceArguments,
  type SequenceShape,
  type StepArguments,
  VECTOR_WIDTH,
} from "../kernels/kernels.js";
import { stopHere, stoppable } from "../stop.js";
import { Call, checkTokens, floatsFor, length } from "./call.js";
import { decodeKernels } from "./decode-kernels.js";
import type { ModuleMemory } from "./memory.js";
import type { ModuleFunctions } from "./module.js";
import { recordKernels } from "./record-kernels.js";
import { rowKernels } from "./row-kernels.js";
import type { Threads } from "./threads.js";

const BYTES = Float32Array.BYTES_PER_ELEMENT;

export interface WasmKernels extends Kernels {
  /** The most threads that the system lets it start. */
  readonly mostThreads: number;
  /** Threads that have started and can take part, this one among them: at first fewer than are used. */
  startedThreads(): number;
}

/** The kernels of the module. */
export function wasmKernels(
  module: ModuleFunctions,
  memory: ModuleMemory,
  team: Threads,
): WasmKernels {
  const call = new Call(memory, module.callNumbers());
  /** An address that a function has returned, as an offset in an array. */
  const offsetIn = (array: Float32Array, address: number) =>
    ((address >>> 0) - array.byteOffset) / BYTES;
  const sequenceScratch = (shape: SequenceShape) =>
    floatsFor(call.run((c) => writeSequenceShape(c, shape), module.sequenceScratch));
  const crossEntropyScratch = (shape: CrossEntropyShape) =>
    floatsFor(call.run((c) => writeCrossEntropyShape(c, shape), module.crossEntropyScratch));
  const takeStep = (write: (call: Call) => void, step: StepArguments, run: () => number) =>
    call.run((c) => {
      writeStep(c, step, module.blockSums(step.count));
      write(c);
    }, run);
  /** A kernel whose results are of no use once a signal of the system has stopped it. */
  const runUnlessStopped = (write: (call: Call) => void, run: () => number) =>
    stoppable(() => {
      team.start(threads);
      Atomics.store(stopByte, 0, 0);
      const result = call.run(write, run);
      stopHere();
      return result;
    });
  const stopByte = new Uint8Array(memory.memory.buffer, module.stopByte(), 1);
  let threads = 1;

  return {
    useThreads(count) {
      threads = count;
      module.useThreads(count);
    },
    mostThreads: team.most,
    startedThreads: module.startedThreads,
    allocate: (count) => memory.floats(floatsFor(count)),
    free(array) {
      memory.free(array.byteOffset);
    },

    sequenceScratch,
    forwardSequence(sequence) {
      const floats = sequenceScratch(sequence);
      const address = runUnlessStopped(
        (c) => writeForward(c, sequence, floats),
        module.forwardSequence,
      );
      return offsetIn(sequence.scratch, address);
    },
    backwardSequence(sequence) {
      const floats = sequenceScratch(sequence);
      const address = runUnlessStopped(
        (c) => writeBackward(c, sequence, floats),
        module.backwardSequence,
      );
      return sequence.vocabulary > 0 ? 0 : offsetIn(sequence.scratch, address);
    },

    crossEntropyScratch,
    crossEntropy(decoder) {
      const floats = crossEntropyScratch(decoder);
      const address = runUnlessStopped(
        (c) => writeCrossEntropy(c, decoder, floats),
        module.crossEntropy,
      );
      return decoder.wantsGradient ? offsetIn(decoder.scratch, address) : 0;
    },

    adamStep: (step) => takeStep((c) => writeAdam(c, step), step, module.adamStep),
    sgdStep: (step) =>
      takeStep(
        (c) => {
          c.updates("moment", step.moment, step.count);
          c.number(step.momentum);
        },
        step,
        module.sgdStep,
      ),
    rmsPropStep: (step) =>
      takeStep(
        (c) => {
          c.updates("moment", step.moment, step.count);
          c.number(step.decay);
          c.number(step.epsilon);
        },
        step,
        module.rmsPropStep,
      ),

    ...recordKernels(module, call),
    ...rowKernels(module, call),
    ...decodeKernels(module, memory, call, (session) => {
      if (module.usesTeam(session)) team.start(threads);
    }),
  };
}

// In the order in which native/wasm/ reads them.

function writeSequenceShape(call: Call, shape: SequenceShape): void {
  const { cell, time, batch, input, hidden, vocabulary, inputMasks } = shape;
  call.number(CELL_NAMES.indexOf(cell));
  call.size("time", time);
  call.size("batch", batch);
  call.size("input", input);
  call.size("hidden", hidden);
  call.size("vocabulary", vocabulary, 0);
  call.flag(shape.hasEmbedding);
  call.size("inputMasks", inputMasks, 0);
  call.flag(shape.hasStateMask);
  call.flag(shape.hasWeightMask);
  length(time + 1, batch);
  length(vocabulary, Math.max(inputMasks, 1));
  length(4 * hidden + VECTOR_WIDTH, Math.max(hidden, input));
}

function writeSequence(call: Call, s: SequenceArguments, scratch: number): void {
  const { time, batch, input, hidden, vocabulary } = s;
  const gates = CELLS[s.cell].gates.length * hidden;
  const rows = time * batch;
  if (s.tokens) checkTokens("tokens", s.tokens, vocabulary, 0);
  writeSequenceShape(call, s);
  call.scratch(s.scratch, scratch);
  call.reads("tokens", s.tokens, rows);
  call.reads("embedding", s.embedding, vocabulary * input);
  call.reads("vectors", s.vectors, length(rows, input));
  call.panels("inputPanels", s.inputPanels, panelsOf(input), rows);
  call.mask("inputMask", s.inputMask, s.inputMasks * input);
  call.reads("weightIh", s.weightIh, gates * input);
  call.reads("weightHh", s.weightHh, gates * hidden);
  call.reads("biasIh", s.biasIh, gates);
  call.reads("biasHh", s.biasHh, gates);
  call.mask("weightMask", s.weightMask, gates * hidden);
  call.mask("stateMask", s.stateMask, batch * hidden);
  call.reads("hiddenBefore", s.hiddenBefore, batch * hidden);
  call.reads("cellBefore", s.cellBefore, batch * hidden);
}

function writeForward(call: Call, s: ForwardArguments, scratch: number): void {
  const units = s.batch * s.hidden;
  writeSequence(call, s, scratch);
  call.writes("hiddenAfter", s.hiddenAfter, units);
  call.writes("cellAfter", s.cellAfter, units);
}

function writeBackward(call: Call, s: BackwardArguments, scratch: number): void {
  const { hidden, input } = s;
  const rows = s.time * s.batch;
  const gates = CELLS[s.cell].gates.length * hidden;
  const units = s.batch * hidden;
  writeSequence(call, s, scratch);
  call.reads("gradientOutput", s.gradientOutput, length(rows, hidden));
  call.panels("gradientOutputPanels", s.gradientOutputPanels, panelsOf(hidden), rows);
  call.writes("gradientWeightIh", s.gradientWeightIh, gates * input);
  call.writes("gradientWeightHh", s.gradientWeightHh, gates * hidden);
  call.writes("gradientBiasIh", s.gradientBiasIh, gates);
  call.writes("gradientBiasHh", s.gradientBiasHh, gates);
  call.writes("gradientEmbedding", s.gradientEmbedding, s.vocabulary * input);
  call.writes("gradientHidden", s.gradientHidden, units);
  call.writes("gradientCellState", s.gradientCellState, units);
}

function writeCrossEntropyShape(call: Call, shape: CrossEntropyShape): void {
  const { rows, hidden, vocabulary, batch } = shape;
  call.size("rows", rows);
  call.size("hidden", hidden);
  call.size("vocabulary", vocabulary);
  call.size("batch", batch);
  call.flag(shape.hasMask);
  call.flag(shape.wantsGradient);
  length(vocabulary, hidden);
}

function writeCrossEntropy(call: Call, c: CrossEntropyArguments, scratch: number): void {
  const { rows, hidden, vocabulary } = c;
  checkTokens("targets", c.targets, vocabulary);
  writeCrossEntropyShape(call, c);
  call.scratch(c.scratch, scratch);
  call.reads("vectors", c.vectors, length(rows, hidden));
  call.panels("inputPanels", c.inputPanels, panelsOf(hidden), rows);
  call.mask("mask", c.mask, c.batch * hidden);
  call.reads("weight", c.weight, vocabulary * hidden);
  call.reads("bias", c.bias, vocabulary);
  call.reads("targets", c.targets, rows);
  call.writes("losses", c.losses, rows);
  call.writes("predictions", c.predictions, rows);
  call.writes("ranks", c.ranks, rows);
  call.writes("logits", c.logits, length(rows, vocabulary));
  call.writes("gradientWeight", c.gradientWeight, vocabulary * hidden);
  call.writes("gradientBias", c.gradientBias, vocabulary);
}

/** @param blockSums doubles of scratch memory */
function writeStep(call: Call, step: StepArguments, blockSums: number): void {
  const { count } = step;
  call.size("count", count);
  call.size("sparse", step.sparse, 0);
  call.reads("nonzero", step.nonzero, Math.floor(step.sparse / SPARSE_GROUP));
  call.updates("parameters", step.parameters, count);
  call.updates("gradients", step.gradients, count);
  call.number(step.learningRate);
  call.number(step.clipNorm);
  call.number(step.clipValue);
  call.number(step.weightDecay);
  call.number(step.sparseWeightDecay);
  call.updates("average", step.average, count);
  call.number(step.averageDecay ?? 0);
  call.number(step.sparseAverageDecay ?? step.averageDecay ?? 0);
  call.borrow(blockSums * Float64Array.BYTES_PER_ELEMENT);
}

function writeAdam(call: Call, step: AdamArguments): void {
  call.updates("firstMoment", step.firstMoment, step.count);
  call.updates("secondMoment", step.secondMoment, step.count);
  call.number(step.beta1);
  call.number(step.beta2);
  call.number(step.epsilon);
  call.number(step.stepSize);
  call.number(step.gradientSize);
  call.number(step.correction);
}

function panelsOf(columns: number): number {
  return Math.ceil(columns / VECTOR_WIDTH);
}
