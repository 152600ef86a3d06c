import type { Workspace } from "../backend.js";
import type { LayerInput } from "./input.js";
import type { LayerState, LayerWeights } from "./layer.js";
import type { AnyLayerMethod } from "./layers.js";
import type { Id } from "./operations.js";
import type { Runtime } from "./runtime.js";

/** A layer and a sequence, with what its forward operation leaves for the backward one. */
export interface ForwardPass {
  readonly method: AnyLayerMethod;
  readonly weights: LayerWeights;
  /** `[gates, hidden]`: has multiplied the recurrent weights. */
  readonly weightMask: Id | undefined;
  readonly input: LayerInput;
  /** `[time, batch]`: the tokens that the vectors were made from. */
  readonly tokens: Id | undefined;
  readonly state: LayerState;
  readonly saved: unknown;
}

/** Owns the tensors that operations leave for later ones, and the tensors of their results. */
export class TensorFlowWorkspace implements Workspace {
  /** None of it is in JavaScript's memory. */
  readonly bytes = 0;
  readonly #runtime: Runtime;
  #pass: ForwardPass | undefined;
  #keptIds: readonly Id[] = [];
  #resultIds: readonly Id[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** What the last forward operation left for its backward one. */
  get pass(): ForwardPass {
    if (this.#pass === undefined) throw new Error("There was no forward pass with this workspace.");
    return this.#pass;
  }

  /** Takes what a forward operation leaves, and its tensors, in place of what was there before. */
  keep(pass: ForwardPass, ids: readonly Id[]): void {
    this.#freeAll();
    this.#pass = pass;
    this.#keptIds = ids;
  }

  /** Takes the tensors of results, in place of those of earlier results. */
  keepResults(ids: readonly Id[]): void {
    this.#runtime.free(this.#resultIds);
    this.#resultIds = ids;
  }

  dispose(): void {
    this.#freeAll();
  }

  #freeAll(): void {
    this.keepResults([]);
    this.#runtime.free(this.#keptIds);
    this.#pass = undefined;
    this.#keptIds = [];
  }
}
