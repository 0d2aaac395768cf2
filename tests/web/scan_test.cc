// A scan that is uploaded: read and checked like the command line's, in its words, and without a name on the disk.
#include <fcntl.h>

#include "page_world.h"
#include "smpc/image/grid_map.h"
#include "smpc/image/grid_words.h"
#include "smpc/image/volume_reader.h"

namespace smpc::testing {
namespace {

namespace fs = std::filesystem;

// How many files without a name this process has open in a folder.
std::size_t unnamed_files(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& fd : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(fd.path(), ignored).string();
    count += target.starts_with(folder.string() + "/") && target.ends_with("(deleted)");
  }
  return count;
}

std::string chunked(const std::string& content) {
  std::string out;
  for (std::size_t at = 0; at < content.size(); at += 100) {
    const std::string part = content.substr(at, 100);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out += size + part + "\r\n";
  }
  return out + "0\r\n\r\n";
}

TEST(UploadedScan, IsDescribedAsItsHeaderSays) {
  PageWorld page;
  const std::size_t n = page.world().mlp().program.input().count;
  nlohmann::json j = page.upload(page.scan(3), "a%20b.nii");
  EXPECT_EQ(j["check"]["verdict"], "same");
  j.erase("check");
  const nlohmann::json expected = {
      {"scan", "1"},
      {"name", "a b.nii"},
      {"shape", {n, 1, 1}},
      {"volumes", 3},
      {"datatype", "float64"},
      {"voxel_size", {4.0, 4.0, 4.0}},
      {"orientation", "LAS"},
      {"grid", {{"shape", {n, 1, 1}}, {"affine", {-4.0, 0.0, 0.0, 90.0, 0.0, 4.0, 0.0, -126.0, 0.0, 0.0, 4.0, -72.0, 0.0, 0.0, 0.0, 1.0}}}}};
  EXPECT_EQ(j, expected);
  EXPECT_EQ(page.upload(gzip(page.scan()), "z.nii.gz")["volumes"], 1);
}

TEST(UploadedScan, IsCheckedAgainstTheModelOnceTheServerTellsOfIt) {
  PageWorld page;
  const std::string address = page.world().server_address();
  page.world().stop_server();
  EXPECT_EQ(page.post("api/scan?name=a.nii", "no scan").status, 422U);  // which needs no model
  const HttpReply away = page.post("api/scan?name=a.nii", page.scan());
  EXPECT_EQ(away.status, 502U);
  EXPECT_EQ(away.json()["error"]["exit_code"], 4);
  EXPECT_EQ(page.post("api/run", R"({"scan": "2"})").status, 404U);
  page.world().start_server(address);
  const nlohmann::json check = page.upload(page.scan())["check"];
  EXPECT_EQ(check["verdict"], "same");
  EXPECT_EQ(check["words"], grid_words(page.world().mlp().program.grid.value()));
}

TEST(UploadedScan, IsRefusedWhereTheModelTakesNone) {
  PageWorld page(model(Reveal::label));  // without a grid
  const HttpReply reply = page.post("api/scan?name=a.nii", page.scan());
  EXPECT_EQ(reply.status, 422U);
  EXPECT_NE(reply.body.find("the server's model declares no grid"), std::string::npos);
}

// What the file system leaves in blocks that it has back is its own: nothing here says that they are overwritten.
TEST(UploadedScan, HasNoNameAndGoesWithItsOwner) {
  fs::path temporary;
  {
    PageWorld page;
    temporary = page.temporary();
    EXPECT_EQ(unnamed_files(temporary), 0U);
    page.upload(page.scan(), "first.nii");
    page.upload(page.scan(), "second.nii");
    EXPECT_EQ(page.post("api/scan?name=bad.nii", "no scan").status, 422U);
    EXPECT_TRUE(fs::is_empty(temporary));
    EXPECT_EQ(unnamed_files(temporary), 1U);
    EXPECT_EQ(page.post("api/run", R"({"scan": "1"})").status, 404U);
    EXPECT_EQ(page.post("api/run", R"({"scan": "2"})").status, 202U);
  }
  EXPECT_EQ(unnamed_files(temporary), 0U);
}

TEST(UploadedScan, TakesNanAsZeroWhereThePageWasServedSo) {
  PageWorld plain;
  const std::size_t voxels = plain.world().mlp().program.input().count;
  NiftiSpec spec;
  spec.dim = {3, static_cast<std::int64_t>(voxels), 1, 1, 1, 1, 1, 1};
  std::vector<float> values(voxels, 0x1p-10F);
  values[1] = values[2] = std::numeric_limits<float>::quiet_NaN();
  const std::string content = nifti_file(spec, values);
  const HttpReply refused = plain.post("api/scan?name=a.nii", content);
  EXPECT_EQ(refused.status, 422U);
  EXPECT_NE(refused.body.find("--nan-as-zero"), std::string::npos) << refused.body;

  PageWorld page(Reveal::logits, [](UiOptions& o) { o.nan_as_zero = true; });
  page.upload(content);
  const auto events = page.events(page.start_run({{"scan", "1"}}));
  ASSERT_EQ(events.back().name, "result") << events.back().data;
  EXPECT_EQ(events.back().data["nan_as_zero"], 2);
  EXPECT_EQ(events.back().data["nan"], "2 voxels were NaN and were taken as 0");
}

TEST(UploadedScan, GoesWhereTheBrowserLeavesInTheMiddle) {
  PageWorld page;
  {
    RawHttp http(page.port());
    http.send(page.head("POST", page.token() + "api/scan?name=a.nii", "Origin: " + page.origin() + "\r\nContent-Length: 100000\r\n") +
              "\r\n" + page.scan());
  }
  page.stop();  // every connection has ended
  EXPECT_EQ(unnamed_files(page.temporary()), 0U);
}

TEST(UploadedScan, MayComeInChunksAndAfterAPromise) {
  PageWorld page;
  const std::string head = page.head("POST", page.token() + "api/scan?name=a.nii", "Origin: " + page.origin() + "\r\n");
  RawHttp http(page.port());
  http.send(head + "Transfer-Encoding: chunked\r\n\r\n" + chunked(page.scan(2)));
  const HttpReply reply = http.receive();
  ASSERT_EQ(reply.status, 200U) << reply.body;
  EXPECT_EQ(reply.json()["volumes"], 2);

  const std::string content = page.scan();
  http.send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n");
  EXPECT_EQ(http.receive().status, 100U);
  http.send(content);
  EXPECT_EQ(http.receive().status, 200U);
}

TEST(UploadedScan, IsRefusedInTheVeryWordsOfTheCommandLine) {
  PageWorld page;
  const std::string good = page.scan(3);
  std::vector<float> voxels(24, 1.0F);
  voxels[5] = std::numeric_limits<float>::quiet_NaN();
  NiftiSpec complex;
  complex.datatype = DT_COMPLEX64;
  complex.bitpix = 64;
  for (const std::string& content : {std::string("no scan at all"), good.substr(0, 200), good.substr(0, good.size() - 1),
                                     gzip(good).substr(0, gzip(good).size() / 2), gzip(good) + gzip(good), nifti_file(NiftiSpec(), voxels),
                                     nifti_file(complex, std::vector<double>(24)), std::string(1000, '\0'), std::string()}) {
    const TemporaryFile file(content);
    const auto failure = failure_of([&] { VolumeReader(file.path(), {true, {}}, {}, {}, NanVoxels::offer); });
    ASSERT_TRUE(failure);
    const std::string path = file.path().string();
    ASSERT_TRUE(failure->text.starts_with(path));
    const HttpReply reply = page.post("api/scan?name=my%20scan.nii", content);
    EXPECT_EQ(reply.status, 422U);
    EXPECT_EQ(reply.json()["error"]["message"], "my scan.nii" + failure->text.substr(path.size()));
    EXPECT_EQ(reply.json()["error"]["exit_code"], 3);
  }
  EXPECT_EQ(page.post("api/run", R"({"scan": "1"})").status, 404U);
}

TEST(UploadedScan, OnAnotherGridIsToldInTheWordsOfTheCommandLine) {
  PageWorld page;
  const Grid expected = page.world().mlp().program.grid.value();
  NiftiSpec shifted;
  shifted.dim = {3, expected.shape[0], 1, 1, 1, 1, 1, 1};
  shifted.srow[3] = 92;
  shifted.sform_code = NIFTI_XFORM_SCANNER_ANAT;
  const std::string content = nifti_file(shifted, std::vector<float>(expected.shape[0]));
  const nlohmann::json check = page.upload(content, "shifted.nii")["check"];
  EXPECT_EQ(check["verdict"], "other");
  const std::string words = check["words"];
  const TemporaryFile file(content);
  const ScanHeader header = read_scan_header(file.path());
  const std::string difference = grid_difference_words(header.grid, expected);
  EXPECT_TRUE(words.starts_with(difference)) << words;
  const auto failure = failure_of([&] { check_grid(header, expected, "shifted.nii"); });
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->text.find(difference), std::string::npos) << failure->text;
  // An axis of one voxel cannot be interpolated, and nobody said that this is MNI space.
  EXPECT_NE(words.find("since " + resampling_obstacle(header.grid, expected)), std::string::npos) << words;
  EXPECT_TRUE(words.ends_with(header_caution(header))) << words;
}

