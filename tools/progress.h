// A progress line on standard error, where that is a terminal, and nowhere else.
#pragma once

#include "smpc/service/client_progress.h"

namespace smpc::tools {

class Progress {
 public:
  Progress();
  ~Progress();
  void operator()(const ClientProgress& now);

 private:
  bool terminal_;
  bool drawn_ = false;
};

}  // namespace smpc::tools
