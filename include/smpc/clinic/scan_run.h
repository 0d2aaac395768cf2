// One scan through a client: read and checked, then asked about, volume by volume.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "smpc/image/volume_reader.h"
#include "smpc/program/program.h"
#include "smpc/service/client.h"

namespace smpc {

// What the client learned, and what it took. Holds no voxel.
struct ScanOutcome {
  std::string scan;                   // the file's name, without its folder
  ScanHeader header;                  // as the file says
  std::vector<std::size_t> volumes;   // asked about, counted from 0
  std::vector<std::size_t> nan_voxels;  // taken as 0 in each of them; empty where that was not asked for (nan_as_zero)
  std::vector<VolumeResult> results;  // one for each
  std::string program;                // hash
  std::string mask;                   // id
  std::string server;                 // identities
  std::string client;
  Reveal reveal = Reveal::label;
  Results what = Results::values;     // the values of `results`
  std::vector<std::string> labels;    // one per class; empty where the outputs are no classes
  std::vector<ProgramOutput> outputs;
  Grid grid;                          // the model's
  std::string resampling;             // how the scan was brought onto it, a sentence; empty: it lay on it
  std::string caution;                // what must be true beyond what was checked (header_caution); or empty
  ClientCost cost;                    // of this scan alone
};

struct ScanOptions {
  VolumeSelection selection;
  bool resample = false;  // bring a scan on another grid onto the model's (image/grid_map.h), instead of refusing it
  bool nan_as_zero = false;  // take voxels that are NaN as 0, and count them, instead of refusing the scan
  std::string name{};     // what the scan is called in errors and in the outcome; empty: its path
  std::stop_token stop{};  // ends the reading of the scan (VolumeReader)
};

class ScanRun {
 public:
  // Reads and checks the whole file. Connects to nobody.
  ScanRun(const std::filesystem::path& image, ScanOptions options);
  ~ScanRun();
  ScanRun(const ScanRun&) = delete;
  ScanRun& operator=(const ScanRun&) = delete;

  const ScanHeader& header() const noexcept;
  const std::vector<std::size_t>& volumes() const noexcept;

  // Asks `client` about every volume selected; `identity` is the client's. A scan that the model does not take is refused
  // before anything is spent: another grid, a voxel beyond the declared range or outside the public mask, in any volume. Where
  // the program is pinned (ClientService::pinned), it is refused before anybody is connected to.
  ScanOutcome infer(ClientService& client, const Identity& identity);

  // Selected volume i as the model gets it, before it is quantised: laid out as Scan::volumes, on the model's grid. After
  // infer(). In order is cheap; going back reads the file again from its beginning.
  SecretVector<double> volume(std::size_t i);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
