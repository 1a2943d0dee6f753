// SagaService and DefinitionService once, for every protocol: knows neither HTTP nor JSON. Checks
// what a client sent, asks the engine, and shapes its answer.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/api/read_model.h"
#include "engine/base/result.h"
#include "engine/runtime/engine.h"
#include "engine/wire/definition.h"
#include "skald/v1/participant.pb.h"
#include "skald/v1/service.pb.h"

namespace skald::api {

/// Answers one call, exactly once, on any thread.
template <class Message>
using Reply = std::move_only_function<void(Result<Message>)>;

/// What a call says beside its message.
struct CallContext {
  OutputForm output_form = OutputForm::bytes;
  std::optional<std::string> idempotency_key;  // of the transport; must agree with the message's
  std::optional<Millis> timeout;               // the caller gives up after this
};

/// Makes a definition of one that came as data; errors name the field (invalid_argument).
using InlineReader = std::function<Result<DefinitionPtr>(const v1::Definition&)>;
struct ServiceOptions {
  std::size_t input_bytes_max = 1 << 20;
  InlineReader read_inline;           // required
  wire::AddressRule allowed_address;  // of amended endpoints; empty: every one
};

inline constexpr int kBatchItemsMax = 1'000;
inline constexpr Millis kWaitDefault{10'000};
inline constexpr Millis kWaitMax{600'000};
inline constexpr std::size_t kSignalNameMax = 64;
inline constexpr std::size_t kSignalIdMax = 128;
inline constexpr std::size_t kActorTextMax = 256;  // of a name or a reason

/// Errors of every call: invalid_argument with the field's name, and what engine.h says of the call
/// behind it. Thread: any; the engine must outlive every reply.
class SagaService {
 public:
  SagaService(Engine& engine, ServiceOptions options);

  void submit(v1::SubmitRequest request, const CallContext& context, Reply<v1::SagaAnswer> reply);
  void submit_batch(v1::SubmitBatchRequest request, const CallContext& context,
                    Reply<v1::SubmitBatchResponse> reply);
  void get(v1::GetRequest request, const CallContext& context, Reply<v1::Saga> reply);
  void wait(v1::WaitRequest request, const CallContext& context, Reply<v1::SagaAnswer> reply);
  void signal(v1::SignalRequest request, const CallContext& context,
              Reply<v1::SignalResponse> reply);
  void list(v1::ListRequest request, const CallContext& context, Reply<v1::ListResponse> reply);
  void count(v1::CountRequest request, const CallContext& context, Reply<v1::CountResponse> reply);
  void stuck_groups(v1::StuckGroupsRequest request, const CallContext& context,
                    Reply<v1::StuckGroupsResponse> reply);
  void history(v1::HistoryRequest request, const CallContext& context,
               Reply<v1::HistoryResponse> reply);
  void cancel(v1::CancelRequest request, const CallContext& context, Reply<v1::SagaAnswer> reply);
  void retry(v1::RetryRequest request, const CallContext& context, Reply<v1::SagaAnswer> reply);

  void list_definitions(v1::ListDefinitionsRequest request, const CallContext& context,
                        Reply<v1::ListDefinitionsResponse> reply);
  void get_definition(v1::GetDefinitionRequest request, const CallContext& context,
                      Reply<v1::DefinitionView> reply);

  // participants.cc
  void list_participants(v1::ListParticipantsRequest request, const CallContext& context,
                         Reply<v1::ListParticipantsResponse> reply);
  void hold(v1::HoldRequest request, const CallContext& context, Reply<v1::ParticipantHold> reply);
  void release(v1::ReleaseRequest request, const CallContext& context,
               Reply<v1::ParticipantHold> reply);

 private:
  /// What the engine is asked to submit, and the definition that prints its answer.
  struct Submission {
    SubmitRequest request;
    DefinitionPtr definition;
    WaitMode mode = WaitMode::accepted;
    Millis timeout{0};
    OutputForm form = OutputForm::bytes;
  };
  [[nodiscard]] Result<Submission> read_submission(v1::SubmitRequest& from,
                                                   const CallContext& context) const;
  [[nodiscard]] Result<DefinitionPtr> find_definition(const std::string& name,
                                                      std::uint32_t version) const;
  [[nodiscard]] Answer<SagaAnswer> shaped(OutputForm form, Reply<v1::SagaAnswer> reply) const;

  Engine& engine_;
  ServiceOptions options_;
};

/// Fingerprint of a submission's body (rule 9): definition, version as asked and canonical input;
/// of an inline definition its source. Never changes: it is stored with the idempotency key.
[[nodiscard]] std::uint64_t body_hash(const SubmitRequest& request);

}  // namespace skald::api
