// What the ops of a model take from a node: attributes, axes, and words for what is wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "smpc/model/model.h"

namespace smpc {

using Dims = std::vector<std::int64_t>;

class NodeFields {
 protected:
  // `model` outlives this.
  explicit NodeFields(const Model& model) : of_(model) {}

  [[noreturn]] void fail(const Node& node, const std::string& what) const;
  [[noreturn]] void fail_graph(const std::string& what) const;

  // Attributes are taken: what is left afterwards was not honoured, and is refused.
  std::int64_t take_int(Node& node, const std::string& name, std::int64_t otherwise) const;
  bool take_flag(Node& node, const std::string& name, bool otherwise) const;
  float take_float(Node& node, const std::string& name, float otherwise) const;
  std::optional<Dims> take_ints(Node& node, const std::string& name) const;
  std::string take_text(Node& node, const std::string& name, const std::string& otherwise) const;
  void expect_nothing_left(const Node& node) const;
  // `rank` is one more than the largest axis.
  std::size_t axis_of(const Node& node, std::int64_t axis, std::size_t rank, int negative_since) const;
  static bool has_input(const Node& node, std::size_t index);

 private:
  const Model& of_;
};

}  // namespace smpc
