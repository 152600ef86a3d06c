// The groups of tests.
#pragma once

#include "everywhere.h"

namespace charnn::test {

void test_textbook(Report& report);
void test_sequences(Everywhere& everywhere);
void test_cross_entropy(Everywhere& everywhere);
void test_optimizers(Everywhere& everywhere);
void test_dropout(Everywhere& everywhere);
void test_streams(Everywhere& everywhere);
void test_team(Report& report);

}  // namespace charnn::test
