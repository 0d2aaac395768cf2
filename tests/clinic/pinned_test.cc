// A server whose program refuses a volume: what it sees of a client that has approved the program, and what the client's audit
// log says.
#include <nlohmann/json.hpp>

#include "image/nifti_writer.h"
#include "service/support.h"
#include "smpc/clinic/input_run.h"
#include "smpc/clinic/scan_run.h"
#include "smpc/clinic/study.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/service/audit.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::failure_of;
using testing::NiftiSpec;
using testing::RandomModel;
using testing::TemporaryFile;

// A server that counts the sessions that clients begin. It needs no dealer for what is asked of it here.
class CountedServer {
 public:
  explicit CountedServer(const RandomModel& m)
      : service_(test::authority().identity(Role::server), m.program, m.weights, options(state_.path())),
        served_(test::authority().identity(Role::server), test::allowing({Role::client}),
                [this](Channel& channel, const PeerName& peer) { service_.serve(channel, peer); }) {}
  std::string address() const { return served_.address(); }
  int sessions() const { return served_.sessions(); }

 private:
  static ServerOptions options(const std::filesystem::path& state) {
    ServerOptions o;
    o.listen = "127.0.0.1:0";
    o.state = state;
    return o;
  }
  const test::TemporaryFolder state_;
  ServerService service_;
  test::Served served_;
};

// The model of tests/service on a grid of voxels in a row, 4 mm apart; its last voxel, one more, lies outside a mask.
RandomModel picky_model() {
  RandomModel m = testing::model(Reveal::label);
  const std::size_t inside = m.program.input().count;
  m.program.inputs[0].shape = {inside + 1};
  m.program.input_mask.assign((inside + 8) / 8, std::byte{0});
  for (std::size_t i = 0; i < inside; ++i) m.program.input_mask[i / 8] |= static_cast<std::byte>(1U << (i % 8));
  m.program.grid = Grid{{static_cast<std::uint32_t>(inside + 1), 1, 1}, {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1}};
  m.program.input_norm = m.program.inputs[0].high * 1.5;
  return m;
}

std::string npy_of(const std::vector<double>& values) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }";
  header += std::string(64 - (10 + header.size() + 1) % 64, ' ') + "\n";
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() % 256);
  out += static_cast<char>(header.size() / 256);
  out += header;
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return out;
}

class PinnedProgram : public ::testing::Test {
 protected:
  PinnedProgram() : model_(picky_model()), server_(model_), alice_(Identity::load(test::authority().issue("alice", Role::client), Role::client)) {}

  struct Refused {
    std::string rule;  // in the audit log
    std::vector<double> voxels;
    double shift = 0;  // of the grid, in mm
  };
  // Each breaks one rule of the program.
  std::vector<Refused> refused() const {
    const double high = model_.program.inputs[0].high;
    const std::vector<double> good(model_.program.whole_input());
    std::vector<Refused> out{{"range", good}, {"norm", good}, {"mask", good}, {"grid", good, 4}};
    out[0].voxels[3] = 2 * high;
    for (std::size_t i = 0; i < 4; ++i) out[1].voxels[i] = high;  // twice the range, above 1.5 of it
    out[2].voxels.back() = high / 2;
    return out;
  }
  std::string scan(const Refused& of) const {
    NiftiSpec spec;
    spec.dim = {3, static_cast<std::int64_t>(of.voxels.size()), 1, 1, 1, 1, 1, 1};
    spec.datatype = DT_FLOAT64;
    spec.bitpix = 64;
    spec.srow[3] += of.shift;
    return nifti_file(spec, of.voxels);
  }
  ClientOptions options(bool pinned) const {
    ClientOptions o;
    o.server = server_.address();
    o.dealer = "127.0.0.1:1";
    o.state = state_.path() / "alice";
    if (pinned) o.approved = ApprovedPrograms::only(program_hash(model_.program));
    return o;
  }
  // The program is stored, as after smpc-client approve.
  void look_at_program() { ClientService(alice_, options(false)).connect(); }
  std::string refusal_of(const Refused& of, bool pinned) {
    const TemporaryFile file(scan(of));
    const auto failure = failure_of([&] {
      ScanRun run(file.path(), {});
      ClientService client(alice_, options(pinned));
      run.infer(client, alice_);
    });
    EXPECT_TRUE(failure && failure->kind == ErrorKind::bad_input) << of.rule;
    return failure ? failure->text : "";
  }
  std::vector<json> records() const {
    std::vector<json> out;
    read_audit(state_.path() / "alice", Role::client, [&](std::string_view line) { out.push_back(json::parse(line)); });
    return out;
  }

