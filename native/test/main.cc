// Tests of the kernels and of the team of threads, as a program of their own that runs under the
// compiler's sanitizers. build.js --test compiles it.
//
//     test [--quick] [NAME]    # only groups with NAME in their names; --quick: some of the cases
//
// CHARNN_ISA restricts the kernels to one instruction set's.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "tests.h"

using namespace charnn::test;

int main(int count, char** arguments) {
  Report report;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--quick") == 0) report.quick = true;
    else report.filter = arguments[i];
  }
  Everywhere everywhere(report);
  if (everywhere.kernels().empty()) {
    std::printf(
        "This build, or this processor, does not have the instruction set of CHARNN_ISA.\n");
    return 1;
  }
  test_textbook(report);
  test_team(report);
  test_dropout(everywhere);
  test_optimizers(everywhere);
  test_cross_entropy(everywhere);
  test_sequences(everywhere);
  test_streams(everywhere);
  for (const auto& [isa, checksum] : everywhere.checksums())
    std::printf("checksum %s %016" PRIx64 "\n", isa.c_str(), checksum);
  std::printf("%zu passed, %zu failed\n", report.passed(), report.failed());
  return report.failed() > 0 || report.passed() == 0 ? 1 : 0;
}
