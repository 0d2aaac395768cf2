#include "networks.h"

#include <charconv>
#include <cmath>

#include "smpc/base/error.h"

namespace smpc::demo {
namespace {

[[noreturn]] void fail_line(std::size_t line, const std::string& expected, std::string_view found) {
  fail_input("table of networks, line " + std::to_string(line) + ": expected " + expected + ", found \"" +
             std::string(found) + "\"");
}

// Cuts `text` at the first `mark` and returns what stood before it.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return head;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

Blob read_blob(std::string_view text, std::size_t line) {
  Blob blob;
  std::string_view rest = text;
  for (float* field : {&blob.x, &blob.y, &blob.z, &blob.radius, &blob.weight}) {
    if (!read_number(cut(rest, ' '), *field) || !std::isfinite(*field)) {
      fail_line(line, "a blob \"x y z radius weight\"", text);
    }
  }
  if (!rest.empty()) fail_line(line, "a blob of five numbers", text);
  if (blob.radius <= 0 || blob.weight <= 0 || blob.weight > 1) {
    fail_line(line, "a positive radius and a weight in (0, 1]", text);
  }
  return blob;
}

}  // namespace

std::vector<Network> parse_networks(std::string_view csv) {
  std::vector<Network> table;
  bool header = false;
  for (std::size_t line = 1; !csv.empty(); ++line) {
    const std::string_view text = cut(csv, '\n');
    if (text.empty() || text.front() == '#') continue;
    if (!header) {
      if (text != "index,name,blobs") fail_line(line, "the header index,name,blobs", text);
      header = true;
      continue;
    }
    std::string_view rest = text;
    std::size_t index = 0;
    if (!read_number(cut(rest, ','), index) || index != table.size()) {
      fail_line(line, "index " + std::to_string(table.size()), text);
    }
    Network network;
    network.name = cut(rest, ',');
    if (network.name.empty()) fail_line(line, "a name", text);
    while (!rest.empty()) network.blobs.push_back(read_blob(cut(rest, ';'), line));
    table.push_back(std::move(network));
  }
  return table;
}

std::vector<Network> networks() {
  std::vector<Network> table = parse_networks(networks_csv());
  SMPC_CHECK(table.size() == class_count);
  SMPC_CHECK(table[unknown_class].name == "UNKNOWN" && table[noise_class].name == "NOISE" &&
             table[broca_class].name == "LANG-BROCA");
  return table;
}

}  // namespace smpc::demo
