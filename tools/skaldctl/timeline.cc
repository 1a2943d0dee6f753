#include "tools/skaldctl/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tools/skaldctl/table.h"
#include "tools/skaldctl/words.h"

namespace skald::ctl {
namespace {

constexpr std::size_t kNameWidthMax = 26;
constexpr std::size_t kStateWidth = 11;
constexpr std::size_t kTimeWidth = 6;
constexpr std::size_t kGaps = 3 * 2;

/// What a cell of a bar shows. The later ones win where two share a cell.
enum class Mark : std::uint8_t {
  empty = 0,
  waiting,  // between two attempts, or a wait for its signal
  acting,   // an action is in flight
  undoing,  // a compensation is in flight
  asking,   // a probe is in flight
  pending,  // answered: ask again
  refused,  // not executed
  unknown,  // may have happened
  rejected,
  done,    // an action succeeded
  undone,  // a compensation succeeded
};

struct Glyph {
  std::string_view utf8;
  std::string_view ascii;
  Tone tone;
};

const Glyph& glyph(Mark mark) {
  static constexpr std::array<Glyph, 11> kGlyphs{{
      {" ", " ", Tone::plain},
      {"┄", ".", Tone::dim},
      {"━", "=", Tone::active},
      {"═", "-", Tone::warn},
      {"╌", "~", Tone::dim},
      {"…", "~", Tone::dim},
      {"!", "!", Tone::warn},
      {"?", "?", Tone::bad},
      {"✗", "x", Tone::bad},
      {"▶", ">", Tone::good},
      {"◀", "<", Tone::warn},
  }};
  return kGlyphs[static_cast<std::size_t>(mark)];
}

/// The span of time that is drawn, and the cells it falls into.
class Axis {
 public:
  Axis(const v1::Saga& saga, std::size_t width) : width_(width) {
    begin_ = unix_ms(saga.started_at());
    end_ = unix_ms(saga.has_ended_at() ? saga.ended_at() : saga.now());
    // Where nothing goes on by itself, the time since is not drawn: it would flatten what happened.
    const bool rests = saga.status() == v1::SagaStatus::stuck && !saga.has_next_wake();
    if (rests) end_ = unix_ms(saga.updated_at());
    end_ = std::max(end_, begin_ + 1);
  }
  [[nodiscard]] std::size_t cell(std::int64_t at) const {
    const std::int64_t clamped = std::clamp(at, begin_, end_) - begin_;
    const auto last = static_cast<std::int64_t>(width_ - 1);
    return static_cast<std::size_t>(clamped * last / (end_ - begin_));
  }
  [[nodiscard]] std::int64_t end() const { return end_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  /// "0ms            170ms           340ms"
  [[nodiscard]] std::string ruler() const {
    const std::int64_t span = end_ - begin_;
    std::string line(width_, ' ');
    const auto place = [&](std::size_t at, const std::string& text) {
      for (std::size_t i = 0; i < text.size() && at + i < width_; ++i) line[at + i] = text[i];
    };
    const std::string middle = short_duration(span / 2);
    const std::string last = short_duration(span);
    place(0, "0");
    if (width_ > 2 * (middle.size() + last.size()) && span > 1) place(width_ / 2, middle);
    place(width_ - std::min(width_, last.size()), last);
    return line;
  }

 private:
  std::size_t width_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 1;
};

class Bar {
 public:
  explicit Bar(const Axis& axis) : axis_(axis), marks_(axis.width(), Mark::empty) {}

  void span(std::int64_t from, std::int64_t to, Mark mark) {
    for (std::size_t i = axis_.cell(from); i <= axis_.cell(to); ++i) put(i, mark);
  }
  void point(std::int64_t at, Mark mark) { put(axis_.cell(at), mark); }
  /// The head of a compensation points back: it stands where the bar begins.
  void operation(const v1::Saga::Operation& operation, Mark in_flight, Mark succeeded) {
    std::int64_t last = 0;
    for (const v1::Saga::Attempt& attempt : operation.tries()) {
      const bool answered = attempt.has_answered_at();
      const bool folded = answered && !attempt.has_sent_at();  // the last of many
      const std::int64_t sent = unix_ms(folded ? attempt.answered_at() : attempt.sent_at());
      const std::int64_t until = answered ? unix_ms(attempt.answered_at()) : axis_.end();
      if (last != 0) span(last, sent, Mark::waiting);
      span(sent, until, in_flight);
      if (answered) {
        const Mark head = head_of(attempt.outcome().kind(), succeeded);
        point(head == Mark::undone ? sent : until, head);
      }
      last = until;
    }
    if (operation.phase() == v1::Saga::Phase::backing_off && last != 0) {
      span(last, axis_.end(), Mark::waiting);
    }
  }

