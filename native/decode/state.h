// The state of one sequence of a decode session, as plain numbers.
#pragma once

#include "decode/decode.h"

namespace charnn {

/// Floats of a state: of each layer the hidden state, and then the cell state of an LSTM.
size_t state_size(const DecodeShape& shape);

/// state [state_size] = that of a sequence before the next step.
void read_state(const Decode& d, size_t sequence, float* state);

/// Overwrites the state of a sequence.
void write_state(const Decode& d, size_t sequence, const float* state);

}  // namespace charnn
