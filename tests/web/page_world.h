// A page's server in front of real dealer and server services, all in this process.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "image/nifti_writer.h"
#include "service/support.h"
#include "smpc/web/ui_server.h"
#include "web/http_client.h"

namespace smpc::testing {

// The model of tests/service on a grid of as many voxels in a row, 4 mm apart.
RandomModel model_on_grid(Reveal reveal);

class PageWorld {
 public:
  explicit PageWorld(Reveal reveal = Reveal::logits, const std::function<void(UiOptions&)>& change = {})
      : PageWorld(model_on_grid(reveal), change) {}
  explicit PageWorld(RandomModel mlp, const std::function<void(UiOptions&)>& change = {});
  ~PageWorld();
  PageWorld(const PageWorld&) = delete;
  PageWorld& operator=(const PageWorld&) = delete;

  World& world() { return world_; }
  const World& world() const { return world_; }
  UiServer& server() { return *server_; }
  std::uint16_t port() const { return server_->port(); }
  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port()); }
  std::string token() const;  // "/TOKEN/"
  void stop();                // waits for the server's end

  // A request as the page makes it, on a connection of its own. `path` is relative to "/TOKEN/".
  HttpReply get(const std::string& path, const std::string& more_headers = "");
  HttpReply post(const std::string& path, const std::string& body);
  std::string head(const std::string& method, const std::string& target, const std::string& more_headers = "") const;

  // What the page does, each step having succeeded.
  nlohmann::json upload(const std::string& content, const std::string& name = "scan.nii");
  std::string start_run(const nlohmann::json& request);
  std::vector<ServerEvent> events(const std::string& run);

  // A scan on the model's grid, of values that the model takes, and what the interpreter makes of each volume. `flipped`:
  // the same, stored from right to left.
  std::string scan(std::size_t volumes = 1, bool flipped = false) const;
  std::vector<RingVector> expected(std::size_t volumes = 1) const;

  std::filesystem::path temporary() const { return temporary_.path(); }  // TMPDIR of the upload

  // The lock of the client's state folder can be had at once.
  bool state_is_free();

 private:
  std::vector<double> voxels(std::size_t volumes) const;

  test::TemporaryFolder temporary_;
  test::TemporaryFolder page_;
  World world_;
  std::unique_ptr<UiServer> server_;
  std::thread thread_;
};

// Accepts clients and says nothing, at an address where a server was, until the end of the scope.
class SilentServer {
 public:
  SilentServer(World& world, const std::string& address);
  ~SilentServer();
  void wait_for_client() { came_.get_future().wait(); }

 private:
  std::once_flag first_;
  std::promise<void> came_;
  std::promise<void> over_;
  std::shared_future<void> until_{over_.get_future().share()};
  Listener listener_;
  std::thread thread_;
};

}  // namespace smpc::testing
