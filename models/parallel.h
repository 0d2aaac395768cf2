// Loops over independent pieces of work. A piece is the same whoever does it, and sums over pieces are taken
// afterwards in their order: so results do not depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace smpc::demo {

// The processors there are, at most 16.
inline unsigned default_threads() noexcept { return std::clamp(std::thread::hardware_concurrency(), 1U, 16U); }

// Calls work(piece, worker) for every piece in [0, pieces), worker in [0, threads). `work` must not throw.
template <class Work>
void for_pieces(std::size_t pieces, unsigned threads, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto run = [&](unsigned worker) noexcept {
    for (std::size_t piece = next++; piece < pieces; piece = next++) work(piece, worker);
  };
  std::vector<std::jthread> others;
  for (unsigned worker = 1; worker < threads && worker < pieces; ++worker) others.emplace_back(run, worker);
  run(0);
}

}  // namespace smpc::demo
