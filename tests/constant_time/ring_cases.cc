// Packing, fields, bit vectors and products, alone.
#include <hwy/targets.h>

#include <algorithm>
#include <array>

#include "cases.h"
#include "poison.h"
#include "smpc/program/weights.h"
#include "smpc/ring/bit_vector.h"
#include "smpc/ring/fields.h"
#include "smpc/ring/kernels.h"

namespace smpc::testing {
namespace {

RingVector secret_values(std::size_t count, Ring ring) {
  RingVector v(count);
  poison(v);
  reduce_all(ring, v);
  return v;
}

BitVector secret_bit_vector(std::size_t size) {
  BitVector v(size);
  poison(v.words());
  if (size % 64 != 0) v.words().back() &= low_mask(size % 64);
  return v;
}

constexpr std::array<std::size_t, 7> sizes{1, 7, 8, 63, 64, 65, 131};

}  // namespace

// Secret elements are packed and unpacked; padding bits are known to be zero, so they may be checked.
CASE(PackedElements) {
  for (unsigned bits = 1; bits <= 64; ++bits) {
    for (const std::size_t n : sizes) {
      const RingVector values = secret_values(n, Ring{bits});
      Bytes packed(packed_bytes(n, bits));
      pack_bits(values, bits, packed);
      SMPC_CHECK(is_secret(packed));
      RingVector back(n);
      unpack_bits(packed, bits, back);
      SMPC_CHECK(secret_bits(back) == std::vector<std::uint64_t>(n, low_mask(bits)));
      unpack_range(packed, bits, n / 2, std::span(back).subspan(n / 2));
    }
  }
}

CASE(FieldsOfAMessage) {
  for (const std::size_t n : sizes) {
    for (const unsigned bits : {1U, 13U, 44U, 64U}) {
      Bytes message;
      FieldWriter out(message);
      out.bits(secret_bit_vector(n));
      out.values(Ring{bits}, secret_values(n, Ring{bits}));
      out.values(Ring{bits}, secret_values(n, Ring{bits}));
      FieldReader in(message);
      SMPC_CHECK(is_secret(in.bits(n).words()));
      SMPC_CHECK(is_secret(in.values(n, Ring{bits})));
      SMPC_CHECK(is_secret(in.packed(n, Ring{bits})));
    }
  }
}

CASE(BitVectors) {
  for (const std::size_t n : sizes) {
    BitVector a = secret_bit_vector(n);
    BitVector b = secret_bit_vector(n);
    swap_where(secret_bit_vector(n), a, b);
    a ^= b;
    a &= secret_bit_vector(n);
    a.flip();
    SMPC_CHECK(is_secret(a.words()));
    Bytes packed(a.byte_count());
    a.write(packed);
    BitVector all(2 * n);
    all.place(0, BitVector::read(packed, n));
    all.place(n, a);
    BitVector copy(n);
    for (std::size_t i = 0; i < n; ++i) copy.put(i, all.get(n + i));
    SMPC_CHECK(is_secret(copy.words()));
    const RingVector values = secret_values(n, Ring{});
    for (const BitVector& slice : bit_slices(values, 3, 61)) SMPC_CHECK(is_secret(slice.words()));
    SMPC_CHECK(is_secret(bit_slice(values, 63).words()));
  }
}

namespace {

template <class T>
void multiply(std::size_t rows, std::size_t cols, std::size_t vectors, Ring ring) {
  SecretVector<T> m(rows * cols);
  poison(m);
  const RingVector x = secret_values(vectors * cols, ring);
  RingVector y(vectors * rows);
  accumulate_product(std::span<const T>(m), cols, x, vectors, y, rows, 0, ring);
  reduce_all(ring, y);
  SMPC_CHECK(is_secret(y));
}

void multiply_all() {
  for (const std::size_t rows : {1U, 2U, 5U}) {
    for (const std::size_t cols : {1U, 3U, 8U, 37U}) {
      for (const std::size_t vectors : {1U, 2U, 3U, 6U}) {
        for (const unsigned bits : {17U, 44U, 52U, 64U}) {
          multiply<std::int16_t>(rows, cols, vectors, Ring{bits});
          multiply<std::int32_t>(rows, cols, vectors, Ring{bits});
          multiply<std::uint64_t>(rows, cols, vectors, Ring{bits});
        }
      }
    }
  }
}

}  // namespace

// On every set of vector instructions that the room is compiled for and valgrind offers.
CASE(ProductsOnEveryTarget) {
  hwy::SetSupportedTargetsForTest(0);
  const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  SMPC_CHECK(std::ranges::find(targets, HWY_AVX2) != targets.end());
  for (const std::int64_t target : targets) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    multiply_all();
  }
}

CASE(StoredWeights) {
  for (const std::int32_t largest : {1, 1 << 20}) {
    const WeightMatrix matrix{WeightMatrix::Wide(130, largest)};
    matrix.visit([](auto values) { poison(values); });
    WeightMatrix::Wide read(100);
    matrix.read(7, read);
    SMPC_CHECK(is_secret(read));
  }
}

}  // namespace smpc::testing
