// The kernels of one instruction set. The same source is compiled for each of them.
#pragma once

#include "decode/decode.h"
#include "linalg/dropout.h"
#include "loss/loss.h"
#include "optimizer/optimizer.h"
#include "parallel/parallel.h"
#include "rnn/rnn.h"

namespace charnn {

/// Every kernel is called by all members of a team at once, and gives the same bits whatever their
/// number. None of them touches Node or the operating system. Sizes and pointers must be right.
struct Kernels {
  const char* isa;
  // By cell, in the order of `Cell`.
  void (*forward_sequence[3])(const Sequence&, const Member&);
  void (*backward_sequence[3])(const SequenceGradient&, const Member&);
  void (*pack_streams[3])(const Streams&, const StreamsWeights&, const Member&);
  void (*step_streams[3])(const Streams&, const Member&);
  void (*prepare_step)(const Streams&, const Member&);
  void (*cross_entropy)(const CrossEntropy&, const Member&);
  void (*adam_step)(AdamStep&, const Member&);
  void (*sgd_step)(SgdStep&, const Member&);
  void (*rms_prop_step)(RmsPropStep&, const Member&);
  /// Writes elements `range` of a mask.
  void (*write_mask)(float* mask, Range range, const Dropout&);
};

}  // namespace charnn
