#include "smpc/base/text.h"

#include <gtest/gtest.h>

#include "smpc/base/error.h"

namespace smpc {
namespace {

TEST(Text, WhatCanBeReadStaysAsItIs) {
  for (const char* text : {"", "LANG-BROCA", "a b\\c", "Größe", "脳 网络", "\xf0\x9f\xa7\xa0"}) EXPECT_EQ(printable(text), text);
}

TEST(Text, WhatSteersATerminalBecomesVisible) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "\\x00x");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xc2\x9b" "31m"), "\\u{9b}31m");           // CSI as one character
  EXPECT_EQ(printable("\x9b" "31m"), "\\x9b31m");                 // and as one byte
  EXPECT_EQ(printable("a\xe2\x80\xae" "b"), "a\\u{202e}b");       // writes to the left from here on
  EXPECT_EQ(printable("a\xe2\x80\x8b" "b"), "a\\u{200b}b");       // seen by nobody
  EXPECT_EQ(printable("\xf3\xa0\x80\x81"), "\\u{e0001}");
}

TEST(Text, BytesThatAreNoUtf8BecomeVisibleOneByOne) {
  EXPECT_EQ(printable("caf\xe9!"), "caf\\xe9!");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                  // not the shortest form
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");         // a surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); // beyond Unicode
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                  // cut off
}

TEST(Text, AsciiAlone) { EXPECT_EQ(printable("Größe", true), "Gr\\u{f6}\\u{df}e"); }

TEST(Text, AnErrorIsOnePrintableLine) {
  EXPECT_STREQ(Error(ErrorKind::bad_input, "a\nb\x1b[1m\xc2\x9b").what(), "a b\\x1b[1m\\u{9b}");
}

TEST(HumanBytes, AUnitBeginsAtTenOfIt) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(9'999), "9999 B");
  EXPECT_EQ(human_bytes(10'000), "10.0 kB");
  EXPECT_EQ(human_bytes(614'213), "614.2 kB");
  EXPECT_EQ(human_bytes(10'000'000), "10.0 MB");
  EXPECT_EQ(human_bytes(120'816'050), "120.8 MB");
}

}  // namespace
}  // namespace smpc
