#include "engine/api/saga_service.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <utility>

#include "engine/api/definition_view.h"
#include "engine/api/history_words.h"
#include "engine/api/payload.h"
#include "engine/api/request_checks.h"
#include "engine/base/hash.h"
#include "engine/wire/errors.h"

namespace skald::api {
namespace {

/// Keeps what led to `seq`; a fold that reaches beyond it stays whole.
void cut_history(std::vector<Event>& events, std::uint64_t seq) {
  std::uint64_t count = 0;
  const auto beyond = std::ranges::find_if(events, [&](const Event& event) {
    const bool is_beyond = count >= seq;
    count += events_in(event);
    return is_beyond;
  });
  events.erase(beyond, events.end());
}

/// The caller's own timeout, less what the answer needs to travel, bounds the wait: an answer with
/// `timed_out` is of more use than a broken call.
Millis bounded_wait(Millis wait, const CallContext& context) {
  constexpr Millis kTravelMax{200};
  if (!context.timeout) return wait;
  const Millis travel = std::min(kTravelMax, *context.timeout / 10);
  return std::min(wait, *context.timeout - travel);
}

/// The newest version first, names in order.
bool shown_before(const DefinitionPtr& a, const DefinitionPtr& b) {
  return a->name != b->name ? a->name < b->name : a->version > b->version;
}

}  // namespace

std::uint64_t body_hash(const SubmitRequest& request) {
  constexpr std::uint64_t kNamedSeed = 1;   // Stored with keys. Never change.
  constexpr std::uint64_t kInlineSeed = 2;  // Likewise.
  std::uint64_t hash = 0;
  if (request.inline_definition != nullptr) {
    hash = hash64(request.inline_definition->source, kInlineSeed);
  } else {
    hash = mix64(hash64(request.definition, kNamedSeed) ^ request.version);
  }
  // A key stands for the whole order: with another business key it is another one.
  if (!request.business_key.empty()) hash = hash64(request.business_key, hash);
  return hash64(request.input, hash);
}

SagaService::SagaService(Engine& engine, ServiceOptions options)
    : engine_(engine), options_(std::move(options)) {}

Result<DefinitionPtr> SagaService::find_definition(const std::string& name,
                                                   std::uint32_t version) const {
  if (DefinitionPtr found = engine_.find_definition(name, version)) return found;
  std::vector<std::uint32_t> versions;
  for (const DefinitionPtr& known : engine_.definitions()) {
    if (known->name == name) versions.push_back(known->version);
  }
  if (versions.empty()) {
    return fail(Errc::not_found,
                "definition \"{}\" is not registered: DefinitionService/List shows what is", name);
  }
  std::ranges::sort(versions);
  return fail(Errc::not_found, "definition \"{}\" has no version {}; it has {}", name, version,
              fmt::join(versions, ", "));
}

Result<SagaService::Submission> SagaService::read_submission(v1::SubmitRequest& from,
                                                             const CallContext& context) const {
  Submission submission;
  SubmitRequest& request = submission.request;
  auto key = agreed_key(std::move(*from.mutable_idempotency_key()), context.idempotency_key);
  if (!key) return std::unexpected(key.error());
  request.idempotency_key = std::move(*key);
  request.business_key = std::move(*from.mutable_business_key());
  const std::array<TextRule, 2> rules{{
      {.field = "idempotency_key", .text = request.idempotency_key, .size_max = kIdempotencyKeyMax},
      {.field = "business_key", .text = request.business_key, .size_max = kBusinessKeyMax},
  }};
  if (auto checked = check_texts(rules); !checked) return std::unexpected(checked.error());
  // Before whatever costs more: what is refused now is read again when it is repeated.
  if (auto busy = engine_.refuse_at_once(request.idempotency_key)) {
    return std::unexpected(std::move(*busy));
  }

  auto mode = wait_mode(from.wait(), "wait", WaitMode::accepted);
  if (!mode) return std::unexpected(mode.error());
  submission.mode = *mode;
  auto timeout = wait_timeout(from.timeout_ms());
  if (!timeout) return std::unexpected(timeout.error());
  submission.timeout = bounded_wait(*timeout, context);

  auto definition = [&]() -> Result<DefinitionPtr> {
    if (!from.has_inline_definition()) {
      if (from.definition().empty()) {
        return fail(
            Errc::invalid_argument,
            "definition: give the name of a registered definition, or an inline_definition");
      }
      return find_definition(from.definition(), from.version());
    }
    if (!from.definition().empty() || from.version() != 0) {
      return fail(Errc::invalid_argument,
                  "definition: give either definition and version or inline_definition, not both");
    }
    return options_.read_inline(from.inline_definition());
  }();
  if (!definition) return std::unexpected(definition.error());
  submission.definition = std::move(*definition);
  if (from.has_inline_definition()) {
    request.inline_definition = submission.definition;
  } else {
    request.definition = std::move(*from.mutable_definition());
    request.version = from.version();
  }

  const bool readable = from.payload_case() == v1::SubmitRequest::kInput;
  submission.form = readable ? OutputForm::value : context.output_form;
  auto input = read_input(from, *submission.definition, options_.input_bytes_max);
  if (!input) return std::unexpected(input.error());
  request.input = std::move(*input);
  request.body_hash = body_hash(request);
  return submission;
}

void SagaService::submit(v1::SubmitRequest request, const CallContext& context,
                         Reply<v1::SagaAnswer> reply) {
  auto submission = read_submission(request, context);
  if (!submission) return reply(std::unexpected(submission.error()));
  auto answer = [definition = std::move(submission->definition), form = submission->form,
                 reply = std::move(reply)](Result<SagaAnswer> from) mutable {
    if (!from) return reply(std::unexpected(std::move(from.error())));
    Result<v1::SagaAnswer> to;
    fill_answer(std::move(*from), form, definition.get(), *to);
    reply(std::move(to));
  };
  engine_.submit(std::move(submission->request), submission->mode, submission->timeout,
                 std::move(answer));
}

namespace {

/// Gathers the answers of a batch, which come in any order and on any thread.
class BatchAnswers {
 public:
  BatchAnswers(int items, Reply<v1::SubmitBatchResponse> reply)
      : open_(items), reply_(std::move(reply)) {
    for (int i = 0; i < items; ++i) response_.add_items();
  }

