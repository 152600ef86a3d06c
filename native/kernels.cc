// All kernels for one instruction set, which the compiler is told by CHARNN_ISA (its name, and the
// namespace of its kernels) and CHARNN_ISA_<NAME>. Names of different instruction sets never
// barrier, and no inline function of the standard library is used: the linker would keep one of
// several.
#include "kernels.h"

#include "decode/step.h"
#include "loss/cross_entropy.h"
#include "optimizer/steps.h"
#include "rnn/backward.h"
#include "rnn/forward.h"
#include "rnn/gru.h"
#include "rnn/lstm.h"
#include "rnn/tanh_rnn.h"

#define CHARNN_TEXT(name) #name
#define CHARNN_NAME(name) CHARNN_TEXT(name)

namespace charnn::CHARNN_ISA {

extern const Kernels kKernels;
const Kernels kKernels = {
    CHARNN_NAME(CHARNN_ISA),
    {forward_sequence<Gru>, forward_sequence<Lstm>, forward_sequence<TanhRnn>},
    {backward_sequence<Gru>, backward_sequence<Lstm>, backward_sequence<TanhRnn>},
    {pack_streams<Gru>, pack_streams<Lstm>, pack_streams<TanhRnn>},
    {step_streams<Gru>, step_streams<Lstm>, step_streams<TanhRnn>},
    prepare_step,
    cross_entropy,
    take_adam_step,
    take_sgd_step,
    take_rms_prop_step,
    write_mask,
};

}  // namespace charnn::CHARNN_ISA
