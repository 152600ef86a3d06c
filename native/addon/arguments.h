// What JavaScript hands over, checked before it is used: a wrong argument is an exception, never a
// wrong pointer.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "linalg/panels.h"

namespace charnn {

/// A wrong argument; becomes a TypeError.
class BadArgument : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The properties of an object that a function is called with.
class Arguments {
 public:
  Arguments(napi_env env, napi_value object)
      : env_(env), object_(object), arrays_(std::make_shared<std::vector<SeenArray>>()) {}

  bool has(const char* name) const;
  /// A number.
  double number(const char* name) const;
  /// A whole number from `least` to `most`.
  size_t size(const char* name, size_t least, size_t most) const;
  bool flag(const char* name) const;
  std::string text(const char* name) const;
  /// An array of strings of any length, without NUL characters.
  std::vector<std::string> texts(const char* name) const;
  /// A Float32Array of exactly `length` numbers.
  float* floats(const char* name, size_t length) const;
  /// Likewise, or null where it is not given.
  float* floats_or_null(const char* name, size_t length) const;
  /// A Uint8Array, whose length is stored in `length`.
  uint8_t* bytes(const char* name, size_t* length) const;
  /// An Int32Array of exactly `length` numbers.
  int32_t* integers(const char* name, size_t length) const;
  /// A Uint8Array of exactly `length` bytes.
  uint8_t* bytes(const char* name, size_t length) const;
  /// Likewise, or null where it is not given.
  uint8_t* bytes_or_null(const char* name, size_t length) const;
  /// An object with `data`, `offset` and `stride` that has room for this many panels and rows.
  Panels panels(const char* name, size_t panels, size_t rows) const;
  Arguments object(const char* name) const;
  /// The elements of an array of objects, of which there must be `count`.
  Arguments element(const char* name, size_t index, size_t count) const;
  /// A Float32Array of at least `length` numbers that begins at a multiple of 64 bytes.
  float* scratch(const char* name, size_t length) const;

  /// Checks that all arrays that were handed out are still where they were: a property may be a
  /// function that has taken away the memory of an array read before. To be called after the last
  /// property was read, before the arrays are used.
  void hold_arrays() const;

 private:
  struct SeenArray {
    napi_value value;
    void* data;
    size_t length;
  };

  Arguments(napi_env env, napi_value object, std::shared_ptr<std::vector<SeenArray>> arrays)
      : env_(env), object_(object), arrays_(std::move(arrays)) {}

  napi_value get(const char* name) const;
  void* typed_array(const char* name, napi_typedarray_type type, const char* type_name,
                    size_t* length) const;

  napi_env env_;
  napi_value object_;
  /// Shared by an object and those in it.
  std::shared_ptr<std::vector<SeenArray>> arrays_;
};

}  // namespace charnn
