// Programs that a client takes part in: the file, and what a server that offers another one learns.
#include "smpc/service/approved_programs.h"

#include <sys/stat.h>

#include "service/support.h"
#include "smpc/base/file.h"
#include "smpc/service/audit.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::World;

const std::string hash_a(64, 'a');
const std::string hash_b(64, 'b');
const std::string model_1 = "urn:smpc:server:model-1";

class ProgramsFile : public ::testing::Test {
 protected:
  void write(const std::string& text) { write_file(path_, as_bytes(text)); }
  std::string text() const { return std::string(as_text(read_file(path_))); }
  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "programs";
};

TEST_F(ProgramsFile, HoldsProgramsCommentsAndEmptyLines) {
  write("# ours\n\n  " + hash_a + "\t" + model_1 + "  label  # since May\r\n" + hash_b + " " + model_1 + " logits");
  const auto approved = ApprovedPrograms::read(path_);
  EXPECT_FALSE(approved.all());
  ASSERT_EQ(approved.list().size(), 2U);
  EXPECT_EQ(approved.list()[0], (ApprovedProgram{*program_of_hex(hash_a), model_1, Reveal::label}));
  EXPECT_EQ(approved.list()[1], (ApprovedProgram{*program_of_hex(hash_b), model_1, Reveal::logits}));
  EXPECT_EQ(approved.narrowed_to(*program_of_hex(hash_b)).list().size(), 1U);
  const auto failure = failure_of([&] { approved.narrowed_to(*program_of_hex(std::string(64, 'c'))); });
  ASSERT_TRUE(failure);
  EXPECT_HAS(failure->text, path_.string());
}

TEST_F(ProgramsFile, AnythingElseIsRefusedByItsLine) {
  const std::string rest = " " + model_1 + " label";
  const std::pair<std::string, std::string> cases[] = {
      {hash_a, "found 1 word"},
      {hash_a + " " + model_1, "found 2 words"},
      {hash_a + rest + " logits", "found 4 words"},
      {hash_a.substr(1) + rest, "64 hexadecimal digits"},
      {hash_a + "a" + rest, "64 hexadecimal digits"},
      {std::string(64, 'A') + rest, "64 hexadecimal digits"},
      {std::string(64, 'g') + rest, "64 hexadecimal digits"},
      {hash_a + " urn:smpc:client:ward-3 label", "urn:smpc:server:NAME"},
      {hash_a + " model-1 label", "model-1"},
      {hash_a + " " + model_1 + " Label", "label or logits, found Label"},
      {hash_b + rest, "found that of line 2 again"},
      {hash_b + " " + model_1 + " logits", "found that of line 2 again"},
  };
  for (const auto& [line, words] : cases) {
    write("# heading\n" + hash_b + rest + "\n" + line + "\n");
    const auto failure = failure_of([&] { ApprovedPrograms::read(path_); });
    ASSERT_TRUE(failure) << line;
    EXPECT_EQ(failure->kind, ErrorKind::bad_input);
    EXPECT_HAS(failure->text, path_.string() + ", line 3: ");
    EXPECT_HAS(failure->text, words);
    EXPECT_TRUE(failure_of([&] { approve(path_, {*program_of_hex(hash_a), model_1, Reveal::label}); })) << "it is added to nothing that cannot be read";
  }
  std::filesystem::remove(path_);
  EXPECT_TRUE(failure_of([&] { ApprovedPrograms::read(path_); })) << "a file that was named must be there";
}

TEST_F(ProgramsFile, IsAddedToWithoutAnythingElseChanging) {
  const ApprovedProgram one{*program_of_hex(hash_a), model_1, Reveal::label};
  const ApprovedProgram other{*program_of_hex(hash_b), model_1, Reveal::logits};
  EXPECT_TRUE(approve(path_, one));
  struct stat st {};
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  EXPECT_FALSE(approve(path_, one));
  EXPECT_EQ(ApprovedPrograms::read(path_).list(), (std::vector{one}));
  const std::string by_hand = "# mine\n" + hash_a + "  " + model_1 + " label # looked at in May";  // no end of line
  write(by_hand);
  EXPECT_FALSE(approve(path_, one));
  EXPECT_EQ(text(), by_hand);
  EXPECT_TRUE(approve(path_, other));
  EXPECT_EQ(text(), by_hand + "\n" + hash_b + " " + model_1 + " logits\n");
  EXPECT_EQ(ApprovedPrograms::read(path_).list(), (std::vector{one, other}));
  write(hash_a + " " + model_1 + " logits\n");
  const auto failure = failure_of([&] { approve(path_, one); });
  ASSERT_TRUE(failure);
  EXPECT_HAS(failure->text, "changed by hand");
}

TEST(ExpectedProgram, IsTheOnlyOneOfWhoWasThereOrTheOneOfferedLast) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "programs";
  const Digest a = *program_of_hex(hash_a);
  const Digest b = *program_of_hex(hash_b);
  EXPECT_EQ(ApprovedPrograms::only(a).expected({}), a);
  EXPECT_EQ(ApprovedPrograms::only(a).expected(Offer{"urn:smpc:server:x", b}), a);
  approve(path, {a, "urn:smpc:server:x", Reveal::label});
  EXPECT_EQ(ApprovedPrograms::read(path).expected({}), a);
  EXPECT_EQ(ApprovedPrograms::read(path).expected(Offer{"urn:smpc:server:y", b}), std::nullopt);
  approve(path, {b, "urn:smpc:server:y", Reveal::label});
  EXPECT_EQ(ApprovedPrograms::read(path).expected({}), std::nullopt);
  EXPECT_EQ(ApprovedPrograms::read(path).expected(Offer{"urn:smpc:server:y", a}), b);
  approve(path, {b, "urn:smpc:server:x", Reveal::label});
  EXPECT_EQ(ApprovedPrograms::read(path).expected(Offer{"urn:smpc:server:x", b}), b);
  EXPECT_EQ(ApprovedPrograms::read(path).expected(Offer{"urn:smpc:server:x", {}}), std::nullopt);
}

