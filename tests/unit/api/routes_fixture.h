// The routes over a FakeEngine that knows shop versions 1 and 2, and calls through them.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/batch_acts.h"
#include "engine/api/routes.h"
#include "engine/wire/connect.h"
#include "tests/unit/api/fake_engine.h"
#include "tests/unit/api/shop.h"

namespace skald::api {

using wire::ConnectCodec;

inline constexpr std::string_view kSubmit = "/skald.v1.SagaService/Submit";
inline constexpr std::string_view kSomeId = "0000000000000g000000000002";

class RoutesTest : public testing::Test {
 protected:
  RoutesTest()
      : batch_acts_(engine_, options()),
        batches_({.clock = clock_, .engine = engine_, .acts = batch_acts_, .log = {}}),
        routes_(engine_, batches_, options()) {
    engine_.registered = {sealed(shop(1)), sealed(shop(2))};
    engine_.answer = SagaAnswer{.id = SagaId{.placement = 1, .serial = 2},
                                .definition = "shop",
                                .version = 2,
                                .created = true};
  }

  static ServiceOptions options() {
    ServiceOptions made;
    made.input_bytes_max = 100;
    made.allowed_address = [](std::string_view url) -> Result<void> {
      if (url.starts_with("http://127.0.0.1")) return {};
      return fail(Errc::permission_denied, "participants.allow does not have it");
    };
    made.read_inline = [](const v1::Definition& from) -> Result<DefinitionPtr> {
      if (from.steps_size() == 0) {
        return fail(Errc::invalid_argument, "inline_definition.steps: is empty");
      }
      Definition definition = shop();
      definition.name = from.name();
      definition.source = from.SerializeAsString();
      return seal(std::move(definition));
    };
    return made;
  }

  HttpResponse send(HttpRequest request) {
    std::optional<HttpResponse> answer;
    routes_.handle(std::move(request), [&](HttpResponse response) {
      EXPECT_FALSE(answer.has_value()) << "answered twice";
      answer = std::move(response);
    });
    EXPECT_TRUE(answer.has_value()) << "not answered";
    return answer.value_or(HttpResponse{.status = 0});
  }
  HttpResponse post(std::string_view procedure, std::string body,
                    std::vector<HttpHeader> headers = {}) {
    HttpRequest request = wire::connect_request(procedure, ConnectCodec::json, std::move(body));
    for (HttpHeader& header : headers) request.headers.push_back(std::move(header));
    return send(std::move(request));
  }
  template <class Response>
  Response call(std::string_view procedure, const google::protobuf::Message& request) {
    const HttpResponse response =
        send(wire::connect_request(procedure, ConnectCodec::proto, request.SerializeAsString()));
    EXPECT_EQ(response.status, 200U) << response.body;
    Response message;
    EXPECT_TRUE(message.ParseFromString(response.body));
    return message;
  }
  HttpResponse get(std::string path) {
    return send({.method = "GET", .target = std::move(path), .headers = {}, .body = ""});
  }
  /// The refusal's message, after checking its status and code.
  std::string refused(const HttpResponse& response, unsigned status, Errc code) {
    EXPECT_EQ(response.status, status) << response.body;
    const auto error = wire::parse_connect_error(response);
    if (!error) return "no Connect error: " + response.body;
    EXPECT_EQ(name(error->code), name(code));
    return error->message;
  }

  SystemClock clock_;
  FakeEngine engine_;
  BatchActs batch_acts_;
  batch::Batches batches_;
  Routes routes_;
};

}  // namespace skald::api
