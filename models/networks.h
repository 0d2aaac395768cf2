// The table of networks.csv: what each class of the demo model is called and, roughly, where in the brain it lies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smpc::demo {

constexpr unsigned class_count = 58;
constexpr unsigned unknown_class = 10;  // drawn as a mixture of other networks
constexpr unsigned noise_class = 11;    // drawn as artefacts
constexpr unsigned broca_class = 33;    // the demo's own scan

struct Blob {
  float x = 0, y = 0, z = 0;  // centre, MNI millimetres
  float radius = 0;           // millimetres, where it has fallen to half
  float weight = 0;           // its height, 1 the network's highest
};

struct Network {
  std::string name;
  std::vector<Blob> blobs;  // empty for UNKNOWN
};

// Rows "index,name,blobs" in the order of their indices; lines that start with # are skipped.
// Throws bad_input, naming the line, when a row is not of that form.
std::vector<Network> parse_networks(std::string_view csv);

// The table built into the program, its text, and a digest of the sources that determine what is made.
std::vector<Network> networks();
std::string_view networks_csv() noexcept;
std::string_view generator_digest() noexcept;

}  // namespace smpc::demo
