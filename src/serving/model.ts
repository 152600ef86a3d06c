import { randomInt } from "node:crypto";
import type { Checkpoint, CheckpointFacts } from "../checkpoint/checkpoint.js";
import type { UnknownName } from "../config/names.js";
import { NEXT, type NextSettings } from "../config/next.js";
import type { SampleSettings } from "../config/sample.js";
import { checked, settingsSchema } from "../config/schema.js";
import type { BackendSettings } from "../config/shared.js";
import { documentEndOf } from "../data/documents.js";
import { prepareText } from "../data/prepare-text.js";
import { leftOut, readAsOthers } from "../data/unknown-characters.js";
import type { Tokens } from "../data/vocabulary.js";
import { loadCheckpoint } from "../runs/load-checkpoint.js";
import { tokenChooser } from "../sampling/distribution.js";
import { likeliest, type NextCharacter, softmax } from "../sampling/likeliest.js";
import { type Network, openNetworks } from "../sampling/mixture.js";
import { prepareWriting } from "../sampling/prepare.js";
import { type GenerateSettings, primingTokens, randomOf, withEnd } from "../sampling/sampler.js";
import { TextStream } from "../sampling/text-stream.js";
import { inTurns } from "../turns.js";
import { checkText, identityOf, type LeftOut, refuseLeftOut, refuseOther } from "./checks.js";
import { type Job, JobBatch } from "./job-batch.js";
import { ReadingJob } from "./reading-job.js";
import { Writing, WritingJob, type WritingState } from "./writing.js";

/** How a model is opened. */
export interface OpenModelSettings extends BackendSettings {
  /** The folder in which runs have theirs. Default: `checkpoints`. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with what slows it down. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** What to write, and how. */
export interface WriteSettings extends Omit<SampleSettings, LeftOut> {
  /** The text to continue. */
  readonly prompt?: string | undefined;
  /** Where an earlier text has come to: the new one continues that one, with the prompt in between. */
  readonly state?: WritingState | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** How a text is read. */
export interface ReadSettings {
  /** What to do with characters that the model does not know. Default: `error`. */
  readonly unknown?: UnknownName | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** How surprising a character of a text is. */
export interface ScoredCharacter {
  readonly character: string;
  /** Minus the binary logarithm of its probability; undefined for the first one, unless it begins a document. */
  readonly bits: number | undefined;
}

const nextSchema = settingsSchema<NextSettings>(NEXT, ["text"]);

/** Random seeds that are drawn are below this: few digits to write down. */
const DRAWN_SEEDS = 1_000_000;

/**
 * Opens a model to write with it many times: its weights stay in the backend, and calls that are made at the same time
 * are done side by side.
 *
 * @param run a checkpoint, or what `loadCheckpoint` takes: a file, a folder, or a run's name; the newest run when left out
 * @throws CharnnError as `loadCheckpoint` does, `BACKEND_UNAVAILABLE`, `OUT_OF_MEMORY`
 */
export async function openModel(
  run?: string | Checkpoint,
  settings: OpenModelSettings = {},
): Promise<Model> {
  const { out, signal, onWarning, ...backend } = settings;
  const checkpoint =
    typeof run === "object" ? run : await loadCheckpoint(run, { out, signal, weightsOnly: true });
  const identity = await inTurns(identityOf(checkpoint), signal);
  const purpose = { streams: 1 };
  const network = await openNetworks([checkpoint], undefined, backend, purpose, onWarning);
  return new Model(network, checkpoint, identity);
}

/** A model that stays open until {@link Model.close} is called. */
export class Model {
  /** How it was trained, and the characters that it knows. */
  readonly facts: CheckpointFacts;
  readonly #checkpoint: Checkpoint;
  readonly #network: Network;
  readonly #batch: JobBatch;
  /** What the states of its texts are marked with. */
  readonly #identity: string;
  #isClosed = false;

  constructor(network: Network, checkpoint: Checkpoint, identity: string) {
    this.#identity = identity;
    this.#network = network;
    this.#checkpoint = checkpoint;
    const { config, vocabulary, progress } = checkpoint;
    this.facts = { config, vocabulary, progress };
    this.#batch = new JobBatch(network);
  }

