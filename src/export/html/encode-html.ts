import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { Checkpoint } from "../../checkpoint/checkpoint.js";
import type { Bits } from "../../portable/packed-model.js";
import { readKernels } from "../kernels-file.js";
import { modelCard } from "../model-card.js";
import type { ModelOrigin } from "../model-origin.js";
import { packModel } from "../pack-model.js";
import type { Precision } from "../precision.js";
import { logitChange } from "../precision-words.js";
import { modelPage } from "./page.js";

const SCRIPT = new URL("script/main.bundle.js", import.meta.url);
const WORKER = new URL("worker.bundle.js", import.meta.url);

/** A page in which one writes with a model: one file that needs nothing else. */
export async function encodeHtml(
  checkpoint: Checkpoint,
  bits: Bits,
  { name, origin, precision }: ModelOrigin & { readonly precision: Precision | undefined },
): Promise<Uint8Array> {
  const [script, worker, kernels] = await Promise.all([
    readFile(SCRIPT, "utf8"),
    readFile(WORKER, "utf8"),
    readKernels(),
  ]);
  const { packed, weights } = packModel(checkpoint, bits);
  const page = modelPage({
    name,
    card: [...modelCard(checkpoint, origin), ["weights", weightsLine(bits, precision)]],
    model: JSON.stringify(packed).replaceAll("<", "\\u003c"),
    weights: compressed(weights),
    kernels: compressed(kernels),
    script,
    worker,
  });
  return Buffer.from(page);
}

function compressed(bytes: Uint8Array): string {
  return gzipSync(bytes, { level: 9 }).toString("base64");
}

function weightsLine(bits: Bits, precision: Precision | undefined): string {
  const changes = precision && `; ${logitChange(precision)}`;
  return `${bits} bits each${changes ?? ""}`;
}
