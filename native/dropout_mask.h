// Dropout masks from the counter-based generator Philox4x32-10 (Salmon et al., "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3).
#pragma once

#include <cstdint>

#include "copy.h"
#include "dropout.h"
#include "member.h"
#include "panels.h"

namespace charnn::CHARNN_ISA {

/// Counters that are turned into random words side by side.
constexpr int kCounters = 16;
constexpr int kWords = 4 * kCounters;

/// Words 4 * `first_counter` to 4 * first_counter + 63 of the stream `key`.
inline void philox(uint64_t first_counter, const uint32_t* key, uint32_t* words) {
  uint32_t word[4][kCounters];
  for (int i = 0; i < kCounters; ++i) {
    uint64_t counter = first_counter + i;
    word[0][i] = static_cast<uint32_t>(counter);
    word[1][i] = static_cast<uint32_t>(counter >> 32);
    word[2][i] = word[3][i] = 0;
  }
  uint32_t key0 = key[0], key1 = key[1];
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kCounters; ++i) {
      uint64_t product0 = uint64_t{0xd2511f53} * word[0][i];
      uint64_t product1 = uint64_t{0xcd9e8d57} * word[2][i];
      word[0][i] = static_cast<uint32_t>(product1 >> 32) ^ word[1][i] ^ key0;
      word[1][i] = static_cast<uint32_t>(product1);
      word[2][i] = static_cast<uint32_t>(product0 >> 32) ^ word[3][i] ^ key1;
      word[3][i] = static_cast<uint32_t>(product0);
    }
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  for (int i = 0; i < kCounters; ++i)
    for (int j = 0; j < 4; ++j) words[4 * i + j] = word[j][i];
}

/// Some elements of a mask, from element `begin` on: rate 0 to 1, both excluded.
class MaskElements {
 public:
  explicit MaskElements(const Dropout& dropout)
      : dropout_(dropout), kept_(static_cast<float>(1.0 / (1.0 - dropout.rate))) {
    // A word is below the limit when it is below the next whole number.
    double limit = dropout.rate * 4294967296.0;
    limit_ = static_cast<uint64_t>(limit);
    if (static_cast<double>(limit_) < limit) ++limit_;
  }

  float operator[](uint64_t element) {
    uint64_t block = element / kWords;
    if (block != block_) {
      philox(block * kCounters, dropout_.key, words_);
      block_ = block;
    }
    return words_[element % kWords] < limit_ ? 0.0f : kept_;
  }

  /// `count` elements from `first` on.
  void write(float* to, uint64_t first, size_t count) {
    for (size_t i = 0; i < count; ++i) to[i] = (*this)[first + i];
  }

 private:
  Dropout dropout_;
  float kept_;
  uint64_t limit_;
  uint64_t block_ = ~uint64_t{0};
  uint32_t words_[kWords];
};

/// The mask of a matrix of `columns` columns, whose elements are counted row by row.
inline void fill_mask(Panels mask, size_t columns, Range rows, const Dropout& dropout) {
  MaskElements elements(dropout);
  for (size_t row = rows.begin; row < rows.end; ++row)
    for (size_t p = 0; p < panels_of(columns); ++p) {
      int width = columns_in(p, columns);
      float* to = mask.at(p, row);
      elements.write(to, row * columns + p * kLanes, width);
      fill(to + width, 0.0f, kLanes - width);
    }
}

/// The elements in `range`, one after the other.
inline void write_mask(float* mask, Range range, const Dropout& dropout) {
  MaskElements(dropout).write(mask + range.begin, range.begin, range.size());
}

}  // namespace charnn::CHARNN_ISA
