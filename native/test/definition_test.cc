// Every kernel, held to the definition in test/reference/.
#include <map>

#include "test/kernel_cases.h"
#include "test/tests.h"

namespace charnn::test {

void test_definition(Targets& targets, const char* path) {
  using Check = void (*)(Targets&, const KernelCase&, size_t number);
  const std::map<std::string, Check> checks = {
      {"rnn", check_sequence},    {"cross-entropy", check_cross_entropy},
      {"adam", check_optimizer},  {"nadam", check_optimizer},
      {"sgd", check_optimizer},   {"rmsprop", check_optimizer},
      {"decode", check_decoding}, {"dropout", check_dropout}};
  Report& report = targets.report();
  const std::vector<KernelCase> cases = read_kernel_cases(path);
  for (const auto& [kernel, check] : checks) {
    if (!report.begins("the definition of " + kernel)) continue;
    size_t number = 0;
    for (const KernelCase& defined : cases) {
      if (defined.kernel != kernel || !report.takes(++number)) continue;
      check(targets, defined, number);
    }
    report.check(number > 0, "there are no cases");
    report.ends();
  }
}

}  // namespace charnn::test
