import type { Kind } from "./kinds.js";

/** Everything about an option, in one place. */
export interface Option<Value> {
  readonly kind: Kind<Value>;
  /** What stands for its value in the help, such as `<n>`; not of flags. */
  readonly value?: string;
  /** Its short form, such as `-n`. */
  readonly short?: string;
  /** For the help; undefined where the command line does not have it. */
  readonly help?: string;
  /** For the help: what a value means that is unlike the others, such as `0: off`. */
  readonly special?: string;
  readonly default?: Value;
  /** For the help: how its value is chosen when it is not given. */
  readonly decidedBy?: string;
  /** Whether the short help of a command has it, where that leaves some out. */
  readonly isCommon?: true;
  /** The heading under which the help has it. */
  readonly group?: string;
  /** Whether it is an option of the command line alone, which the library does not have. */
  readonly commandOnly?: true;
  /** The environment variable that gives its value where nothing else does. */
  readonly variable?: string;
  /** What other programs call it. */
  readonly aliases?: readonly string[];
}

/** An option of a training. */
export interface TrainOption<Value> extends Option<Value> {
  /**
   * What happens to it when a run is resumed: the checkpoint keeps it, it has to be given again, or it belongs
   * to the beginning of a run alone.
   */
  readonly onResume: "kept" | "again" | "beginning";
  /** The part of the config in which a checkpoint keeps it. */
  readonly checkpoint?: "model" | "training" | "text" | "limits";
  /**
   * What its absence in a checkpoint means, `undefined` where it means nothing; left out where every checkpoint
   * has it.
   */
  readonly absent?: Value | undefined;
  /** Whether it keeps a model from learning its text by heart. */
  readonly regularizes?: true;
}

/** The options of a command: one for each of its settings, which the compiler checks. */
export type OptionsOf<Settings> = {
  readonly [Name in keyof Required<Settings>]: Option<NonNullable<Settings[Name]>>;
};

type WithDefault<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly default: unknown } ? Name : never;
}[keyof Table];

/** The defaults of those options that have one. */
export type Defaults<Table> = {
  readonly [Name in WithDefault<Table>]: Table[Name] extends Option<infer Value> ? Value : never;
};

export function defaultsOf<Table extends object>(options: Table): Defaults<Table> {
  const entries = Object.entries(options as Readonly<Record<string, Option<unknown>>>);
  const defaults = entries.map(([name, option]) => [name, option.default] as const);
  const given = defaults.filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Defaults<Table>;
}

/** Options under one heading of the help. */
export function inGroup<const Table extends object>(group: string, options: Table) {
  const entries = Object.entries(options).map(([name, option]) => [name, { ...option, group }]);
  return Object.fromEntries(entries) as {
    readonly [Name in keyof Table]: Table[Name] & { readonly group: string };
  };
}
