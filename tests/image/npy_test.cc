// Arrays from numpy's files. The bytes are written by hand, after numpy's description of its format.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

#include "smpc/base/error.h"
#include "smpc/image/npy.h"

namespace smpc {
namespace {

const std::filesystem::path npy_file = std::filesystem::path(::testing::TempDir()) / ("smpc_npy_test.npy" + std::to_string(::getpid()));

std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string text = header + "\n";
  std::string out("\x93NUMPY", 6);
  out += static_cast<char>(version);
  out += '\0';
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(size >> 8 * i);
  return out + text + data;
}

std::string header_of(const std::string& descr, bool fortran, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

Array load_array(const std::string& bytes) {
  std::ofstream(npy_file, std::ios::binary) << bytes;
  return load_npy(npy_file);
}

std::string error(const std::string& bytes) {
  try {
    load_array(bytes);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    return e.what();
  }
  ADD_FAILURE() << "was accepted";
  return {};
}

template <class T>
std::string bytes_of(const std::vector<T>& values, bool swap) {
  std::string out;
  for (const T v : values) {
    std::string one(reinterpret_cast<const char*>(&v), sizeof v);
    if (swap) std::reverse(one.begin(), one.end());
    out += one;
  }
  return out;
}

template <class T>
void check_type(const std::string& name) {
  const std::vector<T> values{static_cast<T>(1), static_cast<T>(0), static_cast<T>(100), std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max(),
                              static_cast<T>(3)};
  for (const std::string order : {"<", ">", "="}) {
    for (const int version : {1, 2, 3}) {
      const Array a = load_array(npy(header_of(order + name, false, "(2, 3)"), bytes_of(values, order == ">"), version));
      EXPECT_EQ(a.shape, (std::vector<std::size_t>{2, 3}));
      for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(a.values[i], static_cast<double>(values[i])) << name << order << i;
    }
  }
}

TEST(Npy, EveryTypeInEitherByteOrder) {
  check_type<float>("f4");
  check_type<double>("f8");
  check_type<std::int8_t>("i1");
  check_type<std::int16_t>("i2");
  check_type<std::int32_t>("i4");
  check_type<std::int64_t>("i8");
  check_type<std::uint8_t>("u1");
  check_type<std::uint16_t>("u2");
  check_type<std::uint32_t>("u4");
  check_type<std::uint64_t>("u8");
  const Array booleans = load_array(npy(header_of("|b1", false, "(3,)"), std::string("\1\0\1", 3)));
  EXPECT_EQ(booleans.values, (SecretVector<double>{1, 0, 1}));
  const Array halves = load_array(npy(header_of("<f2", false, "(4,)"), bytes_of(std::vector<std::uint16_t>{0x3c00, 0xc000, 0x0001, 0x7bff}, false)));
  EXPECT_EQ(halves.values, (SecretVector<double>{1, -2, 0x1p-24, 65504}));
}

TEST(Npy, FortranOrderIsTheSameArray) {
  std::mt19937 rng(1);
  const std::vector<std::size_t> shape{3, 4, 5};
  std::vector<double> c(60);
  for (double& v : c) v = static_cast<double>(rng());
  std::vector<double> fortran(60);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t k = 0; k < 5; ++k) fortran[i + 3 * (j + 4 * k)] = c[(i * 4 + j) * 5 + k];
    }
  }
  const Array a = load_array(npy(header_of("<f8", false, "(3, 4, 5)"), bytes_of(c, false)));
  const Array b = load_array(npy(header_of("<f8", true, "(3, 4, 5)"), bytes_of(fortran, false)));
  EXPECT_EQ(a.shape, shape);
  EXPECT_EQ(b.shape, shape);
  EXPECT_EQ(a.values, b.values);
}

TEST(Npy, AScalarAndSpacesAndQuotes) {
  EXPECT_TRUE(load_array(npy(header_of("<f8", false, "()"), bytes_of(std::vector<double>{2.5}, false))).shape.empty());
  const Array a = load_array(npy("{\"shape\": ( 2 , ) ,'fortran_order' :False,  'descr':'<i1'}      ", "\1\2"));
  EXPECT_EQ(a.values, (SecretVector<double>{1, 2}));
}

TEST(Npy, EverythingElseIsRefusedInOneLine) {
  const std::string good = npy(header_of("<f4", false, "(2,)"), std::string(8, '\0'));
  EXPECT_EQ(load_array(good).values.size(), 2U);
  for (std::size_t size = 0; size < good.size(); ++size) error(good.substr(0, size));
  error(good + "x");
  const std::string data(8, '\0');
  for (const char* header : {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
                             "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                             "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551618,)}", "['descr']",
                             "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"}) {
    error(npy(header, data));
  }
  for (const char* descr : {"<c8", "|O", "<U2", "|S4", "<M8[ns]", "<f16", "f4", "|f4", "", "<", "*f4", "<f3"}) {
    error(npy(header_of(descr, false, "(2,)"), data));
  }
  for (const char* shape : {"(0,)", "(3,)", "(1,)", "(65536, 65536, 65536)", "(4294967296, 4294967296)"}) {
    error(npy(header_of("<f4", false, shape), data));
  }
  error(npy(header_of("<f4", false, "(2,)"), data, 4));
  error("PK\3\4 an archive of arrays");
  std::filesystem::remove(npy_file);
  EXPECT_THROW(load_npy(npy_file), Error);
  EXPECT_THROW(load_npy("/dev/null"), Error);
  EXPECT_THROW(load_npy("/tmp"), Error);
}

}  // namespace
}  // namespace smpc
