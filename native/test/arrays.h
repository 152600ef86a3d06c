// Memory as the kernels are given it, exactly as long as it has to be, so that AddressSanitizer
// sees whatever reaches beyond.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <new>
#include <vector>

#include "linalg/panels.h"
#include "parallel/parallel.h"

namespace charnn::test {

/// An array that is aligned no better than its numbers have to be.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(size_t count, T value = T()) : memory_(count + 1, value) {}

  T* data() { return memory_.empty() ? nullptr : memory_.data() + 1; }
  const T* data() const { return memory_.empty() ? nullptr : memory_.data() + 1; }
  size_t size() const { return memory_.empty() ? 0 : memory_.size() - 1; }
  T& operator[](size_t i) { return memory_[i + 1]; }
  const T& operator[](size_t i) const { return memory_[i + 1]; }
  std::vector<float> numbers() const { return {data(), data() + size()}; }
  std::vector<double> doubles() const { return {data(), data() + size()}; }

 private:
  std::vector<T> memory_;
};

using Floats = Array<float>;
using Integers = Array<int32_t>;

/// Scratch memory full of NaN, so that a read of what nobody wrote shows.
class Scratch {
 public:
  explicit Scratch(size_t floats)
      : data_(static_cast<float*>(::operator new(floats * sizeof(float), kAlignment))) {
    for (size_t i = 0; i < floats; ++i) data_[i] = std::numeric_limits<float>::quiet_NaN();
  }
  ~Scratch() { ::operator delete(data_, kAlignment); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  float* data() { return data_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  float* data_;
};

/// The same numbers on every machine (SplitMix64; Steele, Lea and Flood, OOPSLA 2014).
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  /// Choices are made by these bytes while there are any, which must outlive it; the first says
  /// whether numbers are wild.
  Draw(const uint8_t* bytes, size_t count) : state_(count), bytes_(bytes), left_(count) {
    for (size_t i = 0; i < count; ++i) state_ = (state_ ^ bytes[i]) * 0x100000001b3;
    is_wild_ = choose(4) == 0;
  }

  /// Whether some numbers are infinite, not a number, or at the ends of what a float can hold.
  bool is_wild() const { return is_wild_; }
  size_t choose(size_t limit) {
    if (left_ == 0) return below(limit);
    --left_;
    return *bytes_++ % limit;
  }

  uint64_t bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  size_t below(size_t limit) { return bits() % limit; }
  /// From -size to size.
  float number(float size) {
    if (is_wild_ && below(8) == 0) return wild_number();
    return size * (static_cast<float>(bits() >> 40) / static_cast<float>(1 << 23) - 1.0f);
  }
  Floats floats(size_t count, float size) {
    Floats result(count);
    for (size_t i = 0; i < count; ++i) result[i] = number(size);
    return result;
  }
  Integers integers(size_t count, size_t limit) {
    Integers result(count);
    for (size_t i = 0; i < count; ++i) result[i] = static_cast<int32_t>(below(limit));
    return result;
  }

 private:
  float wild_number() {
    using Limits = std::numeric_limits<float>;
    constexpr float numbers[] = {Limits::infinity(),
                                 Limits::quiet_NaN(),
                                 Limits::max(),
                                 Limits::min(),
                                 Limits::denorm_min(),
                                 0.0f,
                                 88.7f,
                                 1e19f};
    return (below(2) > 0 ? 1.0f : -1.0f) * numbers[below(std::size(numbers))];
  }

  uint64_t state_;
  const uint8_t* bytes_ = nullptr;
  size_t left_ = 0;
  bool is_wild_ = false;
};

/// A matrix in panels with a gap after each, as they lie in another layer's scratch memory.
class OwnPanels {
 public:
  OwnPanels(const Floats& matrix, size_t rows, size_t columns)
      : stride_((rows + 3) * kVectorWidth),
        memory_((panel_count(columns) - 1) * stride_ + rows * kVectorWidth) {
    for (size_t row = 0; row < rows; ++row)
      for (size_t c = 0; c < columns; ++c)
        panels().at(c / kVectorWidth, row)[c % kVectorWidth] = matrix[row * columns + c];
  }
  Panels panels() { return {memory_.data(), stride_}; }

 private:
  size_t stride_;
  Floats memory_;
};

/// The matrix that panels hold. Where a column beyond its own is not zero it is not a number.
inline std::vector<float> matrix_of(Panels panels, size_t rows, size_t columns) {
  std::vector<float> matrix;
  for (size_t row = 0; row < rows; ++row) {
    bool padded = true;
    for (size_t c = columns; c < panel_count(columns) * kVectorWidth; ++c)
      padded = padded && panels.at(c / kVectorWidth, row)[c % kVectorWidth] == 0.0f;
    for (size_t c = 0; c < columns; ++c)
      matrix.push_back(padded ? panels.at(c / kVectorWidth, row)[c % kVectorWidth]
                              : std::numeric_limits<float>::quiet_NaN());
  }
  return matrix;
}

}  // namespace charnn::test
