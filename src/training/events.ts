import type { SelectionReport } from "../backends/select.js";
import type { PresetName } from "../config/names.js";
import type { RunConfig } from "../config/run.js";
import type { Processes } from "../ranks/join.js";

/** How far reading and counting have come for a long text, before the run starts. */
export interface PreparingEvent {
  readonly event: "preparing";
  /** `counting` is for the n-gram baseline. */
  readonly doing: "reading" | "counting";
  /** How much of it is done, from 0 to 1. */
  readonly share: number;
}

/** What a run is about to do. */
export interface StartEvent {
  readonly event: "start";
  /** The run's name and folder. */
  readonly name: string;
  readonly path: string;
  readonly config: RunConfig;
  readonly vocabularySize: number;
  readonly parameters: number;
  readonly backend: SelectionReport;
  /** Undefined where it is one. */
  readonly processes: Processes | undefined;
  /** The preset that was chosen for what was not asked for, and why. */
  readonly choice:
    | {
        readonly preset: PresetName;
        readonly members?: number | undefined;
        readonly reason: string;
      }
    | undefined;
  /** The preset whose sizes the model has; undefined where others were asked for. */
  readonly preset: PresetName | undefined;
  /** The step it goes on from; 0 for a new run. */
  readonly step: number;
  /** Undefined where losses alone decide when it ends. */
  readonly totalSteps: number | undefined;
  readonly stepsPerEpoch: number;
  /**
   * What it will need, by a short trial: bytes, and seconds for what is left, with evaluations, samples,
   * checkpoints and all that is scored at the end.
   */
  readonly expectedBytes: number;
  readonly expectedSeconds: number | undefined;
  /** Since the run began. */
  readonly seconds: number;
}

/** The speed of a run whose time is limited was measured again, and its number of steps changed. */
export interface ReplanEvent {
  readonly event: "replan";
  /** The step at which it was done. */
  readonly step: number;
  /** The number of steps before and now. */
  readonly before: number;
  readonly totalSteps: number;
  readonly seconds: number;
}

/** Something the user should know, in a sentence or two. */
export interface WarningEvent {
  readonly event: "warning";
  readonly message: string;
}

/** One step was taken. */
export interface StepEvent {
  readonly event: "step";
  readonly step: number;
  /** The epoch it belongs to, from 1. */
  readonly epoch: number;
  /** Of this step's batches, nats/character. */
  readonly loss: number;
  readonly learningRate: number;
  /** Of the gradients, before clipping. */
  readonly gradientNorm: number;
  /** Whether the loss or a gradient was not finite, so that nothing was changed. */
  readonly dropped: boolean;
  /** Trained, over the last few seconds. */
  readonly charsPerSecond: number;
  /**
   * Since the run began: since the call of `train`, or what its `clock` says, and for a run that goes on
   * what it had taken before.
   */
  readonly seconds: number;
}

/** The held-out part was scored. */
export interface EvalEvent {
  readonly event: "eval";
  readonly step: number;
  readonly epoch: number;
  /** The mean training loss since the evaluation before, nats/character. */
  readonly loss: number | undefined;
  /** Nats/character over the validation part, or what `evalCharacters` says of it; undefined where there is none. */
  readonly validationLoss?: number;
  readonly bitsPerCharacter?: number;
  /** By which logits are divided, in a run that is calibrated. */
  readonly temperature?: number;
  /** Whether it is the lowest so far. */
  readonly best: boolean;
  readonly learningRate: number;
  readonly seconds: number;
}

/** What the model writes at this point. */
export interface SampleEvent {
  readonly event: "sample";
  readonly step: number;
  readonly text: string;
}

/** A checkpoint is on disk. */
export interface CheckpointEvent {
  readonly event: "checkpoint";
  readonly step: number;
  readonly kind: "last" | "best" | "step";
  readonly path: string;
}

/** The run is over. */
export interface EndEvent {
  readonly event: "end";
  readonly step: number;
  readonly epoch: number;
  /** `done`: a resumed run had already reached its limit. */
  readonly reason:
    | "epochs"
    | "steps"
    | "max-time"
    | "patience"
    | "target-loss"
    | "interrupted"
    | "done";
  /** The limit that ends the run, now or before it was resumed; undefined where none is reached. */
  readonly reached: "epochs" | "steps" | "max-time" | "patience" | "target-loss" | undefined;
  /** Of the last and the best evaluation, nats/character. */
  readonly loss?: number;
  readonly validationLoss?: number;
  readonly bestLoss?: number;
  readonly bestStep?: number;
  /** Steps that changed nothing, since something in them was not finite. */
  readonly droppedSteps: number;
  /**
   * The best checkpoint's loss on the whole validation part, where evaluations scored only a part of it;
   * undefined where there was no time for it.
   */
  readonly wholeLoss?: number | undefined;
  /** How much of the validation part evaluations scored, in characters; undefined where it was all. */
  readonly evalCharacters?: number | undefined;
  /** Of the best checkpoint on the part that `test` kept apart, at the run's end. */
  readonly testLoss?: number;
  /** How many characters of that part were scored: those for which there was time. */
  readonly testedCharacters?: number | undefined;
  /** The number of steps that was planned in the end. */
  readonly totalSteps: number | undefined;
  /** The steps at which the speed was measured again, and the number of steps planned until then. */
  readonly replan: readonly { readonly step: number; readonly totalSteps: number }[];
  /** The loss of an n-gram model of this order on the validation part. */
  readonly counting: { readonly order: number; readonly loss: number } | undefined;
  /** Characters of the whole text and of its validation part. */
  readonly characters: number;
  readonly validationCharacters: number;
  /** The checkpoint that `sample` uses. */
  readonly path: string;
  readonly seconds: number;
}

/** All folds are trained and scored. */
export interface CrossValidationEvent {
  readonly event: "cross-validation";
  /** The best validation loss of each fold, nats/character. */
  readonly losses: readonly number[];
  readonly mean: number;
  /** Their standard deviation. */
  readonly deviation: number;
}

export type TrainingEvent =
  | PreparingEvent
  | StartEvent
  | ReplanEvent
  | WarningEvent
  | StepEvent
  | EvalEvent
  | SampleEvent
  | CheckpointEvent
  | EndEvent
  | CrossValidationEvent;
