#include "engine/wire/errors.h"

#include <gtest/gtest.h>

#include <map>

namespace skald::wire {
namespace {

constexpr int kErrcCount = 16;

// The protocol's own table, written down a second time on purpose.
const std::map<std::string, unsigned> kStatusByCode = {
    {"canceled", 499},
    {"unknown", 500},
    {"invalid_argument", 400},
    {"deadline_exceeded", 504},
    {"not_found", 404},
    {"already_exists", 409},
    {"permission_denied", 403},
    {"resource_exhausted", 429},
    {"failed_precondition", 400},
    {"aborted", 409},
    {"out_of_range", 400},
    {"unimplemented", 501},
    {"internal", 500},
    {"unavailable", 503},
    {"data_loss", 500},
    {"unauthenticated", 401},
};

TEST(ConnectErrors, EveryCodeHasItsNameAndStatus) {
  for (int number = 1; number <= kErrcCount; ++number) {
    const auto code = static_cast<Errc>(number);
    const std::string name(connect_code(code));
    ASSERT_TRUE(kStatusByCode.contains(name)) << name;
    EXPECT_EQ(http_status(code), kStatusByCode.at(name)) << name;
    EXPECT_EQ(errc_of_connect_code(name), code) << name;
  }
}

TEST(ConnectErrors, AnUnknownNameIsNoCode) {
  EXPECT_EQ(errc_of_connect_code("ok"), std::nullopt);
  EXPECT_EQ(errc_of_connect_code("NOT_FOUND"), std::nullopt);
  EXPECT_EQ(errc_of_connect_code(""), std::nullopt);
}

TEST(ConnectErrors, AStatusWithoutBodyIsReadAsTheProtocolSays) {
  EXPECT_EQ(errc_of_http_status(400), Errc::internal);
  EXPECT_EQ(errc_of_http_status(401), Errc::unauthenticated);
  EXPECT_EQ(errc_of_http_status(403), Errc::permission_denied);
  EXPECT_EQ(errc_of_http_status(404), Errc::unimplemented);
  for (const unsigned status : {429U, 502U, 503U, 504U}) {
    EXPECT_EQ(errc_of_http_status(status), Errc::unavailable) << status;
  }
  for (const unsigned status : {302U, 402U, 409U, 418U, 500U, 501U, 599U}) {
    EXPECT_EQ(errc_of_http_status(status), Errc::unknown) << status;
  }
}

}  // namespace
}  // namespace skald::wire
