// What the module itself has: where its calls are written, and where memory begins that it leaves
// to JavaScript.
#include <cstdint>

#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {

alignas(64) double call_numbers[kMaxCallNumbers];
std::atomic<bool> is_stopping{false};

CHARNN_EXPORT(callNumbers) double* call_numbers_address() { return call_numbers; }
CHARNN_EXPORT(stopByte) std::atomic<bool>* stop_byte() { return &is_stopping; }

}  // namespace charnn
