// Models that take no scan: arrays by name and pictures, between processes; and what smpc-compile says of a model.
#include <gtest/gtest.h>

#include <fstream>

#include "deployment.h"
#include "smpc/model/tensor_file.h"
#include "smpc/runtime/interpreter.h"
#include "support/peak_memory.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Deployment;
using testing::Outcome;
using testing::run;
using testing::TemporaryFolder;

// Three operands of a Gemm, all of them the client's.
const fs::path gemm = "/usr/share/libonnx-testdata/data/node/test_gemm_all_attributes";

std::string npy_of(const Array& a) {
  std::string shape = "(";
  for (const std::size_t d : a.shape) shape += std::to_string(d) + ",";
  const std::string header = "{'descr': '>f4', 'fortran_order': False, 'shape': " + shape + ")}\n";
  std::string out("\x93NUMPY\1\0", 8);
  out += static_cast<char>(header.size());
  out += '\0';
  out += header;
  for (const double v : a.values) {
    const auto f = static_cast<float>(v);
    const char* bytes = reinterpret_cast<const char*>(&f);
    for (int i = 4; i-- > 0;) out += bytes[i];
  }
  return out;
}

TEST(InputFiles, ArraysByNameGiveTheOutputsByName) {
  if (!fs::exists(gemm)) GTEST_SKIP() << "ONNX's test data (package libonnx-testdata) is not installed";
  const fs::path data = gemm / "test_data_set_0";
  Deployment s({"--model", (gemm / "model.onnx").string(), "--reveal", "logits", "--no-quota", "--input-range", "0:1"});
  s.start_dealer();
  s.start_server();
  const TemporaryFolder folder;
  std::ofstream(folder / "b.npy", std::ios::binary) << npy_of(load_onnx_tensor(data / "input_1.pb"));
  const std::vector<std::string> inputs{"--input", "a=" + (data / "input_0.pb").string(), "--input", "b=" + (folder / "b.npy").string(),
                                        "--input", "c=" + (data / "input_2.pb").string()};
  std::vector<std::string> arguments = inputs;
  arguments.push_back("--json");
  const Outcome o = s.run_client(arguments, {});
  ASSERT_EQ(o.exit_code, 0) << o.err;
  const json result = o.json()["results"].at(0);
  ASSERT_EQ(result["outputs"].size(), 1U);
  EXPECT_EQ(result["outputs"][0]["name"], "y");
  const Array expected = load_onnx_tensor(data / "output_0.pb");
  EXPECT_EQ(result["outputs"][0]["shape"], json(expected.shape));
  const auto values = result["outputs"][0]["values"].get<std::vector<double>>();
  ASSERT_EQ(values.size(), expected.values.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected.values[i], 1e-3) << i;
  const Outcome text = s.run_client(inputs, {});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.out.substr(0, 3), "y [") << text.out;
  std::vector<std::string> told = inputs;
  told.push_back("--verbose");
  const Outcome verbose = s.run_client(told, {});
  EXPECT_NE(verbose.out.find("You learned " + std::to_string(values.size()) + " numbers"), std::string::npos) << verbose.out;

  // What does not fit costs nothing and is one line.
  const auto refused = [&](std::vector<std::string> wrong, int code, const std::string& part) {
    const Outcome r = s.run_client(std::move(wrong), {});
    EXPECT_EQ(r.exit_code, code) << r.err;
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
    EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
  };
  refused({inputs[0], inputs[1]}, 3, "none for 'b'");
  refused({"--input", "a=" + (data / "input_1.pb").string(), inputs[2], inputs[3], inputs[4], inputs[5]}, 3, "input 'a'");
  refused({"--input", "a"}, 2, "NAME=FILE");
  refused({"--input", "a=/no/such/file"}, 3, "/no/such/file");
  refused({inputs[0], inputs[1], "--image", "x.nii"}, 2, "--image");
  refused({inputs[0], inputs[1], "--volume", "1"}, 2, "--volume");
  refused({"--image", (testing::demo / "scan.nii.gz").string()}, 3, "no grid");

  std::vector<std::string> verify{"--model", (gemm / "model.onnx").string(), "--reveal", "logits", "--input-range", "0:1", "--json"};
  verify.insert(verify.end(), inputs.begin(), inputs.end());
  const Outcome v = run("smpc-verify", verify);
  ASSERT_EQ(v.exit_code, 0) << v.err;
  EXPECT_EQ(v.json()["volumes"][0]["two_party_equal"], true);
  EXPECT_LT(v.json()["volumes"][0]["layers"][0]["largest_error"].get<double>(), 1e-3);
}

TEST(InputFiles, APictureOfADigitIsClassified) {
  const fs::path shared = fs::path(SMPC_SHARED_DATA) / "onnx";
  if (!fs::exists(shared / "onnxmlir_mnist.onnx")) GTEST_SKIP() << shared << " is not there";
  struct Trained {
    const char* file;
    const char* factor;
    const char* range;
  };
  for (const Trained& t : {Trained{"onnxmlir_mnist.onnx", "0.00392156862745098", "0:1"}, Trained{"wml_mnist.onnx", "1", "0:255"}}) {
    SCOPED_TRACE(t.file);
    const TemporaryFolder folder;
    std::ofstream(folder / "rule.json") << R"({"height": 28, "width": 28, "channels": "grey", "layout": "CHW", "mean": [0], "deviation": [1], "factor": )"
                                        << t.factor << "}";
    Deployment s({"--model", (shared / t.file).string(), "--preprocess", (folder / "rule.json").string(), "--input-range", t.range,
                  "--protocol", "masked"});
    s.start_dealer();
    s.start_server();
    for (const char* digit : {"0", "3", "5", "7"}) {
      const Outcome o = s.run_client({"--image", (shared / "wonnx_digits" / (std::string(digit) + ".jpg")).string(), "--json"}, {});
      ASSERT_EQ(o.exit_code, 0) << o.err;
      EXPECT_EQ(o.json()["results"][0]["label"], std::string("class_") + digit);
    }
    const Outcome report = s.run_client({"--image", (shared / "wonnx_digits/3.jpg").string(), "--report", (folder / "r.html").string()}, {});
    EXPECT_EQ(report.exit_code, 2) << report.err;
  }
}

