// Gradients in 8 bits a number: packed into records, records added up, and unpacked.
//
// The contract of all of them: no two arrays overlap, and none but the one that is named as `out`
// changes. Called by all workers of the team; the same bits for every team size and on all
// instruction sets, those of the plain version: src/backends/gradient-record.ts. They can't be
// stopped early.
//
// Of a record, which is blocks of kRecordBlock numbers:
//
//   unit   float, little-endian   a 127th of the block's largest absolute value; NaN where a number
//                                 is not finite
//   codes  [kRecordBlock] int8    each number in units, rounded to even; zeros where the unit is
//                                 NaN or zero, and behind the last number
#pragma once

#include "linalg/pack.h"
#include "optimizer/optimizer.h"
#include "parallel/parallel.h"

namespace charnn::CHARNN_ISA {

constexpr float kLargestCode = 127;

/// A block of a record, to be read.
struct RecordBlock {
  float unit;
  const int8_t* codes;

  explicit RecordBlock(const uint8_t* block)
      : codes(reinterpret_cast<const int8_t*>(block + sizeof unit)) {
    // A record may begin at any address.
    __builtin_memcpy(&unit, block, sizeof unit);
  }
  /// The numbers from `i` on.
  CHARNN_INLINE Vec numbers(size_t i) const { return load_bytes(codes + i) * broadcast(unit); }
};

/// Writes a block of which `next(i)` gives the numbers from `i` on, in turn.
template <class Next>
CHARNN_INLINE void pack_block(uint8_t* block, Next next) {
  alignas(64) float numbers[kRecordBlock];
  Vec largest = zero(), not_finite = zero();
  for (size_t i = 0; i < kRecordBlock; i += kVectorWidth) {
    const Vec v = next(i);
    store(numbers + i, v);
    largest = max(largest, abs(v));
    // Zero times infinity or NaN is NaN, and stays.
    not_finite = fma(v, zero(), not_finite);
  }
  const bool is_finite = reduce_sum(not_finite) == 0;
  const float unit = is_finite ? reduce_max(largest) / kLargestCode : __builtin_nanf("");
  __builtin_memcpy(block, &unit, sizeof unit);
  int8_t* codes = reinterpret_cast<int8_t*>(block + sizeof unit);
  const bool has_codes = unit > 0;
  const Vec units = broadcast(unit);
  // A subnormal unit is rounded so much that a number may be more than 127 units.
  const Vec most = broadcast(kLargestCode), least = zero() - most;
  for (size_t i = 0; i < kRecordBlock; i += kVectorWidth)
    store_bytes(codes + i, has_codes ? max(least, min(most, load(numbers + i) / units)) : zero());
}

/// Packs gradients times a factor; N is count:
///
///   in    gradients [N]
///   out   record [record_blocks(N), kRecordBlockBytes]
inline void pack_gradients(const PackGradients& p, const Worker& worker) {
  const Vec factor = broadcast(p.factor);
  const Range mine = worker.slice(record_blocks(p.count));
  for (size_t block = mine.begin; block < mine.end; ++block) {
    const Range range = clamp_range(block * kRecordBlock, kRecordBlock, p.count);
    const float* from = p.gradients + range.begin;
    alignas(64) float padded[kRecordBlock];
    if (range.size() < kRecordBlock) {
      for (size_t i = 0; i < kRecordBlock; ++i) padded[i] = i < range.size() ? from[i] : 0.0f;
      from = padded;
    }
    pack_block(p.record + block * kRecordBlockBytes,
               [&](size_t i) CHARNN_INLINE_LAMBDA { return load(from + i) * factor; });
  }
}

/// Adds up records in pairs, 0 and 1, 2 and 3, then the sums of two pairs, and so on; a last one
/// without a partner waits for the next round. Packs the sums:
///
///   in    records [count, blocks, kRecordBlockBytes], count at most kMostRecords
///   out   sum [blocks, kRecordBlockBytes]
inline void add_records(const AddRecords& a, const Worker& worker) {
  // A binary counter: where bit b of the number of records so far is set, sums[b] is the sum of 2^b
  // of them, those of higher bits first.
  constexpr int bits = 13;
  static_assert(kMostRecords < 1 << bits);
  alignas(64) float sums[bits][kRecordBlock];
  const Range mine = worker.slice(a.blocks);
  for (size_t block = mine.begin; block < mine.end; ++block) {
    for (size_t k = 0; k < a.count; ++k) {
      const RecordBlock record(a.records + (k * a.blocks + block) * kRecordBlockBytes);
      const int carries = __builtin_ctzll(k + 1);
      for (size_t i = 0; i < kRecordBlock; i += kVectorWidth) {
        Vec v = record.numbers(i);
        for (int b = 0; b < carries; ++b) v = load(sums[b] + i) + v;
        store(sums[carries] + i, v);
      }
    }
    pack_block(a.sum + block * kRecordBlockBytes, [&](size_t i) CHARNN_INLINE_LAMBDA {
      int b = __builtin_ctzll(a.count);
      Vec v = load(sums[b] + i);
      while (a.count >> ++b)
        if (a.count >> b & 1) v = load(sums[b] + i) + v;
      return v;
    });
  }
}

/// Unpacks a record; N is count:
///
///   in    record [record_blocks(N), kRecordBlockBytes]
///   out   gradients [N]
inline void unpack_gradients(const UnpackGradients& u, const Worker& worker) {
  const Range mine = worker.slice(record_blocks(u.count));
  for (size_t block = mine.begin; block < mine.end; ++block) {
    const RecordBlock record(u.record + block * kRecordBlockBytes);
    const Range range = clamp_range(block * kRecordBlock, kRecordBlock, u.count);
    for (size_t i = 0; i < range.size(); i += kVectorWidth) {
      const Range columns = clamp_range(i, kVectorWidth, range.size());
      store_columns(u.gradients + range.begin + i, record.numbers(i),
                    static_cast<int>(columns.size()));
    }
  }
}

}  // namespace charnn::CHARNN_ISA