  [[nodiscard]] std::string text(const Terminal& terminal) const {
    std::string out;
    for (std::size_t i = 0; i < marks_.size();) {
      std::size_t end = i;
      std::string run;
      while (end < marks_.size() && marks_[end] == marks_[i]) {
        run += terminal.ascii ? glyph(marks_[i]).ascii : glyph(marks_[i]).utf8;
        ++end;
      }
      out += terminal.toned(glyph(marks_[i]).tone, run);
      i = end;
    }
    return out;
  }

 private:
  void put(std::size_t cell, Mark mark) { marks_[cell] = std::max(marks_[cell], mark); }

  static Mark head_of(v1::OutcomeKind::Value kind, Mark succeeded) {
    switch (kind) {
      case v1::OutcomeKind::succeeded:
        return succeeded;
      case v1::OutcomeKind::rejected:
        return Mark::rejected;
      case v1::OutcomeKind::not_executed:
        return Mark::refused;
      case v1::OutcomeKind::pending:
        return Mark::pending;
      default:  // tidy: allow(default) unknown, and protobuf's sentinels
        return Mark::unknown;
    }
  }

  const Axis& axis_;
  std::vector<Mark> marks_;
};

struct State {
  std::string word;
  Tone tone = Tone::plain;
};

State state_of(const v1::Saga::Leg& leg) {
  using Stage = v1::Saga::LegStage;
  using Phase = v1::Saga::Phase;
  const bool undoing = leg.stage() == Stage::undoing;
  const v1::Saga::Operation& current = undoing ? leg.compensation() : leg.action();
  if (current.phase() == Phase::stopped) {
    return {current.may_have_happened() ? "in doubt" : "stopped", Tone::bad};
  }
  if (current.overdue()) return {"overdue", Tone::bad};
  if (current.phase() == Phase::backing_off) return {"retrying", Tone::warn};
  switch (leg.stage()) {
    case Stage::acting:
      return {"in flight", Tone::active};
    case Stage::done:
      return {"done", Tone::good};
    case Stage::refused:
      return {"rejected", Tone::bad};
    case Stage::undoing:
      return {"undoing", Tone::warn};
    case Stage::undone:
      return {"undone", Tone::warn};
    case Stage::dropped:
      return {"dropped", Tone::dim};
    case Stage::skipped:
      return {"skipped", Tone::dim};
    default:  // tidy: allow(default) ready, and protobuf's sentinels
      return {"ready", Tone::dim};
  }
}

State state_of(const v1::Saga::Step& step) {
  using Stage = v1::Saga::StepStage;
  if (!step.stuck_reason().empty()) return {"stuck", Tone::bad};
  switch (step.stage()) {
    case Stage::running:
      return {step.kind() == v1::StepKind::wait ? "waiting" : "running", Tone::active};
    case Stage::done:
      return {"done", Tone::good};
    case Stage::skipped:
      return {"skipped", Tone::dim};
    case Stage::failed:
      return {"failed", Tone::bad};
    default:  // tidy: allow(default) pending, and protobuf's sentinels
      return {"-", Tone::dim};
  }
}

class Timeline {
 public:
  Timeline(const Terminal& terminal, const v1::Saga& saga)
      : terminal_(terminal),
        saga_(saga),
        name_width_(name_width(saga)),
        axis_(saga, terminal.width - name_width_ - kStateWidth - kTimeWidth - kGaps) {}

  std::string draw() {
    row("", {}, terminal_.toned(Tone::dim, axis_.ruler()), "");
    for (const v1::Saga::Step& step : saga_.steps()) draw_step(step);
    out_ += legend();
    return std::move(out_);
  }

 private:
  static std::string title(const v1::Saga::Step& step, const std::string& name) {
    return step.class_() == v1::CallClass::pivot ? name + " (pivot)" : name;
  }

  static std::size_t name_width(const v1::Saga& saga) {
    std::size_t width = 0;
    for (const v1::Saga::Step& step : saga.steps()) {
      width = std::max(width, display_width(title(step, step.name())));
      for (const v1::Saga::Leg& leg : step.legs()) {
        width = std::max(width, display_width(title(step, leg.name())));
      }
    }
    return std::min(width, kNameWidthMax);
  }

