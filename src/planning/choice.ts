import { type BackendName, PRESET_NAMES, type PresetName } from "../config/names.js";
import { MAX_EPOCHS_IN_TIME } from "./limits.js";

/** Which preset, how many models of it, and why, in a few words. */
export interface Choice {
  readonly preset: PresetName;
  /** Models that are to predict together, where there is time for several. */
  readonly members?: number | undefined;
  readonly reason: string;
}

/** Largest first. */
const IN_SOME_MINUTES = ["medium", "small", "tiny"] as const satisfies readonly PresetName[];
/** The same without fused multiply-add. */
const IN_SOME_MINUTES_ON_WASM = ["small", "tiny"] as const satisfies readonly PresetName[];

/** When a preset is chosen. */
export interface Rule {
  /** With fewer characters for training than this, smaller ones do better: it would memorize them. */
  readonly shortestText: number;
  /** How many characters it must learn from, counting repeated passes, before it beats smaller ones. */
  readonly fewestCharacters: number;
  /** How often each of two models must read the text, besides {@link CHARACTERS_OF_MEMBER}, before they beat one that learns from all. */
  readonly passesOfMember: number;
}

/** Set by trials: `bench/quality/rule.ts` compares what they choose with the best that was tried. */
export const RULES: Readonly<Record<PresetName, Rule>> = {
  tiny: { shortestText: 0, fewestCharacters: 0, passesOfMember: 5 },
  small: { shortestText: 50_000, fewestCharacters: 1.5e6, passesOfMember: 5 },
  medium: { shortestText: 550_000, fewestCharacters: 14e6, passesOfMember: 7 },
  large: { shortestText: 2_000_000, fewestCharacters: 50e6, passesOfMember: 7 },
};

/** A model of a short text gains from more passes. */
const CHARACTERS_OF_MEMBER = 1e6;
/** Each of three learns from this much more than each of two, and so on: a further model gains less than the one before. */
const MORE_FOR_EACH_MEMBER = 0.1;
/** A sixth would gain little. */
const MOST_MEMBERS = 5;
/**
 * A larger model makes at most this many times as many operations a second: on a GPU or many cores it may be as fast as one
 * with a quarter of them.
 */
const MOST_GAINED_BY_SIZE = 4;

/**
 * The largest preset that can learn from enough characters in the time given, and for which a text of this many
 * characters for training is long enough, and as many models of it as can each learn from enough; but the most models of
 * a smaller one rather than fewer, and several rather than a single one.
 *
 * @param speeds characters a second from which presets learn here, of {@link speedsToCompare}
 * @param characters for training
 */
export function choiceForTime(
  seconds: number,
  speeds: ReadonlyMap<PresetName, number>,
  characters: number,
  rules = RULES,
): Choice {
  const inTime = (name: PresetName) => seconds * (speeds.get(name) ?? 0);
  const membersOf = (name: PresetName) => {
    const ofTwo = rules[name].passesOfMember * characters + CHARACTERS_OF_MEMBER;
    const ofEach = (members: number) =>
      Math.min((1 + MORE_FOR_EACH_MEMBER * (members - 2)) * ofTwo, MAX_EPOCHS_IN_TIME * characters);
    let members = MOST_MEMBERS;
    while (members > 1 && members * ofEach(members) > inTime(name)) members--;
    return members;
  };
  const fastEnough = PRESET_NAMES.filter((name) => inTime(name) >= rules[name].fewestCharacters);
  const preset =
    fastEnough.findLast((name) => membersOf(name) === MOST_MEMBERS) ??
    fastEnough.findLast((name) => membersOf(name) > 1) ??
    fastEnough.at(-1) ??
    "tiny";
  const text = `${characters.toLocaleString("en")} characters`;
  const members = membersOf(preset);
  return {
    preset,
    members: members > 1 ? members : undefined,
    reason: `for ${text} and ${Math.round(seconds)} s here`,
  };
}

/**
 * The speeds by which {@link choiceForTime} compares presets: of those for which the text is long enough, from a small
 * one to the first that is too slow for the time.
 *
 * @param characters for training
 * @param operations of a preset's model for each character
 * @param speedOf measures characters a second; undefined: there is not enough memory
 */
export async function speedsToCompare(
  seconds: number,
  characters: number,
  operations: (preset: PresetName) => number,
  speedOf: (preset: PresetName) => Promise<number | undefined>,
): Promise<ReadonlyMap<PresetName, number>> {
  const fitting = PRESET_NAMES.filter((name) => characters >= RULES[name].shortestText);
  const speeds = new Map<PresetName, number>();
  let operationsPerSecond = Number.POSITIVE_INFINITY;
  // The smallest is taken where no other has the time: there is nothing to compare.
  for (const preset of fitting.length > 1 ? fitting.slice(1) : fitting) {
    const most = (MOST_GAINED_BY_SIZE * operationsPerSecond) / operations(preset);
    if (seconds * most < RULES[preset].fewestCharacters) break;
    const speed = await speedOf(preset);
    if (speed === undefined) break;
    speeds.set(preset, speed);
    operationsPerSecond = speed * operations(preset);
  }
  return speeds;
}

/**
 * The preset for a text of this many characters for training where no time is given: the best that some minutes
 * can give.
 */
export function choiceForText(characters: number, backend: BackendName): Choice {
  const presets = backend === "wasm" ? IN_SOME_MINUTES_ON_WASM : IN_SOME_MINUTES;
  const preset = presets.find((name) => characters >= RULES[name].shortestText);
  const text = `for ${characters.toLocaleString("en")} characters`;
  const reason = backend === "wasm" ? `${text} on the wasm backend` : text;
  return { preset: preset ?? "tiny", reason };
}
