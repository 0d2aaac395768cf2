// Which types hold secrets, and that none of them can be printed in any of the ways there are. What the compiler says to the
// commonest slips is in misuse/.
#include <gtest/gtest.h>

#include <concepts>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "log.h"
#include "smpc/base/bytes.h"
#include "smpc/compiler/compile.h"
#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/crypto/aead.h"
#include "smpc/crypto/prg.h"
#include "smpc/image/scan.h"
#include "smpc/model/strip.h"

namespace smpc::test {
namespace {

template <class T>
concept Streamed = requires(std::ostream& out, const T& v) { out << v; };
template <class T>
concept InHex = requires(const T& v) { to_hex(v); };
template <class T>
concept AsText = requires(const T& v) { as_text(v); };
template <class T>
concept InJson = std::constructible_from<nlohmann::json, const T&> || std::constructible_from<nlohmann::json, T&>;
template <class T>
concept Logged = fmt::is_formattable<T>::value || fmt::is_formattable<const T&>::value;
template <class T>
concept Joined = requires(T& v) { fmt::join(v, ", "); } || requires(const T& v) { fmt::join(v, ", "); };
template <class T>
concept MadeText = std::constructible_from<std::string, const T&> || std::constructible_from<std::string_view, const T&>;
template <class T>
concept Printed = Streamed<T> || InHex<T> || AsText<T> || InJson<T> || Logged<T> || MadeText<T>;

// What is public is printed in each of these ways, so each of them would be noticed.
static_assert(Streamed<std::string> && InHex<Bytes> && AsText<Bytes> && InJson<std::vector<double>>);
static_assert(Logged<std::vector<double>> && Joined<std::vector<double>> && MadeText<const char*>);
static_assert(InHex<Digest> && AsText<Digest>);

template <class... T>
constexpr bool none_printed = (!Printed<T> && ...);

// Of a key.
static_assert(none_printed<Key, std::vector<Key>, std::optional<Key>, BundleSeeds, Prg, MaskRows>);
static_assert(!InHex<std::span<const std::byte, 32>> && !AsText<std::span<std::byte, 32>>);
static_assert(!std::equality_comparable<Key>);
// Seeds and corrections of bundles.
static_assert(none_printed<SecretBytes, std::vector<SecretBytes>, std::optional<SecretBytes>, ClientMaterial, StoredMaterial>);
// Shares.
static_assert(none_printed<RingVector, BitVector, std::vector<BitVector>, OtSender, OtReceiver, AndShare, SharedBitShare,
                           BitProductShare, PrivateBitsShare, OpeningShare, ProductShare, LookupShare, LinearServer, LinearClient>);
// Voxels.
static_assert(none_printed<SecretVector<double>, decltype(Scan::volumes), Scan, std::vector<RingVector>>);
// Weights, in float and quantised.
static_assert(none_printed<SecretVector<float>, Tensor, Affine, Layer, Network, Model, decltype(Compiled::hidden_factors)>);
static_assert(none_printed<WeightMatrix, WeightMatrix::Narrow, WeightMatrix::Wide, LinearWeights, Weights, Compiled>);
static_assert(none_printed<decltype(Stripped::weights), Stripped>);
// Text.
static_assert(none_printed<SecretVector<char>, SecretVector<unsigned char>>);
// fmt's join takes every range there is, and fails for those whose elements it cannot write.
static_assert(!Joined<SecretBytes> && !Joined<RingVector> && !Joined<SecretVector<float>> && !Joined<SecretVector<char>>);
// A view is not logged, whatever it is of.
static_assert(!Logged<std::span<const double>> && !Logged<std::span<const std::byte, 32>> && !Joined<std::span<const double>>);

// Moved into memory that nobody wipes.
template <class Secret, class Plain>
constexpr bool kept_apart = !std::convertible_to<Secret, Plain> && !std::assignable_from<Plain&, Secret>;
static_assert(kept_apart<SecretBytes, Bytes> && kept_apart<RingVector, std::vector<std::uint64_t>>);
static_assert(kept_apart<SecretVector<double>, std::vector<double>> && kept_apart<SecretVector<float>, std::vector<float>>);
static_assert(kept_apart<SecretVector<char>, std::string>);

// What holds each secret is of such a type; whoever changes one has to change this.
static_assert(std::same_as<decltype(Scan::volumes), std::vector<SecretVector<double>>>);
static_assert(std::same_as<decltype(Affine::weights), SecretVector<float>>);
static_assert(std::same_as<decltype(Affine::bias), SecretVector<double>>);
static_assert(std::same_as<decltype(LinearWeights::bias), SecretVector<std::int64_t>>);
static_assert(std::same_as<decltype(unseal({}, {}, {})), std::optional<SecretBytes>>);

TEST(SecretTypes, CannotBePrinted) { SUCCEED() << "checked by the compiler"; }

}  // namespace
}  // namespace smpc::test
