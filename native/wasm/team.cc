#include "wasm/team.h"

#include <new>

#include "wasm/call.h"

namespace charnn {
namespace {

Team::Seat seats[kMaxThreads];
LoopState loop_states[kMaxThreads];
alignas(Team) unsigned char memory_of_team[sizeof(Team)];
/// Threads that take part or will in a moment, that of JavaScript among them.
std::atomic<size_t> started{1};

Team& team() { return *std::launder(reinterpret_cast<Team*>(memory_of_team)); }

}  // namespace

size_t wanted_threads = 1;

Team& team_of(size_t threads) {
  const size_t there = started;
  team().resize(threads < there ? threads : there);
  return team();
}

/// To be called once, before all other functions: nothing runs the constructors of a module.
CHARNN_EXPORT(makeTeam) void make_team() { new (memory_of_team) Team(seats, loop_states, 1); }

/// @param threads from 1 to kMaxThreads, of all calls that follow
CHARNN_EXPORT(useThreads) void use_threads(size_t threads) { wanted_threads = threads; }

CHARNN_EXPORT(startedThreads) size_t started_threads() { return started; }

/// Takes part in all work as the next thread, and does not return. Called in a separate instance,
/// whose stack no other uses, and at most kMaxThreads - 1 times.
CHARNN_EXPORT(takePart) void take_part() { team().take_part(started.fetch_add(1)); }

/// Has all calls that use the team throw from now on, also one that waits at this moment.
CHARNN_EXPORT(failTeam) void fail_team() { team().fail(); }

}  // namespace charnn
