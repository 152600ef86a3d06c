// Tests of the kernels and of the team of threads, as a program of their own that runs under the
// compiler's sanitizers. scripts/build-native.js --test compiles it.
//
//     test [--every COUNT] [--definition FILE] [--corpus FILE] [NAME]
//
// --every runs one case in COUNT; NAME runs only groups with NAME in their names; --definition adds
// the cases that write-kernel-cases.js wrote to FILE, --corpus those that the fuzzer kept.
//
// CHARNN_ISA restricts the kernels to one instruction set's.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "test/tests.h"

using namespace charnn::test;

int main(int count, char** arguments) {
  Report report;
  const char* corpus = nullptr;
  const char* definition = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--every") == 0 && i + 1 < count)
      report.every = std::strtoul(arguments[++i], nullptr, 10);
    else if (std::strcmp(arguments[i], "--corpus") == 0 && i + 1 < count) corpus = arguments[++i];
    else if (std::strcmp(arguments[i], "--definition") == 0 && i + 1 < count)
      definition = arguments[++i];
    else report.filter = arguments[i];
  }
  if (report.every == 0) {
    std::printf("--every takes a number above 0.\n");
    return 1;
  }
  Targets targets(report);
  if (targets.kernels().empty()) {
    std::printf(
        "This build, or this processor, does not have the instruction set of CHARNN_ISA.\n");
    return 1;
  }
  test_instruction_sets(report);
  test_team(report);
  test_team_or_serial(report);
  test_dropout(targets);
  test_optimizers(targets);
  test_gradient_records(targets);
  test_rows(targets);
  test_cross_entropy(targets);
  test_sequences(targets);
  test_decoding(targets);
  if (definition) test_definition(targets, definition);
  if (corpus) test_corpus(targets, corpus);
  for (const auto& [isa, checksum] : targets.checksums())
    std::printf("checksum %s %016" PRIx64 "\n", isa.c_str(), checksum);
  std::printf("%zu passed, %zu failed\n", report.passed(), report.failed());
  return report.failed() > 0 || report.passed() == 0 ? 1 : 0;
}
