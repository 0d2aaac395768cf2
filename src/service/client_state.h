// What a client keeps on disk: programs, masked weights, and bundles, each encrypted under a key of its own that is
// wiped when the bundle is spent.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "audit_log.h"
#include "database.h"
#include "smpc/correlation/bundle.h"
#include "smpc/correlation/source.h"
#include "smpc/service/approved_programs.h"

namespace smpc {

// A bundle that waits to be used: the header's bytes go to the server, the material, which stays sealed on the disk until it
// is read, to the protocol.
struct ClientBundle {
  BundleHeader header;
  Bytes header_bytes;
  StoredMaterial material;
};

constexpr std::size_t seed_bytes = 32;  // of a bundle's contents, before the corrections

// A bundle to be stored: seed and corrections, sealed in pieces (smpc/crypto/sealed_pieces.h) with the header bound to them.
struct SealedBundle {
  BundleHeader header;
  Bytes header_bytes;
  Key key;
  std::size_t pieces = 0;
  std::function<Bytes(std::size_t)> piece;  // by its number
};

// Which bundles fit: those of this server, program and mask.
struct BundleFilter {
  Instance instance{};
  std::uint64_t epoch = 0;
  Digest program{};
  MaskId mask{};
};

class ClientState {
 public:
  explicit ClientState(std::filesystem::path folder);

  std::optional<Bytes> program(const Digest& hash);
  void store_program(const Digest& hash, ByteView bytes);
  // What was offered last at an address. remember() writes where that has changed.
  std::optional<Offer> last_offer(const std::string& address);
  void remember(const std::string& address, const Offer& offer);

  std::filesystem::path masked_weights(const MaskId& mask) const;       // where they are when whole
  std::filesystem::path masked_weights_part(const MaskId& mask) const;  // while they come

  void store(const std::vector<SealedBundle>& bundles);
  std::size_t available(const BundleFilter& filter);
  // The oldest `count`, with so many bytes of corrections, that open; those that do not (damaged, foreign) are set aside for
  // good. Fewer when there are fewer. They are used while this state exists.
  std::vector<ClientBundle> open(const BundleFilter& filter, std::size_t corrections, std::size_t count);
  // Durably: afterwards they are never opened again and their keys are gone; the audit log says that an inference has
  // begun with them. Refused, and none of them spent, when one is spent already.
  void spend(const AuditSubject& subject);
  // The same for bundles that nothing is sent under; what is spent already stays so.
  void set_aside(const std::vector<Serial>& serials);
  // In the audit log, durably.
  void record_end(const AuditSubject& subject, const Traffic& run) { audit_.completed(subject, run); }
  void record_failure(const AuditSubject& subject, const Traffic& run) noexcept { audit_.failed(subject, run); }
  void record_refusal(const AuditSubject& subject, std::string_view rule) { audit_.refused(subject, rule); }
  // Writes a value that is there already, so that the write-ahead log is begun and its folder synced before a server
  // waits for spend().
  void prepare_to_spend();
  // Sets aside what has expired, clears the contents of all that is spent, by this command or an earlier one that was cut
  // short, and empties the write-ahead log, in which keys may still stand.
  void forget_spent();

 private:
  std::optional<ClientBundle> opened(std::int64_t row, std::size_t corrections);
  std::size_t spend_serials(const std::vector<Serial>& serials);  // how many were unspent
  std::filesystem::path folder_;
  Database db_;
  AuditLog audit_{db_};
};

}  // namespace smpc
