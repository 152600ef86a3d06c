import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { ExportFormat } from "../config/export.js";
import type { Bits } from "../portable/packed-model.js";
import { JS_MARKER, MODEL_PAGE_MARKER, ONNX_MARKER } from "../run-files.js";
import { encodeHtml } from "./html/encode-html.js";
import { encodeJs, TYPES, TYPES_MARKER } from "./js/encode-js.js";
import { originOf } from "./model-origin.js";
import { encodeOnnx } from "./onnx/encode-onnx.js";
import type { Precision } from "./precision.js";

/** A format in which a model can leave charnn. */
interface Format {
  /** What it is called in prose. */
  readonly title: string;
  /** How names of such files end; the first is what a file gets that has no name yet. */
  readonly endings: readonly [string, ...string[]];
  /** In the first kilobyte of every file that charnn wrote in it. */
  readonly marker: string;
  /** Of each weight, where nothing else is asked for; undefined where they can't be chosen. */
  readonly bits: Bits | undefined;
  /**
   * The bytes of a file.
   *
   * @param checkpoint needs no more than its weights
   * @throws CharnnError for a model that the format can't have; the signal's reason once it is aborted
   */
  readonly encode: (checkpoint: ExportedModel, how: Encoding) => Promise<Uint8Array>;
  /** A file that belongs beside it, of the same name but for its end. */
  readonly companion?: {
    readonly extension: (ofFile: string) => string;
    readonly endings: readonly string[];
    readonly marker: string;
    readonly text: string;
  };
}

/** A model that is exported. */
export type ExportedModel = Checkpoint & {
  /** Of its file, by which more is known of it. */
  readonly path?: string;
};

interface Encoding {
  readonly bits: Bits;
  /** What these bits change; undefined where they are all. */
  readonly precision: Precision | undefined;
  readonly signal: AbortSignal | undefined;
}

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  onnx: {
    title: "ONNX",
    endings: [".onnx"],
    marker: ONNX_MARKER,
    bits: undefined,
    encode: (checkpoint, { signal }) => encodeOnnx(checkpoint, signal),
  },
  html: {
    title: "a page",
    endings: [".html", ".htm"],
    marker: MODEL_PAGE_MARKER,
    bits: 16,
    encode: async (checkpoint, { bits, precision }) =>
      encodeHtml(checkpoint, bits, { ...(await originOf(checkpoint.path)), precision }),
  },
  js: {
    title: "a module",
    endings: [".js", ".mjs"],
    marker: JS_MARKER,
    bits: 16,
    encode: (checkpoint, { bits }) => encodeJs(checkpoint, bits),
    companion: {
      extension: (file) => (file === ".mjs" ? ".d.mts" : ".d.ts"),
      endings: [".d.ts", ".d.mts"],
      marker: TYPES_MARKER,
      text: TYPES,
    },
  },
};
