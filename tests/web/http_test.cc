// Names and queries as browsers send them.
#include "http.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace smpc::web {
namespace {

TEST(Query, ValuesAreDecodedAsUrlSearchParamsAndEncodeUriComponentWriteThem) {
  EXPECT_EQ(query_value("name=a%20b%2Bc.nii", "name"), "a b+c.nii");
  EXPECT_EQ(query_value("name=a+b%2Bc.nii", "name"), "a b+c.nii");
  EXPECT_EQ(query_value("x=1&name=%C3%A9%F0%9F%A7%A0&y=2", "name"), "é🧠");
  EXPECT_EQ(query_value("name=", "name"), "");
  EXPECT_EQ(query_value("a=1&a=2", "a"), "1");
  EXPECT_EQ(query_value("v=%41", "v"), "A");
}

TEST(Query, WhatIsNotThereOrNotWellEncodedIsNone) {
  for (const char* query : {"", "&", "name", "names=1", "xname=1", "name=%", "name=%4", "name=%zz", "name=%+1", "name=%-1"}) {
    EXPECT_FALSE(query_value(query, "name")) << query;
  }
}

TEST(FileName, IsTheLastPartAndCanBeShown) {
  EXPECT_EQ(plain_file_name("scan.nii.gz"), "scan.nii.gz");
  EXPECT_EQ(plain_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(plain_file_name("C:\\scans\\a b.nii"), "a b.nii");
  EXPECT_EQ(plain_file_name("a\r\nSet-Cookie: x\x7f.nii"), "a__Set-Cookie: x_.nii");
  EXPECT_EQ(plain_file_name("Gehirn é🧠.nii"), "Gehirn é🧠.nii");
  EXPECT_EQ(plain_file_name(std::string(255, 'a')), std::string(255, 'a'));
}

TEST(FileName, WhatCannotBeShownIsNone) {
  for (const std::string& name : {std::string(), std::string("/"), std::string("folder/"), std::string("a\xff.nii"),
                                  std::string("a\xc3"), std::string(256, 'a')}) {
    EXPECT_FALSE(plain_file_name(name)) << name;
  }
}

TEST(FileName, StandsInAHeaderWhateverItHolds) {
  EXPECT_EQ(attachment("scan-1_a.csv"), "attachment; filename=\"scan-1_a.csv\"; filename*=UTF-8''scan-1_a.csv");
  EXPECT_EQ(attachment("a \"é.csv"), "attachment; filename=\"a____.csv\"; filename*=UTF-8''a%20%22%C3%A9.csv");
}

TEST(ErrorReply, IsTheLineWithItsExitCode) {
  const Reply reply = error_reply(422, "scan.nii: \xff", 3);
  EXPECT_EQ(reply.status, 422U);
  const auto j = nlohmann::json::parse(*reply.body);
  EXPECT_EQ(j["error"]["exit_code"], 3);
  EXPECT_EQ(j["error"]["message"], "scan.nii: \xEF\xBF\xBD");  // U+FFFD for what is no text
}

}  // namespace
}  // namespace smpc::web
