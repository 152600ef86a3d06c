#include "addon/arguments.h"

#include <cmath>

namespace charnn {

namespace {

std::string expected(const char* name, const std::string& what) {
  return std::string(name) + " must be " + what + ".";
}

void check(napi_status status, const char* name) {
  if (status != napi_ok) throw BadArgument(std::string(name) + " can't be read.");
}

}  // namespace

napi_value Arguments::get(const char* name) const {
  napi_value value;
  check(napi_get_named_property(env_, object_, name, &value), name);
  return value;
}

bool Arguments::has(const char* name) const {
  napi_valuetype type;
  check(napi_typeof(env_, get(name), &type), name);
  return type != napi_undefined && type != napi_null;
}

double Arguments::number(const char* name) const {
  double value;
  if (napi_get_value_double(env_, get(name), &value) != napi_ok)
    throw BadArgument(expected(name, "a number"));
  return value;
}

size_t Arguments::size(const char* name, size_t least, size_t most) const {
  double value = number(name);
  // Written so that what is not a number is refused.
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) ||
      value != std::floor(value))
    throw BadArgument(expected(
        name, "a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
  return static_cast<size_t>(value);
}

bool Arguments::flag(const char* name) const {
  bool value;
  if (napi_get_value_bool(env_, get(name), &value) != napi_ok)
    throw BadArgument(expected(name, "true or false"));
  return value;
}

std::string Arguments::text(const char* name) const {
  char buffer[64];
  size_t length;
  if (napi_get_value_string_utf8(env_, get(name), buffer, sizeof buffer, &length) != napi_ok)
    throw BadArgument(expected(name, "a string"));
  return std::string(buffer, length);
}

std::vector<std::string> Arguments::texts(const char* name) const {
  napi_value array = get(name);
  uint32_t count;
  if (napi_get_array_length(env_, array, &count) != napi_ok)
    throw BadArgument(expected(name, "an array of strings"));
  std::vector<std::string> texts;
  for (uint32_t index = 0; index < count; ++index) {
    napi_value value;
    size_t length;
    check(napi_get_element(env_, array, index, &value), name);
    if (napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok)
      throw BadArgument(expected(name, "an array of strings"));
    // With room for the NUL that the call writes.
    std::string text(length + 1, '\0');
    check(napi_get_value_string_utf8(env_, value, text.data(), text.size(), &length), name);
    text.resize(length);
    if (text.find('\0') != std::string::npos)
      throw BadArgument(expected(name, "strings without NUL characters"));
    texts.push_back(std::move(text));
  }
  return texts;
}

void* Arguments::typed_array(const char* name, napi_typedarray_type type, const char* type_name,
                             size_t* length) const {
  napi_value value = get(name);
  bool is_typed_array = false;
  napi_typedarray_type actual;
  void* data = nullptr;
  check(napi_is_typedarray(env_, value, &is_typed_array), name);
  if (!is_typed_array) throw BadArgument(expected(name, type_name));
  check(napi_get_typedarray_info(env_, value, &actual, length, &data, nullptr, nullptr), name);
  if (actual != type) throw BadArgument(expected(name, type_name));
  arrays_->push_back({value, data, *length});
  return data;
}

void Arguments::hold_arrays() const {
  for (const SeenArray& seen : *arrays_) {
    size_t length;
    void* data;
    if (napi_get_typedarray_info(env_, seen.value, nullptr, &length, &data, nullptr, nullptr) !=
            napi_ok ||
        data != seen.data || length != seen.length)
      throw BadArgument("An array changed its memory while others were read.");
  }
}

namespace {

std::string sized(const char* type_name, size_t length, size_t actual) {
  return std::string(type_name) + " of " + std::to_string(length) + ", not of " +
         std::to_string(actual);
}

}  // namespace

float* Arguments::floats(const char* name, size_t length) const {
  size_t actual;
  void* data = typed_array(name, napi_float32_array, "a Float32Array", &actual);
  if (actual != length) throw BadArgument(expected(name, sized("a Float32Array", length, actual)));
  return static_cast<float*>(data);
}

float* Arguments::floats_or_null(const char* name, size_t length) const {
  return has(name) ? floats(name, length) : nullptr;
}

uint8_t* Arguments::bytes(const char* name, size_t* length) const {
  return static_cast<uint8_t*>(typed_array(name, napi_uint8_array, "a Uint8Array", length));
}

int32_t* Arguments::integers(const char* name, size_t length) const {
  size_t actual;
  void* data = typed_array(name, napi_int32_array, "an Int32Array", &actual);
  if (actual != length) throw BadArgument(expected(name, sized("an Int32Array", length, actual)));
  return static_cast<int32_t*>(data);
}

uint8_t* Arguments::bytes(const char* name, size_t length) const {
  size_t actual;
  void* data = typed_array(name, napi_uint8_array, "a Uint8Array", &actual);
  if (actual != length) throw BadArgument(expected(name, sized("a Uint8Array", length, actual)));
  return static_cast<uint8_t*>(data);
}

uint8_t* Arguments::bytes_or_null(const char* name, size_t length) const {
  return has(name) ? bytes(name, length) : nullptr;
}

float* Arguments::scratch(const char* name, size_t length) const {
  size_t actual;
  void* data = typed_array(name, napi_float32_array, "a Float32Array", &actual);
  if (actual < length)
    throw BadArgument(expected(name, sized("a Float32Array", length, actual) + " or more"));
  if (reinterpret_cast<uintptr_t>(data) % 64 != 0)
    throw BadArgument(expected(name, "an array that begins at a multiple of 64 bytes"));
  return static_cast<float*>(data);
}

Panels Arguments::panels(const char* name, size_t panels, size_t rows) const {
  Arguments parts = object(name);
  size_t length;
  void* data = parts.typed_array("data", napi_float32_array, "a Float32Array", &length);
  size_t offset = parts.size("offset", 0, length);
  size_t stride = parts.size("stride", 0, length);
  if ((panels - 1) * stride + rows * kVectorWidth > length - offset)
    throw BadArgument(expected(name, std::to_string(panels) + " panels of " + std::to_string(rows) +
                                         " rows inside their array"));
  return {static_cast<float*>(data) + offset, stride};
}

Arguments Arguments::object(const char* name) const {
  napi_value value = get(name);
  napi_valuetype type;
  check(napi_typeof(env_, value, &type), name);
  if (type != napi_object) throw BadArgument(expected(name, "an object"));
  return Arguments(env_, value, arrays_);
}

Arguments Arguments::element(const char* name, size_t index, size_t count) const {
  napi_value array = get(name);
  uint32_t length = 0;
  if (napi_get_array_length(env_, array, &length) != napi_ok || length != count)
    throw BadArgument(expected(name, "an array of " + std::to_string(count)));
  napi_value value;
  check(napi_get_element(env_, array, static_cast<uint32_t>(index), &value), name);
  napi_valuetype type;
  check(napi_typeof(env_, value, &type), name);
  if (type != napi_object) throw BadArgument(expected(name, "an array of objects"));
  return Arguments(env_, value, arrays_);
}

}  // namespace charnn
