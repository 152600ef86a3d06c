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
  void (*forward_sequence[3])(const Sequence&, const Worker&);
  void (*backward_sequence[3])(const SequenceGradient&, const Worker&);
  void (*pack_streams[3])(const Streams&, const StreamsWeights&, const Worker&);
  void (*step_streams[3])(const Streams&, const Worker&);
  void (*prepare_step)(const Streams&, const Worker&);
  void (*cross_entropy)(const CrossEntropy&, const Worker&);
  void (*adam_step)(AdamStep&, const Worker&);
  void (*sgd_step)(SgdStep&, const Worker&);
  void (*rms_prop_step)(RmsPropStep&, const Worker&);
  /// Writes elements `range` of a mask.
  void (*write_mask)(float* mask, Range range, const Dropout&);
};

}  // namespace charnn
