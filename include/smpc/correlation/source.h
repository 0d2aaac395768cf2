// Where a protocol takes its correlations from. One source is one inference (of one or more volumes) of one party; each
// correlation is handed out once and taking it twice stops the process.
//
// For several volumes the values of all of them lie back to back: count * volumes.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/shares.h"
#include "smpc/crypto/random.h"

namespace smpc {

class CorrelationSource {
 public:
  virtual ~CorrelationSource() = default;
  virtual Party party() const noexcept = 0;
  virtual std::size_t volumes() const noexcept = 0;

  virtual OtSender ot_sender(std::size_t demand) = 0;      // the server's
  virtual OtReceiver ot_receiver(std::size_t demand) = 0;  // the client's
  virtual AndShare and_share(std::size_t demand) = 0;
  virtual SharedBitShare shared_bit(std::size_t demand) = 0;
  virtual BitProductShare bit_product(std::size_t demand) = 0;
  virtual PrivateBitsShare private_bits(std::size_t demand) = 0;
  virtual OpeningShare opening(std::size_t demand) = 0;
  virtual ProductShare product(std::size_t demand) = 0;
  virtual LookupShare lookup(std::size_t demand) = 0;
  virtual LinearServer linear_server(std::size_t demand) = 0;
  virtual LinearClient linear_client(std::size_t demand) = 0;
};

// What a client holds of one bundle: its seed, and the corrections with every linear op's share finished
// (finish_corrections).
struct ClientMaterial {
  Key seed;
  SecretBytes corrections;
};

// The same with corrections that are not in memory: `read` copies to.size() of their bytes, `from` on.
struct StoredMaterial {
  Key seed;
  std::function<void(std::size_t from, std::span<std::byte> to)> read;
};

// From the dealer's bundles, one per volume. `plan` must outlive the source. What is stored is read correlation by
// correlation, when it is asked for.
std::unique_ptr<CorrelationSource> server_source(const Plan& plan, std::vector<Key> seeds);
std::unique_ptr<CorrelationSource> client_source(const Plan& plan, std::vector<ClientMaterial> bundles);
std::unique_ptr<CorrelationSource> client_source(const Plan& plan, std::vector<StoredMaterial> bundles);

}  // namespace smpc
