#include <cstdint>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"
#include "optimizer/optimizer.h"

namespace charnn {
namespace {

size_t record_bytes(size_t count) { return record_blocks(count) * kRecordBlockBytes; }

bool overlap(const uint8_t* a, size_t size_of_a, const uint8_t* b, size_t size_of_b) {
  const uintptr_t a_begin = reinterpret_cast<uintptr_t>(a);
  const uintptr_t b_begin = reinterpret_cast<uintptr_t>(b);
  return a_begin < b_begin + size_of_b && b_begin < a_begin + size_of_a;
}

}  // namespace

napi_value pack_gradients(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  PackGradients pack = {};
  pack.count = arguments.size("count", 1, kLargest);
  pack.gradients = arguments.floats("gradients", pack.count);
  pack.factor = static_cast<float>(arguments.number("factor"));
  pack.record = arguments.bytes("record", record_bytes(pack.count));
  arguments.hold_arrays();
  instance.team->run([&](const Worker& worker) { instance.kernels->pack_gradients(pack, worker); });
  return nullptr;
}

napi_value add_records(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  AddRecords add = {};
  add.count = arguments.size("count", 1, kMostRecords);
  add.blocks = arguments.size("blocks", 1, kLargest / kRecordBlock);
  const size_t bytes = add.blocks * kRecordBlockBytes;
  add.records = arguments.bytes("records", add.count * bytes);
  add.sum = arguments.bytes("sum", bytes);
  if (overlap(add.records, add.count * bytes, add.sum, bytes))
    throw BadArgument("records and sum must not overlap.");
  arguments.hold_arrays();
  instance.team->run([&](const Worker& worker) { instance.kernels->add_records(add, worker); });
  return nullptr;
}

napi_value unpack_gradients(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  UnpackGradients unpack = {};
  unpack.count = arguments.size("count", 1, kLargest);
  unpack.record = arguments.bytes("record", record_bytes(unpack.count));
  unpack.gradients = arguments.floats("gradients", unpack.count);
  arguments.hold_arrays();
  instance.team->run(
      [&](const Worker& worker) { instance.kernels->unpack_gradients(unpack, worker); });
  return nullptr;
}

}  // namespace charnn
