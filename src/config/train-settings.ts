import type { CellName } from "./cells.js";
import type { Fold, StepChange } from "./kinds.js";
import type {
  BatchingName,
  InvalidName,
  LineEndName,
  NormalFormName,
  OptimizerName,
  PresetName,
  ScheduleName,
  SplitName,
} from "./names.js";
import type { BackendSettings } from "./shared.js";

/** What to train on and how. What is not given has its default, or the preset decides it. */
export interface TrainSettings extends BackendSettings {
  /** Files and folders; `-` is standard input. */
  readonly files: readonly string[];
  /** Sets what is left out; by default the time limit, or else the text, decides which preset it is. */
  readonly preset?: PresetName | undefined;

  /** Default: `gru`. */
  readonly cell?: CellName | undefined;
  /** Recurrent layers. Default: 1. */
  readonly layers?: number | undefined;
  /** Units in each layer. Default: by the preset. */
  readonly hiddenSize?: number | undefined;
  /** The size of a character's vector; 0: one-hot. Default: by the preset. */
  readonly embeddingSize?: number | undefined;
  /**
   * The last 2 characters, and so on up to this many, have a vector together too, which is added to that of the last one;
   * 1: none. Default: 4; 1 with one-hot input.
   */
  readonly ngramOrder?: number | undefined;
  /** The most vectors of n-grams of one length; with more n-grams, several share one. Default: by the length of the text. */
  readonly ngramRows?: number | undefined;

  /** The fraction of the text to validate on. Default: 0.1. */
  readonly validation?: number | undefined;
  /** The fraction of the text to score at the end alone. Default: 0. */
  readonly test?: number | undefined;
  /**
   * About how many characters of the held-out part are not scored, so that a temperature can be fitted on them, by which the logits of
   * the model are divided; 0: there is none. Default: a tenth, 10,000 at most; 0 for fewer than 10,000 characters, for documents, and
   * without embeddings of n-grams.
   */
  readonly calibrationCharacters?: number | undefined;
  /** A text to validate on, in place of a part of `files`. */
  readonly validationFile?: string | undefined;
  /** Which of several equal parts of the text to validate on, in place of `validation`. */
  readonly fold?: Fold | undefined;
  /**
   * What is a text by itself: `lines`, `paragraphs` between empty lines, `files`, or what is between two marks, which
   * any other string is.
   */
  readonly documents?: string | undefined;
  /** How the parts are chosen. Default: `random`, which deals documents to them, with `documents`; else `sequential`. */
  readonly split?: SplitName | undefined;
  /** Of the files. Default: `utf-8`. */
  readonly encoding?: string | undefined;
  /** What to do with bytes that are wrong in that encoding. Default: `error`. */
  readonly invalid?: InvalidName | undefined;
  /** `lf` reads all line ends as newlines. Default: `lf` with `documents`, else `keep`. */
  readonly lineEnds?: LineEndName | undefined;
  /** The normal form of Unicode that every text is brought into. Default: the one that it has. */
  readonly normalize?: NormalFormName | undefined;
  /** Whether capital letters are read as small ones, in every text. Default: false. */
  readonly lowercase?: boolean | undefined;
  /** Characters that occur less often in the training part become one unknown character. */
  readonly minCount?: number | undefined;

  /** Windows in a batch, of each worker. Default: by the preset, and more of documents that are shorter than half a window. */
  readonly batchSize?: number | undefined;
  /** How many batches are learned from side by side in each step. Default: 1. */
  readonly workers?: number | undefined;
  /** Models that are trained, and predict together: the mean of their probabilities. Default: 1. */
  readonly members?: number | undefined;
  /** Characters in a window. Default: 64. */
  readonly seqLength?: number | undefined;
  /** Default: `lanes`, parallel parts of the text with the state carried on. */
  readonly batching?: BatchingName | undefined;
  /** Characters between the starts of two windows. Default: the sequence length. */
  readonly stride?: number | undefined;
  /**
   * Windows in a section: the sections of each lane are read in a random order, which is another one in each epoch,
   * and the state is carried within them. 0: a lane is read from its beginning to its end. Default: 16
   * for a text of 2 million characters or more for training, or one that is not read once; else 0.
   */
  readonly sectionWindows?: number | undefined;

