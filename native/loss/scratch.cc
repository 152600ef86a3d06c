#include "linalg/arena.h"
#include "loss/loss.h"

namespace charnn {
namespace {

/// At most about this many logits are held at once, so that memory does not grow with rows times
/// vocabulary.
constexpr size_t kMaxLogits = size_t{1} << 22;
/// Rows are cut into multiples of this. It is a multiple of the blocks in which sums over rows are
/// made, so that cutting changes no bits.
constexpr size_t kRowBlock = 256;

}  // namespace

CrossEntropyScratch layout_scratch(const CrossEntropyShape& shape, float* base, size_t* floats) {
  Arena memory(base);
  CrossEntropyScratch scratch = {};
  const size_t hidden = shape.hidden_panels();
  const size_t vocabulary = shape.vocabulary_panels();
  const size_t blocks = kMaxLogits / (vocabulary * kVectorWidth * kRowBlock);
  const size_t rows = (blocks > 0 ? blocks : 1) * kRowBlock;
  scratch.rows_at_once = rows < shape.rows ? rows : shape.rows;
  scratch.input = memory.panels(hidden, shape.rows);
  if (shape.has_mask) scratch.mask = memory.panels(hidden, shape.batch);
  scratch.weight = memory.panels(vocabulary, shape.hidden);
  scratch.logits = memory.panels(vocabulary, scratch.rows_at_once);
  scratch.bias = memory.floats(vocabulary * kVectorWidth);
  if (shape.wants_gradient) {
    scratch.weight_by_token = memory.panels(hidden, shape.vocabulary);
    scratch.bias_sums = memory.floats(vocabulary * kVectorWidth);
    scratch.gradient_input = memory.panels(hidden, shape.rows);
  }
  *floats = memory.used();
  return scratch;
}

}  // namespace charnn
