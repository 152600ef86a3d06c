/** Characters and figures as text: what several folders need. */

/** The code point of a newline. */
export const NEWLINE = 0x0a;
/**
 * What stands in a text, between its characters, where a document of it ends: half of a surrogate pair, which no
 * decoder gives. It is written as nothing.
 */
export const DOCUMENT_END = 0xdfff;

/** `12,345`; fractions are rounded. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** `1 layer`, `2 layers` */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : plural}`;
}

/** `12.34 %` */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** A loss in nats/character as bits/character. */
export function bitsPerCharacter(loss: number): number {
  return loss / Math.LN2;
}

/** `hiddenSize` as `hidden size` */
export function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** `hidden-size` for `hidden_size` and `hiddenSize`. */
export function hyphened(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");
}

/** `45 s`, `1 min 20 s`, `2 h 5 min` */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 1) return "under 1 s";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return joined(minutes, "min", whole % 60, "s");
  return joined(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

function joined(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** `1.5 GB`, `230 MB` */
export function memorySize(bytes: number): string {
  const [unit, size] = bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  const digits = { maximumFractionDigits: unit === "MB" ? 0 : 1 };
  return `${(bytes / size).toLocaleString("en", digits)} ${unit}`;
}
