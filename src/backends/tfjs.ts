/**
 * What charnn uses of tfjs-core, loaded by `require`: for an `import` Node reads the megabyte of its
 * bundle twice more, to tell what it is and what it exports, and starts `sample` 0.13 s later.
 */
import { createRequire } from "node:module";
import type * as tfjsCore from "@tensorflow/tfjs-core";

export type {
  BackendValues,
  DataId,
  DataType,
  KernelFunc,
  NamedAttrMap,
  NamedTensorMap,
  Tensor,
  TensorContainer,
  TensorInfo,
} from "@tensorflow/tfjs-core";

const require = createRequire(import.meta.url);
const core: typeof tfjsCore = require("@tensorflow/tfjs-core");

export const {
  backend,
  DataStorage,
  dispose,
  engine,
  getBackend,
  getKernelsForBackend,
  KernelBackend,
  registerBackend,
  registerKernel,
  setBackend,
  tensor,
  tidy,
  zeros,
} = core;
export type DataStorage<Data> = tfjsCore.DataStorage<Data>;
