#include "smpc/report/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "embedded.h"
#include "smpc/base/text.h"

namespace smpc {
namespace {

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};  // the largest double has 309 digits
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals).ptr;
  return {text.data(), end};
}

// Without zeros at the end of its decimals.
std::string trimmed(std::string decimal) {
  if (decimal.find('.') == std::string::npos) return decimal;
  decimal.erase(decimal.find_last_not_of('0') + 1);
  if (decimal.back() == '.') decimal.pop_back();
  return decimal;
}

}  // namespace

std::string html_escape(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_document(const HtmlPage& page) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
         "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta name=\"generator\" content=\"" +
         html_escape(page.generator) + "\">\n<title>" + html_escape(page.title) + "</title>\n<style>\n" +
         std::string(as_text(report::style_file())) + "</style>\n</head>\n<body>\n" + page.body + "</body>\n</html>\n";
}

std::string number_text(double value, int digits) {
  const double magnitude = std::abs(value);
  if (magnitude == 0) return "0";
  if (magnitude >= 1e-4 && magnitude < 1e7) {
    const int before_point = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
    return trimmed(fixed(value, std::max(0, digits - before_point)));
  }
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, digits).ptr;
  return {text.data(), end};
}

std::string millimetres_text(double mm) {
  const std::string text = trimmed(fixed(mm, 2));
  return text == "-0" ? "0" : text;
}

std::string grouped_text(std::uint64_t value) {
  std::string out = std::to_string(value);
  for (std::size_t at = out.size(); at > 3;) {
    at -= 3;
    out.insert(at, ",");
  }
  return out;
}

std::string probability_text(double p) {
  if (p < 0.00005 && p > 0) return "< 0.0001";
  if (p >= 0.99995 && p < 1) return "> 0.9999";
  return fixed(p, 4);
}

std::string seconds_text(double seconds) {
  if (seconds < 10) return fixed(seconds, 3) + " s";
  if (seconds < 60) return fixed(seconds, 1) + " s";
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

}  // namespace smpc
