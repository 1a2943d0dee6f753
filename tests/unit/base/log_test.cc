#include "engine/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace skald {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// A FILE* that collects what is written to it.
class Collected {
 public:
  Collected() : file_(open_memstream(&text_, &size_)) {}
  ~Collected() {
    std::fclose(file_);
    std::free(text_);
  }
  Collected(const Collected&) = delete;
  Collected& operator=(const Collected&) = delete;

  std::FILE* file() { return file_; }
  std::string text() {
    std::fflush(file_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

TEST(Logger, WritesOneTextLineWithTimeLevelRoomAndText) {
  Collected out;
  const Logger log = Logger({.out = out.file()}).named("store");

  log.warn("sync slow took_ms={}", 31);

  EXPECT_THAT(out.text(), MatchesRegex("....-..-..T..:..:......Z warning store: sync slow "
                                       "took_ms=31\n"));
}

TEST(Logger, WritesJsonThatEscapesTheText) {
  Collected out;
  const Logger log = Logger({.format = LogFormat::json, .out = out.file()}).named("api");

  log.error("bad name={}", "a\"b\\c\nd");

  EXPECT_THAT(out.text(), AllOf(HasSubstr(R"("room":"api","text":"bad name=a\"b\\c\u000ad"})"),
                                HasSubstr(R"("level":"error")")));
}

TEST(Logger, KeepsAnUntrustedValueOnItsLine) {
  Collected out;
  const Logger log({.out = out.file()});

  log.info("submitted key={}", "x\nforged line");

  EXPECT_THAT(out.text(), HasSubstr("key=x\\u000aforged line\n"));
}

TEST(Logger, LeavesOutLinesBelowItsLevel) {
  Collected out;
  const Logger log({.level = LogLevel::warn, .out = out.file()});

  log.debug("a");
  log.info("b");
  EXPECT_EQ(out.text(), "");

  EXPECT_FALSE(log.enabled(LogLevel::info));
  EXPECT_TRUE(log.enabled(LogLevel::warn));
}

TEST(Logger, IsSilentWhenDefaultMade) {
  const Logger log;
  log.named("core").error("nobody reads this");
  EXPECT_FALSE(log.enabled(LogLevel::error));
}

}  // namespace
}  // namespace skald
