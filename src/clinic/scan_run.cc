#include "smpc/clinic/scan_run.h"

#include <functional>
#include <optional>
#include <utility>

#include "judged.h"
#include "run_outcome.h"
#include "smpc/base/error.h"
#include "smpc/image/grid_map.h"
#include "smpc/image/grid_words.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

// The volumes that are selected, quantised, one at a time; in the clear, so they stay in this process. All are
// quantised, and refused where they must be, before the first is used; that one is kept, the others are read again when
// their turn comes.
class QuantisedVolumes {
 public:
  // read(i) gives volume i of `count`.
  template <class Read>
  QuantisedVolumes(std::size_t count, Read read) : read_(std::move(read)) {
    for (std::size_t i = 0; i < count; ++i) {
      RingVector one = read_(i);
      if (i == 0) first_ = std::move(one);
    }
  }

  RingVector next() {
    const std::size_t i = next_++;
    return i == 0 ? std::move(first_) : read_(i);
  }

 private:
  std::function<RingVector(std::size_t)> read_;
  RingVector first_;
  std::size_t next_ = 0;
};

}  // namespace

struct ScanRun::Impl {
  Impl(const std::filesystem::path& image, ScanOptions o)
      : options(std::move(o)),
        name(options.name.empty() ? image.string() : options.name),
        reader(image, options.selection, options.name, options.stop, options.nan_as_zero ? NanVoxels::zero : NanVoxels::offer) {}

  void place_on(const Grid& grid) {
    if (!options.resample) check_grid(reader.header(), grid, name);
    map.emplace(reader.header().grid, grid, name);
  }

  SecretVector<double> volume(std::size_t i) {
    if (i < at) {
      reader.rewind();
      at = 0;
    }
    for (; at < i; ++at) reader.next();
    ++at;
    SecretVector<double> volume = reader.next();
    return map->match() == GridMatch::same ? std::move(volume) : map->apply(volume);
  }

  const ScanOptions options;
  const std::string name;
  VolumeReader reader;
  std::size_t at = 0;  // the volume that reader gives next
  std::optional<GridMap> map;
};

ScanRun::ScanRun(const std::filesystem::path& image, ScanOptions options)
    : impl_(std::make_unique<Impl>(image, std::move(options))) {}
ScanRun::~ScanRun() = default;

const ScanHeader& ScanRun::header() const noexcept { return impl_->reader.header(); }
const std::vector<std::size_t>& ScanRun::volumes() const noexcept { return impl_->reader.indices(); }

ScanOutcome ScanRun::infer(ClientService& client, const Identity& identity) {
  const ClientCost before = client.cost();
  const Program& program = judging_program(client);
  judged(client, "input", [&] {
    if (!program.grid) {
      fail_input("the server's model declares no grid, so it takes no --image; its owner can give --grid");
    }
    if (program.labels.empty()) {
      fail_input("the server's model gives no classes, so it takes no --image; give its inputs with --input");
    }
  });
  judged(client, "grid", [&] { impl_->place_on(*program.grid); });
  QuantisedVolumes quantised(volumes().size(), [&](std::size_t i) {
    const SecretVector<double> values = volume(i);
    return judged(client, "input",
                  [&] { return quantise(program, values, impl_->name + ", volume " + std::to_string(volumes()[i])); });
  });
  ScanOutcome out =
      run_outcome(client, identity, program, before, client.infer(volumes().size(), [&] { return quantised.next(); }));
  out.scan = std::filesystem::path(impl_->name).filename();
  out.header = header();
  out.volumes = volumes();
  out.nan_voxels = impl_->reader.nan_voxels();
  out.grid = *program.grid;
  out.resampling = impl_->map->describe();
  out.caution = header_caution(header());
  return out;
}

SecretVector<double> ScanRun::volume(std::size_t i) {
  SMPC_CHECK(impl_->map && i < volumes().size());
  return impl_->volume(i);
}

}  // namespace smpc
