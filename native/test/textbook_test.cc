// The textbook's gradients, against differences of its own results.
#include "test/textbook.h"

#include <cmath>

#include "test/arrays.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

Doubles numbers(Draw& draw, size_t count) { return draw.floats(count, 0.7f).doubles(); }

double weighted_sum(const TextbookLayer& layer, const Doubles& weights) {
  const Doubles output = forward(layer).output;
  double sum = 0;
  for (size_t i = 0; i < output.size(); ++i) sum += output[i] * weights[i];
  return sum;
}

}  // namespace

void test_textbook(Report& report) {
  if (!report.begins("textbook gradients")) return;
  for (Cell cell : {Cell::gru, Cell::lstm, Cell::rnn}) {
    Draw draw(5);
    TextbookLayer layer = {cell, 3, 2, 3, 4, {}, {}, {}, {}, {}, {}, {}, {}};
    const size_t gates = traits_of(cell).gates * layer.hidden;
    layer.x = numbers(draw, layer.time * layer.batch * layer.input);
    layer.weight_ih = numbers(draw, gates * layer.input);
    layer.weight_hh = numbers(draw, gates * layer.hidden);
    layer.bias_ih = numbers(draw, gates);
    layer.bias_hh = numbers(draw, gates);
    layer.h0 = numbers(draw, layer.batch * layer.hidden);
    layer.state_mask = numbers(draw, layer.batch * layer.hidden);
    if (traits_of(cell).has_cell_state) layer.c0 = numbers(draw, layer.batch * layer.hidden);
    const Doubles weights = numbers(draw, layer.time * layer.batch * layer.hidden);
    const TextbookGradients d = backward(layer, forward(layer), weights);
    auto compare = [&](const char* name, Doubles TextbookLayer::*of, const Doubles& gradient) {
      for (size_t i = 0; i < gradient.size(); ++i) {
        constexpr double step = 1e-5;
        TextbookLayer more = layer, less = layer;
        (more.*of)[i] += step;
        (less.*of)[i] -= step;
        const double slope = (weighted_sum(more, weights) - weighted_sum(less, weights)) / 2 / step;
        report.check(std::fabs(slope - gradient[i]) <= 1e-8,
                     std::string(name) + "[" + std::to_string(i) + "] of cell " +
                         std::to_string(static_cast<int>(cell)) + " is " +
                         std::to_string(gradient[i]) + ", not " + std::to_string(slope));
      }
    };
    compare("x", &TextbookLayer::x, d.x);
    compare("weight_ih", &TextbookLayer::weight_ih, d.weight_ih);
    compare("weight_hh", &TextbookLayer::weight_hh, d.weight_hh);
    compare("bias_ih", &TextbookLayer::bias_ih, d.bias_ih);
    compare("bias_hh", &TextbookLayer::bias_hh, d.bias_hh);
    compare("h0", &TextbookLayer::h0, d.h0);
    compare("c0", &TextbookLayer::c0, d.c0);
  }
  report.ends();
}

}  // namespace charnn::test
