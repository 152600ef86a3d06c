import type { DecodeSession } from "../backends/backend.js";
import type { Network } from "../sampling/mixture.js";
import { Turns } from "../turns.js";

/** Work that has a model read one token after another, and looks at what it then predicts. */
export interface Job {
  /** The next token to read; undefined while there is none, until {@link JobBatch.wake} is called. */
  readonly input: number | undefined;
  /**
   * Takes what the model predicts after that token.
   *
   * @param logits of several jobs, where those of this one begin at `start`; may be overwritten
   * @returns whether there is more to do
   */
  take(logits: Float32Array, start: number): boolean;
  /** Called once, when nothing more is to do, with the model's state after the last token. */
  end(state: Float32Array): void;
  /** Called once, in place of {@link end}, where taking a step or {@link take} threw an error. */
  fail(error: unknown): void;
}

/** A job with the state of its sequence, where it is in none of the session's. */
interface Member {
  readonly job: Job;
  state: Float32Array;
}

/** Sequences that a session begins with; it is opened anew with twice as many when there are more. */
const FIRST_CAPACITY = 16;

/**
 * Does the jobs of one model side by side: each step of the model reads a token of every job that has one. Jobs come
 * and go at any time. It works as long as there is something to do, with turns of the event loop in between.
 */
export class JobBatch {
  readonly #model: Network;
  #session: DecodeSession | undefined;
  #capacity = FIRST_CAPACITY;
  /** Those in the session, by sequence. */
  #active: Member[] = [];
  /** Those that are not in it: they have just come, or have nothing to read. */
  #resting: Member[] = [];
  #isRunning = false;
  #closed: Error | undefined;

  constructor(model: Network) {
    this.#model = model;
  }

  /** @param state the model's state to begin with; that before any text when left out */
  add(job: Job, state?: Float32Array): void {
    if (this.#closed) {
      job.fail(this.#closed);
      return;
    }
    this.#resting.push({ job, state: state ?? this.#zeroState() });
    this.wake();
  }

  /** To be called when a job that had no token to read has one. */
  wake(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // Calls that are made together begin together.
    setImmediate(() => void this.#run());
  }

  /** Takes a job out, which is told nothing. */
  remove(job: Job): void {
    this.#resting = this.#resting.filter((member) => member.job !== job);
    const index = this.#active.findIndex((member) => member.job === job);
    if (index >= 0) this.#takeOut(index);
  }

  /** Ends all jobs with an error, and those that come later too. */
  close(error: Error): void {
    this.#closed = error;
    const all = [...this.#active, ...this.#resting];
    this.#active = [];
    this.#resting = [];
    this.#session?.dispose();
    this.#session = undefined;
    for (const { job } of all) job.fail(error);
  }

  /** Ends all jobs that have something to read with an error. */
  #failAll(error: unknown): void {
    const coming = this.#resting.filter(({ job }) => job.input !== undefined);
    const failed = [...this.#active, ...coming];
    this.#active = [];
    this.#resting = this.#resting.filter((member) => !coming.includes(member));
    for (const { job } of failed) job.fail(error);
  }

  async #run(): Promise<void> {
    const turns = new Turns();
    for (;;) {
      try {
        if (this.#admit() === 0) break;
        this.#step();
      } catch (error) {
        this.#failAll(error);
      }
      if (turns.isDue()) await turns.take();
    }
    this.#isRunning = false;
  }

  /** Lets those in that have something to read, and out those that have not. @returns how many are in */
  #admit(): number {
    if (this.#closed) return 0;
    for (let index = this.#active.length - 1; index >= 0; index--) {
      const member = this.#active[index];
      if (member.job.input !== undefined) continue;
      member.state = this.#open().readState(index);
      this.#takeOut(index);
      this.#resting.push(member);
    }
    const coming = this.#resting.filter(({ job }) => job.input !== undefined);
    if (coming.length === 0) return this.#active.length;
    this.#resting = this.#resting.filter(({ job }) => job.input === undefined);
    this.#makeRoom(this.#active.length + coming.length);
    for (const member of coming) {
      this.#open().writeState(this.#active.length, member.state);
      this.#active.push(member);
    }
    return this.#active.length;
  }

  #step(): void {
    const session = this.#open();
    const inputs = this.#active.map(({ job }) => job.input as number);
    const logits = session.step(Int32Array.from(inputs));
    const { vocabularySize } = this.#model;
    const taken = [...this.#active];
    const ended = new Set<Member>();
    for (const [index, member] of taken.entries()) {
      // A job before it may have taken this one out.
      if (!this.#active.includes(member)) continue;
      try {
        if (member.job.take(logits, index * vocabularySize)) continue;
        member.job.end(session.readState(this.#active.indexOf(member)));
      } catch (error) {
        member.job.fail(error);
      }
      ended.add(member);
    }
    for (let index = this.#active.length - 1; index >= 0; index--) {
      if (ended.has(this.#active[index])) this.#takeOut(index);
    }
  }

  /** The last sequence takes the place of one that leaves. */
  #takeOut(index: number): void {
    const last = this.#active.length - 1;
    if (index < last) {
      const session = this.#open();
      session.writeState(index, session.readState(last));
      this.#active[index] = this.#active[last];
    }
    this.#active.pop();
  }

  #makeRoom(sequences: number): void {
    if (sequences <= this.#capacity) return;
    while (this.#capacity < sequences) this.#capacity *= 2;
    const states = this.#active.map((_, index) => this.#open().readState(index));
    this.#session?.dispose();
    this.#session = undefined;
    for (const [index, state] of states.entries()) this.#open().writeState(index, state);
  }

  #open(): DecodeSession {
    this.#session ??= this.#model.openDecodeSession(this.#capacity);
    return this.#session;
  }

  #zeroState(): Float32Array {
    return new Float32Array(this.#model.stateSize);
  }
}
