import { CELL_NAMES, CELLS, stateSize } from "../../config/cells.js";
import type { DecodeArguments, DecodeHandle, DecodeKernels } from "../kernels/kernels.js";
import { type Call, checkTokens, floatsFor, length } from "./call.js";
import type { ModuleMemory } from "./memory.js";

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** What a module exports that writes text: `native/wasm/decode.cc`. */
export interface DecodeFunctions {
  decodeMemory(): number;
  sizeOfDecodeSession(): number;
  openDecodeSession(session: number): void;
  stepDecodeSession(session: number, sequences: number): void;
  readDecodeState(session: number, sequence: number, state: number): void;
  writeDecodeState(session: number, sequence: number, state: number): void;
  closeDecodeSession(session: number): void;
}

/** A decode session: where it lies in the module's memory. */
interface Session {
  readonly address: number;
  readonly sequences: number;
  readonly vocabulary: number;
  /** Numbers of a vector, where steps read vectors. */
  readonly vectorSize: number | undefined;
  /** Tokens, or vectors. */
  readonly input: number;
  readonly logits: number;
  /** Of one sequence. */
  readonly state: number;
  readonly stateSize: number;
  /** What is freed with it. */
  readonly memory: readonly number[];
  isOpen: boolean;
}

/** @param opened called with the address of each session */
export function decodeKernels(
  module: DecodeFunctions,
  memory: ModuleMemory,
  call: Call,
  opened: (session: number) => void = () => {},
): DecodeKernels {
  return {
    openDecodeSession(model) {
      const { sequences, vocabulary, cell, layers, hidden, embedding, readsVectors } = model;
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
        const input = take(length(sequences, readsVectors ? embedding : 1) * BYTES);
        const logits = take(length(sequences, vocabulary) * BYTES);
        const size = stateSize(cell, layers, hidden);
        const state = take(size * BYTES);
        memory.floatsAt(weights, bytes / BYTES).fill(0);
        memory.floatsAt(logits, sequences * vocabulary).fill(0);
        call.run(
          (c) => writeDecode(c, model, { weights, input, logits }),
          () => module.openDecodeSession(address),
        );
        opened(address);
        const vectorSize = readsVectors ? embedding : undefined;
        const sizes = { sequences, vocabulary, vectorSize, stateSize: size };
        const places = { address, input, logits, state, memory: taken };
        const session: Session = { ...sizes, ...places, isOpen: true };
        return session as unknown as DecodeHandle;
      } catch (error) {
        for (const each of taken) memory.free(each);
        throw error;
      }
    },
    stepDecodeSession(handle, input, logits) {
      const session = openSession(handle);
      const { vocabulary, vectorSize } = session;
      if (input instanceof Float32Array !== (vectorSize !== undefined)) {
        throw new TypeError("A session reads either tokens or vectors.");
      }
      const sequences = input.length / (vectorSize ?? 1);
      const isRight = sequences > 0 && sequences <= session.sequences;
      if (!isRight || !Number.isInteger(sequences) || logits.length !== sequences * vocabulary) {
        throw new TypeError("The input must be [sequences], and logits [sequences, vocabulary].");
      }
      if (input instanceof Float32Array) {
        memory.floatsAt(session.input, input.length).set(input);
      } else {
        checkTokens("tokens", input, vocabulary, 0);
        memory.integersAt(session.input, sequences).set(input);
      }
      module.stepDecodeSession(session.address, sequences);
      logits.set(memory.floatsAt(session.logits, logits.length));
    },
    readDecodeState(handle, sequence, state) {
      const session = sessionWithState(handle, sequence, state);
      module.readDecodeState(session.address, sequence, session.state);
      state.set(memory.floatsAt(session.state, session.stateSize));
    },
    writeDecodeState(handle, sequence, state) {
      const session = sessionWithState(handle, sequence, state);
      memory.floatsAt(session.state, session.stateSize).set(state);
      module.writeDecodeState(session.address, sequence, session.state);
    },
    closeDecodeSession(handle) {
      const session = openSession(handle);
      session.isOpen = false;
      module.closeDecodeSession(session.address);
      for (const address of session.memory) memory.free(address);
    },
  };
}

function openSession(handle: DecodeHandle): Session {
  const session = handle as unknown as Session;
  if (!session.isOpen) throw new TypeError("This is no decode session, or it is closed.");
  return session;
}

function sessionWithState(handle: DecodeHandle, sequence: number, state: Float32Array): Session {
  const session = openSession(handle);
  if (!Number.isInteger(sequence) || sequence < 0 || sequence >= session.sequences) {
    throw new TypeError("There is no such sequence in the decode session.");
  }
  if (state.length !== session.stateSize) {
    throw new TypeError("state must be a Float32Array [layers, states, hidden].");
  }
  return session;
}

// In the order in which native/wasm/ reads them.

function writeDecodeShape(call: Call, model: DecodeArguments): void {
  const { cell, layers, sequences, hidden, vocabulary, embedding, readsVectors } = model;
  call.number(CELL_NAMES.indexOf(cell));
  call.size("layers", layers);
  call.size("sequences", sequences);
  call.size("hidden", hidden);
  call.size("vocabulary", vocabulary);
  call.size("embedding", embedding, Number(readsVectors));
  call.flag(readsVectors);
  length(sequences, 4 * hidden);
  length(sequences, Math.max(vocabulary, embedding));
  length(4 * hidden, Math.max(hidden, embedding));
  length(vocabulary, Math.max(4 * hidden, embedding));
}

type SessionMemory = Pick<Session, "input" | "logits"> & { readonly weights: number };

function writeDecode(call: Call, model: DecodeArguments, memory: SessionMemory): void {
  const { cell, layers, hidden, vocabulary, embedding, readsVectors } = model;
  const gates = CELLS[cell].gates.length * hidden;
  writeDecodeShape(call, model);
  call.number(memory.weights);
  call.number(readsVectors ? 0 : memory.input);
  call.number(readsVectors ? memory.input : 0);
  call.number(memory.logits);
  call.reads("encoderWeight", model.encoderWeight, readsVectors ? 0 : vocabulary * embedding);
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
