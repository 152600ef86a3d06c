#include "wasm/team.h"

#include "wasm/call.h"

namespace charnn {
namespace {

Team::Seat seats[kMaxThreads];
LoopState loop_states[kMaxThreads];
Team team(seats, loop_states, 1);
/// Threads that take part or will in a moment, that of JavaScript among them.
std::atomic<size_t> started{1};

}  // namespace

size_t wanted_threads = 1;

Team& team_of(size_t threads) {
  const size_t there = started;
  team.resize(threads < there ? threads : there);
  return team;
}

/// @param threads from 1 to kMaxThreads, of all calls that follow
CHARNN_EXPORT(useThreads) void use_threads(size_t threads) { wanted_threads = threads; }

CHARNN_EXPORT(startedThreads) size_t started_threads() { return started; }

/// Takes part in all work as the next thread, and does not return. Called in an instance of its
/// own, whose stack no other uses, and no more than kMaxThreads - 1 times.
CHARNN_EXPORT(takePart) void take_part() { team.take_part(started.fetch_add(1)); }

}  // namespace charnn
