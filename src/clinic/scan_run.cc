#include "smpc/clinic/scan_run.h"

#include "smpc/base/error.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

// The volumes that are selected, quantised, one at a time; in the clear, so they stay in this process. All are
// quantised, and refused where they must be, before the first is used; that one is kept, the others are read again when
// their turn comes.
class QuantisedVolumes {
 public:
  QuantisedVolumes(const Program& program, VolumeReader& reader, const std::string& image)
      : program_(program), reader_(reader), image_(image) {
    const std::size_t count = reader.indices().size();
    while (at_ < count) {
      RingVector one = read();
      if (kept_.empty()) kept_ = std::move(one);
    }
    at_ = 0;
  }

  RingVector next() {
    if (at_ == 0) {
      ++at_;
      return std::move(kept_);
    }
    if (at_ == 1) {
      reader_.rewind();
      reader_.next();
    }
    return read();
  }

 private:
  RingVector read() {
    const std::string what = image_ + ", volume " + std::to_string(reader_.indices()[at_++]);
    return quantise(program_, reader_.next(), what);
  }

  const Program& program_;
  VolumeReader& reader_;
  const std::string image_;
  RingVector kept_;  // the first
  std::size_t at_ = 0;
};

}  // namespace

struct ScanRun::Impl {
  std::filesystem::path image;  // as it is called
  VolumeReader reader;
};

ScanRun::ScanRun(const std::filesystem::path& image, const VolumeSelection& selection, const std::string& name)
    : impl_(new Impl{name.empty() ? image : std::filesystem::path(name), VolumeReader(image, selection, name)}) {}
ScanRun::~ScanRun() = default;

const ScanHeader& ScanRun::header() const noexcept { return impl_->reader.header(); }
const std::vector<std::size_t>& ScanRun::volumes() const noexcept { return impl_->reader.indices(); }

ScanOutcome ScanRun::infer(ClientService& client, const Identity& identity) {
  const Program& program = client.connect();
  if (!program.grid) {
    fail_input("the server's model declares no grid, so it takes no --image; its owner can give --grid");
  }
  check_grid(header(), *program.grid, impl_->image);
  QuantisedVolumes quantised(program, impl_->reader, impl_->image);
  ScanOutcome out;
  out.results = client.infer(volumes().size(), [&] { return quantised.next(); });
  out.scan = impl_->image.filename();
  out.header = header();
  out.volumes = volumes();
  out.program = client.program_hash();
  out.mask = client.mask();
  out.server = client.server_identity();
  out.client = identity.name().uri();
  out.reveal = program.reveal;
  out.labels = program.labels;
  out.grid = *program.grid;
  out.cost = client.cost();
  return out;
}

}  // namespace smpc
