#include "embedding/embedding.h"

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

namespace charnn {
namespace {

/// @param table becomes the number of rows
RowSums sums_of(const Arguments& arguments, size_t* table) {
  RowSums sums = {};
  sums.count = arguments.size("count", 1, kLargest);
  sums.terms = arguments.size("terms", 1, kLargest);
  sums.size = arguments.size("size", 1, kLargest);
  *table = arguments.size("tableRows", 1, kLargest);
  sums.rows = arguments.integers("rows", product({sums.count, sums.terms}));
  sums.factor = static_cast<float>(arguments.number("factor"));
  return sums;
}

/// Once nothing can change the rows any more.
void check_rows(const RowSums& sums, size_t table) {
  check_tokens("rows", sums.rows, sums.count * sums.terms, INT32_MIN, table);
}

}  // namespace

napi_value sum_rows(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  SumRows sum = {};
  size_t rows;
  sum.sums = sums_of(arguments, &rows);
  sum.table = arguments.floats("table", product({rows, sum.sums.size}));
  sum.vectors = arguments.floats("vectors", product({sum.sums.count, sum.sums.size}));
  arguments.hold_arrays();
  check_rows(sum.sums, rows);
  instance.team->run([&](const Worker& worker) { instance.kernels->sum_rows(sum, worker); });
  return nullptr;
}

napi_value spread_rows(napi_env env, const Arguments& arguments) {
  Instance& instance = instance_of(env);
  SpreadRows spread = {};
  size_t rows;
  spread.sums = sums_of(arguments, &rows);
  spread.gradient = arguments.floats("gradient", product({spread.sums.count, spread.sums.size}));
  spread.table = arguments.floats("table", product({rows, spread.sums.size}));
  arguments.hold_arrays();
  check_rows(spread.sums, rows);
  instance.team->run([&](const Worker& worker) { instance.kernels->spread_rows(spread, worker); });
  return nullptr;
}

}  // namespace charnn
