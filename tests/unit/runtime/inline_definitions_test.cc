// Inline definitions: those that came alike are one, for as long as anybody uses it.
#include "engine/runtime/inline_definitions.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace skald {
namespace {

DefinitionPtr inline_of(std::string source) {
  return std::make_shared<const Definition>(Definition{.name = "d", .source = std::move(source)});
}

TEST(InlineDefinitions, ThoseThatCameAlikeAreOne) {
  InlineDefinitions shared;
  const DefinitionPtr first = shared.share(inline_of("pay 30"));
  EXPECT_EQ(shared.share(inline_of("pay 30")), first);
  EXPECT_EQ(shared.find("pay 30"), first);
  EXPECT_NE(shared.share(inline_of("pay 31")), first);
  EXPECT_NE(shared.share(inline_of("")), shared.share(inline_of("")));
}

TEST(InlineDefinitions, AreForgottenByThemselves) {
  InlineDefinitions shared;
  static_cast<void>(shared.share(inline_of("pay 30")));
  EXPECT_EQ(shared.find("pay 30"), nullptr);
  const DefinitionPtr kept = shared.share(inline_of("kept"));
  for (std::size_t i = 0; i < 3 * InlineDefinitions::kRememberedMax; ++i) {
    static_cast<void>(shared.share(inline_of(fmt::format("pay {}", i))));
  }
  EXPECT_LE(shared.remembered(), InlineDefinitions::kRememberedMax);
  EXPECT_EQ(shared.find("kept"), kept);
}

TEST(InlineDefinitions, AreBoundedWhereAllDifferAndAreInUse) {
  InlineDefinitions shared;
  std::vector<DefinitionPtr> in_use;
  for (std::size_t i = 0; i < 3 * InlineDefinitions::kRememberedMax; ++i) {
    in_use.push_back(shared.share(inline_of(fmt::format("pay {}", i))));
  }
  EXPECT_LE(shared.remembered(), InlineDefinitions::kRememberedMax);
}

TEST(InlineDefinitions, AStoredOneIsReadOnceWhileItIsInUse) {
  int read = 0;
  InlineDefinitions shared;
  const DefinitionTable table(
      {}, shared_reader(shared, [&read](const Bytes& source) -> Result<DefinitionPtr> {
        ++read;
        return inline_of(source);
      }));
  const DefinitionPtr first = table.of_saga("d", 1, "pay 30");
  EXPECT_EQ(table.of_saga("d", 1, "pay 30"), first);
  EXPECT_EQ(shared.share(inline_of("pay 30")), first);
  EXPECT_EQ(read, 1);
}

}  // namespace
}  // namespace skald
