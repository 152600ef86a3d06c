// Dropout masks from the counter-based generator Philox4x32-10 (Salmon et al., "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011, section 3.3): a word is a function of its number alone, so
// any part of a mask can be made by any thread.
#pragma once

#include <cstdint>

#include "linalg/dropout.h"
#include "linalg/pack.h"
#include "linalg/panels.h"
#include "parallel/parallel.h"

namespace charnn::CHARNN_ISA {

/// Counters that are turned into random words side by side, four words each.
constexpr int kCounters = 16;
constexpr int kWords = 4 * kCounters;

/// words[kWords] = words 4 * `first_counter` and up of the stream `key`.
inline void philox(uint64_t first_counter, const uint32_t* key, uint32_t* words) {
  // A word of a counter lies in the lower half of a wider one, whose upper half is ignored.
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

/// Makes the elements of one mask. It keeps the words of the last block, since calls
/// mostly ask for elements that follow each other.
class MaskElements {
 public:
  explicit MaskElements(const Dropout& dropout)
      : dropout_(dropout), kept_(static_cast<float>(1.0 / (1.0 - dropout.rate))) {
    // A whole number is below rate * 2^32 if it is at most the largest whole number below that.
    double limit = dropout.rate * 4294967296.0;
    last_dropped_ = static_cast<uint32_t>(limit);
    if (static_cast<double>(last_dropped_) == limit) --last_dropped_;
  }

  /// to[count] = the elements from `first` on.
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

/// mask[range] = the elements `range` of `dropout`'s mask; mask[0] is element 0. Plain version:
/// dropoutMask in test/reference.
inline void write_mask(float* mask, Range range, const Dropout& dropout) {
  MaskElements(dropout).write(mask + range.begin, range.begin, range.size());
}

/// to[rows, columns] = mask[rows, columns] in panels, for the rows in `rows`.
///
/// @param mask not kNone
inline void fill_mask(Panels to, const Mask& mask, size_t columns, Range rows) {
  if (mask.source == Mask::Source::kValues) return to_panels(to, mask.values, columns, rows);
  MaskElements elements(mask.dropout);
  for (size_t row = rows.begin; row < rows.end; ++row)
    for (size_t p = 0; p < panel_count(columns); ++p) {
      int width = panel_width(p, columns);
      float* panel = to.at(p, row);
      elements.write(panel, row * columns + p * kVectorWidth, width);
      fill(panel + width, 0.0f, kVectorWidth - width);
    }
}

/// to = from * mask, element by element, for some rows [time * batch] of some panels. The mask
/// [batch] is the same at every step. `to` may be `from`.
inline void apply_mask(Panels to, Panels from, Panels mask, size_t batch, Range panels,
                       Range rows) {
  for (size_t p = panels.begin; p < panels.end; ++p) {
    size_t batch_row = rows.begin % batch;
    for (size_t row = rows.begin; row < rows.end; ++row) {
      store(to.at(p, row), load(from.at(p, row)) * load(mask.at(p, batch_row)));
      if (++batch_row == batch) batch_row = 0;
    }
  }
}

}  // namespace charnn::CHARNN_ISA
