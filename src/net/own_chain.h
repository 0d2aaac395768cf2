// This side's certificate, judged when it is loaded as the other side will judge it when it connects.
#pragma once

#include <ctime>
#include <filesystem>

#include "x509.h"

namespace smpc {

// The kind of its key, what it may be used for, the hosts in it, and every certificate from it up to one in ca.pem, by the
// date `now`. Throws bad_input that names the file, the certificate and its place in the chain.
void check_own_chain(const Identity::Impl& own, const std::filesystem::path& folder, std::time_t now);

}  // namespace smpc