  /// Each item is written by its own answer only; the last one replies.
  void take(int item, Result<v1::SagaAnswer> result) {
    v1::SubmitBatchResponse::Item& to = *response_.mutable_items(item);
    if (result) {
      *to.mutable_answer() = std::move(*result);
    } else {
      to.mutable_error()->set_code(std::string(wire::connect_code(result.error().code)));
      to.mutable_error()->set_message(std::move(result.error().message));
    }
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) reply_(std::move(response_));
  }

 private:
  std::atomic<int> open_;
  v1::SubmitBatchResponse response_;
  Reply<v1::SubmitBatchResponse> reply_;
};

}  // namespace

void SagaService::submit_batch(v1::SubmitBatchRequest request, const CallContext& context,
                               Reply<v1::SubmitBatchResponse> reply) {
  const int items = request.items_size();
  if (items == 0 || items > kBatchItemsMax) {
    return reply(
        fail(Errc::invalid_argument, "items: {} of them; send 1 to {}", items, kBatchItemsMax));
  }
  if (context.idempotency_key) {
    return reply(fail(Errc::invalid_argument,
                      "Idempotency-Key: a batch has none; each item has an idempotency_key"));
  }
  auto answers = std::make_shared<BatchAnswers>(items, std::move(reply));
  for (int i = 0; i < items; ++i) {
    auto take = [answers, i](Result<v1::SagaAnswer> result) {
      answers->take(i, std::move(result));
    };
    submit(std::move(*request.mutable_items(i)), context, std::move(take));
  }
}

Answer<SagaAnswer> SagaService::shaped(OutputForm form, Reply<v1::SagaAnswer> reply) const {
  return [&engine = engine_, form, reply = std::move(reply)](Result<SagaAnswer> from) mutable {
    if (!from) return reply(std::unexpected(std::move(from.error())));
    DefinitionPtr definition;
    if (from->has_output && form == OutputForm::value) {
      definition = engine.find_definition(from->definition, from->version);
    }
    Result<v1::SagaAnswer> to;
    fill_answer(std::move(*from), form, definition.get(), *to);
    reply(std::move(to));
  };
}

void SagaService::wait(v1::WaitRequest request, const CallContext& context,
                       Reply<v1::SagaAnswer> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto mode = wait_mode(request.until(), "until", WaitMode::done);
  if (!mode) return reply(std::unexpected(mode.error()));
  auto timeout = wait_timeout(request.timeout_ms());
  if (!timeout) return reply(std::unexpected(timeout.error()));
  engine_.wait(std::move(*saga), *mode, bounded_wait(*timeout, context),
               shaped(context.output_form, std::move(reply)));
}

