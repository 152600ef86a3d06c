// One layer over a sequence and back, in double precision and one loop for each sum: what the
// kernels are held to. The equations are those in gru.h, lstm.h and tanh_rnn.h.
#pragma once

#include <vector>

#include "rnn/rnn.h"

namespace charnn::test {

using Doubles = std::vector<double>;

struct TextbookLayer {
  Cell cell;
  size_t time, batch, input, hidden;
  Doubles x;          // [time, batch, input]
  Doubles weight_ih;  // [gates, input]
  Doubles weight_hh;  // [gates, hidden]
  Doubles bias_ih, bias_hh;
  Doubles h0, c0;      // [batch, hidden]
  Doubles state_mask;  // [batch, hidden]: multiplies what weight_hh sees of the state
};

struct TextbookForward {
  Doubles output;           // [time, batch, hidden]
  Doubles cells;            // [time, batch, hidden], for an LSTM
  Doubles gates;            // [time, batch, gates]: after their functions
  Doubles recurrent_gates;  // [time, batch, gates]: W_hh h + b_hh

  /// The last step's part of one of them.
  static Doubles last(const Doubles& of, const TextbookLayer& layer) {
    if (of.empty()) return {};
    return {of.end() - static_cast<std::ptrdiff_t>(layer.batch * layer.hidden), of.end()};
  }
};

struct TextbookGradients {
  Doubles x, weight_ih, weight_hh, bias_ih, bias_hh, h0, c0;
};

TextbookForward forward(const TextbookLayer& layer);

/// Of the sum of all outputs times `d_output` [time, batch, hidden].
TextbookGradients backward(const TextbookLayer& layer, const TextbookForward& done,
                           const Doubles& d_output);

}  // namespace charnn::test