  void draw_step(const v1::Saga::Step& step) {
    if (step.legs().empty()) return draw_plain(step);
    int rows = 0;
    for (const v1::Saga::Leg& leg : step.legs()) {
      if (rows++ == kRowsOfStepMax) break;
      draw_leg(step, leg);
    }
    const int more = static_cast<int>(step.legs_total()) - std::min(rows, kRowsOfStepMax);
    if (more > 0) row(fmt::format("... {} more legs", more), {}, "", "");
  }

  /// A wait, a compute, or a step without legs.
  void draw_plain(const v1::Saga::Step& step) {
    Bar bar(axis_);
    std::string time;
    if (step.has_began_at()) {
      const std::int64_t began = unix_ms(step.began_at());
      const std::int64_t ended = step.has_ended_at() ? unix_ms(step.ended_at()) : axis_.end();
      bar.span(began, ended, Mark::waiting);
      if (step.stage() == v1::Saga::StepStage::done) bar.point(ended, Mark::done);
      if (step.stage() == v1::Saga::StepStage::failed) bar.point(ended, Mark::rejected);
      time = short_duration(ended - began);
    }
    if (step.stage() == v1::Saga::StepStage::skipped)
      return row(title(step, step.name()), state_of(step), "", "");
    row(title(step, step.name()), state_of(step), bar.text(terminal_), time);
  }

  void draw_leg(const v1::Saga::Step& step, const v1::Saga::Leg& leg) {
    Bar bar(axis_);
    bar.operation(leg.action(), Mark::acting, Mark::done);
    if (leg.has_probe()) bar.operation(leg.probe(), Mark::asking, Mark::asking);
    if (leg.has_compensation()) bar.operation(leg.compensation(), Mark::undoing, Mark::undone);
    State state = state_of(leg);
    const std::uint32_t attempts = leg.action().attempts() + leg.compensation().attempts();
    const std::uint32_t expected = leg.compensation().attempts() > 0 ? 2 : 1;
    if (attempts > expected) state.word += fmt::format(" x{}", attempts - expected + 1);
    row(title(step, leg.name()), state, bar.text(terminal_), time_of(leg));
  }

  static std::string time_of(const v1::Saga::Leg& leg) {
    if (!leg.action().has_first_at()) return "";
    const v1::Saga::Operation& last = leg.has_compensation() && leg.compensation().has_last_at()
                                          ? leg.compensation()
                                          : leg.action();
    return short_duration(unix_ms(last.last_at()) - unix_ms(leg.action().first_at()));
  }

  void row(std::string_view name, const State& state, const std::string& bar,
           const std::string& time) {
    out_ += padded(name, name_width_);
    out_ += "  ";
    out_ += terminal_.toned(state.tone, padded(state.word, kStateWidth));
    out_ += "  ";
    out_ += bar.empty() ? std::string(axis_.width(), ' ') : bar;
    out_ += "  ";
    out_ += fmt::format("{:>{}}", time, kTimeWidth);
    while (out_.ends_with(' ')) out_.pop_back();
    out_ += '\n';
  }

  /// Only the marks that need a word.
  [[nodiscard]] std::string legend() const {
    const auto part = [&](Mark body, Mark head, std::string_view word) {
      const Glyph& a = glyph(body);
      const Glyph& b = glyph(head);
      const auto text = [&](const Glyph& g) { return terminal_.ascii ? g.ascii : g.utf8; };
      if (head == Mark::undone) return fmt::format("{}{} {}", text(b), text(a), word);
      return fmt::format("{}{} {}", text(a), text(b), word);
    };
    return terminal_.toned(
        Tone::dim,
        fmt::format("{}  {}  {}  {}  {} between attempts\n", part(Mark::acting, Mark::done, "done"),
                    part(Mark::undoing, Mark::undone, "undone"),
                    part(Mark::acting, Mark::rejected, "rejected"),
                    part(Mark::acting, Mark::unknown, "unknown"),
                    terminal_.ascii ? glyph(Mark::waiting).ascii : glyph(Mark::waiting).utf8));
  }

  const Terminal& terminal_;
  const v1::Saga& saga_;
  std::size_t name_width_;
  Axis axis_;
  std::string out_;
};

}  // namespace

std::string draw_timeline(const Terminal& terminal, const v1::Saga& saga) {
  return Timeline(terminal, saga).draw();
}

}  // namespace skald::ctl
