// What the tests say: groups of checks, each counted, and what failed of them.
#pragma once

#include <cstddef>
#include <string>

namespace charnn::test {

class Report {
 public:
  /// Whether a group is wanted; then what follows counts as its own.
  bool begins(const std::string& group);
  /// Prints the group's line.
  void ends();
  /// Counts a check; where it does not hold, tells so.
  void check(bool holds, const std::string& what);

  size_t passed() const { return passed_; }
  size_t failed() const { return failed_; }

  /// Only groups with this in their names.
  std::string filter;
  /// One in this many cases and repetitions: sanitizers and emulators are slow.
  size_t every = 1;
  /// Whether the `number`-th case is made.
  bool takes(size_t number) const { return number % every == 0; }
  size_t repetitions(size_t count) const { return count / every + 1; }

 private:
  std::string group_;
  size_t passed_before_ = 0, failed_before_ = 0;
  size_t passed_ = 0, failed_ = 0;
};

}  // namespace charnn::test
