// One case on all that can run it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels.h"
#include "parallel/team.h"
#include "test/report.h"

namespace charnn::test {

template <class Number>
struct Named {
  std::string name;
  std::vector<Number> numbers;
};
using Results = std::vector<Named<float>>;
using Expected = std::vector<Named<double>>;

/// The instruction sets of this processor, or the one that CHARNN_ISA names, and teams of 1 to 4.
class Targets {
 public:
  explicit Targets(Report& report);

  using Run = std::function<Results(const Kernels& kernels, Team& team)>;

  /// Holds what a kernel makes to what it should, to within `tolerance` relative to numbers above 1
  /// and absolute below; and to the same bits whatever the team, and wherever multiplication and
  /// addition are fused.
  void check(const std::string& title, const Expected& expected, double tolerance, const Run& run);

  /// Checks that a kernel gives the same bits with every number of threads, where the right results
  /// are not known. All NaNs count as equal.
  void check_same_bits(const std::string& title, const Run& run);

  /// Of all bits that one instruction set's kernels made so far.
  const std::map<std::string, uint64_t>& checksums() const { return checksums_; }
  const std::vector<const Kernels*>& kernels() const { return kernels_; }
  Team& team(size_t size) { return *teams_[size - 1]; }
  Report& report() { return report_; }

 private:
  Report& report_;
  std::vector<const Kernels*> kernels_;
  std::vector<std::unique_ptr<Team>> teams_;
  std::map<std::string, uint64_t> checksums_;
};

}  // namespace charnn::test
