#include "test/targets.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "isa.h"

namespace charnn::test {
namespace {

constexpr size_t kMaxThreads = 4;

bool is_fused(const Kernels& kernels) { return std::string(kernels.isa) != "sse2"; }

/// What differs, or nothing.
std::string difference(const Results& actual, const Expected& expected, double tolerance) {
  if (actual.size() != expected.size()) return "other results than expected";
  for (size_t r = 0; r < expected.size(); ++r) {
    const auto& [name, wanted] = expected[r];
    const std::vector<float>& got = actual[r].numbers;
    if (actual[r].name != name || got.size() != wanted.size()) return name + " has another shape";
    for (size_t i = 0; i < wanted.size(); ++i) {
      double limit = tolerance * std::fmax(1.0, std::fabs(wanted[i]));
      // So that what is not a number fails.
      if (!(std::fabs(got[i] - wanted[i]) <= limit))
        return name + "[" + std::to_string(i) + "] is " + std::to_string(got[i]) + ", not " +
               std::to_string(wanted[i]);
    }
  }
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
  for (size_t size = 1; size <= kMaxThreads; ++size) teams_.push_back(std::make_unique<Team>(size));
}

void Targets::check(const std::string& title, const Expected& expected, double tolerance,
                    const Run& run) {
  Results fused;
  for (const Kernels* kernels : kernels_) {
    const std::string where = title + " on " + kernels->isa;
    const Results alone = run(*kernels, team(1));
    const std::string wrong = difference(alone, expected, tolerance);
    report_.check(wrong.empty(), where + ": " + wrong);
    if (!wrong.empty()) continue;
    checksums_[kernels->isa] = add_to_checksum(checksums_[kernels->isa], alone);
    for (size_t members = 2; members <= kMaxThreads; ++members) {
      const std::string other = difference_of_bits(run(*kernels, team(members)), alone);
      report_.check(other.empty(),
                    where + " with " + std::to_string(members) + " threads: " + other);
    }
    if (!is_fused(*kernels)) continue;
    if (!fused.empty()) {
      const std::string other = difference_of_bits(alone, fused);
      report_.check(other.empty(), where + ", as on others: " + other);
    }
    fused = alone;
  }
}

void Targets::check_same_bits(const std::string& title, const Run& run) {
  for (const Kernels* kernels : kernels_) {
    const Results alone = run(*kernels, team(1));
    for (size_t members = 2; members <= kMaxThreads; ++members) {
      const std::string other = difference_of_bits(run(*kernels, team(members)), alone);
      report_.check(other.empty(), title + " on " + kernels->isa + " with " +
                                       std::to_string(members) + " threads: " + other);
    }
  }
}

}  // namespace charnn::test
