// The story of a run: a hash over all that happens, by which two runs are compared bit for bit, and
// the sentences for people when they are wanted.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "engine/base/hash.h"
#include "engine/base/time.h"

namespace skald::sim {

class Story {
 public:
  explicit Story(bool told) : told_(told) {}

  /// `word` stands for what happened; `sentence` makes the text and is called only when told.
  template <class Sentence>
  void tell(Millis at, std::uint64_t word, Sentence&& sentence) {
    hash_ = mix64(hash_ ^ word) + static_cast<std::uint64_t>(at.count());
    if (!told_) return;
    const std::string text = sentence();
    std::printf("%9.3f s  %s\n", static_cast<double>(at.count()) / 1'000, text.c_str());
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] bool told() const { return told_; }

 private:
  bool told_;
  std::uint64_t hash_ = 0;
};

}  // namespace skald::sim
