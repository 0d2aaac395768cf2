#include "smpc/base/bytes.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "smpc/base/digest.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"

namespace smpc {
namespace {

TEST(Bytes, WhatIsWrittenIsReadBack) {
  ByteWriter w;
  w.u8(200);
  w.u32(0xdeadbeef);
  w.u64(0x0123456789abcdefULL);
  w.i64(-5);
  w.f64(-0.25);
  w.text("voxel");
  ByteReader r(w.data(), "a test");
  EXPECT_EQ(r.u8(), 200);
  EXPECT_EQ(r.u32(), 0xdeadbeef);
  EXPECT_EQ(r.u64(), 0x0123456789abcdefULL);
  EXPECT_EQ(r.i64(), -5);
  EXPECT_EQ(r.f64(), -0.25);
  EXPECT_EQ(r.text(), "voxel");
  r.expect_end();
}

TEST(Bytes, EveryCutIsRefused) {
  ByteWriter w;
  w.u32(7);
  w.text("voxel");
  w.u64(1);
  for (std::size_t cut = 0; cut < w.data().size(); ++cut) {
    ByteReader r(ByteView(w.data()).first(cut), "a cut file");
    EXPECT_THROW(
        {
          r.u32();
          r.text();
          r.u64();
        },
        Error)
        << cut;
  }
  ByteReader r(w.data(), "a long file");
  r.u32();
  EXPECT_THROW(r.expect_end(), Error);
}

TEST(Bytes, ACountThatItsBytesCannotHoldIsRefused) {
  ByteWriter w;
  w.u32(0xffffffff);
  ByteReader r(w.data(), "a bomb");
  EXPECT_THROW(r.count(8), Error);
}

TEST(Bytes, Hex) {
  EXPECT_EQ(to_hex(as_bytes("\x01\xfe")), "01fe");
  EXPECT_EQ(from_hex("01fe"), Bytes({std::byte{1}, std::byte{0xfe}}));
  EXPECT_THROW(from_hex("01f"), Error);
  EXPECT_THROW(from_hex("0g"), Error);
}

TEST(Digest, KnownAnswer) {  // FIPS 180-4, "abc"
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(File, WriteThenRead) {
  const auto path = std::filesystem::temp_directory_path() / ("smpc_file_test_" + std::to_string(::getpid()));
  write_file(path, as_bytes("hello"), true);
  EXPECT_EQ(as_text(read_file(path)), "hello");
  struct stat st {};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600);
  EXPECT_THROW(read_file(path, 4), Error);
  std::filesystem::remove(path);
  EXPECT_THROW(read_file(path), Error);
  EXPECT_THROW(read_file(std::filesystem::temp_directory_path()), Error);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THROW(read_file(path), Error);  // and does not hang
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace smpc
