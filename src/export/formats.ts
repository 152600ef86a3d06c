import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { ExportFormat, ExportSettings } from "../config/export.js";
import { ONNX_MARKER } from "../run-files.js";
import { encodeOnnx } from "./onnx/encode-onnx.js";

/** A format in which a model can leave charnn. */
interface Format {
  /** What it is called in prose. */
  readonly title: string;
  /** At the end of a file's name, with the dot. */
  readonly extension: string;
  /** In the first kilobyte of every file that charnn wrote in it. */
  readonly marker: string;
  /**
   * The bytes of a file.
   *
   * @param checkpoint needs no more than its weights
   * @throws CharnnError for a model that the format can't have; the signal's reason once it is aborted
   */
  readonly encode: (
    checkpoint: Checkpoint,
    settings: ExportSettings,
    signal: AbortSignal | undefined,
  ) => Promise<Uint8Array>;
}

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  onnx: {
    title: "ONNX",
    extension: ".onnx",
    marker: ONNX_MARKER,
    encode: (checkpoint, _, signal) => encodeOnnx(checkpoint, signal),
  },
};
