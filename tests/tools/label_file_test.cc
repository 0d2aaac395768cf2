// Names of classes from files of several dialects: what is CSV (RFC 4180) in UTF-8 is read, and no other is guessed at.
#include "label_file.h"

#include <gtest/gtest.h>

#include "smpc/base/error.h"
#include "support/expect_has.h"

namespace smpc::tools {
namespace {

using Names = std::vector<std::string>;

std::string refusal(const std::string& text) {
  try {
    parse_labels(text, "labels.csv");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    return e.what();
  }
  return "taken: " + text;
}

TEST(LabelFile, IndexAndNameOrANameALine) {
  const Names three = {"LANG", "B", "C"};
  EXPECT_EQ(parse_labels("0,LANG\n1,B\n2,C\n", "f"), three);
  EXPECT_EQ(parse_labels("index,name\r\n0,LANG\r\n1,B\r\n2,C", "f"), three);
  EXPECT_EQ(parse_labels("LANG\nB\n\nC\n\n", "f"), three);
  EXPECT_EQ(parse_labels("M\xc3\xbcller\n7\nIC 2, left\n", "f"), (Names{"M\xc3\xbcller", "7", "IC 2, left"}));
}

TEST(LabelFile, AByteOrderMarkIsNoPartOfAName) {
  EXPECT_EQ(parse_labels("\xef\xbb\xbf" "0,LANG\n1,B\n", "f"), (Names{"LANG", "B"}));
  EXPECT_EQ(parse_labels("\xef\xbb\xbfLANG\nB\n", "f"), (Names{"LANG", "B"}));
}

// RFC 4180, 2.5 to 2.7.
TEST(LabelFile, QuotedFieldsAreRead) {
  EXPECT_EQ(parse_labels("0,\"Gyrus, left\"\n\"1\",\"the \"\"new\"\" one\"\n2,\"two\nlines\"\n3,\"\"\"\"\n", "f"),
            (Names{"Gyrus, left", "the \"new\" one", "two\nlines", "\""}));
  EXPECT_EQ(parse_labels("\"Gyrus, left\"\r\n\"B;0\"\r\n", "f"), (Names{"Gyrus, left", "B;0"}));
}

TEST(LabelFile, AnotherSeparatorIsNamed) {
  EXPECT_HAS(refusal("0;LANG\n1;B\n2;C\n"), "line 1: expected index,name with a comma between");
  EXPECT_HAS(refusal("0;LANG\n1;B\n2;C\n"), "semicolons");
  EXPECT_HAS(refusal("index;name\n0;LANG\n1;B\n"), "semicolons");
  EXPECT_HAS(refusal("LANG;0\nB;1\n"), "semicolons");
  EXPECT_HAS(refusal("0\tA\n1\tB\n"), "tabs");
  EXPECT_HAS(refusal("A\nB\tleft\n"), "tabs");
  EXPECT_HAS(refusal("0|A\n1|B\n"), "bars");
  EXPECT_HAS(refusal("\"0\";\"LANG\"\n\"1\";\"B\"\n"), "line 1: expected a comma or the line's end after a closing quote, found ';'");
  EXPECT_EQ(parse_labels("rest; eyes open\nmotor; left\n", "f"), (Names{"rest; eyes open", "motor; left"}));
}

TEST(LabelFile, SwappedOrSuperfluousColumnsAreNamed) {
  EXPECT_HAS(refusal("LANG,0\nB,1\nC,2\n"), "order name,index");
  EXPECT_HAS(refusal("name,index\nLANG,0\nB,1\n"), "order name,index");
  EXPECT_HAS(refusal("0,LANG,red\n1,B,blue\n"), "line 1: expected two columns, index,name, found 3");
  EXPECT_HAS(refusal("0,LANG\nB\n"), "line 2: expected two columns, index,name, found 1");
  EXPECT_HAS(refusal("LANG\n1,B\n"), "line 2: expected a name a line");
  EXPECT_HAS(refusal("1,LANG\n2,B\n"), "line 1: expected the label of index 0, found index '1'");
  EXPECT_HAS(refusal("0,LANG\n2,B\n"), "line 2: expected the label of index 1, found index '2'");
}

TEST(LabelFile, AnotherEncodingIsNamedWithItsLine) {
  EXPECT_HAS(refusal("B\nM\xfcller\n"), "line 2: expected UTF-8, found \\xfc");
  EXPECT_HAS(refusal(std::string("\xff\xfe" "A\0\n\0", 6)), "line 1: expected UTF-8");
  EXPECT_HAS(refusal(std::string("A\0\n\0", 4)), "UTF-16");
  EXPECT_HAS(refusal("\xed\xa0\x80\n"), "expected UTF-8");  // a surrogate
}

TEST(LabelFile, WhatIsNoCsvIsNamedWithItsLine) {
  EXPECT_HAS(refusal("0,A\n1,\"B\n2,C\n"), "line 2: expected a closing quote");
  EXPECT_HAS(refusal("0,A\n1,B \"b\"\n"), "line 2: expected a name with a quote in it in quotes");
  EXPECT_HAS(refusal("0,A\n1,\n"), "line 2: expected a name, found none");
  EXPECT_HAS(refusal("A\rB\rC\r"), "line 1: expected a comma or the line's end");
  for (const char* nothing : {"", "\n\r\n", "index,name\n", "\xef\xbb\xbf"}) EXPECT_HAS(refusal(nothing), "found none");
}

}  // namespace
}  // namespace smpc::tools
