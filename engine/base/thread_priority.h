// How much of a busy processor the calling thread asks for.
#pragma once

namespace skald {

/// For step_back(): work that others come to wait for when it is late, as for a full memtable that
/// nobody writes out; and work that nobody waits for.
inline constexpr int kBehindNice = 5;
inline constexpr int kFarBehindNice = 10;

/// The calling thread runs behind the rest of its process where the processor is short, and as
/// before where it is not. `nice`: 0 to 19, as of nice(2); a thread never comes forward again. A
/// system that refuses is left as it is: this is about latency, nothing depends on it.
void step_back(int nice);

}  // namespace skald
