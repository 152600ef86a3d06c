// Sums of the rows of a table, and the gradients of the rows.
//
// The contract of both: no two arrays overlap, and none but the one that is named as `out` changes.
// NaN and infinity are numbers like others. Called by all workers of the team; the same bits for
// every team size. They can't be stopped early. Plain version: src/backends/row-sums.ts.
#pragma once

#include "embedding/embedding.h"
#include "linalg/pack.h"
#include "parallel/parallel.h"

namespace charnn::CHARNN_ISA {

/// Adds up the rows of each sum; N is count:
///
///   in    rows [N, terms], table [rows, size]
///   out   vectors [N, size]
inline void sum_rows(const SumRows& s, const Worker& worker) {
  const RowSums& sums = s.sums;
  const Vec factor = broadcast(sums.factor);
  const Range mine = worker.slice(sums.count);
  for (size_t n = mine.begin; n < mine.end; ++n) {
    const int32_t* rows = sums.rows + n * sums.terms;
    for (size_t i = 0; i < sums.size; i += kVectorWidth) {
      const int width = static_cast<int>(clamp_range(i, kVectorWidth, sums.size).size());
      Vec sum = zero();
      for (size_t k = 0; k < sums.terms; ++k) {
        if (rows[k] < 0) continue;
        const Vec row = load_columns(s.table + rows[k] * sums.size + i, width);
        sum = k > 0 ? fma(factor, row, sum) : row;
      }
      store_columns(s.vectors + n * sums.size + i, sum, width);
    }
  }
}

/// Adds to the gradient of each row those of all sums of which it is a term; N is count:
///
///   in    rows [N, terms], gradient [N, size]
///   out   table [rows, size]   added to
inline void spread_rows(const SpreadRows& s, const Worker& worker) {
  const RowSums& sums = s.sums;
  const Vec factor = broadcast(sums.factor);
  // Columns are divided, since several sums may share a row.
  const Range mine = worker.slice(panel_count(sums.size));
  for (size_t n = 0; n < sums.count; ++n) {
    const int32_t* rows = sums.rows + n * sums.terms;
    for (size_t panel = mine.begin; panel < mine.end; ++panel) {
      const size_t i = panel * kVectorWidth;
      const int width = panel_width(panel, sums.size);
      const Vec gradient = load_columns(s.gradient + n * sums.size + i, width);
      for (size_t k = 0; k < sums.terms; ++k) {
        if (rows[k] < 0) continue;
        float* to = s.table + rows[k] * sums.size + i;
        const Vec before = load_columns(to, width);
        store_columns(to, k > 0 ? fma(factor, gradient, before) : before + gradient, width);
      }
    }
  }
}

}  // namespace charnn::CHARNN_ISA
