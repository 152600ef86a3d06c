/** tfjs's cpu backend, loaded as `tfjs.ts` loads tfjs-core: it registers itself and its kernels. */
import { createRequire } from "node:module";
import type * as tfjsCpu from "@tensorflow/tfjs-backend-cpu";

const require = createRequire(import.meta.url);
const cpu: typeof tfjsCpu = require("@tensorflow/tfjs-backend-cpu");

export const { MathBackendCPU } = cpu;
export type MathBackendCPU = tfjsCpu.MathBackendCPU;
