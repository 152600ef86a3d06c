// Dropout masks, word for word.
#include <cmath>

#include "test/kernel_cases.h"
#include "test/philox.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

struct KnownAnswer {
  Words counter;
  std::array<uint32_t, 2> key;
  Words words;
};

/// Of philox4x32 with ten rounds, as Random123 publishes them (Salmon et al., SC 2011).
constexpr KnownAnswer kKnownAnswers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

void test_known_answers(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("Philox, known answers")) return;
  for (const KnownAnswer& known : kKnownAnswers)
    report.check(philox(known.counter, known.key) == known.words, "the slow one");
  // An element is dropped where its word is below rate * 2^32: not at the word itself, but at
  // whatever is above it.
  const KnownAnswer& first = kKnownAnswers[0];
  for (const Kernels* kernels : targets.kernels())
    for (size_t i = 0; i < 4; ++i)
      for (double above : {0.0, 0.5, 1.0}) {
        Floats mask(4);
        const Dropout dropout = {(first.words[i] + above) / 4294967296.0, {0, 0}};
        kernels->write_mask(mask.data(), {i, i + 1}, dropout);
        report.check(above > 0 ? mask[i] == 0 : mask[i] > 0,
                     std::string(kernels->isa) + ", word " + std::to_string(i));
      }
  report.ends();
}

Targets::Run writing(const Dropout& dropout, size_t count) {
  return [dropout, count](const Kernels& kernels, Team& team) -> Results {
    Floats mask(count, std::nanf(""));
    team.run([&](const Worker& worker) {
      kernels.write_mask(mask.data(), worker.slice(count), dropout);
    });
    return {{"mask", mask.numbers()}};
  };
}

}  // namespace

void test_dropout(Targets& targets) { test_known_answers(targets); }

void check_dropout(Targets& targets, const KernelCase& defined, size_t) {
  const Expected expected = {{"mask", defined.array("mask").doubles()}};
  targets.check(defined.title, expected, 0,
                writing(defined.dropout("dropout"), expected[0].numbers.size()));
}

void fuzz_dropout(Targets& targets, Draw& draw) {
  const double rate = static_cast<double>(1 + draw.choose(255)) / 256;
  const size_t count = 1 + draw.choose(256);
  const Dropout dropout = {
      rate, {static_cast<uint32_t>(draw.bits()), static_cast<uint32_t>(draw.bits())}};
  targets.check("mask of rate " + std::to_string(rate),
                {{"mask", mask_of(dropout, count).doubles()}}, 0, writing(dropout, count));
}

}  // namespace charnn::test
