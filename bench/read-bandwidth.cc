// How fast memory is read: the median of rounds in which some threads pass over an array of one size
// many times, each over its own part.
//
//     read-bandwidth BYTES THREADS      prints GB/s
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int count, char** values) {
  if (count < 3) return 2;
  const size_t threads = std::strtoul(values[2], nullptr, 10);
  const size_t floats = std::strtoul(values[1], nullptr, 10) / sizeof(float) / threads / 64 * 64;
  const size_t passes = 1 + (size_t{1} << 27) / (floats + 1);
  std::vector<double> rates;
  for (int round = 0; round < 11; ++round) {
    std::atomic<size_t> ready{0};
    std::vector<double> seconds(threads);
    std::vector<float> sums(threads);
    auto read = [&](size_t index) {
      std::vector<float> own(floats, 1.0f);
      ++ready;
      while (ready < threads) {
      }
      auto start = std::chrono::steady_clock::now();
      // Sums enough that none of them waits for an addition.
      float lanes[64] = {};
      for (size_t pass = 0; pass < passes; ++pass)
        for (size_t i = 0; i < floats; i += 64)
          for (size_t lane = 0; lane < 64; ++lane) lanes[lane] += own[i + lane];
      std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      seconds[index] = taken.count();
      for (float lane : lanes) sums[index] += lane;
    };
    std::vector<std::thread> team;
    for (size_t index = 1; index < threads; ++index) team.emplace_back(read, index);
    read(0);
    for (std::thread& thread : team) thread.join();
    double rate = 0;
    for (size_t index = 0; index < threads; ++index)
      if (sums[index] > 0) rate += passes * floats * sizeof(float) / seconds[index];
    rates.push_back(rate);
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%.2f GB/s\n", rates[rates.size() / 2] / 1e9);
}
