// The dealer's bundles: one pool per registered program, filled by one thread, emptied by clients.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <tuple>
#include <vector>

#include "smpc/correlation/bundle.h"
#include "smpc/correlation/plan.h"
#include "smpc/service/dealer.h"

namespace smpc {

// What a server registered.
struct Registration {
  std::string server;  // identity
  Instance instance{};
  std::uint64_t epoch = 0;
  Digest program_hash{};
  MaskId mask{};
  Bytes program;  // canonical
  Key shared;
};

struct ReadyBundle {
  Serial serial;
  Key client_seed;
  SecretBytes corrections;
};

// How many bundles to make in one pass over A, where a pool has `have` of the `ready` that it keeps and clients wait for
// `wanted`: what clients wait for, else what the pool lacks; `most` at once, which is also the most that it keeps. 0: none.
std::size_t batch_size(std::size_t ready, std::size_t wanted, std::size_t have, std::size_t most) noexcept;

// A program's bundles take no more than this of memory, and are made no more than so many bytes at once, unless one alone takes more.
constexpr std::size_t pool_bytes = std::size_t{256} << 20;

class DealerPool {
 public:
  explicit DealerPool(std::size_t ready, Log log = [](const std::string&) {}) : ready_(ready), log_(std::move(log)) {}

  // Whether that very registration is here.
  bool holds(const Registration& registration);
  // A server state serves one program at a time: this replaces whatever it registered before. `plan`: the program's.
  void add(const Registration& registration, Plan plan);
  // Forgets the registrations of which `keep` is false.
  void keep_only(const std::function<bool(const Registration&)>& keep);

  // Waits until `count` bundles are there, calling on_wait with how many are about once a second; then takes them.
  // Throws no_bundles when nobody registered that program, or it is withdrawn meanwhile, or its bundles cannot be made.
  std::vector<ReadyBundle> take(const BundleHeader& wanted, std::size_t count, Registration& found,
                                const std::function<void(std::size_t)>& on_wait);

  // The filling thread's body. A program whose bundles cannot be made is logged and left alone until somebody asks for some.
  void generate(std::stop_token stop);
  void stop();                          // from now on take() throws no_bundles rather than wait

 private:
  struct Program {
    Registration registration;
    Plan plan;
    std::size_t most = 0;  // bundles, in pool_bytes; and of most_products in one pass
    std::deque<ReadyBundle> bundles;
    std::size_t wanted = 0;  // by clients that wait
    std::string failure;     // why the last pass gave nothing
  };
  using ProgramKey = std::tuple<Instance, Digest, MaskId>;
  std::shared_ptr<Program> next_to_fill();
  std::vector<ReadyBundle> made(const Program& program, std::size_t count) const;

  std::size_t ready_;
  Log log_;
  bool stopping_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<ProgramKey, std::shared_ptr<Program>> programs_;
};

}  // namespace smpc
