// Fuzzes the kernels: libFuzzer chooses the sizes, the kinds and some of the numbers of a case.
// What needs no definition is checked: the same bits on every instruction set and team size, finite
// results of finite inputs, and nothing for the sanitizers to find. Run by: node
// scripts/check-native.js fuzz
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "test/tests.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace charnn::test;
  static Report report;
  static Targets targets(report);
  fuzz(targets, {data, data + size});
  // libFuzzer keeps the input at which a program ends.
  if (report.failed() > 0) {
    std::fflush(stdout);
    std::abort();
  }
  return 0;
}
