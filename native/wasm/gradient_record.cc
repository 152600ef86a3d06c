#include "optimizer/optimizer.h"
#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {

CHARNN_EXPORT(packGradients) void pack_gradients() {
  Call call;
  PackGradients pack = {};
  pack.count = call.size();
  pack.gradients = call.floats();
  pack.factor = static_cast<float>(call.number());
  pack.record = call.bytes();
  run([&](const Worker& worker) { wasm::kKernels.pack_gradients(pack, worker); });
}

CHARNN_EXPORT(addRecords) void add_records() {
  Call call;
  AddRecords add = {};
  add.count = call.size();
  add.blocks = call.size();
  add.records = call.bytes();
  add.sum = call.bytes();
  run([&](const Worker& worker) { wasm::kKernels.add_records(add, worker); });
}

CHARNN_EXPORT(unpackGradients) void unpack_gradients() {
  Call call;
  UnpackGradients unpack = {};
  unpack.count = call.size();
  unpack.record = call.bytes();
  unpack.gradients = call.floats();
  run([&](const Worker& worker) { wasm::kKernels.unpack_gradients(unpack, worker); });
}

}  // namespace charnn
