// The client: holds a volume, learns the result it is entitled to.
//
// It learns program and masked weights from the server (once per model) and takes bundles from the dealer; with those it
// finishes its shares of every linear map, before any volume exists, and stores them encrypted. An inference marks its
// bundles spent, durably, before the first byte that depends on them leaves.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "smpc/net/channel.h"
#include "smpc/net/identity.h"
#include "smpc/program/program.h"
#include "smpc/service/approved_programs.h"
#include "smpc/service/client_progress.h"

namespace smpc {

struct ClientOptions {
  std::string server = "127.0.0.1:7200";
  std::string server_name;  // what the server's certificate is valid for, where it is not the host dialled; empty: that host
  std::string dealer = "127.0.0.1:7100";
  std::filesystem::path state;
  std::chrono::milliseconds patience{60'000};  // for another command of the same user to leave the state folder
  ApprovedPrograms approved{};                 // what the client takes part in; else whatever the server runs
  // Called often, from the thread that works.
  std::function<void(const ClientProgress&)> progress = [](const ClientProgress&) {};
};

// What cancel() makes of the call in progress.
class Cancelled : public Error {
 public:
  Cancelled() : Error(ErrorKind::peer, "cancelled") {}
};

// What the parties opened is no result: one of them did not do as the program says. It is found when the server has heard all
// that it will hear of these volumes, and says nothing of the connection: whoever goes on does so as after a result.
class InvalidResult : public Error {
 public:
  InvalidResult(std::size_t volume, std::size_t classes)
      : Error(ErrorKind::peer, "the server or the dealer: expected a class below " + std::to_string(classes) +
                                   " for volume " + std::to_string(volume) + " of this inference, found none: one of them is faulty or dishonest") {}
};

struct PhaseCost {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  double seconds = 0;
};

struct ClientCost {
  PhaseCost online;            // after READY
  std::uint64_t messages = 0;  // of the inference, both directions
  std::uint64_t rounds = 0;    // messages in sequence
  PhaseCost offline;           // bundles taken now
  PhaseCost setup;             // program and masked weights fetched now
  PhaseCost control;           // handshake messages, above TLS
};
// What came after `before`, of one client.
ClientCost operator-(const ClientCost& after, const ClientCost& before) noexcept;

struct VolumeResult {
  std::size_t index = 0;       // of the class, where the outputs are classes
  std::vector<double> logits;  // when the server reveals them: the outputs, back to back
};

class ClientService {
 public:
  ClientService(const Identity& identity, ClientOptions options);
  ~ClientService();

  // Where programs are approved: the one that the server will be held to, which a volume is to be judged by before anybody is
  // connected to. Where it is not stored, or several are approved and the server was not there before, it is learned in a
  // session that ends here; so call it before any volume is read. Null: no program was pinned.
  const Program* pinned();

  // Asks the server what it runs, and fetches the program unless it is stored. Before everything else but pinned().
  const Program& connect();

  // Makes sure that masked weights and `count` unused bundles are stored. Returns how many are.
  std::size_t prefetch(std::size_t count);

  // Runs the program on `count` quantised volumes (runtime/interpreter.h: quantise). Bundles that are not stored are
  // taken from the dealer first; all of them are there before anything is spent. `next` is called once for each volume,
  // in order, and a batch (service/limits.h) is held at a time. What it throws ends the inference: the volumes of
  // earlier batches have been computed then, and none of this one.
  std::vector<VolumeResult> infer(std::size_t count, const std::function<RingVector()>& next);
  std::vector<VolumeResult> infer(const std::vector<RingVector>& volumes);

  // A volume was refused by the rule "range", "norm", "mask", "grid" or "input" of the program, which is known: into the audit log.
  void record_refusal(std::string_view rule);

  // Takes leave of the server. The next call comes to it again.
  void disconnect() noexcept;

  // From any thread: the call in progress and every later one ends with Cancelled, at its next wait for a peer or its next
  // report of progress. An attempt to connect first comes to its end. What was spent by then stays spent.
  void cancel() noexcept;

  // After connect(): what is stored.
  std::size_t bundles() const;
  bool has_masked_weights() const;

  const ClientCost& cost() const noexcept;
  const std::string& server_identity() const noexcept;
  std::string program_hash() const;
  std::string mask() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
