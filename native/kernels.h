// The kernels of one instruction set. native/README.md says in which order to read on.
#pragma once

#include "decode/decode.h"
#include "embedding/embedding.h"
#include "linalg/dropout.h"
#include "loss/loss.h"
#include "optimizer/optimizer.h"
#include "parallel/parallel.h"
#include "rnn/rnn.h"

namespace charnn {

/// The same source, kernels.cc, compiled for one instruction set. Every kernel but write_mask is
/// called by all workers of a team at once, and gives the same bits with any number of them. None
/// of them allocates memory, checks its arguments, or calls Node or the operating system. The
/// comment above each kernel is its contract.
struct Kernels {
  const char* isa;
  // By cell, in the order of `Cell`.
  void (*decode_pack[kCellCount])(const Decode&, const DecodeWeights&,
                                  const Worker&);                 // decode/step.h
  void (*decode_step[kCellCount])(const Decode&, const Worker&);  // decode/step.h
  void (*decode_prepare)(const Decode&, const Worker&);           // decode/step.h
#if !defined(CHARNN_WRITING_ONLY)
  void (*forward_sequence[kCellCount])(const Sequence&, const Worker&);           // rnn/forward.h
  void (*backward_sequence[kCellCount])(const SequenceGradient&, const Worker&);  // rnn/backward.h
  void (*cross_entropy)(const CrossEntropy&, const Worker&);        // loss/cross_entropy.h
  void (*adam_step)(AdamStep&, const Worker&);                      // optimizer/steps.h
  void (*sgd_step)(SgdStep&, const Worker&);                        // optimizer/steps.h
  void (*rms_prop_step)(RmsPropStep&, const Worker&);               // optimizer/steps.h
  void (*pack_gradients)(const PackGradients&, const Worker&);      // optimizer/gradient_record.h
  void (*add_records)(const AddRecords&, const Worker&);            // optimizer/gradient_record.h
  void (*unpack_gradients)(const UnpackGradients&, const Worker&);  // optimizer/gradient_record.h
  void (*sum_rows)(const SumRows&, const Worker&);                  // embedding/rows.h
  void (*spread_rows)(const SpreadRows&, const Worker&);            // embedding/rows.h
  void (*write_mask)(float* mask, Range range, const Dropout&);     // linalg/dropout_mask.h
#endif
};

}  // namespace charnn
