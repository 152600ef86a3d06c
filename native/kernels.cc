// All kernels for one instruction set. The build compiles this file once for each, with CHARNN_ISA
// (its name, and the namespace of its kernels) and CHARNN_ISA_<NAME> defined. Names of different
// instruction sets never meet, and no inline function of the standard library is used: of several
// copies the linker keeps one (see inline.h). With CHARNN_WRITING_ONLY it has those alone that
// write text.
#include "kernels.h"

#include "decode/step.h"
#if !defined(CHARNN_WRITING_ONLY)
#include "embedding/rows.h"
#include "loss/cross_entropy.h"
#include "optimizer/gradient_record.h"
#include "optimizer/steps.h"
#include "rnn/backward.h"
#include "rnn/forward.h"
#endif
#include "rnn/gru.h"
#include "rnn/lstm.h"
#include "rnn/tanh_rnn.h"

#define CHARNN_TEXT(name) #name
#define CHARNN_NAME(name) CHARNN_TEXT(name)

namespace charnn::CHARNN_ISA {

extern const Kernels kKernels;
const Kernels kKernels = {
    CHARNN_NAME(CHARNN_ISA),
    {decode_pack<Gru>, decode_pack<Lstm>, decode_pack<TanhRnn>},
    {decode_step<Gru>, decode_step<Lstm>, decode_step<TanhRnn>},
    decode_prepare,
#if !defined(CHARNN_WRITING_ONLY)
    {forward_sequence<Gru>, forward_sequence<Lstm>, forward_sequence<TanhRnn>},
    {backward_sequence<Gru>, backward_sequence<Lstm>, backward_sequence<TanhRnn>},
    cross_entropy,
    adam_step,
    sgd_step,
    rms_prop_step,
    pack_gradients,
    add_records,
    unpack_gradients,
    sum_rows,
    spread_rows,
    write_mask,
#endif
};

}  // namespace charnn::CHARNN_ISA
