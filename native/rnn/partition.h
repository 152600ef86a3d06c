// How a layer's recurrence is divided among threads.
#pragma once

#include "parallel/parallel.h"
#include "rnn/rnn.h"

namespace charnn {

/// Some lanes, and those who work on them together.
struct Part {
  Range lanes;
  Worker crew;

  /// How many steps have about `rows` rows of these lanes.
  CHARNN_INLINE size_t steps_at_once(size_t rows) const { return rows / (lanes.size() + 1) + 1; }
};

/// Lanes are independent of each other: members that have their own, each a crew of one, need not
/// barrier, but then each reads all of the recurrent weights at every step. Where those are too
/// many for the second-level cache all lanes are everyone's, and the crew divides the units.
CHARNN_INLINE Part part_of(const SequenceShape& shape, const Worker& worker) {
  constexpr size_t most_shared_weights = 256 * 1024;
  size_t weights = shape.gate_rows() * shape.hidden;
  if (weights > most_shared_weights || shape.batch < 2 * worker.count)
    return {{0, shape.batch}, worker};
  return {worker.slice(shape.batch), Worker::serial(worker.stop)};
}

/// The states as the recurrent weights see them.
CHARNN_INLINE Panels seen_states(const Sequence& s) {
  return s.shape.has_state_mask ? s.scratch.seen : s.scratch.hiddens;
}

/// What the recurrent weights are multiplied with, in rows like them; null: nothing.
CHARNN_INLINE const float* recurrent_mask(const Sequence& s) {
  if (!s.shape.has_weight_mask) return nullptr;
  return s.weight_mask.values ? s.weight_mask.values : s.scratch.weight_mask;
}

}  // namespace charnn
