// One blocking call of the API. Verbs see this interface; tests put something else behind it.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/time.h"

namespace skald::ctl {

class ApiClient {
 public:
  virtual ~ApiClient() = default;
  /// Errors: what the server answered; unavailable (not reached), deadline_exceeded (no answer in
  /// time), unknown (the connection broke: the call may have arrived).
  [[nodiscard]] virtual Result<void> call(std::string_view procedure,
                                          const google::protobuf::Message& request,
                                          google::protobuf::Message& response, Millis timeout) = 0;
};

/// `server` is "http://host:port"; names are looked up here. Errors: invalid_argument, unavailable.
[[nodiscard]] Result<std::unique_ptr<ApiClient>> connect_api(const std::string& server);

}  // namespace skald::ctl
