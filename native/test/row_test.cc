// Sums of the rows of a table, and the gradients of the rows.
#include "test/arrays.h"
#include "test/kernel_cases.h"
#include "test/tests.h"

namespace charnn::test {
namespace {

/// Some sums of rows, and the gradient with respect to them.
struct Case {
  size_t count, terms, size, table_rows;
  Integers rows;
  Floats table, gradient, before;
  static constexpr float factor = 1.25f;

  Case(Draw& draw, size_t count, size_t terms, size_t size, size_t table_rows)
      : count(count),
        terms(terms),
        size(size),
        table_rows(table_rows),
        rows(count * terms),
        table(draw.floats(table_rows * size, 1)),
        gradient(draw.floats(count * size, 1)),
        before(draw.floats(table_rows * size, 1)) {
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<int32_t>(draw.choose(table_rows + 1)) - 1;
  }

  std::string title() const {
    return std::to_string(count) + " sums of " + std::to_string(terms) + " rows of " +
           std::to_string(size) + " numbers";
  }

  /// What the kernels should give, added up one after the other.
  Expected expected() const {
    std::vector<double> vectors(count * size);
    std::vector<double> spread = before.doubles();
    for (size_t n = 0; n < count; ++n)
      for (size_t k = 0; k < terms; ++k) {
        const int32_t row = rows[n * terms + k];
        if (row < 0) continue;
        const double times = k > 0 ? factor : 1;
        for (size_t i = 0; i < size; ++i) {
          vectors[n * size + i] += times * table[row * size + i];
          spread[row * size + i] += times * gradient[n * size + i];
        }
      }
    return {{"vectors", vectors}, {"gradients of rows", spread}};
  }

  Targets::Run running() const {
    return [this](const Kernels& kernels, Team& team) {
      const RowSums sums = {count, terms, size, rows.data(), factor};
      Floats vectors(count * size, std::nanf(""));
      Floats spread_out = before;
      const SumRows sum = {sums, table.data(), vectors.data()};
      const SpreadRows spread = {sums, gradient.data(), spread_out.data()};
      team.run([&](const Worker& worker) {
        kernels.sum_rows(sum, worker);
        kernels.spread_rows(spread, worker);
      });
      return Results{{"vectors", vectors.numbers()}, {"gradients of rows", spread_out.numbers()}};
    };
  }
};

}  // namespace

void test_rows(Targets& targets) {
  Report& report = targets.report();
  if (!report.begins("sums of rows")) return;
  Draw draw(11);
  for (size_t size : {1, 15, 16, 17, 40, 64})
    for (size_t count : {1, 3, 90}) {
      const Case c(draw, count, 1 + draw.choose(5), size, 1 + draw.choose(60));
      targets.check(c.title(), c.expected(), 2e-5, c.running());
    }
  report.ends();
}

void fuzz_rows(Targets& targets, Draw& draw) {
  const size_t count = 1 + draw.choose(40), terms = 1 + draw.choose(5);
  const Case c(draw, count, terms, 1 + draw.choose(70), 1 + draw.choose(60));
  targets.check_same_bits(c.title(), c.running(), draw.is_wild());
}

}  // namespace charnn::test
