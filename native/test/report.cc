#include "test/report.h"

#include <cstdio>

namespace charnn::test {

bool Report::begins(const std::string& group) {
  group_ = group;
  passed_before_ = passed_;
  failed_before_ = failed_;
  return group.find(filter) != std::string::npos;
}

void Report::ends() {
  std::printf("%s: %zu passed, %zu failed\n", group_.c_str(), passed_ - passed_before_,
              failed_ - failed_before_);
  std::fflush(stdout);
}

void Report::check(bool holds, const std::string& what) {
  if (holds) {
    ++passed_;
    return;
  }
  // The first ones tell what is wrong; the rest would hide them.
  constexpr size_t most_told = 10;
  if (++failed_ - failed_before_ <= most_told)
    std::printf("%s: failed: %s\n", group_.c_str(), what.c_str());
}

}  // namespace charnn::test
