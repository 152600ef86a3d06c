// Gradients in 8 bits a number, bit for bit as in a plain version of the same.
#include <algorithm>
#include <cmath>
#include <functional>

#include "test/arrays.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

using Bytes = Array<uint8_t>;

constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
constexpr float kLargest = std::numeric_limits<float>::max();

size_t record_bytes(size_t count) { return record_blocks(count) * kRecordBlockBytes; }

// The plain version is that of src/backends/gradient-record.ts.

void plain_pack_block(const std::vector<float>& numbers, uint8_t* block) {
  bool is_finite = true;
  double largest = 0;
  for (float number : numbers) {
    is_finite = is_finite && std::isfinite(number);
    largest = std::fmax(largest, std::fabs(number));
  }
  const float unit = is_finite ? static_cast<float>(largest / 127) : std::nanf("");
  std::memcpy(block, &unit, sizeof unit);
  for (size_t i = 0; i < kRecordBlock; ++i) {
    const double units = unit > 0 ? static_cast<double>(numbers[i]) / unit : 0;
    const double rounded = std::nearbyint(std::clamp(static_cast<float>(units), -127.0f, 127.0f));
    block[sizeof unit + i] = static_cast<uint8_t>(static_cast<int>(rounded));
  }
}

std::vector<float> plain_unpack_block(const uint8_t* block) {
  float unit;
  std::memcpy(&unit, block, sizeof unit);
  std::vector<float> numbers;
  for (size_t i = 0; i < kRecordBlock; ++i)
    numbers.push_back(static_cast<float>(static_cast<int8_t>(block[sizeof unit + i])) * unit);
  return numbers;
}

Bytes plain_pack(const Floats& gradients, float factor) {
  Bytes record(record_bytes(gradients.size()));
  for (size_t block = 0; block < record_blocks(gradients.size()); ++block) {
    std::vector<float> numbers(kRecordBlock);
    const Range range = clamp_range(block * kRecordBlock, kRecordBlock, gradients.size());
    for (size_t i = range.begin; i < range.end; ++i)
      numbers[i - range.begin] = gradients[i] * factor;
    plain_pack_block(numbers, record.data() + block * kRecordBlockBytes);
  }
  return record;
}

Floats plain_unpack(const Bytes& record, size_t count) {
  Floats gradients(count);
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* block = record.data() + i / kRecordBlock * kRecordBlockBytes;
    gradients[i] = plain_unpack_block(block)[i % kRecordBlock];
  }
  return gradients;
}

/// @param records one after the other
Bytes plain_add(const Bytes& records, size_t count) {
  Bytes sum(records.size() / count);
  for (size_t begin = 0; begin < sum.size(); begin += kRecordBlockBytes) {
    std::vector<std::vector<float>> sums;
    for (size_t k = 0; k < count; ++k)
      sums.push_back(plain_unpack_block(records.data() + k * sum.size() + begin));
    while (sums.size() > 1) {
      std::vector<std::vector<float>> next;
      for (size_t k = 0; k < sums.size(); k += 2) {
        next.push_back(sums[k]);
        if (k + 1 == sums.size()) continue;
        for (size_t i = 0; i < kRecordBlock; ++i) next.back()[i] += sums[k + 1][i];
      }
      sums = next;
    }
    plain_pack_block(sums[0], sum.data() + begin);
  }
  return sum;
}

