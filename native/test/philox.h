// Philox4x32-10, and the dropout masks that are made from it, as simply as can be.
#pragma once

#include <array>
#include <cstdint>

#include "linalg/dropout.h"
#include "test/arrays.h"

namespace charnn::test {

using Words = std::array<uint32_t, 4>;

inline Words philox(Words counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xd2511f53} * counter[0];
    const uint64_t second = uint64_t{0xcd9e8d57} * counter[2];
    counter = {
        static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
        static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9e3779b9;
    key[1] += 0xbb67ae85;
  }
  return counter;
}

/// How a case's mask is given to the kernel: as numbers, or as what they are made from.
enum class Masked { no, given, made };

inline Mask mask_argument(Masked masked, const Floats& values, const Dropout& dropout) {
  switch (masked) {
    case Masked::no:
      return {};
    case Masked::given:
      return {Mask::Source::kValues, values.data(), {}};
    case Masked::made:
      break;
  }
  return {Mask::Source::kDropout, nullptr, dropout};
}

inline Floats mask_of(const Dropout& dropout, size_t count) {
  Floats mask(count);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t word =
        philox({static_cast<uint32_t>(i / 4), 0, 0, 0}, {dropout.key[0], dropout.key[1]})[i % 4];
    mask[i] =
        word < dropout.rate * 4294967296.0 ? 0.0f : static_cast<float>(1.0 / (1.0 - dropout.rate));
  }
  return mask;
}

}  // namespace charnn::test