  /** Passes over the text. Default: by the text's length. */
  readonly epochs?: number | undefined;
  /** Optimizer steps. */
  readonly steps?: number | undefined;
  /** Seconds, from the beginning of `TrainOptions.clock` to the end of the run. */
  readonly maxTime?: number | undefined;
  /**
   * Changes of the number of steps during the run, as a run with `maxTime` makes them when it measures its
   * speed again: from `step` on there are `steps` in all, and the learning rate continues from where it is.
   */
  readonly replan?: readonly StepChange[] | undefined;
  /** Evaluations in a row without a lower validation loss, after which the run ends; 0: any number. */
  readonly patience?: number | undefined;
  /** A validation loss at which the run ends, nats/char; 0: none. */
  readonly targetLoss?: number | undefined;

  /** The fraction of each layer's outputs to drop. Default: by the model, the text and the epochs. */
  readonly dropout?: number | undefined;
  /** The fraction of the characters' vectors. Default: as `dropout`. */
  readonly inputDropout?: number | undefined;
  /** The fraction of the n-grams' vectors, other ones in each batch. Default: by the passes over the text. */
  readonly ngramDropout?: number | undefined;
  /** The fraction of the state, where the next step reads it. Default: as `dropout`. */
  readonly recurrentDropout?: number | undefined;
  /** The fraction of the recurrent weights. Default: 0. */
  readonly weightDropout?: number | undefined;

  /** Decoupled, of all parameters. Default: 0.1. */
  readonly weightDecay?: number | undefined;
  /** Default: `nadam`. */
  readonly optimizer?: OptimizerName | undefined;
  /** The highest that the schedule reaches. Default: by the preset. */
  readonly learningRate?: number | undefined;
  /** How the learning rate falls. Default: `cosine`, or `plateau` where nothing says when the run ends. */
  readonly schedule?: ScheduleName | undefined;
  /**
   * The fraction of `learningRate` at which a `cosine`, `linear` or `exponential` schedule ends; with 0, the last ends at a
   * hundredth. Default: 0.2, or 0 without a running average of the weights, which evens out what the last steps change.
   */
  readonly finalRate?: number | undefined;
  /** Steps in which the learning rate rises first. Default: 50. */
  readonly warmupSteps?: number | undefined;
  /** The largest norm of the gradient; 0: no limit. Default: 1. */
  readonly clipNorm?: number | undefined;
  /** The largest gradient; 0: no limit. Default: 0. */
  readonly clipValue?: number | undefined;
  /** Batches whose gradients make one step. Default: 1. */
  readonly accumulate?: number | undefined;
  /** The decay of the weights' running average; 0: there is none. Default: 0.998. */
  readonly averageDecay?: number | undefined;

  /** The run's name. Default: made from the text and the model. */
  readonly name?: string | undefined;
  /** The folder of the runs. Default: `checkpoints`. */
  readonly out?: string | undefined;
  /** A checkpoint whose weights to begin with: a file, a run's folder, or a run's name in `out`. */
  readonly initFrom?: string | undefined;
  /** Continues from the last checkpoint. Default: false. */
  readonly resume?: boolean | undefined;
  /** Replaces the run of this name. Default: false. */
  readonly overwrite?: boolean | undefined;
  /**
   * Steps between two evaluations; there is one at the end too. Default: as many as make 10 to 40 evaluations, which
   * take at most 4 % of the run.
   */
  readonly evalEvery?: number | undefined;
  /** Steps between two samples. Default: one after each evaluation. */
  readonly sampleEvery?: number | undefined;
  /** What each sample begins with. */
  readonly samplePrompt?: string | undefined;
  /** Whether samples are written. Default: true. */
  readonly samples?: boolean | undefined;
  /**
   * About how many characters of the held-out part an evaluation scores, always the same ones, from all over
   * it. Default: all, or fewer where evaluations would take more than 4 % of the run.
   */
  readonly evalCharacters?: number | undefined;
  /**
   * Steps between two checkpoints; there is one at each evaluation, and every five minutes, too. Default: 500; with
   * `maxTime` fewer saves where they would take more than about 1 % of the time.
   */
  readonly saveEvery?: number | undefined;
  /** Whether to keep what the run reports for TensorBoard too. Default: false. */
  readonly tensorboard?: boolean | undefined;
  /** How many checkpoints `step-N.safetensors` stay. Default: 0. */
  readonly keep?: number | undefined;
  /** Default: 0. */
  readonly randomSeed?: number | undefined;
}

/** What can be typed: settings, and what the command line alone has. */
export interface TrainCommandSettings extends TrainSettings {
  readonly crossValidate?: number | undefined;
  readonly config?: string | undefined;
  readonly mpi?: string | undefined;
  readonly json?: boolean | undefined;
  readonly printConfig?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}
