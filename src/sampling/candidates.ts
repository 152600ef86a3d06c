import { CharnnError } from "../errors.js";
import { bitsPerCharacter, formatCount } from "../text.js";
import type { Sampling } from "./prepare.js";
import { generate } from "./sampler.js";

/** Which of several texts is kept. */
export interface Selection {
  /** This many that will do are written for each, and the likeliest per character is the first. */
  readonly bestOf: number;
  /** What each must contain. */
  readonly include: readonly string[];
  /** Whether each is unlike those before it. */
  readonly unique: boolean;
  /** Whole texts that none may be, with their prompt. */
  readonly known: ReadonlySet<string>;
  readonly prompt: string;
}

/** A text that was written for a place among the texts. */
export interface Candidate {
  /** Without the seed. */
  readonly text: string;
  /** By the model's own probabilities, with the character that ended the text; 0 where there was none. */
  readonly bitsPerCharacter: number;
  /** How many were written for this place until then, this one included. */
  readonly tries: number;
}

/** Texts that are tried for one place before it is given up. */
const MAX_TRIES = 10_000;
/** Texts that are written side by side. */
const MAX_AT_ONCE = 64;

/** How many texts are written side by side for `count` places. */
export function candidatesAtOnce(count: number, selection: Selection): number {
  const each = rejects(selection) ? MAX_AT_ONCE : selection.bestOf;
  return Math.min(count * each, MAX_AT_ONCE);
}

export function rejects({ include, unique, known }: Selection): boolean {
  return include.length > 0 || unique || known.size > 0;
}

/** A place among the texts, and what was written for it. */
interface Place {
  readonly index: number;
  begun: number;
  judged: number;
  /** By try; those that were judged are gone. */
  readonly written: Map<number, Omit<Candidate, "tries">>;
  readonly taken: Candidate[];
}

/**
 * Writes texts for each of `count` places until as many will do as are wanted. Which these are does not depend on how
 * many are written side by side: each try has its own random numbers, and they are judged in order.
 *
 * @returns by place, those that will do, the likeliest per character first
 * @throws CharnnError `NOTHING_ALLOWED` where too many in a row will not do; the signal's reason once it is aborted
 */
export async function chooseTexts(sampling: Sampling): Promise<readonly Candidate[][]> {
  const { generating, selection, options } = sampling;
  const places = Array.from(
    { length: generating.count },
    (_, index): Place => ({ index, begun: 0, judged: 0, written: new Map(), taken: [] }),
  );
  const atOnce = candidatesAtOnce(places.length, selection);
  const isDone = ({ taken }: Place) => taken.length === selection.bestOf;
  const written = new Set<string>();
  for (;;) {
    const open = places.filter((place) => !isDone(place));
    if (open.length === 0) break;
    await write(sampling, slotsFor(open, atOnce, selection));
    for (const place of open) {
      judge(place, selection, written);
      // What is written twice depends on all places before.
      if (selection.unique && !isDone(place)) break;
    }
    const tries = places.reduce((sum, { begun }) => sum + begun, 0);
    options.onCandidates?.(places.filter(isDone).length, tries);
  }
  for (const { taken } of places) taken.sort(byLikelihood);
  return places.map(({ taken }) => taken);
}

/** The likeliest per character first; an empty text is nobody's wish, however likely it is. */
function byLikelihood(a: Candidate, b: Candidate): number {
  const emptyLast = Number(a.text === "") - Number(b.text === "");
  return emptyLast || a.bitsPerCharacter - b.bitsPerCharacter;
}

/** A text that is to be written: the try of a place. */
interface Slot {
  readonly place: Place;
  readonly index: number;
}

/** One for each place in turn, until there are enough; only as many as are surely needed where none is rejected. */
function slotsFor(open: readonly Place[], atOnce: number, selection: Selection): Slot[] {
  const slots: Slot[] = [];
  const most = rejects(selection) ? MAX_TRIES : selection.bestOf;
  for (let added = true; added && slots.length < atOnce; ) {
    added = false;
    for (const place of open) {
      if (slots.length === atOnce || place.begun >= most) continue;
      slots.push({ place, index: place.begun++ });
      added = true;
    }
  }
  return slots;
}

async function write(sampling: Sampling, slots: readonly Slot[]): Promise<void> {
  const { model, vocabulary, generating, random, turns, options } = sampling;
  if (slots.length === 0) return;
  const texts = slots.map(() => "");
  // The first try of a place is the text that would be written there without a choice.
  const fork = (k: number) => {
    const { place, index } = slots[k];
    const stream = random.fork("stream", place.index);
    return index === 0 ? stream : stream.fork("candidate", index);
  };
  const settings = { ...generating, count: slots.length };
  const steps = generate(model, vocabulary, settings, random, fork);
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done) {
        for (const [k, { place, index }] of slots.entries()) {
          const { surprisal, chosen } = value[k];
          const bits = chosen > 0 ? bitsPerCharacter(surprisal / chosen) : 0;
          place.written.set(index, { text: texts[k], bitsPerCharacter: bits });
        }
        return;
      }
      for (const [k, character] of value.entries()) texts[k] += character;
      if (turns.isDue()) await turns.take();
      options.signal?.throwIfAborted();
    }
  } finally {
    steps.return([]);
  }
}

/** Takes what will do, in the order of the tries. */
function judge(place: Place, selection: Selection, written: Set<string>): void {
  const { bestOf, include, unique, known, prompt } = selection;
  while (place.taken.length < bestOf) {
    const candidate = place.written.get(place.judged);
    if (!candidate) {
      if (place.judged >= MAX_TRIES) throw gaveUp(selection);
      return;
    }
    place.written.delete(place.judged++);
    const whole = prompt + candidate.text;
    const willDo =
      include.every((word) => candidate.text.includes(word)) &&
      !known.has(whole) &&
      !(unique && written.has(whole));
    if (!willDo) continue;
    if (unique) written.add(whole);
    place.taken.push({ ...candidate, tries: place.judged });
  }
}

function gaveUp({ include, unique, known }: Selection): CharnnError {
  const wanted = [
    ...include.map((word) => `contain ${JSON.stringify(word)}`),
    ...(known.size > 0 ? ["are not in the list"] : []),
    ...(unique ? ["were not written before"] : []),
  ];
  return new CharnnError(
    "NOTHING_ALLOWED",
    `Too few of ${formatCount(MAX_TRIES)} texts ${wanted.join(" and ")}.`,
    "Ask for less, or write longer texts (`length`) at a higher temperature.",
  );
}
