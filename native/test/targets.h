// One case on every instruction set and team size.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels.h"
#include "parallel/thread_team.h"
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

  /// Checks a kernel's results on each target: within `tolerance` of what is expected (relative for
  /// numbers above 1, absolute below), and the same bits as `check_same_bits` asks for. Numbers
  /// that are expected to be NaN are not defined; results of which nothing is expected are only
  /// compared with each other.
  void check(const std::string& title, const Expected& expected, double tolerance, const Run& run);

  /// What can be checked of a kernel where the right results are not known: the same bits for every
  /// team size, and on all instruction sets with fused multiply-add.
  ///
  /// @param is_wild whether some inputs may be infinite, NaN or huge. If not, all results must be
  /// finite; if so,
  ///   all NaNs count as equal, and instruction sets are not compared.
  void check_same_bits(const std::string& title, const Run& run, bool is_wild);

  /// By instruction set: of all results so far.
  const std::map<std::string, uint64_t>& checksums() const { return checksums_; }
  const std::vector<const Kernels*>& kernels() const { return kernels_; }
  Team& team(size_t size) { return *teams_[size - 1]; }
  Report& report() { return report_; }

 private:
  /// Checks that larger teams give the bits of `alone`, which a team of one gave.
  void check_teams(const std::string& where, const Kernels& kernels, const Results& alone,
                   const Run& run);

  Report& report_;
  std::vector<const Kernels*> kernels_;
  std::vector<std::unique_ptr<ThreadTeam>> teams_;
  std::map<std::string, uint64_t> checksums_;
};

}  // namespace charnn::test
