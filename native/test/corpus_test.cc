// Cases that bytes choose: those of the fuzzer, and the ones that it kept.
#include <fstream>
#include <stdexcept>
#include <string>

#include "test/tests.h"

namespace charnn::test {

void fuzz(Targets& targets, const std::vector<uint8_t>& input) {
  Draw draw(input.data(), input.size());
  constexpr void (*kinds[])(Targets&, Draw&) = {fuzz_sequence, fuzz_cross_entropy, fuzz_optimizer,
                                                fuzz_dropout, fuzz_decode};
  kinds[draw.choose(std::size(kinds))](targets, draw);
  // From the bytes that are left, so that inputs kept earlier still make the same cases.
  fuzz_rows(targets, draw);
}

void test_corpus(Targets& targets, const char* path) {
  Report& report = targets.report();
  if (!report.begins("cases that the fuzzer kept")) return;
  std::ifstream file(path);
  if (!file) throw std::runtime_error(std::string("There is no file ") + path + ".");
  size_t number = 0;
  for (std::string line; std::getline(file, line); ++number) {
    if (!report.takes(number)) continue;
    std::vector<uint8_t> input;
    for (size_t i = 0; i + 1 < line.size(); i += 2)
      input.push_back(static_cast<uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
    fuzz(targets, input);
  }
  report.ends();
}

}  // namespace charnn::test
