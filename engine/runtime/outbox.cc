#include "engine/runtime/outbox.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "engine/wire/stored.h"

namespace skald {

Outbox::Outbox(Parts parts) : parts_(std::move(parts)), timer_(parts_.io) {
  queues_.assign(parts_.targets.size(), OutboxQueue(parts_.policy));
}

Outbox::~Outbox() {
  stopped_ = true;  // attempts that are out end now, and find nothing to do
  parts_.sender.reset();
}

Result<void> Outbox::load(Store& store, const std::function<void(const SagaId& id)>& found) {
  const auto notes = store.notes(kOutboxPrefix);
  if (!notes) return std::unexpected(notes.error());
  std::size_t strange = 0;
  std::size_t orphaned = 0;
  for (const Note& note : *notes) {
    auto alert = wire::decode_alert(note.value.value_or(Bytes()));
    if (!alert) {  // a newer version's kind: it stays for that
      strange += 1;
      continue;
    }
    const auto target = std::ranges::find_if(parts_.targets, [&](const AlertTarget& one) {
      return note.name == outbox_note_name(one.name, *alert);
    });
    if (target == parts_.targets.end()) {
      const bool old = parts_.clock.now() - alert->at >= parts_.policy.give_up_after;
      orphaned += 1;
      old ? parts_.remove(*alert, note.name) : found(alert->saga);
      continue;
    }
    found(alert->saga);
    const auto place = static_cast<std::size_t>(target - parts_.targets.begin());
    alert->kept_for = 1U << place;
    queues_[place].add(std::move(*alert), parts_.clock.now());
  }
  if (strange != 0) parts_.log.error("alerts cannot be read and stay untold notes={}", strange);
  if (orphaned != 0) {
    parts_.log.warn("alerts wait for webhooks that are not configured any more notes={}", orphaned);
  }
  boost::asio::post(parts_.io, [this] { send_what_is_due(); });
  return {};
}

void Outbox::take(Alert alert) {
  {
    const std::lock_guard lock(mutex_);
    const Instant now = parts_.clock.now();
    for (std::size_t i = 0; i < queues_.size(); ++i) {
      if ((alert.kept_for >> i & 1U) != 0) queues_[i].add(alert, now);
    }
  }
  boost::asio::post(parts_.io, [this] { send_what_is_due(); });
}

void Outbox::expect(std::string subject, std::move_only_function<void(Result<AlertReceipt>)> told) {
  const std::lock_guard lock(mutex_);
  expected_.insert_or_assign(std::move(subject), std::move(told));
}

void Outbox::forget(const std::string& subject, const Error& error) {
  std::move_only_function<void(Result<AlertReceipt>)> told;
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = expected_.extract(subject);
    if (waiting.empty()) return;
    told = std::move(waiting.mapped());
  }
  told(std::unexpected(error));
}

void Outbox::stop() {
  boost::asio::post(parts_.io, [this] {
    stopped_ = true;
    timer_.cancel();
    decltype(expected_) expected;
    {
      const std::lock_guard lock(mutex_);
      expected.swap(expected_);
    }
    for (auto& [subject, told] : expected) {
      told(fail(Errc::unavailable, "draining: this server is stopping"));
    }
  });
}

std::vector<AlertTargetFigures> Outbox::figures() const {
  const std::lock_guard lock(mutex_);
  std::vector<AlertTargetFigures> figures;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    figures.push_back({.target = parts_.targets[i], .queue = queues_[i].figures()});
  }
  return figures;
}

void Outbox::send_what_is_due() {
  if (stopped_) return;
  for (std::size_t place = 0; place < queues_.size(); ++place) {
    for (;;) {
      std::optional<Alert> alert;
      std::uint64_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        const auto next = queues_[place].next(parts_.clock.now());
        if (!next) break;
        number = next->number;
        alert = *next->alert;
      }
      parts_.sender->send(parts_.targets[place].name, *alert,
                          [this, place, number, alert = *alert](const AlertReceipt& receipt) {
                            answered(place, number, alert, receipt);
                          });
    }
  }
  arm();
}

void Outbox::answered(std::size_t place, std::uint64_t number, const Alert& alert,
                      const AlertReceipt& receipt) {
  if (stopped_) return;  // the note stays, and is told at the next start
  const std::string& target = parts_.targets[place].name;
  OutboxQueue::After after = OutboxQueue::After::again;
  std::uint32_t failures = 0;
  std::move_only_function<void(Result<AlertReceipt>)> told;
  {
    const std::lock_guard lock(mutex_);
    failures = queues_[place].figures().failures_in_a_row;
    after = queues_[place].answered(number, receipt, parts_.clock.now());
    if (const auto waiting = expected_.extract(alert.subject); !waiting.empty()) {
      told = std::move(waiting.mapped());
    }
  }
  // One fact, one line: the first failure, and that it is over.
  if (after == OutboxQueue::After::told && failures != 0) {
    parts_.log.info("webhook answers again webhook={} failures={}", target, failures);
  } else if (after != OutboxQueue::After::told && failures == 0) {
    parts_.log.warn("webhook fails and is tried again webhook={} detail=\"{}\"", target,
                    receipt.detail);
  }
  if (after == OutboxQueue::After::given_up && alert.kind != AlertKind::test) {
    parts_.log.error("alert is given up kind={} about={} webhook={} detail=\"{}\"",
                     name(alert.kind), alert.about(), target, receipt.detail);
  }
  if (after != OutboxQueue::After::again) {
    parts_.remove(alert, outbox_note_name(target, alert));
  }
  if (told) told(receipt);
  send_what_is_due();
}

void Outbox::arm() {
  Instant wake = kNever;
  {
    const std::lock_guard lock(mutex_);
    for (const OutboxQueue& queue : queues_) wake = std::min(wake, queue.next_wake());
  }
  if (wake == kNever || wake == armed_) return;
  armed_ = wake;
  timer_.expires_after(std::max(Millis{0}, wake - parts_.clock.now()));
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec) return;
    armed_ = kNever;
    send_what_is_due();
  });
}

}  // namespace skald
