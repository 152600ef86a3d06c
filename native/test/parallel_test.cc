// The team of threads. Memory that its members share is plain, so that ThreadSanitizer sees whether
// run() and barrier() order what they do.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "parallel/physical_cores.h"
#include "parallel/thread_team.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

/// Longer than any worker waits awake.
void let_sleep() { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }

/// Every worker adds to its own number, and the caller reads them all after each job.
bool runs_jobs(Team& team, size_t jobs) {
  std::vector<size_t> done(team.size());
  bool right = true;
  for (size_t job = 1; job <= jobs; ++job) {
    team.run([&](const Worker& worker) {
      if (worker.count == team.size()) ++done[worker.index];
    });
    for (size_t count : done) right = right && count == job;
  }
  return right;
}

/// In every round each worker leaves a number, meets the others and reads what all have left.
bool meets(Team& team, size_t jobs, size_t rounds) {
  const size_t size = team.size();
  std::vector<size_t> left(size);
  std::vector<char> right(size, 1);
  for (size_t job = 0; job < jobs; ++job)
    team.run([&](const Worker& worker) {
      for (size_t round = 0; round < rounds; ++round) {
        left[worker.index] = job + round * (worker.index + 1);
        worker.barrier();
        for (size_t other = 0; other < size; ++other)
          if (left[other] != job + round * (other + 1)) right[worker.index] = 0;
        worker.barrier();
      }
    });
  for (char each : right)
    if (!each) return false;
  return true;
}

/// The workers come to a barrier one after the other, so late that those before them sleep.
bool meets_asleep(Team& team, size_t rounds) {
  std::vector<size_t> left(team.size());
  std::vector<char> right(team.size(), 1);
  team.run([&](const Worker& worker) {
    for (size_t round = 1; round <= rounds; ++round) {
      if (worker.index == round % worker.count) let_sleep();
      left[worker.index] = round;
      worker.barrier();
      for (size_t other : left)
        if (other != round) right[worker.index] = 0;
      worker.barrier();
    }
  });
  for (char each : right)
    if (!each) return false;
  return true;
}

/// Loops of many lengths, with no meeting between them: each piece is taken once. One worker comes
/// late to every other loop, so that others do its share and are loops ahead.
bool divides(Team& team, size_t loops) {
  std::vector<std::vector<char>> taken(loops);
  for (size_t loop = 0; loop < loops; ++loop) taken[loop].resize(loop * 7 % 40);
  std::vector<char> right(team.size(), 1);
  team.run([&](const Worker& worker) {
    for (size_t loop = 0; loop < loops; ++loop) {
      if (loop % 2 > 0 && worker.index == loop % worker.count)
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      const size_t at_once = 1 + loop % 3;
      worker.parallel_for(taken[loop].size(), at_once, [&](Range some) {
        if (some.size() < 1 || some.size() > at_once) right[worker.index] = 0;
        for (size_t piece = some.begin; piece < some.end; ++piece) ++taken[loop][piece];
      });
    }
  });
  for (char each : right)
    if (!each) return false;
  for (const auto& pieces : taken)
    for (char times : pieces)
      if (times != 1) return false;
  return true;
}

/// A worker that others wait for in the middle of its own share: they do the rest of it.
bool helps(Team& team) {
  const size_t pieces = 8 * team.size();
  std::atomic<size_t> done{0};
  std::atomic<bool> late{false};
  team.run([&](const Worker& worker) {
    worker.parallel_for(pieces, 1, [&](Range) {
      // The first worker's first piece ends when all others are done, by other workers.
      if (worker.index == 0 && worker.count > 1 && done < pieces - 1) {
        const auto start = std::chrono::steady_clock::now();
        while (done < pieces - 1 && !late) {
          std::this_thread::yield();
          late = std::chrono::steady_clock::now() - start > std::chrono::seconds(20);
        }
      }
      ++done;
    });
  });
  return done == pieces && !late;
}

/// Two members of which one does nothing at all, from some loop on: each piece is taken once, also
/// when the numbers of loops begin anew, and after many loops in which a worker had no share.
bool counts_loops(uint64_t loops_before) {
  LoopState shares[2];
  for (LoopState& each : shares) {
    each.loops = loops_before;
    each.taken = loops_before << LoopState::kPieceBits;
  }
  const Worker busy = {0, 2, nullptr, nullptr, shares};
  const Worker idle = {1, 2, nullptr, nullptr, shares};
  for (size_t loop = 0; loop < 40; ++loop) {
    size_t pieces = loop % 20 == 19 ? 7 : 1;
    size_t taken = 0, taken_twice = 0;
    busy.parallel_for(pieces, 1, [&](Range) { ++taken; });
    idle.parallel_for(pieces, 1, [&](Range) { ++taken_twice; });
    if (taken != pieces || taken_twice > 0) return false;
    for (const LoopState& each : shares)
      if ((each.taken - (each.loops << LoopState::kPieceBits)) > pieces) return false;
  }
  return true;
}

