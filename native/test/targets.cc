#include "test/targets.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "isa.h"

namespace charnn::test {
namespace {

constexpr size_t kMaxThreads = 4;

bool is_fused(const Kernels& kernels) { return std::string(kernels.isa) != "sse2"; }

/// The products of a gradient with some directions, whose elements are 1 or -1 (lowbias32 of their
/// index): for gradients that are too large to be defined number by number.
std::vector<double> slopes_of(const std::vector<float>& gradient, size_t directions) {
  std::vector<double> slopes(directions);
  for (size_t number = 0; number < directions; ++number)
    for (size_t i = 0; i < gradient.size(); ++i) {
      uint32_t x = static_cast<uint32_t>(i) + static_cast<uint32_t>(number) * 0x9e3779b9;
      x = (x ^ x >> 16) * 0x7feb352d;
      x = (x ^ x >> 15) * 0x846ca68b;
      slopes[number] += ((x ^ x >> 16) & 1) != 0 ? gradient[i] : -gradient[i];
    }
  return slopes;
}

const std::vector<float>* numbers_of(const Results& results, const std::string& name) {
  for (const auto& result : results)
    if (result.name == name) return &result.numbers;
  return nullptr;
}

/// What differs from the expected numbers of one name, or nothing.
std::string difference(const Results& results, const Named<double>& expected, double tolerance) {
  const std::string slopes = "slopes ";
  const bool is_slopes = expected.name.rfind(slopes, 0) == 0;
  const std::string name =
      is_slopes ? "gradient " + expected.name.substr(slopes.size()) : expected.name;
  const std::vector<float>* numbers = numbers_of(results, name);
  if (numbers == nullptr) return "there is no " + name;
  std::vector<double> got(numbers->begin(), numbers->end());
  if (is_slopes) {
    // The errors of n numbers add up to the square root of n times one, which is far below the
    // tolerance.
    tolerance *= std::fmax(1.0, std::sqrt(static_cast<double>(got.size())) / 20);
    got = slopes_of(*numbers, expected.numbers.size());
  }
  if (got.size() != expected.numbers.size()) return expected.name + " has another shape";
  for (size_t i = 0; i < got.size(); ++i) {
    const double wanted = expected.numbers[i];
    // Not defined: rounding may give another that is as right.
    if (std::isnan(wanted)) continue;
    // So that what is not a number fails.
    if (!(std::fabs(got[i] - wanted) <= tolerance * std::fmax(1.0, std::fabs(wanted))))
      return expected.name + "[" + std::to_string(i) + "] is " + std::to_string(got[i]) + ", not " +
             std::to_string(wanted);
  }
  return "";
}

/// What differs, or nothing.
std::string difference(const Results& results, const Expected& expected, double tolerance) {
  if (expected.empty()) return "nothing is expected";
  for (const auto& each : expected)
    if (const std::string wrong = difference(results, each, tolerance); !wrong.empty())
      return wrong;
  return "";
}

std::string difference_of_bits(const Results& actual, const Results& expected) {
  for (size_t r = 0; r < expected.size(); ++r) {
    const std::vector<float>& a = actual[r].numbers;
    const std::vector<float>& b = expected[r].numbers;
    for (size_t i = 0; i < b.size(); ++i)
      if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])))
        return expected[r].name + "[" + std::to_string(i) + "] is " + std::to_string(a[i]) +
               ", not " + std::to_string(b[i]);
  }
  return "";
}

/// The first number that is not finite, or nothing.
std::string not_finite(const Results& results) {
  for (const auto& result : results)
    for (size_t i = 0; i < result.numbers.size(); ++i)
      if (!std::isfinite(result.numbers[i])) return result.name + "[" + std::to_string(i) + "]";
  return "";
}

/// FNV-1a.
uint64_t add_to_checksum(uint64_t sum, const Results& results) {
  for (const auto& result : results)
    for (float number : result.numbers) {
      unsigned char bytes[sizeof number];
      std::memcpy(bytes, &number, sizeof number);
      for (unsigned char byte : bytes) sum = (sum ^ byte) * 0x100000001b3;
    }
  return sum;
}

}  // namespace

Targets::Targets(Report& report) : report_(report) {
  const char* only = std::getenv("CHARNN_ISA");
  for (const Kernels* kernels : usable_kernels())
    if (!only || std::string(only) == kernels->isa) kernels_.push_back(kernels);
  for (const Kernels* kernels : kernels_) checksums_[kernels->isa] = 0xcbf29ce484222325;
  for (size_t size = 1; size <= kMaxThreads; ++size)
    teams_.push_back(std::make_unique<ThreadTeam>(size));
}

void Targets::check_teams(const std::string& where, const Kernels& kernels, const Results& alone,
                          const Run& run) {
  for (size_t threads = 2; threads <= kMaxThreads; ++threads) {
    const std::string other = difference_of_bits(run(kernels, team(threads)), alone);
    report_.check(other.empty(), where + " with " + std::to_string(threads) + " threads: " + other);
  }
}

void Targets::check(const std::string& title, const Expected& expected, double tolerance,
                    const Run& run) {
  for (const Kernels* kernels : kernels_) {
    const std::string wrong = difference(run(*kernels, team(1)), expected, tolerance);
    report_.check(wrong.empty(), title + " on " + kernels->isa + ": " + wrong);
    if (!wrong.empty()) return;
  }
  check_same_bits(title, run, false);
}

void Targets::check_same_bits(const std::string& title, const Run& run, bool is_wild) {
  Results fused;
  for (const Kernels* kernels : kernels_) {
    const std::string where = title + " on " + kernels->isa;
    const Results alone = run(*kernels, team(1));
    check_teams(where, *kernels, alone, run);
    if (is_wild) continue;
    const std::string infinite = not_finite(alone);
    report_.check(infinite.empty(), where + ": not finite: " + infinite);
    checksums_[kernels->isa] = add_to_checksum(checksums_[kernels->isa], alone);
    if (!is_fused(*kernels)) continue;
    if (!fused.empty()) {
      const std::string other = difference_of_bits(alone, fused);
      report_.check(other.empty(), where + ", as on others: " + other);
    }
    fused = alone;
  }
}

}  // namespace charnn::test
