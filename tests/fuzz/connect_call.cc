#include <string>
#include <utility>

#include "engine/api/routes.h"
#include "engine/base/check.h"
#include "engine/net/http_reader.h"
#include "engine/net/http_writer.h"
#include "engine/wire/connect.h"
#include "engine/wire/json.h"
#include "tests/fuzz/api_message.h"
#include "tests/fuzz/targets.h"

namespace skald::fuzz {
namespace {

/// A refusal is a whole HTTP answer that can be sent and says in JSON what is wrong.
void check_refusal(const HttpResponse& response) {
  SKALD_CHECK(response.status >= 400 && response.status <= 599);
  std::string bytes;
  append_response(bytes, response, {});
  SKALD_CHECK(bytes.starts_with("HTTP/1.1 " + std::to_string(response.status)));
  if (!response.body.empty()) SKALD_CHECK(!wire::find_json_fault(response.body));
}

void serve(HttpRequest request) {
  if (const std::string* key = find_header(request.headers, "Idempotency-Key")) {
    static_cast<void>(api::parse_idempotency_key(*key));
  }
  const auto call = wire::parse_connect_call(std::move(request));
  if (!call) return check_refusal(call.error());
  for (const auto* method : api_methods()) {
    if (call->procedure == "/" + method->service()->full_name() + "/" + method->name()) {
      check_api_message(*method->input_type(), call->codec, call->body);
    }
  }
}

void receive(const HttpResponse& response) {
  const Error error = wire::connect_error_of(response);
  check_refusal(wire::connect_error(error));
  if (const auto told = wire::parse_connect_error(response)) {
    const auto again = wire::parse_connect_error(wire::connect_error(*told));
    SKALD_CHECK(again.has_value() && again->code == told->code && again->message == told->message);
  }
}

}  // namespace

void connect_call(std::string_view input) {
  const bool answers = (take_byte(input) & 1) != 0;
  HttpReader reader(answers ? HttpRole::responses : HttpRole::requests, {});
  if (reader.feed(input).progress != ReadProgress::done) return;
  if (answers) {
    receive(reader.take_response());
  } else {
    serve(reader.take_request());
  }
}

}  // namespace skald::fuzz