TEST(CheckOfAModel, NamesEveryNodeThatIsNotSupported) {
  const fs::path data = "/usr/share/libonnx-testdata/data/node";
  if (!fs::exists(data)) GTEST_SKIP() << "ONNX's test data (package libonnx-testdata) is not installed";
  const Outcome good = run("smpc-compile", {(data / "test_relu/model.onnx").string(), "--check", "--reveal", "logits"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_NE(good.out.find("all 1 nodes are supported"), std::string::npos) << good.out;
  const Outcome bad = run("smpc-compile", {(data / "test_ceil/model.onnx").string(), "--check", "--reveal", "logits"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_NE(bad.out.find("NOT"), std::string::npos) << bad.out;
  EXPECT_NE(bad.out.find("--operators"), std::string::npos) << bad.out;
  EXPECT_NE(bad.err.find("1 of 1 nodes"), std::string::npos) << bad.err;
  const Outcome list = run("smpc-compile", {"--operators"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.out.substr(0, 11), "# Operators");
}

// A graph that ONNX publishes, 224 x 224 in three colours: what it gives, what it costs, and what it takes of memory are what was
// told beforehand.
TEST(PublishedGraph, GivesWhatTheInterpreterGivesInTheMemoryThatIsTold) {
  const fs::path model = fs::path(SMPC_SHARED_DATA) / "onnx/light/light_shufflenet.onnx";
  if (!fs::exists(model)) GTEST_SKIP() << model << " is not there";
  const std::vector<std::string> compile{"--reveal", "logits", "--protocol", "masked"};
  std::vector<std::string> explain{model.string(), "--explain", "--json"};
  explain.insert(explain.end(), compile.begin(), compile.end());
  const json told = run("smpc-compile", explain).json();
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = Suite::masked;
  const testing::Reference reference(options, model);
  const Program& program = reference.compiled.program;
  Array image{{1, 3, 224, 224}, SecretVector<double>(program.whole_input())};
  for (std::size_t i = 0; i < image.values.size(); ++i) image.values[i] = static_cast<double>(i * 7919 % 1024) / 8;
  const TemporaryFolder folder;
  std::ofstream(folder / "image.npy", std::ios::binary) << npy_of(image);
  std::vector<std::string> served{"--model", model.string(), "--no-quota"};
  served.insert(served.end(), compile.begin(), compile.end());
  Deployment s(served);
  s.start_dealer();
  s.start_server();
  long peak = 0;  // of the command itself: what wait4 tells counts this process before it became the command
  const auto watch = [&](int pid) {
    const long now = testing::peak_memory_kb(std::to_string(pid));
    if (now > 0) peak = now;  // none any more once it has ended
  };
  const testing::RunOptions watched{.watch = watch};
  ASSERT_EQ(s.run_client({"prefetch", "--count", "1"}, watched).exit_code, 0);
  const long taking_peak = peak;
  const Outcome idle = s.run_client({"prefetch", "--count", "1"}, watched);  // there is one: what a client holds that does nothing
  ASSERT_EQ(idle.exit_code, 0);
  const long idle_peak = peak;
  const std::string server = std::to_string(s.server->pid());
  if (!(std::ofstream("/proc/" + server + "/clear_refs") << 5 << std::flush)) {  // the kernel's high-water mark begins anew
    GTEST_SKIP() << "the tools close their memory to this user: run this test as root";
  }
  const long before = testing::peak_memory_kb(server);
  const Outcome o = s.run_client({"--input", program.inputs.front().name + "=" + (folder / "image.npy").string(), "--json"}, watched);
  ASSERT_EQ(o.exit_code, 0) << o.err;
  const json online = o.json()["cost"]["online"];
  EXPECT_EQ(online["sent"], told["online"]["client_to_server"]);
  EXPECT_EQ(online["received"], told["online"]["server_to_client"]);
  EXPECT_EQ(online["messages"], told["online"]["messages"]);
  EXPECT_EQ(o.json()["results"][0]["logits"].get<std::vector<double>>(), dequantise(program.output(), reference.output(image.values)));
  const auto is_near = [&](const char* who, long kb) {
    const double found = 1024 * static_cast<double>(kb);
    const auto expected = told["memory"][who].get<double>();
    std::cout << who << ": " << found / 1e6 << " MB beside what it holds idle, told " << expected / 1e6 << " MB\n";
    return found <= 1.25 * expected && found >= 0.75 * expected;
  };
  EXPECT_TRUE(is_near("client", peak - idle_peak));
  // Nor does it take more to take the bundle.
  std::cout << "client, while it takes its bundle: " << 1.024e-3 * static_cast<double>(taking_peak - idle_peak) << " MB\n";
  EXPECT_LT(1024 * static_cast<double>(taking_peak - idle_peak), told["memory"]["client"].get<double>());
  EXPECT_TRUE(is_near("server", testing::peak_memory_kb(server) - before));
}

}  // namespace
}  // namespace smpc
