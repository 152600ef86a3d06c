// The groups of tests.
#pragma once

#include <cstdint>
#include <vector>

#include "test/arrays.h"
#include "test/targets.h"

namespace charnn::test {

void test_textbook(Report& report);
void test_sequences(Targets& targets);
void test_cross_entropy(Targets& targets);
void test_optimizers(Targets& targets);
void test_dropout(Targets& targets);
void test_streams(Targets& targets);
void test_team(Report& report);

/// Inputs that the fuzzer kept, one a line, in hexadecimal. Throws std::runtime_error where the
/// file can't be read.
void test_corpus(Targets& targets, const char* path);

// One case each, of sizes and numbers that `draw` chooses.
void fuzz_sequence(Targets& targets, Draw& draw);
void fuzz_cross_entropy(Targets& targets, Draw& draw);
void fuzz_optimizer(Targets& targets, Draw& draw);
void fuzz_dropout(Targets& targets, Draw& draw);
void fuzz_streams(Targets& targets, Draw& draw);
/// One of these.
void fuzz(Targets& targets, const std::vector<uint8_t>& input);

}  // namespace charnn::test
