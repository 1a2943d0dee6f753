// Notes of the outbox, to bytes and back.
#include "engine/wire/stored.h"
#include "engine/wire/stored_writer.h"
#include "stored/v1/stored.pb.h"

namespace skald::wire {

void encode_alert(const Alert& alert, std::string& out) {
  append_stored(out, [&](StoredWriter& writer) {
    writer.number(1, static_cast<std::uint64_t>(alert.kind));
    writer.signed_number(2, to_unix_ms(alert.at));
    if (alert.subject.empty()) {
      std::string id;
      alert.saga.append_bytes(id);
      writer.bytes(3, id);
    }
    writer.bytes(4, alert.subject);
    writer.number(5, alert.seq);
    writer.bytes(6, alert.definition);
    writer.number(7, alert.version);
    writer.bytes(8, alert.business_key);
    writer.bytes(9, alert.leg);
    writer.bytes(10, alert.participant);
    if (alert.operation != Operation::action) {  // 0 is the commonest
      writer.number(11, static_cast<std::uint64_t>(alert.operation));
    }
    writer.bytes(12, alert.code);
    writer.fixed64(13, alert.cause.value);
    writer.bytes(14, alert.text);
  });
}

Result<Alert> decode_alert(std::string_view bytes) {
  if (auto sound = check_stored(bytes); !sound) return std::unexpected(sound.error());
  const std::string_view body =
      bytes.substr(kStoredVersionSize, bytes.size() - kStoredVersionSize - kStoredCrcSize);
  ::stored::v1::OutboxAlert m;
  if (!m.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return fail(Errc::data_loss, "stored alert: not a message");
  }
  const bool about_saga = m.subject().empty();
  if (m.kind() == 0 || m.kind() > kAlertKinds || m.operation() > 3 || m.operation() < 0 ||
      (about_saga && m.saga().size() != SagaId::kBytesSize)) {
    return fail(Errc::data_loss,
                "stored alert: kind {}, operation {} or saga of {} bytes is unknown", m.kind(),
                static_cast<int>(m.operation()), m.saga().size());
  }
  Alert alert{
      .kind = static_cast<AlertKind>(m.kind()),
      .at = from_unix_ms(m.at_ms()),
      .subject = std::move(*m.mutable_subject()),
      .seq = m.seq(),
      .definition = std::move(*m.mutable_definition()),
      .version = m.version(),
      .business_key = std::move(*m.mutable_business_key()),
      .leg = std::move(*m.mutable_leg()),
      .participant = std::move(*m.mutable_participant()),
      .operation = m.operation() == 0 ? Operation::action : static_cast<Operation>(m.operation()),
      .code = std::move(*m.mutable_code()),
      .cause = {m.cause()},
      .text = std::move(*m.mutable_text())};
  if (about_saga) alert.saga = SagaId::from_bytes(m.saga());
  return alert;
}

}  // namespace skald::wire
