#include "parallel/thread_team.h"

namespace charnn {

ThreadTeam::ThreadTeam(size_t count)
    : TeamMemory(count), Team(seats.get(), loop_states.get(), count) {
  try {
    for (size_t index = 1; index < count; ++index)
      threads_.emplace_back([this, index] { take_part(index); });
  } catch (...) {
    // The system starts no more threads. Destroying one that is not joined would end the process.
    end_threads();
    throw;
  }
}

ThreadTeam::~ThreadTeam() {
  finish();
  end_threads();
}

void ThreadTeam::end_threads() {
  end();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace charnn
