#include "smpc/input/inputs.h"

#include <algorithm>
#include <map>

#include "smpc/base/error.h"
#include "smpc/image/npy.h"
#include "smpc/image/picture.h"
#include "smpc/model/tensor_file.h"

namespace smpc {
namespace {

using Shape = std::vector<std::size_t>;

std::string text_of(const Shape& shape) {
  std::string out;
  for (const std::size_t d : shape) out += (out.empty() ? "" : " x ") + std::to_string(d);
  return out.empty() ? "a single number" : out;
}

std::string names_of(const Program& program) {
  std::string out;
  for (const ProgramInput& in : program.inputs) out += (out.empty() ? "'" : ", '") + in.name + "'";
  return out;
}

class ArrayInputs final : public Inputs {
 public:
  explicit ArrayInputs(const std::vector<InputFile>& files) {
    for (const InputFile& f : files) {
      Array array = is_npy(f.path) ? load_npy(f.path) : load_onnx_tensor(f.path);
      if (!arrays_.emplace(f.name, Named{f.path.string(), std::move(array)}).second) {
        fail_usage("--input " + f.name + ": given twice");
      }
    }
  }

  std::size_t samples(const Program& program) const override {
    std::size_t all = 0;
    std::string first;
    for (const ProgramInput& in : program.inputs) {
      const Named& named = of(program, in);
      const std::size_t n = samples_of(in, named);
      if (all != 0 && n != all) {
        fail_input(named.file + ": expected as many samples as " + first + " has, " + std::to_string(all) + ", found " + std::to_string(n));
      }
      if (all == 0) first = named.file;
      all = n;
    }
    for (const auto& entry : arrays_) {
      const std::string& name = entry.first;
      const bool known = name.empty() || std::any_of(program.inputs.begin(), program.inputs.end(), [&](const auto& in) { return in.name == name; });
      if (!known) fail_input("--input " + name + ": the model has no such input; it has " + names_of(program));
    }
    return all;
  }

  SecretVector<double> sample(const Program& program, std::size_t index) const override {
    SecretVector<double> out;
    out.reserve(program.whole_input());
    for (const ProgramInput& in : program.inputs) {
      const auto& values = of(program, in).array.values;
      const auto from = values.begin() + static_cast<std::ptrdiff_t>(index * in.count());
      out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(in.count()));
    }
    return out;
  }

 private:
  struct Named {
    std::string file;
    Array array;
  };

  const Named& of(const Program& program, const ProgramInput& in) const {
    auto found = arrays_.find(in.name);
    if (found == arrays_.end() && program.inputs.size() == 1) found = arrays_.find("");
    if (found == arrays_.end()) fail_input("--input: expected a file for each of " + names_of(program) + ", found none for '" + in.name + "'");
    return found->second;
  }

  static std::size_t samples_of(const ProgramInput& in, const Named& named) {
    const Shape& shape = named.array.shape;
    if (shape == in.shape) return 1;
    const bool batch = shape.size() == in.shape.size() + 1 && std::equal(in.shape.begin(), in.shape.end(), shape.begin() + 1);
    if (!batch) {
      fail_input(named.file + ": expected " + text_of(in.shape) + " values for input '" + in.name + "', or several of them, found " + text_of(shape));
    }
    return shape.front();
  }

  std::map<std::string, Named> arrays_;
};

class PictureInput final : public Inputs {
 public:
  explicit PictureInput(const std::filesystem::path& path) : file_(path.string()), picture_(load_picture(path)) {}

  std::size_t samples(const Program& program) const override {
    if (program.inputs.size() != 1 || !program.inputs.front().picture) {
      fail_input(file_ + ": the model does not say how a picture becomes its input; its owner can (smpc-compile --preprocess), or give "
                         "the values with --input");
    }
    const PictureRule& rule = *program.inputs.front().picture;
    if (picture_.height != rule.height || picture_.width != rule.width) {
      fail_input(file_ + ": expected a picture of " + std::to_string(rule.width) + " x " + std::to_string(rule.height) + " pixels, found " +
                 std::to_string(picture_.width) + " x " + std::to_string(picture_.height) + "; cut or scale it as the model was trained");
    }
    if (picture_.channels > rule.channels) fail_input(file_ + ": expected a grey picture, found a coloured one; make it grey");
    return 1;
  }

  SecretVector<double> sample(const Program& program, std::size_t) const override {
    const PictureRule& rule = *program.inputs.front().picture;
    const std::size_t places = std::size_t{rule.height} * rule.width;
    SecretVector<double> out(places * rule.channels);
    for (std::size_t p = 0; p < places; ++p) {
      for (std::size_t c = 0; c < rule.channels; ++c) {
        const double pixel = picture_.pixels[p * picture_.channels + (picture_.channels == 1 ? 0 : c)];
        out[rule.channels_last ? p * rule.channels + c : c * places + p] = (pixel * rule.factor - rule.mean[c]) / rule.deviation[c];
      }
    }
    return out;
  }

 private:
  std::string file_;
  Picture picture_;
};

}  // namespace

InputFile input_file_of(const std::string& text) {
  const auto at = text.find('=');
  if (at == std::string::npos || at + 1 == text.size()) fail_usage("--input: expected NAME=FILE, found '" + text + "'");
  return {text.substr(0, at), text.substr(at + 1)};
}

std::unique_ptr<Inputs> array_inputs(const std::vector<InputFile>& files) { return std::make_unique<ArrayInputs>(files); }

std::unique_ptr<Inputs> picture_input(const std::filesystem::path& path) { return std::make_unique<PictureInput>(path); }

}  // namespace smpc
