// Sums of the rows of tables, and the gradients of these rows: the arguments of the kernels in
// embedding/rows.h. Whoever fills these in has checked sizes, pointers and rows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace charnn {

/// Which rows each sum is made of.
struct RowSums {
  size_t count;         // of sums
  size_t terms;         // of each sum
  size_t size;          // numbers of a row
  const int32_t* rows;  // [count, terms]; below 0: this term is left out
  float factor;         // of all terms but the first
};

struct SumRows {
  RowSums sums;
  const float* table;  // [rows, size]
  float* vectors;      // [count, size]
};

struct SpreadRows {
  RowSums sums;
  const float* gradient;  // [count, size]: with respect to the sums
  float* table;           // [rows, size]: the gradients of the rows are added to it
};

}  // namespace charnn
