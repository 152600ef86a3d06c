#include "embedding/embedding.h"

#include "wasm/call.h"
#include "wasm/team.h"

namespace charnn {
namespace {

RowSums sums_of(Call& call) {
  RowSums sums = {};
  sums.count = call.size();
  sums.terms = call.size();
  sums.size = call.size();
  sums.rows = call.integers();
  sums.factor = static_cast<float>(call.number());
  return sums;
}

}  // namespace

CHARNN_EXPORT(sumRows) void sum_rows() {
  Call call;
  SumRows sum = {};
  sum.sums = sums_of(call);
  sum.table = call.floats();
  sum.vectors = call.floats();
  run([&](const Worker& worker) { wasm::kKernels.sum_rows(sum, worker); });
}

CHARNN_EXPORT(spreadRows) void spread_rows() {
  Call call;
  SpreadRows spread = {};
  spread.sums = sums_of(call);
  spread.gradient = call.floats();
  spread.table = call.floats();
  run([&](const Worker& worker) { wasm::kKernels.spread_rows(spread, worker); });
}

}  // namespace charnn
