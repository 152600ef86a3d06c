// Optimizer steps: one pass for the gradients' norm, and one that clips, decays and updates.
//
// The contract of all of them; N is count:
//
//   in    gradients [N]                               overwritten where they are clipped
//         parameters, moments, average [N]            overwritten by those after the step
//   out   norm            of the gradients, before clipping
//   kept  nothing; block_sums is scratch memory
//
// No two arrays overlap. Where the norm is not finite in single precision (a gradient is NaN,
// infinite or far too large) nothing changes but `norm`. NaN elsewhere stays in its element. Of the
// first `sparse` parameters, those whose gradient is zero only decay, and their moments stay as
// they are; the average takes in all, with `sparse_average_decay` for the sparse ones. Called by
// all workers of the team; the same bits for every team size, with `nonzero` and without. They
// can't be stopped early, since half a step can't be undone. Plain version: optimizerStep with
// adam, nadam, sgd and rmsProp in test/reference/optimizers.ts.
#pragma once

#include "linalg/pack.h"
#include "optimizer/optimizer.h"
#include "parallel/parallel.h"

namespace charnn::CHARNN_ISA {

/// The sum of the squares of values[count], as sixteen sums in double precision, where a product of
/// two floats is exact.
inline double sum_of_squares(const float* values, size_t count) {
  double sums[kVectorWidth] = {};
  size_t i = 0;
  for (; i + kVectorWidth <= count; i += kVectorWidth)
    for (int lane = 0; lane < kVectorWidth; ++lane)
      sums[lane] += static_cast<double>(values[i + lane]) * values[i + lane];
  for (int lane = 0; i < count; ++i, ++lane)
    sums[lane] += static_cast<double>(values[i]) * values[i];
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

/// Groups that are skipped at once: a block of the norm has a multiple of them.
constexpr size_t kGroupsSkipped = 8;

/// Whether `group` is the first of some that can be skipped, all zero.
inline bool can_skip(const uint8_t* nonzero, size_t groups, size_t group) {
  uint64_t bytes;
  static_assert(sizeof(bytes) == kGroupsSkipped);
  if (group % kGroupsSkipped > 0 || group + kGroupsSkipped > groups) return false;
  __builtin_memcpy(&bytes, nonzero + group, sizeof(bytes));
  return bytes == 0;
}

/// The same of whole groups, where those of which `nonzero` says so are all zero.
inline double sum_of_squares(const float* values, const uint8_t* nonzero, size_t groups) {
  static_assert(kSparseGroup == kVectorWidth);
  double sums[kVectorWidth] = {};
  for (size_t group = 0; group < groups; ++group) {
    if (can_skip(nonzero, groups, group)) group += kGroupsSkipped - 1;
    if (nonzero[group] == 0) continue;
    const float* of_group = values + group * kSparseGroup;
    for (int lane = 0; lane < kVectorWidth; ++lane)
      sums[lane] += static_cast<double>(of_group[lane]) * of_group[lane];
  }
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

/// How many of some values are not zero.
inline int count_nonzero(const float* values, int count) {
  int nonzero = 0;
  for (int i = 0; i < count; ++i) nonzero += values[i] != 0;
  return nonzero;
}

/// What the steps have in common: finds the norm, then for every vector of this worker's slice
/// clips the gradients, decays the parameters, and calls `update(i, width, gradient, parameter)`,
/// which returns the new parameters of elements i to i + width - 1. Sparse ones whose gradient is
/// zero are only decayed.
template <class Update>
void clip_then(Step& step, const Worker& worker, Update update) {
  // As in PyTorch, so that gradients at the limit come out the same.
  constexpr double clip_epsilon = 1e-6;
  constexpr double max_float = 3.4028234663852886e38;
  const size_t blocks = norm_blocks(step.count);
  const Range mine = worker.slice(blocks);
  const size_t groups = step.nonzero ? step.sparse / kSparseGroup : 0;
  for (size_t block = mine.begin; block < mine.end; ++block) {
    const Range squared = clamp_range(block * kNormBlock, kNormBlock, step.count);
    const float* gradients = step.gradients + squared.begin;
    const size_t group = squared.begin / kSparseGroup;
    const bool is_sparse = squared.end <= groups * kSparseGroup;
    step.block_sums[block] =
        is_sparse ? sum_of_squares(gradients, step.nonzero + group, squared.size() / kSparseGroup)
                  : sum_of_squares(gradients, squared.size());
  }
  worker.barrier();
  double squares = 0;
  for (size_t block = 0; block < blocks; ++block) squares += step.block_sums[block];
  const double norm = __builtin_sqrt(squares);
  if (worker.index == 0) step.norm = norm;
  // Written so that NaN is not finite.
  if (!(norm <= max_float)) return;
  const double clip = step.clip_norm / (norm + clip_epsilon);
  const bool scales = clip < 1;
  const Vec scale = broadcast(scales ? static_cast<float>(clip) : 1.0f);
  const bool limits = step.clip_value < __builtin_inf();
  const Vec limit = broadcast(static_cast<float>(step.clip_value));
  const auto kept_of = [&](double weight_decay) CHARNN_INLINE_LAMBDA {
    return broadcast(static_cast<float>(1 - step.learning_rate * weight_decay));
  };
  const Range elements = clamp_range(mine.begin * kNormBlock, mine.size() * kNormBlock, step.count);
  const auto fresh_of = [&](double average_decay) CHARNN_INLINE_LAMBDA {
    return broadcast(static_cast<float>(1 - average_decay));
  };
  static_assert(kNormBlock % (kGroupsSkipped * kSparseGroup) == 0);
  // Null where the average of these elements stays as it is.
  float* const average = step.average;
  float* const sparse_average = step.sparse_average_decay == 1 ? nullptr : step.average;
  const auto average_elements = [&](float* average, size_t i, int width, Vec parameter,
                                    Vec fresh) CHARNN_INLINE_LAMBDA {
    if (!average) return;
    const Vec before = load_columns(average + i, width);
    store_columns(average + i, fma(fresh, parameter - before, before), width);
  };
  const auto step_elements = [&](float* average, size_t i, int width, Vec kept, Vec fresh)
                                 CHARNN_INLINE_LAMBDA {
                                   Vec gradient = load_columns(step.gradients + i, width);
                                   if (scales) gradient = gradient * scale;
                                   if (limits) gradient = max(min(gradient, limit), zero() - limit);
                                   if (scales || limits)
                                     store_columns(step.gradients + i, gradient, width);
                                   Vec parameter = load_columns(step.parameters + i, width) * kept;
                                   parameter = update(i, width, gradient, parameter);
                                   store_columns(step.parameters + i, parameter, width);
                                   average_elements(average, i, width, parameter, fresh);
                                 };
  size_t i = elements.begin;
  const Vec sparse_kept = kept_of(step.sparse_weight_decay);
  const Vec sparse_fresh = fresh_of(step.sparse_average_decay);
  const bool all_change = step.sparse_weight_decay != 0 || sparse_average;
  while (i < elements.end && i < step.sparse) {
    const Range some =
        clamp_range(i, kVectorWidth, step.sparse < elements.end ? step.sparse : elements.end);
    const int width = static_cast<int>(some.size());
    const size_t group = i / kSparseGroup;
    if (!all_change && can_skip(step.nonzero, groups, group)) {
      i += kGroupsSkipped * kSparseGroup;
      continue;
    }
    const bool are_zero = group < groups && step.nonzero[group] == 0;
    const int nonzero = are_zero ? 0 : count_nonzero(step.gradients + i, width);
    i = some.end;
    if (nonzero == 0 && !all_change) continue;
    // Where only some of a vector have a gradient, one after the other.
    const int part = nonzero == 0 || nonzero == width ? width : 1;
    for (size_t k = some.begin; k < some.end; k += part) {
      if (!are_zero && step.gradients[k] != 0) {
        step_elements(sparse_average, k, part, sparse_kept, sparse_fresh);
      } else {
        const Vec parameter = load_columns(step.parameters + k, part) * sparse_kept;
        store_columns(step.parameters + k, parameter, part);
        average_elements(sparse_average, k, part, parameter, sparse_fresh);
      }
    }
  }
  const Vec kept = kept_of(step.weight_decay);
  const Vec fresh = fresh_of(step.average_decay);
  // Whole vectors separately: a loop that can also end within one has no registers left for
  // constants.
  for (; i + kVectorWidth <= elements.end; i += kVectorWidth)
    step_elements(average, i, kVectorWidth, kept, fresh);
  if (i < elements.end) step_elements(average, i, static_cast<int>(elements.end - i), kept, fresh);
}

/// Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1), with
/// decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019,
/// algorithm 2):
///
///     m  = m + (1 - beta1) (g - m)
///     v  = beta2 v + (1 - beta2) g^2
///     p -= (step_size * m + gradient_size * g) / (sqrt(v) / correction + epsilon)
///
/// Adam has no gradient_size; NAdam (Dozat, "Incorporating Nesterov Momentum into Adam", 2016,
/// algorithm 8) looks one step ahead with it.
inline void adam_step(AdamStep& s, const Worker& worker) {
  const Vec size = broadcast(static_cast<float>(s.step_size));
  const Vec gradient_size = broadcast(static_cast<float>(s.gradient_size));
  const Vec inverse_correction = broadcast(static_cast<float>(1 / s.correction));
  const Vec epsilon = broadcast(static_cast<float>(s.epsilon));
  const Vec new_first = broadcast(static_cast<float>(1 - s.beta1));
  const Vec old_second = broadcast(static_cast<float>(s.beta2));
  const Vec new_second = broadcast(static_cast<float>(1 - s.beta2));
  clip_then(s.common, worker, [&](size_t i, int width, Vec g, Vec p) CHARNN_INLINE_LAMBDA {
    Vec m = load_columns(s.first_moment + i, width);
    Vec v = load_columns(s.second_moment + i, width);
    m = fma(new_first, g - m, m);
    v = fma(old_second, v, new_second * g * g);
    store_columns(s.first_moment + i, m, width);
    store_columns(s.second_moment + i, v, width);
    return p - fma(gradient_size, g, size * m) / fma(sqrt(v), inverse_correction, epsilon);
  });
}

/// Gradient descent with momentum, as PyTorch's SGD:
///
///     m  = momentum m + g
///     p -= learning_rate * m
inline void sgd_step(SgdStep& s, const Worker& worker) {
  const Vec momentum = broadcast(static_cast<float>(s.momentum));
  const Vec rate = broadcast(static_cast<float>(s.common.learning_rate));
  clip_then(s.common, worker, [&](size_t i, int width, Vec g, Vec p) CHARNN_INLINE_LAMBDA {
    Vec m = fma(momentum, load_columns(s.moment + i, width), g);
    store_columns(s.moment + i, m, width);
    return fnma(rate, m, p);
  });
}

/// RMSProp (Hinton, "Neural Networks for Machine Learning", 2012, lecture 6e), as PyTorch's:
///
///     v  = decay v + (1 - decay) g^2
///     p -= learning_rate * g / (sqrt(v) + epsilon)
inline void rms_prop_step(RmsPropStep& s, const Worker& worker) {
  const Vec decay = broadcast(static_cast<float>(s.decay));
  const Vec fresh = broadcast(static_cast<float>(1 - s.decay));
  const Vec rate = broadcast(static_cast<float>(s.common.learning_rate));
  const Vec epsilon = broadcast(static_cast<float>(s.epsilon));
  clip_then(s.common, worker, [&](size_t i, int width, Vec g, Vec p) CHARNN_INLINE_LAMBDA {
    Vec v = fma(decay, load_columns(s.moment + i, width), fresh * g * g);
    store_columns(s.moment + i, v, width);
    return p - rate * g / (sqrt(v) + epsilon);
  });
}

}  // namespace charnn::CHARNN_ISA
