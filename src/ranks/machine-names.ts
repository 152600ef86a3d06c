/** With more of them, their number says more than their names. */
const MOST_NAMED = 4;

/** `a, b`; of many machines how many they are. */
export function namesOf(machines: readonly string[]): string {
  const different = [...new Set(machines)];
  return different.length > MOST_NAMED ? `${different.length} machines` : different.join(", ");
}
