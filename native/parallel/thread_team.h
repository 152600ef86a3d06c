// A team of the operating system's threads.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "parallel/team.h"

namespace charnn {

/// What a team's threads share.
struct TeamMemory {
  explicit TeamMemory(size_t count)
      : seats(new Team::Seat[count]), loop_states(new LoopState[count]) {}

  std::unique_ptr<Team::Seat[]> seats;
  std::unique_ptr<LoopState[]> loop_states;
};

/// Starts its threads and ends them.
class ThreadTeam : private TeamMemory, public Team {
 public:
  /// @param count workers, the calling thread among them
  /// @throws std::system_error where the system does not start that many threads
  explicit ThreadTeam(size_t count);
  ~ThreadTeam();

 private:
  void end_threads();

  std::vector<std::thread> threads_;
};

}  // namespace charnn
