/** What bars, curves and charts are drawn with. */
export interface Marks {
  /** A bar's part that is done, and the rest. */
  readonly bar: readonly [done: string, left: string];
  /** Heights, the least first. */
  readonly levels: string;
  /** A chart's axes, with their ends and their labelled places. */
  readonly axes: {
    readonly vertical: string;
    readonly labelledRow: string;
    readonly top: string;
    readonly horizontal: string;
    readonly labelledColumn: string;
    readonly corner: string;
    readonly right: string;
  };
  /** Points of a chart's curves, one kind for each. */
  readonly points: readonly string[];
}

export const UNICODE_MARKS: Marks = {
  bar: ["█", "░"],
  levels: "▁▂▃▄▅▆▇█",
  axes: {
    vertical: "│",
    labelledRow: "┤",
    top: "▲",
    horizontal: "─",
    labelledColumn: "┬",
    corner: "└",
    right: "▶",
  },
  points: ["○", "●", "◇", "◆", "□", "■"],
};

/** For terminals that can show nothing else. */
export const ASCII_MARKS: Marks = {
  bar: ["#", "."],
  levels: "_.-~=+*#",
  axes: {
    vertical: "|",
    labelledRow: "+",
    top: "^",
    horizontal: "-",
    labelledColumn: "+",
    corner: "+",
    right: ">",
  },
  points: ["*", "#", "@", "%", "&", "="],
};

/** Terminals on Windows, beside its own new one, whose fonts have more than letters. */
const WINDOWS_TERMS: ReadonlySet<string> = new Set([
  "alacritty",
  "cygwin",
  "rxvt-unicode",
  "rxvt-unicode-256color",
  "xterm-256color",
]);

/**
 * Whether a terminal shows the marks of Unicode: by its locale, and where there is none by what is known of it.
 * What it knows of terminals is from the package is-unicode-supported 2.1.
 */
export function showsUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  if (platform === "win32") {
    return (
      env.WT_SESSION !== undefined ||
      env.TERMINUS_SUBLIME !== undefined ||
      env.ConEmuTask === "{cmd::Cmder}" ||
      env.TERM_PROGRAM === "vscode" ||
      env.TERM_PROGRAM === "Terminus-Sublime" ||
      env.TERMINAL_EMULATOR === "JetBrains-JediTerm" ||
      WINDOWS_TERMS.has(env.TERM ?? "")
    );
  }
  // The console of Linux, whose font has a few hundred characters.
  if (env.TERM === "linux") return false;
  // Without a locale, as in many containers, terminals are those of today.
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "UTF-8";
  return /utf-?8/i.test(locale);
}
