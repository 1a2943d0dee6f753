#include "participants/kit/host.h"

#include <utility>

namespace skald::kit {
namespace {

constexpr unsigned kTooEarly = 425;

HttpResponse text(unsigned status, std::string body) {
  return {status, {{"content-type", "text/plain"}}, std::move(body)};
}

HttpResponse still_executing() {
  auto response = wire::connect_error(
      {Errc::unavailable, "this key is being executed; ask again with the same key"});
  response.status = kTooEarly;
  return response;
}

}  // namespace

struct Host::Job {
  const Route* route = nullptr;
  std::string procedure;
  wire::ConnectCodec codec = wire::ConnectCodec::proto;
  std::optional<SagaCall> saga;  // of a mutation that came with a key
  std::unique_ptr<google::protobuf::Message> request;
  HttpResponse response;
  HttpResponder respond;
};

Host::Host(RowStore& store, const Clock& clock, HostOptions options)
    : options_(options), runner_(store, clock, options.runner) {}

HttpResponse Host::health(std::string_view path) const {
  if (const auto failure = runner_.failure()) return text(503, failure->message + "\n");
  if (path == "/readyz" && retired_) return text(503, "shutting down\n");
  return text(200, "ok\n");
}

std::expected<std::shared_ptr<Host::Job>, HttpResponse> Host::accept(HttpRequest request) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (request.method == "GET" && (path == "/healthz" || path == "/readyz")) {
    return std::unexpected(health(path));
  }
  const auto found = routes_.find(path);
  if (found == routes_.end()) return std::unexpected(text(404, "no such procedure\n"));

  auto job = std::make_shared<Job>();
  job->route = &found->second;
  if (job->route->kind == Kind::mutation && options_.keys != KeysMode::none) {
    auto saga = parse_saga_call(request.headers);
    if (!saga) return std::unexpected(wire::connect_error(saga.error()));
    job->saga = std::move(*saga);
  }
  auto call = wire::parse_connect_call(std::move(request));
  if (!call) return std::unexpected(std::move(call.error()));
  job->procedure = std::move(call->procedure);
  job->codec = call->codec;
  job->request.reset(job->route->request->New());
  const auto decoded = wire::decode_message(call->codec, call->body, *job->request);
  if (!decoded) return std::unexpected(wire::connect_error(decoded.error()));
  return job;
}

void Host::handle(HttpRequest request, HttpResponder respond) {
  auto accepted = accept(std::move(request));
  if (!accepted) return respond(std::move(accepted.error()));
  const auto job = std::move(*accepted);
  if (!claim(*job)) return respond(still_executing());
  job->respond = std::move(respond);
  auto work = [this, job](Txn& txn) { run(txn, *job); };
  auto done = [this, job](Result<void> kept) {
    release(*job);
    job->respond(kept ? std::move(job->response) : wire::connect_error(kept.error()));
  };
  runner_.submit(std::move(work), std::move(done));
}

void Host::run(Txn& txn, Job& job) const {
  const auto effect = [&job](Txn& t) { return job.route->run(t, *job.request); };
  BarrierAnswer answer{std::string()};
  if (job.saga) {
    const BarrierCall call{
        .saga = *job.saga,
        .procedure = job.procedure,
        .request_hash = request_hash(job.procedure, job.request->SerializeAsString()),
        .keys = options_.keys,
        .nothing_to_undo = job.route->nothing_to_undo};
    answer = pass_barrier(txn, call, effect);
  } else {
    answer.response = effect(txn);
    if (!answer.response) txn.discard();
  }
  if (!answer.response) {
    job.response = wire::connect_error(answer.response.error());
  } else if (job.codec == wire::ConnectCodec::proto) {
    job.response = {200, {{"content-type", "application/proto"}}, std::move(*answer.response)};
  } else {
    std::unique_ptr<google::protobuf::Message> message(job.route->response->New());
    SKALD_CHECK(message->ParseFromString(*answer.response), "procedure={}", job.procedure);
    job.response = wire::connect_response(job.codec, *message);
  }
  if (job.saga) {
    job.response.headers.push_back(
        {std::string(kBarrierHeader), std::string(name(answer.verdict))});
  }
}

bool Host::claim(const Job& job) {
  if (!job.saga || job.saga->operation == Operation::probe) return true;
  const std::lock_guard lock(executing_mutex_);
  return executing_.insert(job.saga->key).second;
}

void Host::release(const Job& job) {
  if (!job.saga || job.saga->operation == Operation::probe) return;
  const std::lock_guard lock(executing_mutex_);
  executing_.erase(job.saga->key);
}

}  // namespace skald::kit
