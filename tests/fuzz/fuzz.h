// What the fuzz targets share. A target hands bytes from nowhere to code that reads what the world sends. That code may
// refuse them, with an smpc::Error; everything else that comes out of it is a bug, and so is a broken SMPC_CHECK here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <span>
#include <string_view>

#include "smpc/base/bytes.h"
#include "smpc/base/error.h"

namespace smpc::fuzz {

// A person reads it as one line.
constexpr std::size_t longest_error = 2048;

inline ByteView bytes_of(const std::uint8_t* data, std::size_t size) { return std::as_bytes(std::span(data, size)); }

// Whether f refuses what it was given.
template <class F>
bool refuses(F&& f) {
  try {
    f();
    return false;
  } catch (const Error& e) {
    const std::string_view text = e.what();
    SMPC_CHECK(!text.empty() && text.size() <= longest_error && text.find('\n') == text.npos);
    return true;
  }
}

// What is already accepted must pass f too.
template <class F>
void expect_accepted(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    std::cerr << "refused: " << e.what() << "\n";
    constexpr bool what_was_accepted_is_refused = false;
    SMPC_CHECK(what_was_accepted_is_refused);
  }
}

}  // namespace smpc::fuzz