  RandomModel model_;
  CountedServer server_;
  const test::TemporaryFolder state_;
  Identity alice_;
};

TEST_F(PinnedProgram, ARefusedScanBringsNobodyToTheServer) {
  look_at_program();
  ASSERT_EQ(server_.sessions(), 1);
  for (const Refused& one : refused()) refusal_of(one, true);
  EXPECT_EQ(server_.sessions(), 1);
  // Without it the server sees each of them come and go.
  for (const Refused& one : refused()) refusal_of(one, false);
  EXPECT_EQ(server_.sessions(), 5);
}

TEST_F(PinnedProgram, EachRefusalIsInTheAuditLogByItsRuleAlone) {
  look_at_program();
  const auto cases = refused();
  for (const Refused& one : cases) refusal_of(one, true);
  refusal_of(cases[0], false);
  const auto log = records();
  ASSERT_EQ(log.size(), 5U);
  const std::set<std::string> known{"record", "previous", "time", "event", "peer", "program", "reveal", "bundles", "refusal"};
  for (std::size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i]["event"], "refused");
    EXPECT_EQ(log[i]["refusal"], "volume: " + cases[i % 4].rule);
    EXPECT_EQ(log[i]["program"], to_hex(program_hash(model_.program)));
    EXPECT_EQ(log[i]["peer"], "urn:smpc:server:server");
    EXPECT_TRUE(log[i]["bundles"].empty());
    for (const auto& [key, value] : log[i].items()) EXPECT_TRUE(known.contains(key)) << key;
  }
  const AuditSummary summary = verify_audit(state_.path() / "alice", Role::client, {});
  EXPECT_EQ(summary.records, 5U);
  EXPECT_EQ(summary.refused, 5U);
}

TEST_F(PinnedProgram, ArraysAreJudgedBeforeAnybodyIsConnectedToAsWell) {
  look_at_program();
  const auto refused_array = [&](const std::string& name, const std::vector<double>& values) {
    const TemporaryFile file(npy_of(values));
    const auto failure = failure_of([&] {
      const auto inputs = array_inputs({{name, file.path()}});
      ClientService client(alice_, options(true));
      infer_inputs(client, alice_, *inputs, "an array");
    });
    EXPECT_TRUE(failure) << name;
  };
  refused_array("x", std::vector<double>(3));
  refused_array("y", std::vector<double>(model_.program.whole_input()));
  refused_array("x", refused()[0].voxels);
  EXPECT_EQ(server_.sessions(), 1);
  const auto log = records();
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0]["refusal"], "volume: input");
  EXPECT_EQ(log[1]["refusal"], "volume: input");
  EXPECT_EQ(log[2]["refusal"], "volume: range");
}

// The session that learns it is over before the scan is read, whatever becomes of that.
TEST_F(PinnedProgram, OneThatIsNotStoredIsLearnedInASessionOfItsOwn) {
  {
    ClientService client(alice_, options(true));
    ASSERT_NE(client.pinned(), nullptr);
    EXPECT_EQ(server_.sessions(), 1);
    EXPECT_EQ(*client.pinned(), model_.program);
  }
  for (const Refused& one : refused()) refusal_of(one, true);
  EXPECT_EQ(server_.sessions(), 1);
}

TEST_F(PinnedProgram, AStudysRefusedScansBringNobodyToTheServer) {
  look_at_program();
  const auto asking = study_client(alice_, options(true));
  EXPECT_EQ(asking->program(), to_hex(program_hash(model_.program)));
  for (const Refused& one : refused()) {
    const TemporaryFile file(scan(one));
    EXPECT_TRUE(failure_of([&] { asking->ask(file.path(), {}); })) << one.rule;
  }
  EXPECT_EQ(server_.sessions(), 1);
}

}  // namespace
}  // namespace smpc
