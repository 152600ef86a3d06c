import isUnicodeSupported from "is-unicode-supported";

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

/** Whether the terminal shows the marks of Unicode: by what is known of it, and by its locale where that counts. */
export function showsUnicode(): boolean {
  if (!isUnicodeSupported()) return false;
  // Windows has another way to say how characters are coded, and its terminals are known by their names.
  if (process.platform === "win32") return true;
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  // Where there is no locale, as in many containers, the terminal is a modern one.
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "UTF-8");
}
