// Optimizer steps: one pass for the gradients' norm, one that clips, decays and updates.
#pragma once

#include "linalg/pack.h"
#include "optimizer/optimizer.h"
#include "parallel/parallel.h"

namespace charnn::CHARNN_ISA {

/// The sum of the squares, in sixteen lanes of double precision: a product of two floats is exact
/// there.
inline double sum_of_squares(const float* values, size_t count) {
  double lanes[kVectorWidth] = {};
  size_t i = 0;
  for (; i + kVectorWidth <= count; i += kVectorWidth)
    for (int lane = 0; lane < kVectorWidth; ++lane)
      lanes[lane] += static_cast<double>(values[i + lane]) * values[i + lane];
  for (int lane = 0; i < count; ++i, ++lane)
    lanes[lane] += static_cast<double>(values[i]) * values[i];
  double sum = 0;
  for (double lane : lanes) sum += lane;
  return sum;
}

/// Finds the norm and calls `update(i, width, gradient, parameter)` for every vector of this
/// worker's share, with the clipped gradients and the decayed parameters; takes what it returns
/// into their average. Does nothing more when the norm is not finite.
template <class Update>
void clip_then(Step& step, const Worker& worker, Update update) {
  // As in PyTorch, so that gradients at the limit come out the same.
  constexpr double clip_epsilon = 1e-6;
  const size_t blocks = norm_blocks(step.count);
  Range mine = worker.slice(blocks);
  for (size_t block = mine.begin; block < mine.end; ++block) {
    size_t first = block * kNormBlock;
    size_t count = step.count - first < kNormBlock ? step.count - first : kNormBlock;
    step.block_sums[block] = sum_of_squares(step.gradients + first, count);
  }
  worker.barrier();
  double squares = 0;
  for (size_t block = 0; block < blocks; ++block) squares += step.block_sums[block];
  const double norm = __builtin_sqrt(squares);
  if (worker.index == 0) step.norm = norm;
  if (!(norm <= 3.4028234663852886e38)) return;
  const double clip = step.clip_norm / (norm + clip_epsilon);
  const bool clips = step.clip_norm > 0 && clip < 1;
  const Vec scale = broadcast(clips ? static_cast<float>(clip) : 1.0f);
  const bool limits = step.clip_value > 0;
  const Vec limit = broadcast(static_cast<float>(step.clip_value));
  const Vec fresh = broadcast(static_cast<float>(1 - step.average_kept));
  const Vec kept = broadcast(static_cast<float>(1 - step.learning_rate * step.weight_decay));
  const size_t end = mine.end == blocks ? step.count : mine.end * kNormBlock;
  for (size_t i = mine.begin * kNormBlock; i < end; i += kVectorWidth) {
    int width = end - i < kVectorWidth ? static_cast<int>(end - i) : kVectorWidth;
    Vec gradient = load_columns(step.gradients + i, width);
    if (clips) gradient = gradient * scale;
    if (limits) gradient = max(min(gradient, limit), zero() - limit);
    if (clips || limits) store_columns(step.gradients + i, gradient, width);
    Vec parameter = load_columns(step.parameters + i, width) * kept;
    parameter = update(i, width, gradient, parameter);
    store_columns(step.parameters + i, parameter, width);
    if (!step.average) continue;
    const Vec average = load_columns(step.average + i, width);
    store_columns(step.average + i, fma(fresh, parameter - average, average), width);
  }
}

/// m  = m + (1 - beta1) (g - m)
/// v  = beta2 v + (1 - beta2) g^2
/// p -= step_size * m / (sqrt(v) / correction + epsilon)
inline void take_adam_step(AdamStep& s, const Worker& worker) {
  const Vec size = broadcast(static_cast<float>(s.step_size));
  const Vec inverse_correction = broadcast(static_cast<float>(1 / s.correction));
  const Vec epsilon = broadcast(static_cast<float>(s.epsilon));
  const Vec new_first = broadcast(static_cast<float>(1 - s.beta1));
  const Vec old_second = broadcast(static_cast<float>(s.beta2));
  const Vec new_second = broadcast(static_cast<float>(1 - s.beta2));
  clip_then(s.common, worker, [&](size_t i, int width, Vec g, Vec p) {
    Vec m = load_columns(s.first_moment + i, width);
    Vec v = load_columns(s.second_moment + i, width);
    m = fma(new_first, g - m, m);
    v = fma(old_second, v, new_second * g * g);
    store_columns(s.first_moment + i, m, width);
    store_columns(s.second_moment + i, v, width);
    return p - size * m / fma(sqrt(v), inverse_correction, epsilon);
  });
}

/// m  = momentum m + g
/// p -= learning_rate * m
inline void take_sgd_step(SgdStep& s, const Worker& worker) {
  const Vec momentum = broadcast(static_cast<float>(s.momentum));
  const Vec rate = broadcast(static_cast<float>(s.common.learning_rate));
  clip_then(s.common, worker, [&](size_t i, int width, Vec g, Vec p) {
    Vec m = fma(momentum, load_columns(s.moment + i, width), g);
    store_columns(s.moment + i, m, width);
    return fnma(rate, m, p);
  });
}

/// v  = decay v + (1 - decay) g^2
/// p -= learning_rate * g / (sqrt(v) + epsilon)
inline void take_rms_prop_step(RmsPropStep& s, const Worker& worker) {
  const Vec decay = broadcast(static_cast<float>(s.decay));
  const Vec fresh = broadcast(static_cast<float>(1 - s.decay));
  const Vec rate = broadcast(static_cast<float>(s.common.learning_rate));
  const Vec epsilon = broadcast(static_cast<float>(s.epsilon));
  clip_then(s.common, worker, [&](size_t i, int width, Vec g, Vec p) {
    Vec v = fma(decay, load_columns(s.moment + i, width), fresh * g * g);
    store_columns(s.moment + i, v, width);
    return p - rate * g / (sqrt(v) + epsilon);
  });
}

}  // namespace charnn::CHARNN_ISA