template <class T>
bool equal_bits(const Array<T>& a, const Array<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Runs some kernels on all instruction sets and team sizes.
void on_each(Targets& targets, const std::function<std::string(const Kernels&, Team&)>& failure) {
  for (const Kernels* kernels : targets.kernels())
    for (size_t threads : {1, 2, 3, 4}) {
      const std::string wrong = failure(*kernels, targets.team(threads));
      targets.report().check(wrong.empty(), wrong + " on " + kernels->isa + " with " +
                                                std::to_string(threads) + " threads");
    }
}

/// Packs gradients and unpacks them again.
void check_packing(Targets& targets, const std::string& title, const Floats& gradients,
                   float factor = 1) {
  const size_t count = gradients.size();
  const Bytes record = plain_pack(gradients, factor);
  const Floats unpacked = plain_unpack(record, count);
  on_each(targets, [&](const Kernels& kernels, Team& team) -> std::string {
    Bytes own(record.size(), 0x55);
    const PackGradients pack = {count, gradients.data(), factor, own.data()};
    team.run([&](const Worker& worker) { kernels.pack_gradients(pack, worker); });
    if (!equal_bits(own, record)) return title + ": another record";
    Floats back(count, 5);
    const UnpackGradients unpack = {count, record.data(), back.data()};
    team.run([&](const Worker& worker) { kernels.unpack_gradients(unpack, worker); });
    return equal_bits(back, unpacked) ? "" : title + ": unpacked to other numbers";
  });
}

Bytes added(const Kernels& kernels, Team& team, const Bytes& records, size_t count) {
  Bytes sum(records.size() / count, 0x55);
  const AddRecords add = {count, sum.size() / kRecordBlockBytes, records.data(), sum.data()};
  team.run([&](const Worker& worker) { kernels.add_records(add, worker); });
  return sum;
}

/// @param records one after the other
void check_adding(Targets& targets, const std::string& title, const Bytes& records, size_t count) {
  const Bytes sum = plain_add(records, count);
  on_each(targets, [&](const Kernels& kernels, Team& team) {
    return equal_bits(added(kernels, team, records, count), sum) ? "" : title + ": another sum";
  });
}

/// Numbers of any size: 32 at a time are of about the same one.
Floats any_floats(Draw& draw, size_t count) {
  Floats numbers(count);
  int exponent = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i % 32 == 0) exponent = static_cast<int>(draw.below(276)) - 149;
    numbers[i] = std::ldexp(draw.number(1), exponent + static_cast<int>(draw.below(9)) - 8);
  }
  return numbers;
}

/// Records whose sums depend on the order: some hold the same large numbers, with both signs, which
/// cancel out and leave what rounding has left of the small ones.
Bytes draw_records(Draw& draw, size_t count, size_t numbers) {
  const size_t bytes = record_bytes(numbers);
  const Floats large = draw.floats(numbers, 1e6f);
  Bytes records(count * bytes);
  float sign = 1;
  for (size_t k = 0; k < count; ++k) {
    const bool is_large = draw.below(2) > 0;
    const Bytes record =
        is_large ? plain_pack(large, sign) : plain_pack(draw.floats(numbers, 1), 1);
    if (is_large) sign = -sign;
    std::memcpy(records.data() + k * bytes, record.data(), bytes);
  }
  return records;
}

void test_packing(Targets& targets) {
  if (!targets.report().begins("gradient records, packed")) return;
  Draw draw(11);
  for (size_t count : {1, 15, 16, 17, 240, 255, 256, 257, 272, 511, 512, 513, 2000, 10'000}) {
    const std::string title = std::to_string(count) + " numbers";
    check_packing(targets, title, draw.floats(count, 0.01f), 0.37f);
    check_packing(targets, title + " of any size", any_floats(draw, count));
    check_packing(targets, title + " of zero", Floats(count, -0.0f), 0.5f);
  }
  // Multiples of half a unit, which is 4.
  Floats halves(509);
  for (int i = 0; i < 509; ++i) halves[i] = 2.0f * static_cast<float>(i - 254);
  check_packing(targets, "numbers between two codes", halves);
  check_packing(targets, "numbers between two codes, of another unit", halves, 0.6f);
  targets.report().ends();
}

void test_extremes(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("gradient records of extreme numbers")) return;
  Draw draw(12);
  for (float bad : {std::nanf(""), -std::nanf(""), HUGE_VALF, -HUGE_VALF, 2e38f})
    // In each lane of a vector.
    for (size_t i = 0; i < 600; i += 7) {
      if (!report.takes(i / 7)) continue;
      // Doubled, 2e38 is infinite.
      Floats gradients = draw.floats(600, 1e38f);
      gradients[i] = bad;
      check_packing(targets, std::to_string(bad) + " at " + std::to_string(i), gradients, 2);
    }
  for (float factor : {0.0f, -0.0f, -1.5f, kSmallest, std::nanf(""), HUGE_VALF})
    check_packing(targets, "times " + std::to_string(factor), draw.floats(300, 1), factor);
  check_packing(targets, "the largest numbers", Floats(300, -kLargest));
  check_packing(targets, "the smallest numbers", Floats(300, kSmallest), 64);
  // The unit is up to four of the smallest number; a number may be more than 127 units.
  for (int largest = 1; largest < 500; ++largest) {
    if (!report.takes(static_cast<size_t>(largest))) continue;
    Floats gradients(256);
    for (int i = 0; i < 256; ++i)
      gradients[i] = kSmallest * static_cast<float>((i % 2 ? 1 : -1) * (largest - i));
    check_packing(targets, std::to_string(largest) + " of the smallest number", gradients);
  }
  report.ends();
}