TEST(UploadedScan, NeedsANameThatCanBeShown) {
  PageWorld page;
  for (const char* query : {"", "?name=", "?name=%ff", "?name=a%2F", "?other=a.nii"}) {
    EXPECT_EQ(page.post(std::string("api/scan") + query, page.scan()).status, 400U) << query;
  }
  EXPECT_EQ(page.upload(page.scan(), "..%2F..%2Fa.nii")["name"], "a.nii");
}

TEST(UploadedScan, OfTwoThatOverlapTheOneThatBeganLaterStays) {
  PageWorld page;
  const std::string content = page.scan();
  RawHttp first(page.port());
  first.send(page.head("POST", page.token() + "api/scan?name=first.nii",
                       "Origin: " + page.origin() + "\r\nExpect: 100-continue\r\nContent-Length: " + std::to_string(content.size()) + "\r\n") +
             "\r\n");
  ASSERT_EQ(first.receive().status, 100U);  // it has begun
  EXPECT_EQ(page.upload(content, "second.nii")["scan"], "2");
  first.send(content);
  const HttpReply late = first.receive();
  EXPECT_EQ(late.status, 409U);
  EXPECT_EQ(late.json()["error"]["message"], "first.nii: another scan was chosen meanwhile");
  EXPECT_EQ(page.post("api/run", R"({"scan": "2"})").status, 202U);
}

TEST(UploadedScan, ThatFindsNoRoomIsRefusedInWords) {
  PageWorld page;
  ::setenv("TMPDIR", "/proc", 1);
  const HttpReply reply = page.post("api/scan?name=a.nii", page.scan());
  EXPECT_EQ(reply.status, 413U);
  const std::string words = reply.json()["error"]["message"];
  EXPECT_TRUE(words.starts_with("expected a temporary folder for the scan at /proc, found: ")) << words;
}

}  // namespace
}  // namespace smpc::testing
