// A decode session, and the threads that take its steps.
#pragma once

#include "kernels.h"
#include "parallel/team.h"
#include "parallel/team_or_serial.h"

namespace charnn {

/// Whether a step is worth several threads.
inline bool is_worth_team(const DecodeShape& shape) {
  /// From this many recurrent weights times sequences it pays to share a step.
  constexpr size_t min_work = 180'000;
  const size_t gates = traits_of(shape.cell).gates * shape.hidden;
  // The lowest layer's input is mostly looked up.
  const size_t weights = gates * shape.hidden * (2 * shape.layers - 1);
  return weights * shape.sequences >= min_work;
}

struct DecodeSession {
  Decode decode;
  const Kernels* kernels;
  Team* team;                // null where a step is too little work for several threads
  TeamOrSerial way;          // of a step, where there is a team
  bool is_prepared = false;  // whether the team has begun to prepare the next step

  bool uses_team() const { return team != nullptr && way.uses_team(); }

  /// Prepares the next step.
  void operator()(const Worker& worker) const { kernels->decode_prepare(decode, worker); }

  /// Has the team prepare the next step while JavaScript chooses its tokens.
  void begin_to_prepare() {
    is_prepared = uses_team();
    if (is_prepared) team->begin(*this);
  }

  /// Takes a step, from `decode.tokens` to `decode.logits`.
  ///
  /// @param seconds_now tells the time, from any starting point
  template <class Clock>
  void step(Clock seconds_now) {
    const double start = team != nullptr ? seconds_now() : 0;
    if (is_prepared) team->finish();
    else run(*this);
    run([this, kernel = kernels->decode_step[static_cast<size_t>(decode.shape.cell)]](
            const Worker& worker) { kernel(decode, worker); });
    decode.before = 1 - decode.before;
    if (team != nullptr) way.note(seconds_now() - start);
  }

 private:
  /// Calls `work(worker)` on all threads that a step is worth.
  template <class Work>
  void run(const Work& work) const {
    if (uses_team()) team->run(work);
    else work(Worker::serial());
  }
};

}  // namespace charnn
