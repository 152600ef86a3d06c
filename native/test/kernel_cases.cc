#include "test/kernel_cases.h"

#include <fstream>
#include <stdexcept>

namespace charnn::test {
namespace {

class Reader {
 public:
  explicit Reader(const char* path) : path_(path), file_(path, std::ios::binary) {
    if (!file_) fail();
  }

  bool is_at_end() { return file_.peek() == std::ifstream::traits_type::eof(); }
  uint32_t number() {
    uint32_t value;
    bytes(&value, sizeof value);
    return value;
  }
  std::string text() {
    std::string value(number(), ' ');
    bytes(value.data(), value.size());
    return value;
  }
  void array(KernelCase& into) {
    const std::string name = text();
    char type;
    bytes(&type, 1);
    const size_t length = number();
    if (type == 'f') {
      Floats& values = into.floats[name] = Floats(length);
      bytes(values.data(), length * sizeof(float));
    } else if (type == 'i') {
      Integers& values = into.integers[name] = Integers(length);
      bytes(values.data(), length * sizeof(int32_t));
    } else if (type == 'd') {
      std::vector<double>& values = into.doubles[name];
      values.resize(length);
      bytes(values.data(), length * sizeof(double));
    } else {
      fail();
    }
  }

 private:
  void bytes(void* to, size_t count) {
    if (!file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count))) fail();
  }
  [[noreturn]] void fail() { throw std::runtime_error("These are no cases: " + path_); }

  std::string path_;
  std::ifstream file_;
};

}  // namespace

Floats KernelCase::array(const std::string& name) const {
  const auto found = floats.find(name);
  return found == floats.end() ? Floats() : found->second;
}

Dropout KernelCase::dropout(const std::string& name) const {
  const auto found = doubles.find(name);
  if (found == doubles.end()) return {};
  const std::vector<double>& values = found->second;
  return {values.at(0), {static_cast<uint32_t>(values.at(1)), static_cast<uint32_t>(values.at(2))}};
}

Expected KernelCase::expected(const std::vector<std::string>& names) const {
  Expected result;
  for (const auto& [name, values] : doubles) {
    bool wanted = name.rfind("gradient ", 0) == 0 || name.rfind("slopes ", 0) == 0;
    for (const std::string& each : names) wanted = wanted || each == name;
    if (wanted) result.push_back({name, values});
  }
  return result;
}

std::vector<KernelCase> read_kernel_cases(const char* path) {
  Reader reader(path);
  std::vector<KernelCase> cases;
  while (!reader.is_at_end()) {
    KernelCase& each = cases.emplace_back();
    each.kernel = reader.text();
    each.title = reader.text();
    for (uint32_t count = reader.number(); count > 0; --count) reader.array(each);
  }
  if (cases.empty()) throw std::runtime_error(std::string("There are no cases in ") + path);
  return cases;
}

}  // namespace charnn::test
