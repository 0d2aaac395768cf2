// What a client brings, as values for a program's inputs: arrays by name, or a picture.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "smpc/base/array.h"
#include "smpc/program/program.h"

namespace smpc {

// NAME=FILE. Of a program of one input the name may be left out: =FILE.
struct InputFile {
  std::string name;
  std::filesystem::path path;
};
InputFile input_file_of(const std::string& text);  // usage error where there is no '='

class Inputs {
 public:
  virtual ~Inputs() = default;
  // How many samples there are. Refuses (bad_input) what does not fit the program: inputs that are missing or unknown, other
  // shapes, as many samples of one input as of another, a picture of another size or without a rule.
  virtual std::size_t samples(const Program& program) const = 0;
  // All inputs of one sample, back to back, as quantise takes them.
  virtual SecretVector<double> sample(const Program& program, std::size_t index) const = 0;
};

// .npy and ONNX's TensorProto, told apart by how they begin. The files are read here. An array has an input's shape, or one
// dimension more in front: so many samples.
std::unique_ptr<Inputs> array_inputs(const std::vector<InputFile>& files);

// PNG or JPEG, for a program whose only input declares how a picture becomes values (PictureRule). A grey picture will do
// where three channels are wanted; a coloured one where one is wanted will not.
std::unique_ptr<Inputs> picture_input(const std::filesystem::path& path);

}  // namespace smpc