class ApprovedAlone : public ::testing::Test {
 protected:
  ClientOptions options(const ApprovedPrograms& approved) {
    ClientOptions o = world_.client_options("alice");
    o.approved = approved;
    return o;
  }
  ApprovedPrograms file(const ApprovedProgram& program) {
    std::filesystem::remove(folder_.path() / "programs");
    approve(folder_.path() / "programs", program);
    return ApprovedPrograms::read(folder_.path() / "programs");
  }
  Identity& alice() { return world_.identity("alice", Role::client); }
  // What every call of a client says.
  void expect_refused(const ApprovedPrograms& approved, const std::vector<std::string>& words) {
    const auto volumes = world_.volumes(1);
    const std::function<void(ClientService&)> calls[] = {[](ClientService& c) { c.connect(); },
                                                         [](ClientService& c) { c.prefetch(1); },
                                                         [&](ClientService& c) { c.infer(volumes); }};
    for (const auto& call : calls) {
      ClientService client(alice(), options(approved));
      const auto failure = failure_of([&] { call(client); });
      ASSERT_TRUE(failure);
      EXPECT_EQ(failure->kind, ErrorKind::peer);
      for (const std::string& word : words) EXPECT_HAS(failure->text, word);
    }
    EXPECT_EQ(world_.serials_used(), 0);
  }

  World world_;
  const Digest program_ = program_hash(world_.mlp().program);
  const test::TemporaryFolder folder_;
};

TEST_F(ApprovedAlone, AnotherProgramServerOrPolicyIsRefusedInWords) {
  const std::string found = to_hex(program_);
  expect_refused(ApprovedPrograms::only(*program_of_hex(hash_a)), {"expected the approved program aaaaaaaaaaaa (--program), found " + found, "smpc-client approve"});
  expect_refused(file({*program_of_hex(hash_a), "urn:smpc:server:server", Reveal::label}), {"found " + found, (folder_.path() / "programs").string()});
  expect_refused(file({program_, "urn:smpc:server:another", Reveal::label}), {"of urn:smpc:server:another alone", "(urn:smpc:server:server)"});
  expect_refused(file({program_, "urn:smpc:server:server", Reveal::logits}), {"reveals logits, as approved", "found label"});
  write_file(folder_.path() / "none", as_bytes("# nothing yet\n"));
  expect_refused(ApprovedPrograms::read(folder_.path() / "none"), {"expected an approved program", "found " + found});
}

TEST_F(ApprovedAlone, TheRightOneIsTakenPartIn) {
  for (const auto& approved : {ApprovedPrograms::only(program_), file({program_, "urn:smpc:server:server", Reveal::label})}) {
    ClientService client(alice(), options(approved));
    const auto volumes = world_.volumes(2);
    ASSERT_NE(client.pinned(), nullptr);
    EXPECT_EQ(*client.pinned(), world_.mlp().program);
    world_.expect_right(volumes, client.infer(volumes));
  }
}

// So that a volume can be judged with nobody there.
TEST_F(ApprovedAlone, AStoredOneIsKnownWithoutAServer) {
  world_.client("alice")->connect();
  world_.stop_server();
  ClientService client(alice(), options(ApprovedPrograms::only(program_)));
  ASSERT_NE(client.pinned(), nullptr);
  EXPECT_EQ(*client.pinned(), world_.mlp().program);
  EXPECT_EQ(client.cost().control.sent, 0U);
  ClientService unpinned(world_.identity("bob", Role::client), world_.client_options("bob"));
  EXPECT_EQ(unpinned.pinned(), nullptr);
}

// The program that volumes are judged by is the one that is run, or nothing is.
TEST_F(ApprovedAlone, AServerThatOffersAnotherApprovedOneIsLeftAndExpectedToOfferThatNextTime) {
  world_.client("alice")->connect();
  const auto path = folder_.path() / "programs";
  approve(path, {program_, "urn:smpc:server:server", Reveal::label});
  const std::string address = world_.server_address();
  testing::RandomModel renamed = world_.mlp();
  renamed.program.ops.front().name = "another";
  const Digest other = program_hash(renamed.program);
  approve(path, {other, "urn:smpc:server:server", Reveal::label});
  world_.stop_server();
  world_.use_model(renamed);
  world_.start_server(address);

  const auto input = world_.volumes(1);
  {
    ClientService client(alice(), options(ApprovedPrograms::read(path)));
    EXPECT_EQ(client.pinned()->ops.front().name, "linear");
    const auto failure = failure_of([&] { client.infer(input); });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::peer);
    EXPECT_HAS(failure->text, to_hex(program_).substr(0, 12));
    EXPECT_HAS(failure->text, to_hex(other).substr(0, 12));
    EXPECT_HAS(failure->text, "Run the command again");
  }
  ClientService again(alice(), options(ApprovedPrograms::read(path)));
  EXPECT_EQ(again.pinned()->ops.front().name, "another");
  world_.expect_right(input, again.infer(input));
}

}  // namespace
}  // namespace smpc
