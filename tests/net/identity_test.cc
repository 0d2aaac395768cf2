#include "smpc/net/identity.h"

#include <cstdlib>

#include "net/support.h"
#include "smpc/base/file.h"

namespace smpc::test {
namespace {

TEST(PeerName, ReadsWhatItWrites) {
  for (const char* uri : {"urn:smpc:server:main", "urn:smpc:client:ward-3", "urn:smpc:dealer:a_b.C-9"}) {
    EXPECT_EQ(parse_peer_name(uri).uri(), uri);
  }
  EXPECT_EQ(parse_peer_name("urn:smpc:client:x"), (PeerName{Role::client, "x"}));
}

TEST(PeerName, RefusesAnythingElse) {
  const std::string long_name = "urn:smpc:client:" + std::string(65, 'a');
  for (const std::string& uri :
       {std::string(), std::string("urn:smpc:client:"), std::string("urn:smpc:client"), std::string("urn:smpc:owner:x"),
        std::string("urn:smpc:clients:x"), std::string("URN:smpc:client:x"), std::string("urn:smpc:client:a/b"),
        std::string("urn:smpc:client:a:b"), std::string("urn:smpc:client:.."), std::string("urn:smpc:client:a\0b", 19),
        long_name}) {
    EXPECT_HAS(error_of([&] { parse_peer_name(uri); }, ErrorKind::bad_input),
               "expected an identity urn:smpc:ROLE:NAME");
  }
  EXPECT_EQ(parse_peer_name(long_name.substr(0, long_name.size() - 1)).name.size(), 64U);
}

TEST(IdentityFolder, FollowsTheEnvironment) {
  const auto set = [](const char* home, const char* config) {
    home != nullptr ? ::setenv("SMPC_HOME", home, 1) : ::unsetenv("SMPC_HOME");
    config != nullptr ? ::setenv("XDG_CONFIG_HOME", config, 1) : ::unsetenv("XDG_CONFIG_HOME");
  };
  ::setenv("HOME", "/h", 1);
  set("/s", "/c");
  EXPECT_EQ(default_identity_folder(Role::server), "/s/server");
  set(nullptr, "/c");
  EXPECT_EQ(default_identity_folder(Role::client), "/c/smpc/client");
  set(nullptr, "relative");  // which the XDG specification says to ignore
  EXPECT_EQ(default_identity_folder(Role::dealer), "/h/.config/smpc/dealer");
  set(nullptr, "");
  EXPECT_EQ(default_identity_folder(Role::dealer), "/h/.config/smpc/dealer");
  set("", nullptr);
  EXPECT_EQ(default_identity_folder(Role::dealer), "/h/.config/smpc/dealer");
}

TEST(IdentityFolder, WithoutAHomeIsAUsageError) {
  ::unsetenv("SMPC_HOME");
  ::unsetenv("XDG_CONFIG_HOME");
  for (const char* home : {"", "relative"}) {
    ::setenv("HOME", home, 1);
    EXPECT_HAS(error_of([] { default_identity_folder(Role::client); }, ErrorKind::usage), "found none, or a relative path: name the folder");
  }
}

class IdentityFiles : public ::testing::Test {
 protected:
  std::string refused(Role role = Role::client) {
    return error_of([&] { Identity::load(folder_, role); }, ErrorKind::bad_input);
  }
  Authority authority_;
  fs::path folder_ = authority_.issue("alice", Role::client);
};

TEST_F(IdentityFiles, Load) { EXPECT_EQ(Identity::load(folder_, Role::client).name().uri(), "urn:smpc:client:alice"); }

TEST_F(IdentityFiles, fault_12_KeyThatOthersCanReadIsRefused) {
  for (const auto who : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write}) {
    fs::permissions(folder_ / "key.pem", fs::perms::owner_read | fs::perms::owner_write | who);
    EXPECT_HAS(refused(), "run chmod 600 " + (folder_ / "key.pem").string());
  }
  fs::permissions(folder_ / "key.pem", fs::perms::owner_read);
  EXPECT_EQ(Identity::load(folder_, Role::client).name().name, "alice");
}

TEST_F(IdentityFiles, AnotherRoleIsRefused) {
  EXPECT_HAS(refused(Role::server), "expected the identity of a server, found urn:smpc:client:alice");
}

TEST_F(IdentityFiles, MissingFilesAreNamed) {
  fs::remove(folder_ / "ca.pem");
  EXPECT_HAS(refused(),
             "ca.pem: expected an identity (ca.pem, cert.pem, key.pem), found no such file: run smpc-certs init");
}

TEST_F(IdentityFiles, WhatKeepsThemFromBeingReadIsNamed) {
  fs::remove(folder_ / "ca.pem");
  fs::create_symlink("gone.pem", folder_ / "ca.pem");
  EXPECT_HAS(refused(), "ca.pem: cannot read, found a link to gone.pem, which is not there");
  fs::remove(folder_ / "ca.pem");
  fs::create_symlink("ca.pem", folder_ / "ca.pem");
  EXPECT_HAS(refused(), "ca.pem: cannot read, found a link that leads back to itself");
}

TEST_F(IdentityFiles, OtherContentIsRefused) {
  write_file(folder_ / "cert.pem", as_bytes("no certificate"));
  EXPECT_HAS(refused(), "cert.pem: expected PEM certificates");
  write_file(folder_ / "key.pem", as_bytes("no key"), true);
  EXPECT_HAS(refused(), "key.pem: expected a PEM private key without a passphrase");
}

TEST_F(IdentityFiles, ACutCertificateAfterAGoodOneIsRefused) {
  const Bytes good = read_file(folder_ / "cert.pem");
  Bytes both = good;
  both.insert(both.end(), good.begin(), good.begin() + 100);
  write_file(folder_ / "cert.pem", both);
  EXPECT_HAS(refused(), "cert.pem: expected PEM certificates");
}

TEST_F(IdentityFiles, TheKeyOfAnotherCertificateIsRefused) {
  fs::copy_file(authority_.issue("bob", Role::client) / "key.pem", folder_ / "key.pem",
                fs::copy_options::overwrite_existing);
  EXPECT_HAS(refused(), "expected the private key of cert.pem, found another");
}

TEST_F(IdentityFiles, ACertificateWithoutAnIdentityIsRefused) {
  fs::copy_file(authority_.folder() / "ca.pem", folder_ / "cert.pem", fs::copy_options::overwrite_existing);
  fs::copy_file(authority_.folder() / "ca.key.pem", folder_ / "key.pem", fs::copy_options::overwrite_existing);
  EXPECT_HAS(refused(),
             "expected a certificate with one identity urn:smpc:ROLE:NAME in its subject alternative name, found none");
}

TEST_F(IdentityFiles, fault_01_ExpiredIsRefusedEarly) {
  folder_ = authority_.issue("old", Role::client, {-2h, 1h});
  EXPECT_HAS(refused(), "expected a certificate that is still valid, found one that expired on 20");
}

TEST_F(IdentityFiles, fault_01_NotYetValidIsRefusedEarly) {
  folder_ = authority_.issue("new", Role::client, {1h, 2h});
  EXPECT_HAS(refused(), "found one that is valid only from 20");
}

}  // namespace
}  // namespace smpc::test
