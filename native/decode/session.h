// A decode session, and the threads that take its steps.
#pragma once

#include "decode/state.h"
#include "kernels.h"
#include "parallel/team.h"
#include "parallel/team_or_serial.h"

namespace charnn {

/// Whether a step of this many sequences is worth several threads.
inline bool is_worth_team(const DecodeShape& shape, size_t sequences) {
  /// From this many recurrent weights times sequences it pays to share a step.
  constexpr size_t min_work = 180'000;
  const size_t gates = traits_of(shape.cell).gates * shape.hidden;
  // The lowest layer's input is mostly looked up.
  const size_t weights = gates * shape.hidden * (2 * shape.layers - 1);
  return weights * sequences >= min_work;
}

struct DecodeSession {
  Decode decode;
  const Kernels* kernels;
  Team* team;        // null where a step is too little work for several threads
  TeamOrSerial way;  // of a step, where there is a team
  /// Sequences of the next step that the team has begun to prepare; 0: none.
  size_t prepared = 0;

  bool uses_team() const {
    return team != nullptr && is_worth_team(decode.shape, decode.sequences) && way.uses_team();
  }

  /// Prepares the next step.
  void operator()(const Worker& worker) const { kernels->decode_prepare(decode, worker); }

  /// Has the team prepare the next step while JavaScript chooses its tokens.
  void begin_to_prepare() {
    prepared = uses_team() ? decode.sequences : 0;
    if (prepared > 0) team->begin(*this);
  }

  /// Forgets what was prepared, before a state changes.
  void forget_prepared() {
    if (prepared > 0) team->finish();
    prepared = 0;
  }

  /// Takes a step, from `decode.tokens` to `decode.logits`.
  ///
  /// @param sequences of this step
  /// @param seconds_now tells the time, from any starting point
  template <class Clock>
  void step(size_t sequences, Clock seconds_now) {
    const double start = team != nullptr ? seconds_now() : 0;
    if (prepared > 0) team->finish();
    const bool is_prepared = sequences <= prepared;
    decode.sequences = sequences;
    if (!is_prepared) run(*this);
    run([this, kernel = kernels->decode_step[static_cast<size_t>(decode.shape.cell)]](
            const Worker& worker) { kernel(decode, worker); });
    decode.before = 1 - decode.before;
    // Steps of fewer sequences take less time, whichever way they go.
    if (team != nullptr && sequences == decode.shape.sequences) way.note(seconds_now() - start);
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
