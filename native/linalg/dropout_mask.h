// Dropout masks from the counter-based generator Philox4x32-10 (Salmon et al., "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3).
#pragma once

#include <cstdint>

#include "linalg/dropout.h"
#include "linalg/pack.h"
#include "linalg/panels.h"
#include "parallel/parallel.h"

namespace charnn::CHARNN_ISA {

/// Counters that are turned into random words side by side.
constexpr int kCounters = 16;
constexpr int kWords = 4 * kCounters;

/// Words 4 * `first_counter` to 4 * first_counter + 63 of the stream `key`.
inline void philox(uint64_t first_counter, const uint32_t* key, uint32_t* words) {
  // Each word of a counter lies in the lower half of a wider one; the upper half means nothing.
  uint64_t counters[kCounters], results[4][kCounters];
  for (int i = 0; i < kCounters; ++i) counters[i] = first_counter + i;
  for (int i = 0; i < kCounters; i += kWordsPerRegister) {
    Words word0 = load(counters + i), word1 = high(word0);
    Words word2 = broadcast(uint64_t{0}), word3 = word2;
    uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const Words product0 = mul_low(word0, broadcast(uint64_t{0xd2511f53}));
      const Words product1 = mul_low(word2, broadcast(uint64_t{0xcd9e8d57}));
      word0 = bit_xor(bit_xor(high(product1), word1), broadcast(uint64_t{key0}));
      word1 = product1;
      word2 = bit_xor(bit_xor(high(product0), word3), broadcast(uint64_t{key1}));
      word3 = product0;
      key0 += 0x9e3779b9;
      key1 += 0xbb67ae85;
    }
    store(results[0] + i, word0);
    store(results[1] + i, word1);
    store(results[2] + i, word2);
    store(results[3] + i, word3);
  }
  for (int i = 0; i < kCounters; ++i)
    for (int j = 0; j < 4; ++j) words[4 * i + j] = static_cast<uint32_t>(results[j][i]);
}

/// The elements of a mask: rate 0 to 1, both excluded.
class MaskElements {
 public:
  explicit MaskElements(const Dropout& dropout)
      : dropout_(dropout), kept_(static_cast<float>(1.0 / (1.0 - dropout.rate))) {
    // A word is below rate * 2^32 when it is below the next whole number.
    double limit = dropout.rate * 4294967296.0;
    last_dropped_ = static_cast<uint32_t>(limit);
    if (static_cast<double>(last_dropped_) == limit) --last_dropped_;
  }

  /// `count` elements from `first` on; those that follow are best written next.
  void write(float* to, uint64_t first, size_t count) {
    for (size_t written = 0; written < count;) {
      const uint64_t element = first + written;
      const uint64_t block = element / kWords;
      if (block != block_) {
        philox(block * kCounters, dropout_.key, words_);
        block_ = block;
      }
      const uint32_t* words = words_ + element % kWords;
      const size_t rest = kWords - element % kWords;
      const size_t run = count - written < rest ? count - written : rest;
      for (size_t i = 0; i < run; ++i) to[written + i] = words[i] <= last_dropped_ ? 0.0f : kept_;
      written += run;
    }
  }

 private:
  Dropout dropout_;
  float kept_;
  uint32_t last_dropped_;
  uint64_t block_ = ~uint64_t{0};
  uint32_t words_[kWords];
};

/// Puts some rows of a mask of `columns` columns, whose elements are counted row by row, into
/// panels.
inline void fill_mask(Panels to, const Mask& mask, size_t columns, Range rows) {
  if (mask.values) return to_panels(to, mask.values, columns, rows);
  MaskElements elements(mask.dropout);
  for (size_t row = rows.begin; row < rows.end; ++row)
    for (size_t p = 0; p < panel_count(columns); ++p) {
      int width = panel_width(p, columns);
      float* panel = to.at(p, row);
      elements.write(panel, row * columns + p * kVectorWidth, width);
      fill(panel + width, 0.0f, kVectorWidth - width);
    }
}

/// to = from * mask, element by element, for some rows of some panels. There are `lanes` rows for
/// each step, and as many of the mask.
inline void apply_mask(Panels to, Panels from, Panels mask, size_t lanes, Range panels,
                       Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    size_t lane = rows.begin % lanes;
    for (size_t row = rows.begin; row < rows.end; ++row) {
      store(to.at(p, row), load(from.at(p, row)) * load(mask.at(p, lane)));
      if (++lane == lanes) lane = 0;
    }
  }
}

/// The elements in `range`, one after the other.
inline void write_mask(float* mask, Range range, const Dropout& dropout) {
  MaskElements(dropout).write(mask + range.begin, range.begin, range.size());
}

}  // namespace charnn::CHARNN_ISA
