// Who is told of alerts beyond the log.
#include <algorithm>

#include "engine/runtime/engine_on_threads.h"

namespace skald {

Result<void> EngineOnThreads::open_outbox() {
  if (parts_.options.alerts.targets.empty()) return {};
  boost::asio::io_context& io = drivers_.front()->io();
  outbox_ = std::make_unique<Outbox>(
      Outbox::Parts{.io = io,
                    .clock = *clock_,
                    .targets = parts_.options.alerts.targets,
                    .policy = {.give_up_after = parts_.options.alerts.give_up_after},
                    .sender = parts_.make_alert_sender(io),
                    .remove =
                        [this](const Alert& alert, std::string note) {
                          input::Outbox gone;
                          gone.leaving.push_back(std::move(note));
                          driver_of(alert.saga.placement).post(std::move(gone));
                        },
                    .log = parts_.log.named("outbox")});
  std::vector<std::size_t> found(drivers_.size());
  auto loaded = outbox_->load(parts_.store, [&found](const SagaId& id) {
    found[shard_of(id.placement, found.size())] += 1;
  });
  for (std::size_t i = 0; i < found.size(); ++i) {
    drivers_[i]->post(input::Outbox{.found = found[i], .leaving = {}});
  }
  return loaded;
}

std::vector<AlertTargetFigures> EngineOnThreads::alert_targets() const {
  return outbox_ ? outbox_->figures() : std::vector<AlertTargetFigures>();
}

void EngineOnThreads::tell(Alert alert, std::vector<Note> notes, std::uint32_t targets,
                           std::move_only_function<void(Result<bool>)> written) {
  InputAnswer answer = typed<bool>(std::move(written));
  auto make = [alert = std::move(alert), notes = std::move(notes),
               targets](Ticket ticket) mutable -> Input {
    return input::Tell{
        .ticket = ticket, .alert = std::move(alert), .notes = std::move(notes), .targets = targets};
  };
  // The shard of everything that is of no saga: SagaId{} is placed there.
  if (!drivers_.front()->post(std::move(make), answer)) {
    answer(inbox_is_full());
  }
}

void EngineOnThreads::test_alert(std::string target, Answer<AlertReceipt> answer) {
  const auto& targets = parts_.options.alerts.targets;
  const auto found = std::ranges::find(targets, target, &AlertTarget::name);
  if (found == targets.end()) {
    return answer(
        fail(Errc::not_found, "webhook: there is no webhook \"{}\" in the configuration", target));
  }
  const std::string subject = fmt::format("test-{}-{}", to_unix_ms(clock_->now()), ++tests_);
  Alert alert{.kind = AlertKind::test, .subject = subject, .text = "a test, asked for by a person"};
  outbox_->expect(subject, std::move(answer));
  tell(std::move(alert), {}, 1U << (found - targets.begin()), [this, subject](Result<bool> kept) {
    if (!kept) return outbox_->forget(subject, kept.error());
    if (*kept) return;
    outbox_->forget(subject,
                    {Errc::resource_exhausted, "the outbox is full (limit alerts.outbox_max)"});
  });
}

}  // namespace skald
