/** The recurrent cells, in PyTorch's equations, gate order and names. */
export const CELL_NAMES = ["gru", "lstm", "rnn"] as const;
export type CellName = (typeof CELL_NAMES)[number];

/** What sets one cell apart from another. Its equations stand with each backend's kernels. */
export interface Cell {
  /** What it is called in prose. */
  readonly title: string;
  /** The gates in the order in which their weights are stacked. */
  readonly gates: readonly string[];
  /** Whether it carries a cell state beside the hidden state. */
  readonly hasCellState: boolean;
  /** Where a gate's bias starts, when not at 0. */
  readonly initialBias: Readonly<Record<string, number>>;
}

export const CELLS: Readonly<Record<CellName, Cell>> = {
  gru: { title: "GRU", gates: ["reset", "update", "new"], hasCellState: false, initialBias: {} },
  lstm: {
    title: "LSTM",
    gates: ["input", "forget", "cell", "output"],
    hasCellState: true,
    // A forget gate that starts open lets gradients through from the first step on
    // (Jozefowicz et al., "An Empirical Exploration of Recurrent Network Architectures", 2015).
    initialBias: { forget: 1 },
  },
  rnn: { title: "tanh RNN", gates: ["new"], hasCellState: false, initialBias: {} },
};

/** Numbers of a sequence's state in all layers. */
export function stateSize(cell: CellName, layers: number, hiddenSize: number): number {
  return layers * (CELLS[cell].hasCellState ? 2 : 1) * hiddenSize;
}
