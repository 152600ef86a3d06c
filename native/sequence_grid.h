// How a layer's recurrence is divided among threads.
#pragma once

#include "member.h"
#include "sequence.h"

namespace charnn {

/// One member's part of the recurrence: some lanes of all units, or some units of all lanes.
struct Part {
  Range lanes;
  Range unit_panels;
  /// Whether members need each other's results at every step.
  bool meets_each_step;
};

/// Lanes are independent of each other and so need no meeting, but each member then reads all of
/// the recurrent weights at every step. Where those are too many for the second-level cache,
/// members that keep to their own units have half of them, or less, to themselves.
CHARNN_INLINE Part part_of(const SequenceShape& shape, const Member& member) {
  constexpr size_t most_shared_weights = 256 * 1024;
  size_t weights = shape.gate_rows() * shape.hidden;
  Range all_lanes = {0, shape.batch};
  Range all_units = {0, shape.hidden_panels()};
  if (member.count == 1) return {all_lanes, all_units, false};
  if (weights > most_shared_weights || shape.batch < 2 * member.count)
    return {all_lanes, share(shape.hidden_panels(), member.index, member.count), true};
  return {share(shape.batch, member.index, member.count), all_units, false};
}

}  // namespace charnn
