import { CELL_NAMES, CELLS, stateSize } from "../../config/cells.js";
import {
  type AdamArguments,
  type BackwardArguments,
  type CrossEntropyArguments,
  type CrossEntropyShape,
  type DecodeArguments,
  type DecodeHandle,
  type ForwardArguments,
  type Kernels,
  type SequenceArguments,
  type SequenceShape,
  type StepArguments,
  VECTOR_WIDTH,
} from "../kernels/kernels.js";
import { stopHere, stoppable } from "../stop.js";
import { Call, checkTokens, length } from "./call.js";
import { type ModuleMemory, tooLarge } from "./memory.js";
import type { ModuleFunctions } from "./module.js";
import type { Threads } from "./threads.js";

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** A decode session: where it lies in the module's memory. */
interface Session {
  readonly address: number;
  readonly tokens: Int32Array;
  readonly logits: Float32Array;
  /** Of one sequence. */
  readonly state: Float32Array;
  readonly vocabulary: number;
  /** What is freed with it. */
  readonly memory: readonly number[];
  isOpen: boolean;
}

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
  const numbers = new Float64Array(memory.memory.buffer, module.callNumbers(), CALL_NUMBERS);
  const call = new Call(memory, numbers);
  /** An address that a function has returned, as an offset in an array. */
  const offsetIn = (array: Float32Array, address: number) =>
    ((address >>> 0) - array.byteOffset) / BYTES;
  const floatsFor = (floats: number) => {
    if (floats * BYTES >= 2 ** 32) throw tooLarge(floats * BYTES);
    return floats;
  };
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

    openDecodeSession(model) {
      const { sequences, vocabulary } = model;
      const bytes =
        BYTES * floatsFor(call.run((c) => writeDecodeShape(c, model), module.decodeMemory));
      const taken: number[] = [];
      const take = (size: number) => {
        taken.push(memory.allocate(size));
        return taken[taken.length - 1];
      };
      try {
        const address = take(module.sizeOfDecodeSession());
        const weights = take(bytes);
        const { buffer } = memory.memory;
        const tokens = new Int32Array(buffer, take(sequences * BYTES), sequences);
        const count = length(sequences, vocabulary);
        const logits = memory.floats(count);
        taken.push(logits.byteOffset);
        const state = memory.floats(stateSize(model.cell, model.layers, model.hidden));
        taken.push(state.byteOffset);
        new Float32Array(memory.memory.buffer, weights, bytes / BYTES).fill(0);
        call.run(
          (c) => writeDecode(c, model, { weights, tokens, logits }),
          () => module.openDecodeSession(address),
        );
        if (module.usesTeam(address)) team.start(threads);
        const of = { address, tokens, logits, state, vocabulary };
        const session: Session = { ...of, memory: taken, isOpen: true };
        return session as unknown as DecodeHandle;
      } catch (error) {
        for (const each of taken) memory.free(each);
        throw error;
      }
    },
    stepDecodeSession(handle, tokens, logits) {
      const session = openSession(handle);
      const sequences = tokens.length;
      const isRight = sequences > 0 && sequences <= session.tokens.length;
      if (!isRight || logits.length !== sequences * session.vocabulary) {
        throw new TypeError("tokens must be [sequences], and logits [sequences, vocabulary].");
      }
      checkTokens("tokens", tokens, session.vocabulary, 0);
      session.tokens.set(tokens);
      module.stepDecodeSession(session.address, sequences);
      const isWhole = sequences === session.tokens.length;
      logits.set(isWhole ? session.logits : session.logits.subarray(0, logits.length));
    },
    readDecodeState(handle, sequence, state) {
      const session = sessionWithState(handle, sequence, state);
      module.readDecodeState(session.address, sequence, session.state.byteOffset);
      state.set(session.state);
    },
    writeDecodeState(handle, sequence, state) {
      const session = sessionWithState(handle, sequence, state);
      session.state.set(state);
      module.writeDecodeState(session.address, sequence, session.state.byteOffset);
    },
    closeDecodeSession(handle) {
      const session = openSession(handle);
      session.isOpen = false;
      module.closeDecodeSession(session.address);
      for (const address of session.memory) memory.free(address);
    },
  };
}

