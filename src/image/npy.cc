#include "smpc/image/npy.h"

#include <cctype>
#include <cstring>

#include "byte_order.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/mapped_file.h"

namespace smpc {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t longest_header = 65536;
constexpr std::size_t most_dims = 32;

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<std::size_t> shape;
};

// A Python dictionary of three entries, as numpy writes and reads it.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  Header parse() {
    Header h;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        h.descr = quoted();
        descr = true;
      } else if (key == "fortran_order" && !order) {
        h.fortran = boolean();
        order = true;
      } else if (key == "shape" && !shape) {
        h.shape = tuple();
        shape = true;
      } else {
        refuse("its header has an entry that is unknown or given twice");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ != text_.size() || !descr || !order || !shape) refuse("its header lacks descr, fortran_order or shape, or has more behind them");
    return h;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { fail_input(what_ + ": expected an array by numpy, but " + why + "; save it again (numpy.save)"); }
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse("its header cannot be read");
  }
  std::string quoted() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') refuse("its header cannot be read");
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) refuse("its header cannot be read");
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return out;
  }
  bool boolean() {
    skip();
    for (const std::string_view word : {"True", "False"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "True";
    }
    refuse("its header cannot be read");
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> out;
    expect('(');
    while (!take(')')) {
      skip();
      std::size_t value = 0;
      bool any = false;
      for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0; ++at_, any = true) {
        value = value * 10 + static_cast<std::size_t>(text_[at_] - '0');
        if (value > most_array_elements) refuse("it has more than 2^28 elements");
      }
      if (!any || out.size() == most_dims) refuse("its shape cannot be read");
      out.push_back(value);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return out;
  }

  std::string_view text_;
  const std::string& what_;
  std::size_t at_ = 0;
};

template <class T>
void read(ByteView data, bool swap, SecretVector<double>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T v;
    std::memcpy(&v, data.data() + i * sizeof(T), sizeof(T));
    v = image::in_native_order(v, swap);
    if constexpr (std::is_same_v<T, std::uint16_t>) {
      out[i] = v;
    } else {
      out[i] = static_cast<double>(v);
    }
  }
}

using Read = void (*)(ByteView, bool, SecretVector<double>&);
struct Type {
  std::string_view name;  // kind and bytes
  std::size_t bytes;
  Read read;
};

void read_halves(ByteView data, bool swap, SecretVector<double>& out) {
  read<std::uint16_t>(data, swap, out);
  for (double& v : out) v = half_value(static_cast<std::uint16_t>(v));
}

constexpr Type types[] = {{"f2", 2, read_halves},          {"f4", 4, read<float>},         {"f8", 8, read<double>},
                          {"i1", 1, read<std::int8_t>},    {"i2", 2, read<std::int16_t>},  {"i4", 4, read<std::int32_t>},
                          {"i8", 8, read<std::int64_t>},   {"u1", 1, read<std::uint8_t>},  {"u2", 2, read<std::uint16_t>},
                          {"u4", 4, read<std::uint32_t>},  {"u8", 8, read<std::uint64_t>}, {"b1", 1, read<std::uint8_t>}};

// The first index fastest, to the last one fastest.
SecretVector<double> in_c_order(const SecretVector<double>& from, const std::vector<std::size_t>& shape) {
  SecretVector<double> out(from.size());
  std::vector<std::size_t> stride(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) stride[d] = stride[d - 1] * shape[d - 1];
  std::vector<std::size_t> at(shape.size());
  std::size_t place = 0;
  for (double& v : out) {
    v = from[place];
    for (std::size_t d = shape.size(); d-- > 0;) {
      place += stride[d];
      if (++at[d] < shape[d]) break;
      place -= at[d] * stride[d];
      at[d] = 0;
    }
  }
  return out;
}

}  // namespace

bool is_npy(const std::filesystem::path& path) {
  const Bytes head = read_head(path, magic.size());
  return as_text(head) == magic;
}

Array load_npy(const std::filesystem::path& path) {
  const std::string what = path.string();
  const auto refuse = [&](const std::string& why) {
    fail_input(what + ": expected an array by numpy, but " + why + "; save it again (numpy.save)");
  };
  if (!is_npy(path)) refuse("it begins otherwise");
  const MappedFile file(path);
  const ByteView all = file.bytes();
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(all[at]); };
  if (all.size() < 12) refuse("it is cut short");
  const std::size_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0) refuse("its format is of another version than 1 to 3");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::size_t length = 0;
  for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | byte(8 + i);
  const std::size_t begin = 8 + length_bytes;
  if (length > longest_header || length > all.size() - begin) refuse("it is cut short, or its header is longer than 64 KiB");
  const Header h = HeaderParser(as_text(all.subspan(begin, length)), what).parse();
  const char order = h.descr.empty() ? '?' : h.descr.front();
  const Type* type = nullptr;
  for (const Type& t : types) {
    if (!h.descr.empty() && h.descr.substr(1) == t.name) type = &t;
  }
  if (type == nullptr || std::string_view("<>|=").find(order) == std::string_view::npos || (order == '|' && type->bytes > 1)) {
    refuse("its elements are neither booleans, integers nor floating-point numbers of up to 8 bytes");
  }
  std::size_t count = 1;
  for (const std::size_t d : h.shape) {
    if (d == 0 || d > most_array_elements / count) refuse("it has no elements, or more than 2^28");
    count *= d;
  }
  const ByteView data = all.subspan(begin + length);
  if (data.size() != count * type->bytes) {
    refuse("its shape needs " + std::to_string(count * type->bytes) + " bytes of data, and it has " + std::to_string(data.size()));
  }
  Array out{h.shape, SecretVector<double>(count)};
  type->read(data, order == '>', out.values);
  if (h.fortran && h.shape.size() > 1) out.values = in_c_order(out.values, h.shape);
  return out;
}

}  // namespace smpc
