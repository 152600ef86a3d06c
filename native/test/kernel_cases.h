// Inputs and expected results from the definition in test/reference/.
// test/backends/native/write-kernel-cases.ts writes the file and describes its format.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rnn/rnn.h"
#include "test/arrays.h"
#include "test/targets.h"

namespace charnn::test {

struct KernelCase {
  std::string kernel, title;
  std::map<std::string, Floats> floats;
  std::map<std::string, Integers> integers;
  std::map<std::string, std::vector<double>> doubles;

  bool has(const std::string& name) const { return floats.count(name) + integers.count(name) > 0; }
  /// An array of this name; empty where the case has none.
  Floats array(const std::string& name) const;
  /// A single number. Throws std::out_of_range where the case has none.
  size_t size(const std::string& name) const { return static_cast<size_t>(integers.at(name)[0]); }
  double number(const std::string& name) const { return doubles.at(name).at(0); }
  Cell cell() const { return static_cast<Cell>(size("cell type")); }
  /// What `name`, a rate and the two words of a key, makes; all zero where the case has none.
  Dropout dropout(const std::string& name) const;
  /// The results of these names that the case has, and all gradients.
  Expected expected(const std::vector<std::string>& names) const;
};

/// Throws std::runtime_error where the file can't be read.
std::vector<KernelCase> read_kernel_cases(const char* path);

}  // namespace charnn::test
