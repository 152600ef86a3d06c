#include "addon/values.h"

namespace charnn {

Cell cell_of(const Arguments& arguments) {
  const std::string name = arguments.text("cell");
  std::string names;
  for (size_t k = 0; k < kCellCount; k++) {
    if (name == kCellTraits[k].name) return static_cast<Cell>(k);
    names += k == 0 ? "" : k + 1 < kCellCount ? ", " : " or ";
    names += kCellTraits[k].name;
  }
  throw BadArgument("cell must be " + names + ".");
}

size_t product(std::initializer_list<size_t> lengths) {
  size_t result = 1;
  for (size_t length : lengths) {
    if (length > 0 && result > kMaxLength / length)
      throw BadArgument("The shape is larger than any array.");
    result *= length;
  }
  return result;
}

void check_tokens(const char* name, const int32_t* tokens, size_t count, int64_t least,
                  size_t vocabulary) {
  for (size_t i = 0; i < count; ++i)
    if (tokens[i] < least || (tokens[i] >= 0 && static_cast<size_t>(tokens[i]) >= vocabulary))
      throw BadArgument(std::string(name) + " must be below " + std::to_string(vocabulary) +
                        ", not " + std::to_string(tokens[i]) + ".");
}

Dropout dropout_of(const Arguments& arguments) {
  Dropout dropout;
  dropout.rate = arguments.number("rate");
  if (!(dropout.rate > 0 && dropout.rate < 1))
    throw BadArgument("rate must be above 0 and below 1.");
  dropout.key[0] = static_cast<uint32_t>(arguments.size("key0", 0, 0xffffffff));
  dropout.key[1] = static_cast<uint32_t>(arguments.size("key1", 0, 0xffffffff));
  return dropout;
}

Mask mask_of(const Arguments& arguments, const char* name, size_t length) {
  const Arguments given = arguments.object(name);
  if (const float* values = given.floats_or_null("values", length))
    return {Mask::Source::kValues, values, {}};
  return {Mask::Source::kDropout, nullptr, dropout_of(given)};
}

napi_value make_number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value make_text(napi_env env, const std::string& value) {
  napi_value result;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

napi_value scratch_offset(napi_env env, const float* begin, const Arguments& arguments) {
  return make_number(env, static_cast<double>(begin - arguments.scratch("scratch", 0)));
}

}  // namespace charnn