void test_adding(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("gradient records, added up")) return;
  Draw draw(13);
  for (size_t count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 100, 127})
    for (size_t numbers : {1, 256, 257, 700, 1200}) {
      const std::string title = std::to_string(count) + " records of " + std::to_string(numbers);
      check_adding(targets, title, draw_records(draw, count, numbers), count);
    }
  for (size_t count : {kMostRecords - 1, kMostRecords})
    check_adding(targets, std::to_string(count) + " records", draw_records(draw, count, 1), count);
  for (size_t count = 1; count < 10; ++count) {
    // Whatever comes from elsewhere: units below zero, infinite or NaN, and the code -128.
    Bytes records(count * 40 * kRecordBlockBytes);
    for (size_t i = 0; i < records.size(); ++i) records[i] = static_cast<uint8_t>(draw.bits());
    check_adding(targets, std::to_string(count) + " records of any bytes", records, count);
  }
  Bytes records = draw_records(draw, 2, 300);
  const Bytes largest = plain_pack(Floats(300, kLargest), 1);
  std::memcpy(records.data(), largest.data(), largest.size());
  std::memcpy(records.data() + largest.size(), largest.data(), largest.size());
  check_adding(targets, "two records whose sum is infinite", records, 2);
  report.ends();
}

/// The blocks of `range` of each record, one record after the other.
Bytes cut(const Bytes& records, size_t count, Range range) {
  const size_t bytes = range.size() * kRecordBlockBytes;
  Bytes parts(count * bytes);
  for (size_t k = 0; k < count; ++k)
    std::memcpy(parts.data() + k * bytes,
                records.data() + k * records.size() / count + range.begin * kRecordBlockBytes,
                bytes);
  return parts;
}

void test_cutting(Targets& targets) {
  if (!targets.report().begins("gradient records, cut between blocks")) return;
  Draw draw(14);
  constexpr size_t count = 5, blocks = 11;
  const Bytes records = draw_records(draw, count, blocks * kRecordBlock - 3);
  for (size_t middle = 1; middle < blocks; ++middle)
    on_each(targets, [&](const Kernels& kernels, Team& team) -> std::string {
      Bytes sum = added(kernels, team, records, count);
      Bytes parts(sum.size());
      for (const Range& range : {Range{0, middle}, Range{middle, blocks}}) {
        const Bytes part = added(kernels, team, cut(records, count, range), count);
        std::memcpy(parts.data() + range.begin * kRecordBlockBytes, part.data(), part.size());
      }
      return equal_bits(parts, sum) ? "" : "cut at block " + std::to_string(middle);
    });
  targets.report().ends();
}

}  // namespace

void test_gradient_records(Targets& targets) {
  test_packing(targets);
  test_extremes(targets);
  test_adding(targets);
  test_cutting(targets);
}

}  // namespace charnn::test
