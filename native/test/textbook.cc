#include "test/textbook.h"

#include <cmath>

namespace charnn::test {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// matrix [outputs, inputs] times x, plus bias
Doubles linear(const Doubles& matrix, const Doubles& bias, const double* x, size_t inputs) {
  Doubles result = bias;
  for (size_t i = 0; i < result.size(); ++i)
    for (size_t k = 0; k < inputs; ++k) result[i] += matrix[i * inputs + k] * x[k];
  return result;
}

/// The gradients of `linear`, added to those there are.
void add_linear_gradients(const Doubles& d_result, const Doubles& matrix, const double* x,
                          size_t inputs, Doubles* d_matrix, Doubles* d_bias, double* d_x) {
  for (size_t i = 0; i < d_result.size(); ++i) {
    (*d_bias)[i] += d_result[i];
    for (size_t k = 0; k < inputs; ++k) {
      (*d_matrix)[i * inputs + k] += d_result[i] * x[k];
      d_x[k] += d_result[i] * matrix[i * inputs + k];
    }
  }
}

const double* state_before(const Doubles& first, const Doubles& states, size_t t, size_t lane,
                           const TextbookLayer& layer) {
  const size_t row = t * layer.batch + lane;
  return t == 0 ? &first[lane * layer.hidden] : &states[(row - layer.batch) * layer.hidden];
}

/// The state as the recurrent weights see it.
Doubles seen_of(const TextbookLayer& layer, const double* h, size_t lane) {
  Doubles seen(layer.hidden);
  for (size_t j = 0; j < layer.hidden; ++j)
    seen[j] = h[j] * layer.state_mask[lane * layer.hidden + j];
  return seen;
}

}  // namespace

TextbookForward forward(const TextbookLayer& layer) {
  const size_t H = layer.hidden;
  const size_t gates = traits_of(layer.cell).gates * H;
  const bool has_cell_state = traits_of(layer.cell).has_cell_state;
  TextbookForward result;
  for (size_t t = 0; t < layer.time; ++t)
    for (size_t lane = 0; lane < layer.batch; ++lane) {
      const double* x = &layer.x[(t * layer.batch + lane) * layer.input];
      const double* h = state_before(layer.h0, result.output, t, lane, layer);
      const Doubles ax = linear(layer.weight_ih, layer.bias_ih, x, layer.input);
      const Doubles seen = seen_of(layer, h, lane);
      const Doubles ah = linear(layer.weight_hh, layer.bias_hh, seen.data(), H);
      Doubles g(gates), h_after(H), c_after(has_cell_state ? H : 0);
      for (size_t j = 0; j < H; ++j) {
        const size_t first = j, second = H + j, third = 2 * H + j, fourth = 3 * H + j;
        if (layer.cell == Cell::gru) {
          g[first] = sigmoid(ax[first] + ah[first]);
          g[second] = sigmoid(ax[second] + ah[second]);
          g[third] = std::tanh(ax[third] + g[first] * ah[third]);
          h_after[j] = (1 - g[second]) * g[third] + g[second] * h[j];
        } else if (layer.cell == Cell::lstm) {
          g[first] = sigmoid(ax[first] + ah[first]);
          g[second] = sigmoid(ax[second] + ah[second]);
          g[third] = std::tanh(ax[third] + ah[third]);
          g[fourth] = sigmoid(ax[fourth] + ah[fourth]);
          const double c = state_before(layer.c0, result.cells, t, lane, layer)[j];
          c_after[j] = g[second] * c + g[first] * g[third];
          h_after[j] = g[fourth] * std::tanh(c_after[j]);
        } else {
          g[first] = std::tanh(ax[first] + ah[first]);
          h_after[j] = g[first];
        }
      }
      result.output.insert(result.output.end(), h_after.begin(), h_after.end());
      result.cells.insert(result.cells.end(), c_after.begin(), c_after.end());
      result.gates.insert(result.gates.end(), g.begin(), g.end());
      result.recurrent_gates.insert(result.recurrent_gates.end(), ah.begin(), ah.end());
    }
  return result;
}

TextbookGradients backward(const TextbookLayer& layer, const TextbookForward& done,
                           const Doubles& d_output) {
  const size_t H = layer.hidden;
  const size_t gates = traits_of(layer.cell).gates * H;
  TextbookGradients d;
  d.x.resize(layer.x.size());
  d.weight_ih.resize(layer.weight_ih.size());
  d.weight_hh.resize(layer.weight_hh.size());
  d.bias_ih.resize(gates);
  d.bias_hh.resize(gates);
  d.h0.resize(layer.h0.size());
  d.c0.resize(layer.c0.size());
  // What has come back so far, by the state after the step at hand.
  for (size_t t = layer.time; t-- > 0;)
    for (size_t lane = 0; lane < layer.batch; ++lane) {
      const size_t row = t * layer.batch + lane;
      const double* h = state_before(layer.h0, done.output, t, lane, layer);
      const double* g = &done.gates[row * gates];
      const double* ah = &done.recurrent_gates[row * gates];
      Doubles d_ax(gates), d_ah(gates), d_h_before(H);
      for (size_t j = 0; j < H; ++j) {
        const size_t first = j, second = H + j, third = 2 * H + j, fourth = 3 * H + j;
        const double dh = d.h0[lane * H + j] + d_output[row * H + j];
        if (layer.cell == Cell::gru) {
          const double r = g[first], z = g[second], n = g[third];
          const double d_sum_n = dh * (1 - z) * (1 - n * n);
          d_h_before[j] = dh * z;
          d_ax[third] = d_sum_n;
          d_ah[third] = d_sum_n * r;
          d_ax[first] = d_ah[first] = d_sum_n * ah[third] * r * (1 - r);
          d_ax[second] = d_ah[second] = dh * (h[j] - n) * z * (1 - z);
        } else if (layer.cell == Cell::lstm) {
          const double i = g[first], f = g[second], c_new = g[third], o = g[fourth];
          const double c = state_before(layer.c0, done.cells, t, lane, layer)[j];
          const double tanh_c = std::tanh(done.cells[row * H + j]);
          const double dc = d.c0[lane * H + j] + dh * o * (1 - tanh_c * tanh_c);
          d.c0[lane * H + j] = dc * f;
          d_ax[first] = d_ah[first] = dc * c_new * i * (1 - i);
          d_ax[second] = d_ah[second] = dc * c * f * (1 - f);
          d_ax[third] = d_ah[third] = dc * i * (1 - c_new * c_new);
          d_ax[fourth] = d_ah[fourth] = dh * tanh_c * o * (1 - o);
        } else {
          d_ax[first] = d_ah[first] = dh * (1 - g[first] * g[first]);
        }
      }
      Doubles d_seen(H);
      add_linear_gradients(d_ah, layer.weight_hh, seen_of(layer, h, lane).data(), H, &d.weight_hh,
                           &d.bias_hh, d_seen.data());
      for (size_t j = 0; j < H; ++j) d_h_before[j] += d_seen[j] * layer.state_mask[lane * H + j];
      add_linear_gradients(d_ax, layer.weight_ih, &layer.x[row * layer.input], layer.input,
                           &d.weight_ih, &d.bias_ih, &d.x[row * layer.input]);
      for (size_t j = 0; j < H; ++j) d.h0[lane * H + j] = d_h_before[j];
    }
  return d;
}

}  // namespace charnn::test
