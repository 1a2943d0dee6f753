#include "engine/api/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/wire/connect.h"

namespace skald::api {
namespace {

using wire::ConnectCall;
using wire::ConnectCodec;

HttpResponse text_response(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  response.body = std::move(body);
  return response;
}

SagaService& service_of(Services& services, const SagaService*) { return services.sagas; }
OperatorService& service_of(Services& services, const OperatorService*) {
  return services.operators;
}
ReplayService& service_of(Services& services, const ReplayService*) { return services.replays; }
UpkeepService& service_of(Services& services, const UpkeepService*) { return services.upkeep; }
BatchService& service_of(Services& services, const BatchService*) { return services.batches; }
AlertService& service_of(Services& services, const AlertService*) { return services.alerts; }
StatsService& service_of(Services& services, const StatsService*) { return services.stats; }

/// Decodes, calls, encodes. `call` is a member of a service:
/// void (SagaService::*)(Request, const CallContext&, Reply<Response>).
template <auto call>
struct Unary;

template <class Service, class Request, class Response,
          void (Service::*call)(Request, const CallContext&, Reply<Response>)>
struct Unary<call> {
  static void run(Services& services, const ConnectCall& from, CallContext context,
                  HttpResponder respond) {
    Request message;
    if (auto decoded = wire::decode_message(from.codec, from.body, message); !decoded) {
      return respond(wire::connect_error(decoded.error()));
    }
    auto reply = [codec = from.codec,
                  respond = std::move(respond)](Result<Response> result) mutable {
      respond(result ? wire::connect_response(codec, *result)
                     : wire::connect_error(result.error()));
    };
    Service& service = service_of(services, static_cast<const Service*>(nullptr));
    (service.*call)(std::move(message), context, std::move(reply));
  }
};

struct Procedure {
  std::string_view path;
  void (*run)(Services&, const ConnectCall&, CallContext, HttpResponder);
  bool submits = false;  // one saga: may be refused unread
};

constexpr std::array kProcedures{
    Procedure{"/skald.v1.SagaService/Submit", Unary<&SagaService::submit>::run, true},
    Procedure{"/skald.v1.SagaService/SubmitBatch", Unary<&SagaService::submit_batch>::run},
    Procedure{"/skald.v1.SagaService/Get", Unary<&SagaService::get>::run},
    Procedure{"/skald.v1.SagaService/Wait", Unary<&SagaService::wait>::run},
    Procedure{"/skald.v1.SagaService/Signal", Unary<&SagaService::signal>::run},
    Procedure{"/skald.v1.SagaService/List", Unary<&SagaService::list>::run},
    Procedure{"/skald.v1.SagaService/Count", Unary<&SagaService::count>::run},
    Procedure{"/skald.v1.SagaService/StuckGroups", Unary<&SagaService::stuck_groups>::run},
    Procedure{"/skald.v1.SagaService/History", Unary<&SagaService::history>::run},
    Procedure{"/skald.v1.SagaService/Cancel", Unary<&SagaService::cancel>::run},
    Procedure{"/skald.v1.SagaService/Retry", Unary<&SagaService::retry>::run},
    Procedure{"/skald.v1.DefinitionService/List", Unary<&SagaService::list_definitions>::run},
    Procedure{"/skald.v1.DefinitionService/Get", Unary<&SagaService::get_definition>::run},
    Procedure{"/skald.v1.ParticipantService/List", Unary<&SagaService::list_participants>::run},
    Procedure{"/skald.v1.ParticipantService/Hold", Unary<&SagaService::hold>::run},
    Procedure{"/skald.v1.ParticipantService/Release", Unary<&SagaService::release>::run},
    Procedure{"/skald.v1.OperatorService/LegalActs", Unary<&OperatorService::legal_acts>::run},
    Procedure{"/skald.v1.OperatorService/Retry", Unary<&OperatorService::retry>::run},
    Procedure{"/skald.v1.OperatorService/Pause", Unary<&OperatorService::pause>::run},
    Procedure{"/skald.v1.OperatorService/Resume", Unary<&OperatorService::resume>::run},
    Procedure{"/skald.v1.OperatorService/Cancel", Unary<&OperatorService::cancel>::run},
    Procedure{"/skald.v1.OperatorService/Skip", Unary<&OperatorService::skip>::run},
    Procedure{"/skald.v1.OperatorService/Resolve", Unary<&OperatorService::resolve>::run},
    Procedure{"/skald.v1.OperatorService/Amend", Unary<&OperatorService::amend>::run},
    Procedure{"/skald.v1.OperatorService/MarkCompensated",
              Unary<&OperatorService::mark_compensated>::run},
    Procedure{"/skald.v1.OperatorService/Abandon", Unary<&OperatorService::abandon>::run},
    Procedure{"/skald.v1.OperatorService/Replay", Unary<&ReplayService::replay>::run},
    Procedure{"/skald.v1.OperatorService/Simulate", Unary<&ReplayService::simulate>::run},
    Procedure{"/skald.v1.UpkeepService/CheckStore", Unary<&UpkeepService::check_store>::run},
    Procedure{"/skald.v1.UpkeepService/BackUp", Unary<&UpkeepService::back_up>::run},
    Procedure{"/skald.v1.BatchService/Preview", Unary<&BatchService::preview>::run},
    Procedure{"/skald.v1.BatchService/Start", Unary<&BatchService::start>::run},
    Procedure{"/skald.v1.BatchService/Get", Unary<&BatchService::get>::run},
    Procedure{"/skald.v1.BatchService/Pause", Unary<&BatchService::pause>::run},
    Procedure{"/skald.v1.BatchService/Resume", Unary<&BatchService::resume>::run},
    Procedure{"/skald.v1.BatchService/Cancel", Unary<&BatchService::cancel>::run},
    Procedure{"/skald.v1.BatchService/List", Unary<&BatchService::list>::run},
    Procedure{"/skald.v1.BatchService/Results", Unary<&BatchService::results>::run},
    Procedure{"/skald.v1.AlertService/ListWebhooks", Unary<&AlertService::list_webhooks>::run},
    Procedure{"/skald.v1.AlertService/Test", Unary<&AlertService::test>::run},
    Procedure{"/skald.v1.StatsService/Get", Unary<&StatsService::get>::run},
};

/// The key of a submission that has not been read; nullopt: it must be read for that.
std::optional<std::string_view> key_unread(const ConnectCall& call, const CallContext& context) {
  if (context.idempotency_key) return *context.idempotency_key;
  if (call.codec != ConnectCodec::proto) return std::nullopt;
  return wire::find_text_field(call.body, v1::SubmitRequest::kIdempotencyKeyFieldNumber);
}

struct Page {
  std::string_view path;
  HttpResponse (*answer)(Engine&, const batch::Batches&);
};

HttpResponse healthz(Engine&, const batch::Batches&) { return text_response(200, "ok\n"); }

HttpResponse readyz(Engine& engine, const batch::Batches&) {
  const Result<void> ready = engine.ready();
  if (ready) return text_response(200, "ready\n");
  return text_response(503, fmt::format("not ready: {}\n", ready.error().message));
}

HttpResponse metrics(Engine& engine, const batch::Batches& batches) {
  HttpResponse response = text_response(200, engine.metrics() + batches.metrics());
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  return response;
}

constexpr std::array kPages{
    Page{"/healthz", healthz},
    Page{"/readyz", readyz},
    Page{"/metrics", metrics},
};

/// What Connect says of an unknown procedure: 404, which its clients read as `unimplemented`.
HttpResponse not_routed(std::string_view path) {
  constexpr std::size_t kPathShownMax = 128;
  HttpResponse response = wire::connect_error(
      {Errc::unimplemented,
       fmt::format(
           "nothing is at {}: procedures are /skald.v1.SagaService/*, "
           "DefinitionService/*, OperatorService/*, ParticipantService/*, "
           "BatchService/*, UpkeepService/* and AlertService/*, pages are /healthz, /readyz "
           "and /metrics",
           path.substr(0, kPathShownMax))});
  response.status = 404;
  return response;
}

HttpResponse wrong_verb(std::string_view allowed) {
  HttpResponse response = text_response(405, fmt::format("use {}\n", allowed));
  response.headers.push_back({"Allow", std::string(allowed)});
  return response;
}

}  // namespace

Result<std::string> parse_idempotency_key(std::string_view header) {
  constexpr std::string_view kBroken =
      "Idempotency-Key: not a quoted string; send \"your-key\" with its quotes";
  if (header.empty()) return fail(Errc::invalid_argument, "Idempotency-Key: is empty");
  if (header.front() != '"') return std::string(header);
  std::string key;
  for (std::size_t i = 1; i < header.size(); ++i) {
    if (header[i] == '"') {
      if (i + 1 != header.size()) return fail(Errc::invalid_argument, "{}", kBroken);
      if (key.empty()) return fail(Errc::invalid_argument, "Idempotency-Key: is empty");
      return key;
    }
    if (header[i] == '\\' && ++i == header.size()) break;
    key += header[i];
  }
  return fail(Errc::invalid_argument, "{}", kBroken);
}

HttpResponse refused_request(unsigned status, std::string_view what, std::size_t body_max) {
  Error error{Errc::invalid_argument, fmt::format("the request is refused: {}", what)};
  if (status == 413) {
    error = {Errc::resource_exhausted,
             fmt::format("the request is refused: {} (request_bytes_max={})", what, body_max)};
  } else if (status == 431) {
    error.code = Errc::resource_exhausted;
  } else if (status == 408) {
    error.code = Errc::deadline_exceeded;
  } else if (status == 501) {
    error.code = Errc::unimplemented;
  }
  HttpResponse response = wire::connect_error(error);
  response.status = status;
  return response;
}

Routes::Routes(Engine& engine, batch::Batches& batches, ServiceOptions options)
    : engine_(engine),
      batches_(batches),
      services_{.sagas = SagaService(engine, options),
                .operators = OperatorService(engine, options),
                .replays = ReplayService(engine, options),
                .upkeep = UpkeepService(engine),
                .batches = BatchService(batches),
                .alerts = AlertService(engine),
                .stats = StatsService(engine, std::move(options))} {}

void Routes::handle(HttpRequest request, HttpResponder respond) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  const auto page = std::ranges::find(kPages, path, &Page::path);
  if (page != kPages.end()) {
    if (request.method != "GET" && request.method != "HEAD") return respond(wrong_verb("GET"));
    return respond(page->answer(engine_, batches_));
  }
  const auto procedure = std::ranges::find(kProcedures, path, &Procedure::path);
  if (procedure == kProcedures.end()) return respond(not_routed(path));

  CallContext context;
  if (const std::string* header = find_header(request.headers, "Idempotency-Key")) {
    auto key = parse_idempotency_key(*header);
    if (!key) return respond(wire::connect_error(key.error()));
    context.idempotency_key = std::move(*key);
  }
  auto call = wire::parse_connect_call(std::move(request));
  if (!call) return respond(std::move(call.error()));
  context.timeout = call->timeout;
  context.output_form = call->codec == ConnectCodec::json ? OutputForm::value : OutputForm::bytes;
  if (procedure->submits) {
    const auto key = key_unread(*call, context);
    const auto busy = key ? engine_.refuse_at_once(*key) : std::nullopt;
    if (busy) return respond(wire::connect_error(*busy));
  }
  procedure->run(services_, *call, std::move(context), std::move(respond));
}

std::vector<std::string_view> Routes::listing() {
  std::vector<std::string_view> paths;
  for (const Procedure& procedure : kProcedures) paths.push_back(procedure.path);
  for (const Page& page : kPages) paths.push_back(page.path);
  return paths;
}

}  // namespace skald::api
