// The groups of tests.
#pragma once

#include <cstdint>
#include <vector>

#include "test/arrays.h"
#include "test/targets.h"

namespace charnn::test {

void test_textbook(Report& report);
void test_sequences(Everywhere& everywhere);
void test_cross_entropy(Everywhere& everywhere);
void test_optimizers(Everywhere& everywhere);
void test_dropout(Everywhere& everywhere);
void test_streams(Everywhere& everywhere);
void test_team(Report& report);

/// Inputs that the fuzzer kept, one a line, in hexadecimal. Throws std::runtime_error where the
/// file can't be read.
void test_corpus(Everywhere& everywhere, const char* path);

// One case each, of sizes and numbers that `draw` chooses.
void fuzz_sequence(Everywhere& everywhere, Draw& draw);
void fuzz_cross_entropy(Everywhere& everywhere, Draw& draw);
void fuzz_optimizer(Everywhere& everywhere, Draw& draw);
void fuzz_dropout(Everywhere& everywhere, Draw& draw);
void fuzz_streams(Everywhere& everywhere, Draw& draw);
/// One of these.
void fuzz(Everywhere& everywhere, const std::vector<uint8_t>& input);

}  // namespace charnn::test
