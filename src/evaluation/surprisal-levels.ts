/** From this many bits on a character has these colours, which are seen on light and dark pages. */
export const SURPRISAL_LEVELS = [
  { from: 1, background: "#fff2b2", text: "#000000" },
  { from: 2, background: "#fdc862", text: "#000000" },
  { from: 4, background: "#f4874f", text: "#000000" },
  { from: 6, background: "#b3002d", text: "#ffffff" },
] as const;
