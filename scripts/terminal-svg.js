/** Draws lines of a terminal as an SVG, in the colours of a light or a dark one. */

const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const FONT_SIZE = 14;
const LINE_HEIGHT = 19;
/** The width of a column, to which each piece of text is fitted in any font. */
const COLUMN = 8.43;
const MARGIN = 16;
const TITLE_BAR = 30;

/** The eight colours of a terminal, in its order: black, red, green, yellow, blue, magenta, cyan, white. */
const THEMES = {
  light: {
    background: "#ffffff",
    border: "#d0d7de",
    text: "#1f2328",
    dim: "#6e7781",
    colors: "#24292f #cf222e #116329 #7d4e00 #0969da #8250df #1b7c83 #6e7781".split(" "),
  },
  dark: {
    background: "#0d1117",
    border: "#30363d",
    text: "#e6edf3",
    dim: "#8b949e",
    colors: "#484f58 #ff7b72 #3fb950 #d29922 #58a6ff #bc8cff #39c5cf #b1bac4".split(" "),
  },
};

/**
 * @param {{ text: string, color?: number, bold?: boolean, dim?: boolean }[][]} lines pieces of equal look, with a
 *   colour from 0 to 7 where it is not that of the terminal
 * @param {"light" | "dark"} theme
 * @param {number} columns
 * @returns {string} the SVG
 */
export function terminalSvg(lines, theme, columns) {
  const { background, border, text, dim, colors } = THEMES[theme];
  const width = Math.ceil(columns * COLUMN + 2 * MARGIN);
  const height = TITLE_BAR + lines.length * LINE_HEIGHT + MARGIN;
  const buttons = [0, 1, 2].map(
    (k) => `<circle cx="${MARGIN + 6 + 18 * k}" cy="18" r="5.5" fill="${border}"/>`,
  );
  const pieces = lines.flatMap((line, row) => {
    const y = TITLE_BAR + row * LINE_HEIGHT + FONT_SIZE;
    let column = 0;
    return line.flatMap(({ text: all, color, bold, dim: isDim }) => {
      const start = column;
      column += [...all].length;
      const fill = color === undefined ? (isDim ? dim : text) : colors[color];
      const look = `fill="${fill}"${bold ? ' font-weight="bold"' : ""}`;
      // SVG joins spaces, so what they separate is placed by itself.
      return [...all.matchAll(/\S+(?: \S+)*/g)].map(({ 0: words, index: at }) => {
        const x = (MARGIN + (start + at) * COLUMN).toFixed(2);
        const length = ([...words].length * COLUMN).toFixed(2);
        const fitted = `textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
        return `<text x="${x}" y="${y}" ${look} ${fitted}>${escaped(words)}</text>`;
      });
    });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>A session of charnn in a terminal</title>",
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${background}" stroke="${border}"/>`,
    ...buttons,
    `<g font-family="${FONT}" font-size="${FONT_SIZE}">`,
    ...pieces,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
