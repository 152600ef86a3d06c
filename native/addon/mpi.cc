// What JavaScript calls of MPI.
#include "mpi/mpi.h"

#include <atomic>
#include <climits>

#include "addon/functions.h"
#include "addon/instance.h"
#include "addon/values.h"

namespace charnn {
namespace {

constexpr size_t kMaxExitCode = 255;

/// MPI can be started once in a process, whatever instance does it.
std::atomic<bool> was_opened{false};

Mpi& open_mpi_of(napi_env env) {
  Mpi* mpi = instance_of(env).mpi.get();
  if (mpi == nullptr) throw std::runtime_error("MPI is not open.");
  return *mpi;
}

/// Throws BadArgument unless parts of these lengths, one for each process, fill `length` bytes.
void check_lengths(const char* name, const int32_t* lengths, const Mpi& mpi, size_t length) {
  size_t sum = 0;
  for (int rank = 0; rank < mpi.size(); ++rank) {
    if (lengths[rank] < 0) throw BadArgument(std::string(name) + " must not be below 0.");
    sum += static_cast<size_t>(lengths[rank]);
  }
  if (sum != length)
    throw BadArgument(std::string(name) + " must add up to " + std::to_string(length) +
                      " bytes, not to " + std::to_string(sum) + ".");
  if (sum > INT_MAX) throw BadArgument(std::string(name) + " must add up to less than 2 GiB.");
}

}  // namespace

napi_value open_mpi(napi_env env, const Arguments& arguments) {
  const std::vector<std::string> libraries = arguments.texts("libraries");
  if (was_opened.exchange(true)) throw std::runtime_error("MPI was opened before.");
  std::unique_ptr<Mpi>& mpi = instance_of(env).mpi;
  try {
    mpi = std::make_unique<Mpi>(libraries);
  } catch (const MpiUnavailable&) {
    was_opened = false;
    throw;
  }
  napi_value result;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "rank", make_number(env, mpi->rank()));
  napi_set_named_property(env, result, "size", make_number(env, mpi->size()));
  napi_set_named_property(env, result, "file", make_text(env, mpi->file()));
  napi_set_named_property(env, result, "version", make_text(env, mpi->library_version()));
  return result;
}

napi_value exchange_bytes(napi_env env, const Arguments& arguments) {
  Mpi& mpi = open_mpi_of(env);
  const size_t count = static_cast<size_t>(mpi.size());
  size_t sent_length, received_length;
  const uint8_t* sent = arguments.bytes("sent", &sent_length);
  const int32_t* sent_lengths = arguments.integers("sentLengths", count);
  uint8_t* received = arguments.bytes("received", &received_length);
  const int32_t* received_lengths = arguments.integers("receivedLengths", count);
  arguments.hold_arrays();
  check_lengths("sentLengths", sent_lengths, mpi, sent_length);
  check_lengths("receivedLengths", received_lengths, mpi, received_length);
  mpi.exchange(sent, sent_lengths, received, received_lengths);
  return nullptr;
}

napi_value gather_bytes(napi_env env, const Arguments& arguments) {
  Mpi& mpi = open_mpi_of(env);
  size_t own_length, received_length;
  const uint8_t* own = arguments.bytes("own", &own_length);
  uint8_t* received = arguments.bytes("received", &received_length);
  const int32_t* lengths = arguments.integers("receivedLengths", static_cast<size_t>(mpi.size()));
  arguments.hold_arrays();
  check_lengths("receivedLengths", lengths, mpi, received_length);
  if (static_cast<size_t>(lengths[mpi.rank()]) != own_length)
    throw BadArgument("own must have as many bytes as receivedLengths says.");
  mpi.gather(own, received, lengths);
  return nullptr;
}

napi_value broadcast_bytes(napi_env env, const Arguments& arguments) {
  Mpi& mpi = open_mpi_of(env);
  size_t length;
  const size_t root = arguments.size("root", 0, static_cast<size_t>(mpi.size() - 1));
  uint8_t* bytes = arguments.bytes("bytes", &length);
  arguments.hold_arrays();
  mpi.broadcast(bytes, length, static_cast<int>(root));
  return nullptr;
}

napi_value abort_mpi(napi_env env, const Arguments& arguments) {
  const size_t code = arguments.size("code", 0, kMaxExitCode);
  open_mpi_of(env).abort(static_cast<int>(code));
}

napi_value close_mpi(napi_env env, const Arguments&) {
  std::unique_ptr<Mpi> mpi = std::move(instance_of(env).mpi);
  if (mpi != nullptr) mpi->finalize();
  return nullptr;
}

}  // namespace charnn
