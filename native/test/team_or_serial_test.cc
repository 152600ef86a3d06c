// The choice between a team and the calling thread alone, with times that are made up.
#include "parallel/team_or_serial.h"

#include "test/tests.h"

namespace charnn::test {
namespace {

/// What a piece of work takes in both ways, in microseconds.
struct Costs {
  double team, serial;
};

/// Does `calls` pieces of work.
/// @returns the time that they take, in microseconds
double work(TeamOrSerial& way, Costs costs, size_t calls) {
  double total = 0;
  for (size_t call = 0; call < calls; ++call) {
    const double cost = way.uses_team() ? costs.team : costs.serial;
    way.note(1e-6 * cost);
    total += cost;
  }
  return total;
}

}  // namespace

void test_team_or_serial(Report& report) {
  if (!report.begins("team or serial")) return;
  const Costs quiet = {20, 30}, disturbed = {4000, 35}, small = {20, 15}, equal = {20, 19};
  constexpr size_t kCalls = 1'000'000;

  TeamOrSerial way;
  report.check(way.uses_team(), "it does not begin with the team");
  double total = work(way, quiet, kCalls);
  report.check(way.uses_team(), "a faster team is not kept");
  report.check(total < 1.01 * kCalls * quiet.team, "trials of the serial way cost more than 1 %");

  total = work(way, disturbed, kCalls);
  report.check(!way.uses_team(), "a disturbed team is kept");
  report.check(total < 1.1 * kCalls * disturbed.serial, "a disturbed team costs more than 10 %");

  work(way, quiet, kCalls);
  report.check(way.uses_team(), "the team is not taken again once nothing disturbs it");

  // Something holds up both ways for some time.
  total = work(way, {200, 300}, kCalls);
  report.check(way.uses_team(), "the slower one of two disturbed ways is kept");
  report.check(total < 1.01 * kCalls * 200, "trials while both are disturbed cost more than 1 %");

  TeamOrSerial other;
  total = work(other, small, kCalls);
  report.check(total < 1.01 * kCalls * small.serial,
               "a team that is slower from the start is kept");

  TeamOrSerial interrupted;
  total = 0;
  for (int interruption = 0; interruption < 1000; ++interruption)
    total += work(interrupted, {10'000, 10'000}, 1) + work(interrupted, quiet, 5000);
  report.check(total < 1.02 * (10'000 + 5000 * quiet.team) * 1000,
               "interruptions of the system cost more than 2 % in trials");

  TeamOrSerial even;
  work(even, equal, kCalls);
  report.check(even.uses_team(), "the team is left for a way that is hardly faster");
  report.ends();
}

}  // namespace charnn::test