/** `native/wasm/call.h` has the same number. */
const CALL_NUMBERS = 512;

function openSession(handle: DecodeHandle): Session {
  const session = handle as unknown as Session;
  if (!session.isOpen) throw new TypeError("This is no decode session, or it is closed.");
  return session;
}

function sessionWithState(handle: DecodeHandle, sequence: number, state: Float32Array): Session {
  const session = openSession(handle);
  if (!Number.isInteger(sequence) || sequence < 0 || sequence >= session.tokens.length) {
    throw new TypeError("There is no such sequence in the decode session.");
  }
  if (state.length !== session.state.length) {
    throw new TypeError("state must be a Float32Array [layers, states, hidden].");
  }
  return session;
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
  call.writes("gradientWeight", c.gradientWeight, vocabulary * hidden);
  call.writes("gradientBias", c.gradientBias, vocabulary);
}

/** @param blockSums doubles of scratch memory */
function writeStep(call: Call, step: StepArguments, blockSums: number): void {
  const { count } = step;
  call.size("count", count);
  call.updates("parameters", step.parameters, count);
  call.updates("gradients", step.gradients, count);
  call.number(step.learningRate);
  call.number(step.clipNorm);
  call.number(step.clipValue);
  call.number(step.weightDecay);
  call.updates("average", step.average, count);
  call.number(step.averageDecay ?? 0);
  call.borrow(blockSums * Float64Array.BYTES_PER_ELEMENT);
}

function writeAdam(call: Call, step: AdamArguments): void {
  call.updates("firstMoment", step.firstMoment, step.count);
  call.updates("secondMoment", step.secondMoment, step.count);
  call.number(step.beta1);
  call.number(step.beta2);
  call.number(step.epsilon);
  call.number(step.stepSize);
  call.number(step.correction);
}

function writeDecodeShape(call: Call, model: DecodeArguments): void {
  const { cell, layers, sequences, hidden, vocabulary, embedding } = model;
  call.number(CELL_NAMES.indexOf(cell));
  call.size("layers", layers);
  call.size("sequences", sequences);
  call.size("hidden", hidden);
  call.size("vocabulary", vocabulary);
  call.size("embedding", embedding, 0);
  length(sequences, 4 * hidden);
  length(sequences, vocabulary);
  length(4 * hidden, Math.max(hidden, embedding));
  length(vocabulary, Math.max(4 * hidden, embedding));
}

interface SessionMemory {
  readonly weights: number;
  readonly tokens: Int32Array;
  readonly logits: Float32Array;
}

function writeDecode(call: Call, model: DecodeArguments, memory: SessionMemory): void {
  const { cell, layers, hidden, vocabulary, embedding } = model;
  const gates = CELLS[cell].gates.length * hidden;
  writeDecodeShape(call, model);
  call.number(memory.weights);
  call.number(memory.tokens.byteOffset);
  call.number(memory.logits.byteOffset);
  call.reads("encoderWeight", model.encoderWeight, vocabulary * embedding);
  call.reads("decoderWeight", model.decoderWeight, vocabulary * hidden);
  call.reads("decoderBias", model.decoderBias, vocabulary);
  if (model.weights.length !== layers)
    throw new TypeError(`weights must be an array of ${layers}.`);
  for (const [layer, { weightIh, weightHh, biasIh, biasHh }] of model.weights.entries()) {
    const input = layer > 0 ? hidden : embedding || vocabulary;
    call.reads("weightIh", weightIh, gates * input);
    call.reads("weightHh", weightHh, gates * hidden);
    call.reads("biasIh", biasIh, gates);
    call.reads("biasHh", biasHh, gates);
  }
}

function panelsOf(columns: number): number {
  return Math.ceil(columns / VECTOR_WIDTH);
}
