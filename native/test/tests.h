// The groups of tests.
#pragma once

#include <cstdint>
#include <vector>

#include "test/arrays.h"
#include "test/kernel_cases.h"
#include "test/targets.h"

namespace charnn::test {

void test_sequences(Targets& targets);
void test_cross_entropy(Targets& targets);
void test_optimizers(Targets& targets);
void test_gradient_records(Targets& targets);
void test_rows(Targets& targets);
void test_dropout(Targets& targets);
void test_decoding(Targets& targets);
void test_team(Report& report);
void test_team_or_serial(Report& report);
void test_instruction_sets(Report& report);

/// The cases of the definition in test/reference/, from the file that write-kernel-cases.js wrote.
/// Throws std::runtime_error where it can't be read.
void test_definition(Targets& targets, const char* path);
// One case each; `number` says which of equal ways to hand over its arrays it takes.
void check_sequence(Targets& targets, const KernelCase& defined, size_t number);
void check_cross_entropy(Targets& targets, const KernelCase& defined, size_t number);
void check_optimizer(Targets& targets, const KernelCase& defined, size_t number);
void check_decoding(Targets& targets, const KernelCase& defined, size_t number);
void check_dropout(Targets& targets, const KernelCase& defined, size_t number);

/// Inputs that the fuzzer kept, one a line, in hexadecimal. Throws std::runtime_error where the
/// file can't be read.
void test_corpus(Targets& targets, const char* path);

// One case each, of sizes and numbers that `draw` chooses.
void fuzz_sequence(Targets& targets, Draw& draw);
void fuzz_cross_entropy(Targets& targets, Draw& draw);
void fuzz_optimizer(Targets& targets, Draw& draw);
void fuzz_dropout(Targets& targets, Draw& draw);
void fuzz_decode(Targets& targets, Draw& draw);
void fuzz_rows(Targets& targets, Draw& draw);
/// One of these.
void fuzz(Targets& targets, const std::vector<uint8_t>& input);

}  // namespace charnn::test
