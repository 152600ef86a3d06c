// How a layer's recurrence is divided among threads.
#pragma once

#include "parallel/parallel.h"
#include "rnn/rnn.h"

namespace charnn {

/// Batch rows, and who works on them together.
struct Part {
  Range batch_rows;
  Worker worker;

  /// How many steps have about `rows` rows of this part.
  CHARNN_INLINE size_t steps_of(size_t rows) const { return rows / (batch_rows.size() + 1) + 1; }
};

/// Two ways. By batch rows: they are independent of each other, so workers that have their own,
/// each a team of one, need no barrier at a step; but then each worker reads all recurrent weights
/// at every step. By units: where the weights are too many for a core's second-level cache, or the
/// batch too small, all workers share all batch rows, divide the hidden units, so that each one's
/// weights stay in its cache, and meet at every step.
CHARNN_INLINE Part part_of(const SequenceShape& shape, const Worker& worker) {
  constexpr size_t max_weights_per_core = 256 * 1024;
  const size_t weights = shape.gate_rows() * shape.hidden;
  if (weights > max_weights_per_core || shape.batch < 2 * worker.count)
    return {{0, shape.batch}, worker};
  return {worker.slice(shape.batch), Worker::serial(worker.stop)};
}

}  // namespace charnn
