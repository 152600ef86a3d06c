// What several functions of the addon read from their arguments, and what they return.
#pragma once

#include <node_api.h>

#include <initializer_list>
#include <string>

#include "addon/arguments.h"
#include "linalg/dropout.h"
#include "rnn/rnn.h"

namespace charnn {

/// No size is larger, and no array longer than this: sums of such numbers are far from overflowing.
constexpr size_t kLargest = size_t{1} << 31;
constexpr size_t kMaxLength = size_t{1} << 40;

/// The number of elements of an array of these lengths. Throws BadArgument where it is larger than
/// any array.
size_t product(std::initializer_list<size_t> lengths);

Cell cell_of(const Arguments& arguments);
inline size_t index_of(Cell cell) { return static_cast<size_t>(cell); }

Dropout dropout_of(const Arguments& arguments);
/// A mask of `length` numbers: an object with `values`, a Float32Array, or with the `rate` and keys
/// it is made from.
Mask mask_of(const Arguments& arguments, const char* name, size_t length);

/// Throws BadArgument unless `count` tokens are below the size of the vocabulary, and not below
/// `least`.
void check_tokens(const char* name, const int32_t* tokens, size_t count, int64_t least,
                  size_t vocabulary);

napi_value make_number(napi_env env, double value);
napi_value make_text(napi_env env, const std::string& value);
/// Where something begins in the scratch memory, in floats.
napi_value scratch_offset(napi_env env, const float* begin, const Arguments& arguments);

}  // namespace charnn
