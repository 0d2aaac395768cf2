#include "smpc/runtime/explain.h"

#include <gtest/gtest.h>

#include <numeric>
#include <sstream>

#include "smpc/runtime/schedule.h"
#include "support/random_program.h"

namespace smpc {
namespace {

TEST(Explain, ItsSumsAreTheScheduleForAnyNumberOfVolumes) {
  std::mt19937_64 rng(4);
  for (int n = 0; n < 20; ++n) {
    const Program p = testing::random_mlp(rng).program;
    for (const std::size_t volumes : {1U, 3U, 64U}) {
      const Explanation e = explain(p, volumes);
      const Cost cost = predicted_cost(make_schedule(p, correlation_plan(p), volumes));
      EXPECT_EQ(e.client_to_server, cost.client_to_server);
      EXPECT_EQ(e.server_to_client, cost.server_to_client);
      EXPECT_EQ(e.messages, cost.messages);
      EXPECT_DOUBLE_EQ(line_seconds(e, 8e6, 0.5),
                       static_cast<double>(cost.client_to_server + cost.server_to_client) / 1e6 +
                           0.5 * static_cast<double>(cost.messages));
    }
    EXPECT_EQ(explain(p, 3).bundle_bytes, explain(p, 1).bundle_bytes);
  }
}

TEST(Explain, TheCostliestLayersComeFirstAndNothingIsLeftOut) {
  std::mt19937_64 rng(4);
  for (int run = 0; run < 20; ++run) {
    const Explanation e = explain(testing::random_mlp(rng).program);
    const std::vector<LayerCost> all = costliest(e, e.rows.size());
    std::size_t sum = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      sum += all[i].online + all[i].bundle;
      EXPECT_GE(i > 0 ? all[i - 1].online + all[i - 1].bundle : sum, all[i].online + all[i].bundle);
    }
    std::size_t rows = 0;
    for (const ExplainRow& r : e.rows) rows += r.client_to_server + r.server_to_client + r.bundle_bytes;
    EXPECT_EQ(sum, rows);
    EXPECT_LE(costliest(e, 2).size(), 2U);
  }
}

// "3x5+4x7": every bit of the comparison is in a digit, every digit in the tree.
TEST(Explain, AComparisonsTextAccountsForEveryBitAndDigit) {
  for (unsigned n = 0; n < 126; ++n) {
    const unsigned width = 1 + n / 2;
    const Suite suite = n % 2 == 0 ? Suite::cryptflow2 : Suite::masked;
    for (unsigned low = 0; low < width; low += 5) {
      const ComparisonLayout layout = comparison_layout(suite, width, low);
      const std::string text = comparison_text(layout);
      std::istringstream in(text.substr(text.find(' ')));
      unsigned bits = 0;
      unsigned digits = 0;
      char separator = '+';
      while (separator == '+') {
        unsigned size = 0;
        unsigned count = 0;
        in >> size >> separator >> count >> separator;
        bits += size * count;
        digits += count;
      }
      EXPECT_EQ(bits, width) << text;
      in.ignore(6);  // " tree "
      unsigned joined = 0;
      do {
        unsigned leaves = 0;
        in >> leaves;
        joined += leaves;
        in.get(separator);
      } while (in.peek() != ' ');
      EXPECT_EQ(joined, digits) << text;
      EXPECT_EQ(text.find('|') != std::string::npos, low > 0) << text;
    }
  }
}

}  // namespace
}  // namespace smpc
