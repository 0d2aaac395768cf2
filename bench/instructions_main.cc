// smpc_bench_instructions KERNEL: one kernel, once, on a fixed shape, inside the function smpc_measured, for callgrind to
// count (bench/instructions.sh). Without KERNEL it lists the kernels: name, elements.
//
// valgrind knows no AVX-512, so that Highway falls back to AVX2 under it; the target is pinned to AVX2 here, so that no
// processor makes a difference.
#include <hwy/targets.h>

#include <functional>
#include <iostream>
#include <map>
#include <thread>

#include "smpc/base/bits.h"
#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/net/channel.h"
#include "smpc/ring/kernels.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/two_party.h"

// Callgrind collects between entry to and exit of this function, in every thread. The last statement keeps the call from
// becoming a jump, which would look like an exit.
extern "C" __attribute__((noinline, noclone)) void smpc_measured(const std::function<void()>& work) {
  work();
  asm volatile("" : : : "memory");
}

namespace smpc::bench {
namespace {

struct Kernel {
  std::size_t elements;
  std::function<void()> run;  // sets up, and calls smpc_measured
};

constexpr std::size_t rows = 16;
constexpr std::size_t cols = 8192;
constexpr unsigned bits = 44;

template <class T>
std::vector<T> some(std::size_t n, unsigned width = 64) {
  std::vector<T> v(n);
  std::uint64_t state = 1;
  for (T& x : v) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    x = static_cast<T>((state >> 11) & low_mask(width));
  }
  return v;
}

template <class T>
void product(std::size_t batch) {
  const auto m = some<T>(rows * cols);
  const auto x = some<std::uint64_t>(cols * batch);
  std::vector<std::uint64_t> y(rows * batch);
  smpc_measured([&] { accumulate_product(std::span<const T>(m), cols, x, batch, y, rows, 0); });
}

void mask_rows() {
  MaskRows mask(Key{}, LinearDemand{0, cols, rows, Ring{bits}});
  std::vector<std::uint64_t> out(rows * cols);
  smpc_measured([&] { mask.rows(0, out); });
}

void pack() {
  const auto values = some<std::uint64_t>(rows * cols, bits);
  Bytes out(packed_bytes(values.size(), bits));
  smpc_measured([&] { pack_bits(values, bits, out); });
}

void unpack() {
  const auto values = some<std::uint64_t>(rows * cols, bits);
  Bytes packed(packed_bytes(values.size(), bits));
  pack_bits(values, bits, packed);
  std::vector<std::uint64_t> out(values.size());
  smpc_measured([&] { unpack_bits(packed, bits, out); });
}

Program linear_program() {
  Program p;
  p.reveal = Reveal::logits;
  p.inputs = {{"x", {cols}, -1, 1}};
  p.tensors = {{cols, 10, Ring{bits}}, {rows, 20, Ring{bits}}};
  p.ops = {{"linear", LinearOp{cols, rows}}};
  p.labels.assign(rows, "");
  return p;
}

std::vector<BundleSeeds> fixed_seeds(std::size_t n) { return std::vector<BundleSeeds>(n); }

void corrections(std::size_t bundles) {
  const Plan plan = correlation_plan(linear_program());
  const auto seeds = fixed_seeds(bundles);
  smpc_measured([&] { make_corrections(plan, Key{}, seeds); });
}

void finishing(std::size_t bundles) {
  const Plan plan = correlation_plan(linear_program());
  const Bytes masked(MaskedLayout(plan).bytes());
  std::vector<ClientMaterial> material(bundles, {Key{}, SecretBytes(plan.correction_bytes())});
  smpc_measured([&] { finish_corrections(plan, masked, material); });
}

constexpr std::size_t relus = 1 << 15;

Program relu_program(Suite suite) {
  Program p;
  p.suite = suite;
  p.reveal = Reveal::logits;
  p.inputs = {{"x", {relus}, -1, 1}};
  p.tensors = {{relus, 30, Ring{bits}}, {relus, 15, Ring{bits}}};
  p.ops = {{"relu", ReluOp{15}}};
  p.labels.assign(relus, "");
  return p;
}

// Both parties, each in a thread of its own; correlations are dealt before.
void relu(Suite suite) {
  const Program program = relu_program(suite);
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, 1);
  const LocalSources sources = deal_locally(plan, {}, 1);
  const auto values = some<std::uint64_t>(relus, bits);
  const RingVector input(values.begin(), values.end());
  auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
  std::jthread other([&, &channel = *to_client] {
    smpc_measured([&] { PartyRun::server(program, plan, schedule, *sources.server, {}).execute(channel); });
  });
  smpc_measured([&] { PartyRun::client(program, plan, schedule, *sources.client, input).execute(*to_server); });
}

std::map<std::string, Kernel> kernels() {
  constexpr std::size_t n = rows * cols;
  std::map<std::string, Kernel> all{{"pack_44", {n, pack}},
                                    {"unpack_44", {n, unpack}},
                                    {"mask_rows", {n, mask_rows}},
                                    {"dealer_linear_1", {n, [] { corrections(1); }}},
                                    {"dealer_linear_32", {32 * n, [] { corrections(32); }}},
                                    {"client_finish_1", {n, [] { finishing(1); }}},
                                    {"client_finish_32", {32 * n, [] { finishing(32); }}}};
  for (const std::size_t batch : {std::size_t{1}, std::size_t{4}}) {
    const std::string end = "_" + std::to_string(batch);
    all["product_i16" + end] = {n * batch, [batch] { product<std::int16_t>(batch); }};
    all["product_i32" + end] = {n * batch, [batch] { product<std::int32_t>(batch); }};
  }
  for (const Suite suite : {Suite::cryptflow2, Suite::masked}) {
    all["relu_" + std::string(to_text(suite))] = {relus, [suite] { relu(suite); }};
  }
  return all;
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  const auto all = smpc::bench::kernels();
  if (argc == 1) {
    for (const auto& [name, kernel] : all) std::cout << name << " " << kernel.elements << "\n";
    return 0;
  }
  if ((hwy::SupportedTargets() & HWY_AVX2) == 0) {
    std::cerr << "this processor has no AVX2, for which the baseline counts\n";
    return 77;
  }
  hwy::SetSupportedTargetsForTest(HWY_AVX2);
  const auto at = all.find(argv[1]);
  if (at == all.end()) {
    std::cerr << "no kernel " << argv[1] << "\n";
    return 2;
  }
  at->second.run();
  return 0;
}
