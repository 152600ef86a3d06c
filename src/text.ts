/** Characters and figures as text: what several folders need. */

/** The code point of a newline. */
export const NEWLINE = 0x0a;

/** `12,345`; fractions are rounded. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** `1 layer`, `2 layers` */
export function counted(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${value === 1 ? "" : "s"}`;
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
