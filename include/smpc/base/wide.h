// 128-bit integers, where 64 could overflow.
#pragma once

namespace smpc {

__extension__ using i128 = __int128;
__extension__ using u128 = unsigned __int128;

}  // namespace smpc
