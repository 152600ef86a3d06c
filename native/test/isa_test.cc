// The instruction sets that are found, against what the operating system says of the processor.
#include "isa.h"

#include <fstream>
#include <sstream>

#include "test/tests.h"

namespace charnn::test {
namespace {

std::string found_sets() {
  std::string names;
  for (const Kernels* kernels : usable_kernels()) names += std::string(" ") + kernels->isa;
  return names;
}

#if defined(__linux__) && defined(__x86_64__)
/// The flags of the first processor, with a space before and after each. Linux leaves out those
/// whose registers it does not save.
std::string flags_of_processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("flags", 0) == 0) return line.substr(line.find(':') + 1) + " ";
  return "";
}

/// Nothing where the system does not say.
std::string expected_sets() {
  const std::string flags = flags_of_processor();
  if (flags.empty()) return "";
  auto has = [&](const std::string& names) {
    std::istringstream words(names);
    for (std::string name; words >> name;)
      if (flags.find(" " + name + " ") == std::string::npos) return false;
    return true;
  };
  std::string names = " sse2";
  if (!has("avx avx2 fma")) return names;
  names = " avx2" + names;
#ifndef CHARNN_WITHOUT_AVX512
  if (has("avx512f avx512dq avx512bw avx512vl")) names = " avx512" + names;
#endif
  return names;
}
#elif defined(__aarch64__)
std::string expected_sets() { return " neon"; }
#else
std::string expected_sets() { return ""; }
#endif

}  // namespace

void test_instruction_sets(Report& report) {
  if (!report.begins("instruction sets")) return;
  const std::string found = found_sets(), expected = expected_sets();
  report.check(!found.empty(), "there are no kernels");
  report.check(expected.empty() || found == expected, "found" + found + ", not" + expected);
  report.ends();
}

}  // namespace charnn::test
