#include "smpc/clinic/study.h"

namespace smpc {
namespace {

class Asking : public StudyClient {
 private:
  // After an error the next call begins anew, with whatever the server runs then.
  template <class F>
  auto guarded(F f) {
    if (!client_) client_.emplace(identity_, options_);
    try {
      return f(*client_);
    } catch (const InvalidResult&) {
      throw;  // the server sees what it sees after a result
    } catch (...) {
      client_.reset();
      throw;
    }
  }

 public:
  Asking(const Identity& identity, ClientOptions options) : identity_(identity), options_(std::move(options)) {}

  std::string program() override {
    return guarded([&](ClientService& client) {
      if (client.pinned() != nullptr) return client.program_hash();  // the server will be held to it, and need not be asked
      client.connect();
      // A session that waits for the first scan to be read would come to the server's deadline.
      client.disconnect();
      return client.program_hash();
    });
  }

  ScanOutcome ask(const std::filesystem::path& scan, const ScanOptions& options) override {
    run_.emplace(scan, options);
    return guarded([&](ClientService& client) { return run_->infer(client, identity_); });
  }

  SecretVector<double> volume(std::size_t i) override { return run_->volume(i); }

 private:
  const Identity& identity_;
  ClientOptions options_;
  std::optional<ClientService> client_;
  std::optional<ScanRun> run_;
};

}  // namespace

std::unique_ptr<StudyClient> study_client(const Identity& identity, ClientOptions options) {
  return std::make_unique<Asking>(identity, std::move(options));
}

}  // namespace smpc
