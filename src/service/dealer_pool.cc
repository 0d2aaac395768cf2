#include "dealer_pool.h"

#include <algorithm>

#include "program_bounds.h"
#include "smpc/base/error.h"
#include "smpc/correlation/dealer.h"
#include "smpc/crypto/kdf.h"

namespace smpc {
namespace {

// Bundles made in one pass over A: a pass costs as much for one as for many, but its bundles come all at its end.
constexpr std::size_t largest_batch = 32;
constexpr std::size_t first_batch = 8;  // of an empty pool that nobody waits for: somebody may come soon

// Of one instance, program and mask.
bool is_same(const Registration& a, const Registration& b) {
  return a.server == b.server && a.epoch == b.epoch && equal_in_constant_time(a.shared.reveal(), b.shared.reveal());
}

}  // namespace

std::size_t batch_size(std::size_t ready, std::size_t wanted, std::size_t have, std::size_t most) noexcept {
  if (wanted > have) return std::min({largest_batch, most, wanted - have});
  const std::size_t kept = std::min(ready, most);
  return kept > have ? std::min(have == 0 ? first_batch : largest_batch, kept - have) : 0;
}

bool DealerPool::holds(const Registration& r) {
  const std::scoped_lock lock(mutex_);
  const auto at = programs_.find({r.instance, r.program_hash, r.mask});
  return at != programs_.end() && is_same(at->second->registration, r);
}

void DealerPool::keep_only(const std::function<bool(const Registration&)>& keep) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(programs_, [&](const auto& entry) { return !keep(entry.second->registration); });
  changed_.notify_all();
}

void DealerPool::add(const Registration& r, Plan plan) {
  auto program = std::make_shared<Program>();
  program->registration = r;
  program->plan = std::move(plan);
  program->most = std::max<std::size_t>(1, std::min<std::uint64_t>(pool_bytes / (program->plan.correction_bytes() + 1),
                                                                   most_products / (products_of(program->plan) + 1)));
  const std::scoped_lock lock(mutex_);
  std::erase_if(programs_, [&](const auto& entry) {
    const Registration& old = entry.second->registration;
    return old.instance == r.instance &&
           (old.epoch != r.epoch || old.program_hash != r.program_hash || old.mask != r.mask);
  });
  auto& place = programs_[{r.instance, r.program_hash, r.mask}];
  // The same registration again keeps its bundles.
  if (!place || !is_same(place->registration, r)) place = std::move(program);
  changed_.notify_all();
}

std::vector<ReadyBundle> DealerPool::take(const BundleHeader& wanted, std::size_t count, Registration& found,
                                          const std::function<void(std::size_t)>& on_wait) {
  std::unique_lock lock(mutex_);
  const auto find = [&]() -> std::shared_ptr<Program> {
    const auto it = programs_.find({wanted.instance, wanted.program, wanted.mask});
    if (it == programs_.end() || it->second->registration.epoch != wanted.epoch) {
      throw Error(ErrorKind::no_bundles, "the program " + to_hex(wanted.program).substr(0, 12) +
                                             " is not registered here: a server registers it within half a minute of its or "
                                             "this dealer's start; try again then, or ask whether it uses this dealer");
    }
    return it->second;
  };
  auto program = find();
  program->failure.clear();  // another try
  program->wanted += count;
  struct Release {
    std::size_t& wanted;
    std::size_t count;
    ~Release() { wanted -= count; }
  } const release{program->wanted, count};
  changed_.notify_all();
  while (program->bundles.size() < count) {
    changed_.wait_for(lock, std::chrono::seconds(1), [&] {
      return stopping_ || !program->failure.empty() || program->bundles.size() >= count;
    });
    if (program->bundles.size() >= count) break;
    if (!program->failure.empty()) {
      throw Error(ErrorKind::no_bundles, "bundles of this program cannot be made here: " + program->failure);
    }
    if (stopping_) throw Error(ErrorKind::no_bundles, "this dealer is stopping; try again later");
    const std::size_t have = program->bundles.size();
    {
      struct Relock {
        std::unique_lock<std::mutex>& lock;
        ~Relock() { lock.lock(); }
      };
      lock.unlock();
      const Relock relock{lock};  // also when on_wait throws: Release needs the lock
      on_wait(have);
    }
    if (find() != program) {
      throw Error(ErrorKind::no_bundles, "the program was registered anew meanwhile; try again");
    }
  }
  std::vector<ReadyBundle> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(std::move(program->bundles.front()));
    program->bundles.pop_front();
  }
  found = program->registration;
  changed_.notify_all();
  return out;
}

void DealerPool::stop() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

// The program that lacks most; none when all pools are full.
std::shared_ptr<DealerPool::Program> DealerPool::next_to_fill() {
  std::shared_ptr<Program> best;
  std::size_t most = 0;
  for (const auto& [key, program] : programs_) {
    if (!program->failure.empty()) continue;
    const std::size_t target = std::max(std::min(ready_, program->most), program->wanted);
    const std::size_t lacking = target > program->bundles.size() ? target - program->bundles.size() : 0;
    if (lacking > most) {
      most = lacking;
      best = program;
    }
  }
  return best;
}

std::vector<ReadyBundle> DealerPool::made(const Program& program, std::size_t count) const {
  const Registration& r = program.registration;
  std::vector<ReadyBundle> bundles(count);
  std::vector<BundleSeeds> seeds;
  for (ReadyBundle& b : bundles) {
    os_random(b.serial);
    b.client_seed = random_key();
    BundleHeader h;
    h.instance = r.instance;
    h.epoch = r.epoch;
    h.program = r.program_hash;
    h.mask = r.mask;
    h.serial = b.serial;
    seeds.push_back({server_seed(h, r.shared), b.client_seed});
  }
  auto corrections = make_corrections(program.plan, mask_key(r.shared), seeds);
  for (std::size_t i = 0; i < count; ++i) bundles[i].corrections = std::move(corrections[i]);
  return bundles;
}

void DealerPool::generate(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::shared_ptr<Program> program;
    std::size_t count = 0;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return next_to_fill() != nullptr; })) return;
      program = next_to_fill();
      count = batch_size(ready_, program->wanted, program->bundles.size(), program->most);
    }
    std::vector<ReadyBundle> bundles;
    std::string failure;
    try {
      bundles = made(*program, count);
    } catch (const std::bad_alloc&) {
      failure = "out of memory";
    } catch (const std::exception& e) {
      failure = e.what();
    }
    if (!failure.empty()) {
      log_("program " + to_hex(program->registration.program_hash).substr(0, 12) + " of " + program->registration.server +
           ": its bundles cannot be made: " + failure);
    }
    const std::scoped_lock lock(mutex_);
    for (ReadyBundle& b : bundles) program->bundles.push_back(std::move(b));
    program->failure = failure;
    changed_.notify_all();
  }
}

}  // namespace smpc