void SagaService::get(v1::GetRequest request, const CallContext&, Reply<v1::Saga> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto answer = [&engine = engine_, attempts = request.attempts(), payloads = request.payloads(),
                 reply = std::move(reply)](Result<SagaSnapshot> snapshot) mutable {
    if (!snapshot) return reply(std::unexpected(std::move(snapshot.error())));
    if (!attempts) {
      Result<v1::Saga> to;
      fill_saga(*snapshot, {.payloads = payloads}, *to);
      return reply(std::move(to));
    }
    // The history is read after the state and may be ahead of it by what happened in between.
    const ById id{snapshot->state.id};
    auto with_history = [payloads, reply = std::move(reply),
                         snapshot = std::move(*snapshot)](Result<SagaHistory> history) mutable {
      if (!history) return reply(std::unexpected(std::move(history.error())));
      cut_history(history->events, snapshot.state.seq);
      Result<v1::Saga> to;
      fill_saga(snapshot, {.payloads = payloads, .events = &history->events}, *to);
      reply(std::move(to));
    };
    engine.history(id, std::move(with_history));
  };
  engine_.get(std::move(*saga), std::move(answer));
}

void SagaService::signal(v1::SignalRequest request, const CallContext&,
                         Reply<v1::SignalResponse> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  const std::array<TextRule, 2> rules{{
      {.field = "signal_id",
       .text = request.signal_id(),
       .size_max = kSignalIdMax,
       .required = true},
      {.field = "name", .text = request.name(), .size_max = kSignalNameMax, .required = true},
  }};
  if (auto checked = check_texts(rules); !checked) return reply(std::unexpected(checked.error()));
  Signal signal;
  signal.id = std::move(*request.mutable_signal_id());
  signal.name = std::move(*request.mutable_name());
  if (request.content_case() == v1::SignalRequest::kPayload) {
    auto text = json_text(request.payload(), "payload");
    if (!text) return reply(std::unexpected(text.error()));
    signal.payload = std::move(*text);
  } else {
    signal.payload = std::move(*request.mutable_payload_proto());
  }
  if (signal.payload.size() > options_.input_bytes_max) {
    return reply(fail(Errc::resource_exhausted, "payload: {} bytes, input_bytes_max is {}",
                      signal.payload.size(), options_.input_bytes_max));
  }
  auto answer = [reply = std::move(reply)](Result<bool> is_new) mutable {
    if (!is_new) return reply(std::unexpected(std::move(is_new.error())));
    v1::SignalResponse to;
    to.set_duplicate(!*is_new);
    reply(std::move(to));
  };
  engine_.signal(std::move(*saga), std::move(signal), std::move(answer));
}

void SagaService::history(v1::HistoryRequest request, const CallContext&,
                          Reply<v1::HistoryResponse> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto answer = [payloads = request.payloads(),
                 reply = std::move(reply)](Result<SagaHistory> history) mutable {
    if (!history) return reply(std::unexpected(std::move(history.error())));
    v1::HistoryResponse to;
    fill_history(*history, payloads, to);
    reply(std::move(to));
  };
  engine_.history(std::move(*saga), std::move(answer));
}

void SagaService::cancel(v1::CancelRequest request, const CallContext& context,
                         Reply<v1::SagaAnswer> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto actor = read_actor(request);
  if (!actor) return reply(std::unexpected(actor.error()));
  engine_.cancel(std::move(*saga), std::move(*actor),
                 shaped(context.output_form, std::move(reply)));
}

void SagaService::retry(v1::RetryRequest request, const CallContext& context,
                        Reply<v1::SagaAnswer> reply) {
  auto saga = saga_ref(request);
  if (!saga) return reply(std::unexpected(saga.error()));
  auto actor = read_actor(request);
  if (!actor) return reply(std::unexpected(actor.error()));
  engine_.retry(std::move(*saga), std::move(*actor), std::move(*request.mutable_leg()),
                shaped(context.output_form, std::move(reply)));
}

void SagaService::list_definitions(v1::ListDefinitionsRequest, const CallContext&,
                                   Reply<v1::ListDefinitionsResponse> reply) {
  std::vector<DefinitionPtr> definitions = engine_.definitions();
  std::ranges::sort(definitions, shown_before);
  v1::ListDefinitionsResponse to;
  const Definition* previous = nullptr;
  for (const DefinitionPtr& definition : definitions) {
    const bool newest = previous == nullptr || previous->name != definition->name;
    fill_definition_summary(*definition, newest, *to.add_definitions());
    previous = definition.get();
  }
  reply(std::move(to));
}

void SagaService::get_definition(v1::GetDefinitionRequest request, const CallContext&,
                                 Reply<v1::DefinitionView> reply) {
  if (request.name().empty()) return reply(fail(Errc::invalid_argument, "name: is required"));
  auto definition = find_definition(request.name(), request.version());
  if (!definition) return reply(std::unexpected(definition.error()));
  const DefinitionPtr newest = engine_.find_definition(request.name(), 0);
  const bool is_newest = newest == nullptr || newest->version == (*definition)->version;
  v1::DefinitionView to;
  fill_definition_view(**definition, is_newest, to);
  reply(std::move(to));
}

}  // namespace skald::api