  /**
   * Writes a text. With a `randomSeed` it is the text that `sample` writes with the same settings on the same
   * backend; without one, another each time.
   *
   * @returns at once: iterate over it for the characters as they come, or await it for the whole text. Both throw
   *   CharnnError `INVALID_SETTING`, `UNKNOWN_CHARACTER` or `NOTHING_ALLOWED`, and the signal's reason once it is aborted
   */
  write(settings: WriteSettings = {}): Writing {
    const { prompt, state, signal, onWarning, ...given } = settings;
    const randomSeed = given.randomSeed ?? randomInt(DRAWN_SEEDS);
    let job: Job | undefined;
    const give = (error: unknown) => {
      if (job) this.#batch.remove(job);
      writing.finish({ error });
    };
    const abort = () => give(signal?.reason);
    const writing = new Writing(randomSeed, this.#isEndless(given), {
      wake: () => this.#batch.wake(),
      cancel: () => give(new Error("Nobody reads the text any more.")),
      done: () => signal?.removeEventListener("abort", abort),
      refuseAborted: () => signal?.throwIfAborted(),
    });
    const begin = async () => {
      this.#refuseClosed();
      refuseLeftOut(given);
      checkText("prompt", prompt ?? "");
      if (state) refuseOther(state, this.#identity, this.#network);
      const sample = { ...given, seed: prompt, randomSeed };
      const { generating } = await prepareWriting(this.#checkpoint, sample, { signal, onWarning });
      const { prompt: text = "" } = generating;
      const tokens = await inTurns(this.#checkpoint.vocabulary.encodeInParts(text), signal);
      signal?.throwIfAborted();
      signal?.addEventListener("abort", abort, { once: true });
      job = this.#begin(writing, { ...generating, prompt: text }, tokens, state);
    };
    begin().catch((error) => writing.finish({ error }));
    return writing;
  }

  /**
   * The likeliest next characters after a text.
   *
   * @param top how many
   * @throws CharnnError `INVALID_SETTING`; `UNKNOWN_CHARACTER` for a text that the model can't read; the reason of the
   *   signal
   */
  async next(text: string, top = 10, options: ReadSettings = {}): Promise<NextCharacter[]> {
    const { vocabulary } = this.#checkpoint;
    checked(nextSchema, { text, top });
    const tokens = await this.#read(text, options);
    const read = [...primingTokens(vocabulary, tokens, this.facts.config.text.documents)];
    let last: Float32Array = new Float32Array(vocabulary.size);
    await this.#visit(read, options.signal, (position, logits, start) => {
      if (position === read.length - 1) last = logits.slice(start, start + vocabulary.size);
    });
    return likeliest(softmax(last), vocabulary, top);
  }

  /**
   * How surprising each character of a text is, as a document where the model learned from such, else from a state
   * of zero on.
   *
   * @throws CharnnError `INVALID_SETTING`; `UNKNOWN_CHARACTER` for a text that the model can't read; the reason of the
   *   signal
   */
  async score(text: string, options: ReadSettings = {}): Promise<ScoredCharacter[]> {
    const { vocabulary, config } = this.#checkpoint;
    checkText("text", text);
    const tokens = await this.#read(text, options);
    const { documents } = config.text;
    const before = documents === undefined ? [] : [documentEndOf(vocabulary, documents)];
    const bits = new Array<number | undefined>(tokens.length);
    const read = [...before, ...tokens.subarray(0, -1)];
    if (tokens.length > 0) {
      await this.#visit(read, options.signal, (position, logits, start) => {
        const index = position + 1 - before.length;
        if (index < 0) return;
        const own = logits.subarray(start, start + vocabulary.size);
        bits[index] = -Math.log2(softmax(own)[tokens[index]]);
      });
    }
    return Array.from(tokens, (token, index) => ({
      character: vocabulary.characterAt(token),
      bits: bits[index],
    }));
  }

  /** Frees its memory, and ends all that is under way with an error. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#batch.close(closedError());
    this.#network.dispose();
  }

  #begin(
    writing: Writing,
    settings: GenerateSettings & { readonly prompt: string },
    tokens: Tokens,
    state: WritingState | undefined,
  ): Job | undefined {
    const { vocabulary } = this.#checkpoint;
    const { prompt, documents } = settings;
    this.#refuseClosed();
    const stream = new TextStream(
      vocabulary,
      withEnd(settings, vocabulary),
      { text: prompt, tokens },
      randomOf(writing.randomSeed).fork("stream", 0),
      {
        choose: tokenChooser(settings, vocabulary.size),
        forbidden: new Uint8Array(vocabulary.size),
      },
      !state && prompt === "" && !documents,
    );
    const read = state
      ? [...state.unread, ...tokens]
      : [...primingTokens(vocabulary, tokens, documents)];
    const job = new WritingJob(writing, stream, vocabulary, read.reverse(), this.#identity);
    if (read.length === 0 && !job.choose(state?.logits.slice(), 0)) {
      job.end(state?.numbers ?? new Float32Array(this.#network.stateSize));
      return undefined;
    }
    this.#batch.add(job, state?.numbers);
    return job;
  }

  async #read(
    text: string,
    { unknown = "error", signal, onWarning }: ReadSettings,
  ): Promise<Tokens> {
    this.#refuseClosed();
    signal?.throwIfAborted();
    const { vocabulary, config } = this.#checkpoint;
    const reader = { ...config.text, vocabulary };
    const prepared = await prepareText(text, reader, unknown, signal);
    const { skipped, skippedCharacters, mapped, mappings } = prepared;
    if (skipped > 0) onWarning?.(leftOut(skipped, skippedCharacters));
    if (mapped > 0) onWarning?.(readAsOthers(mapped, mappings));
    return inTurns(vocabulary.encodeInParts(prepared.text), signal);
  }

  /** Reads tokens beside everything else that the model does. */
  async #visit(
    tokens: readonly number[],
    signal: AbortSignal | undefined,
    visit: (position: number, logits: Float32Array, start: number) => void,
  ): Promise<void> {
    if (tokens.length === 0) return;
    this.#refuseClosed();
    await new Promise<void>((resolve, reject) => {
      const job = new ReadingJob(tokens, visit, (error) => {
        signal?.removeEventListener("abort", abort);
        if (error === undefined) resolve();
        else reject(error);
      });
      const abort = () => {
        this.#batch.remove(job);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#batch.add(job);
    });
  }

  #isEndless({ length, stop, lines, sentences }: WriteSettings): boolean {
    const end = stop ?? lines ?? sentences ?? this.facts.config.text.documents;
    return length === -1 && end === undefined;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw closedError();
  }
}

function closedError(): Error {
  return new Error("The model is closed.");
}
