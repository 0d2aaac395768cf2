// The three roles as processes, checked: what a run costs, and how a daemon ends.
#pragma once

#include "image/nifti_writer.h"
#include "smpc/compiler/compile.h"
#include "smpc/image/scan.h"
#include "support/three_roles.h"

namespace smpc::testing {

const std::filesystem::path demo = SMPC_DEMO_MODEL;

// The reference: a model, the demo's unless told otherwise, compiled here and interpreted in the clear.
struct Reference {
  explicit Reference(const CompileOptions& options, const std::filesystem::path& path = demo / "mlp.onnx");
  Network network;
  Compiled compiled;
  // The last tensor of a volume: logits, or one index.
  RingVector output(const SecretVector<double>& volume) const;
};

class Deployment : public ThreeRoles {
 public:
  using ThreeRoles::ThreeRoles;
  ~Deployment();  // daemons must end when they are told to
  // smpc-client with its folders and ports. Of every --json inference the cost must be the predicted one, to the byte.
  Outcome client(std::vector<std::string> arguments, int seconds = 120) const;
  const Reference* reference = nullptr;  // what the server's program is; none: the demo model with default options
};

// A command that ends with this code, prints nothing but one line of error, and says `part` in it.
void expect_line(const Outcome& r, int code, const std::string& part);

// The header of a scan on the demo model's grid.
NiftiSpec mni_header();

}  // namespace smpc::testing