/// What is begun goes on without the caller, as far as it can, and all of it is done when it is
/// finished: by the caller's word, by the next job, or by the end of the team.
bool begins(size_t size, size_t jobs) {
  constexpr size_t pieces = 60;
  std::vector<std::vector<size_t>> taken(jobs, std::vector<size_t>(pieces));
  std::atomic<size_t> left{0};
  bool right = true;
  const auto start = std::chrono::steady_clock::now();
  auto work_of = [&](std::vector<size_t>& of_job) {
    return [&](const Worker& worker) {
      worker.parallel_for(pieces, 7, [&](Range some) {
        for (size_t piece = some.begin; piece < some.end; ++piece) ++of_job[piece];
        left -= some.size();
      });
    };
  };
  std::vector<decltype(work_of(taken[0]))> works;
  for (std::vector<size_t>& of_job : taken) works.push_back(work_of(of_job));
  {
    ThreadTeam team(size);
    for (size_t job = 0; job < jobs; ++job) {
      left = pieces;
      team.begin(works[job]);
      if (job % 4 == 0) {
        // The others need no help of the caller's. Nobody else does its own work for a team of one.
        while (size > 1 && left > 0 && right) {
          std::this_thread::yield();
          right = std::chrono::steady_clock::now() - start < std::chrono::seconds(60);
        }
        right = right && left == (size > 1 ? 0 : pieces);
      }
      if (job % 4 == 1) right = right && runs_jobs(team, 1) && left == 0;
      if (job % 4 == 2) let_sleep();
      if (job + 1 < jobs) team.finish();
    }
    team.finish();
    team.finish();
    left = pieces;
    for (size_t& times : taken[0]) times = 0;
    team.begin(works[0]);
  }
  for (const auto& of_job : taken)
    for (size_t times : of_job) right = right && times == 1;
  return right && left == 0;
}

void test_sizes(Report& report) {
  if (!report.begins("team")) return;
  const size_t jobs = report.repetitions(20000);
  for (size_t size : {1, 2, 3, 4, 9}) {
    ThreadTeam team(size);
    const std::string title = std::to_string(size) + " members";
    report.check(team.size() == size, title + ": the team has another size");
    report.check(runs_jobs(team, jobs), title + ": a job ran too often or not at all");
    report.check(meets(team, 5, jobs / 20), title + ": a worker went on before all had come");
    report.check(meets(team, jobs / 20, 1), title + ": a worker went on before all had come");
    report.check(divides(team, jobs / 20), title + ": a piece was taken twice or not at all");
    report.check(divides(team, 50), title + ": a piece of a later job was");
    report.check(begins(size, 13), title + ": what was begun was not done, or twice");
    report.check(helps(team), title + ": nobody did the share of one that was held up");
  }
  for (int bits = 8; bits < 64; ++bits)
    for (uint64_t before : {1, 5, 25})
      report.check(counts_loops((uint64_t{1} << bits) - before),
                   "after nearly 2^" + std::to_string(bits) + " loops");
  report.check(physical_cores() >= 1, "there is no core");
  report.ends();
}

void test_sleep(Report& report) {
  if (!report.begins("team asleep")) return;
  for (size_t size : {2, 4}) {
    ThreadTeam team(size);
    bool right = true;
    for (size_t i = 0; i < report.repetitions(20); ++i) {
      let_sleep();
      right = right && runs_jobs(team, 1) && meets(team, 1, 3);
    }
    right = right && meets_asleep(team, report.repetitions(10));
    // About as long as members wait awake, so that some fall asleep as a job comes.
    for (size_t i = 0; i < report.repetitions(1000); ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(5 * i % 2000));
      right = right && runs_jobs(team, 1);
    }
    report.check(right, std::to_string(size) + " members that had slept");
  }
  report.ends();
}

void test_resized(Report& report) {
  if (!report.begins("team of changing size")) return;
  ThreadTeam team(5);
  bool right = true;
  for (size_t i = 0; i < report.repetitions(2000); ++i) {
    team.resize(1 + i * 7 % 5);
    right = right && team.size() == 1 + i * 7 % 5 && runs_jobs(team, i % 3) && meets(team, 1, 2) &&
            divides(team, 9);
    // Those that have no part sleep by then.
    if (i % 200 == 0) let_sleep();
  }
  report.check(right, "jobs of teams of several sizes");
  // What has begun is done by those that began it.
  for (size_t size : {5, 2, 4, 1}) {
    std::vector<size_t> done(5);
    auto work = [&](const Worker& worker) { done[worker.index] = worker.count; };
    const size_t before = team.size();
    team.begin(work);
    team.resize(size);
    for (size_t index = 0; index < 5; ++index)
      right = right && done[index] == (index < before ? before : 0);
  }
  report.check(right, "jobs that were begun before the size changed");
  report.ends();
}

void test_oversubscribed(Report& report) {
  if (!report.begins("team of many more threads than cores")) return;
  ThreadTeam team(4 * std::thread::hardware_concurrency() + 3);
  report.check(runs_jobs(team, report.repetitions(200)), "jobs");
  report.check(meets(team, 3, report.repetitions(50)), "meetings");
  report.ends();
}

void test_lives(Report& report) {
  if (!report.begins("teams that come and go")) return;
  bool right = true;
  for (size_t i = 0; i < report.repetitions(300); ++i) {
    ThreadTeam idle(1 + i % 5);
    ThreadTeam busy(1 + i % 4);
    right = right && runs_jobs(busy, i % 3);
    if (i % 50 == 0) let_sleep();
  }
  report.check(right, "teams made one after the other");

  // As when each of Node's threads has loaded the addon.
  std::vector<char> done(3, 0);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < done.size(); ++i)
    callers.emplace_back([&done, &report, i] {
      ThreadTeam team(2 + i);
      done[i] = runs_jobs(team, report.repetitions(500)) && meets(team, 2, 50);
    });
  for (std::thread& caller : callers) caller.join();
  for (char each : done) report.check(each, "teams of different threads at once");
  report.ends();
}

}  // namespace

void test_team(Report& report) {
  test_sizes(report);
  test_sleep(report);
  test_resized(report);
  test_oversubscribed(report);
  test_lives(report);
}

}  // namespace charnn::test
