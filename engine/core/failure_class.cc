// Finds what failed and takes from it what is the same in every saga that fails alike.
#include "engine/core/failure_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/base/hash.h"

namespace skald {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) {
  return is_digit(c) || is_letter(c) || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool is_space(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7F'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
/// What may stand inside an id, an address or a time: between two folded parts it is folded too.
bool joins(char c) { return c == '-' || c == '.' || c == ':' || c == '/' || c == '_' || c == '+'; }

constexpr char kFolded = '#';
constexpr char kFoldedQuote = '*';        // no quote itself: it would pair with another one
constexpr std::size_t kIdLength = 8;      // a word this long with a digit in it is an id
constexpr std::size_t kHexIdLength = 16;  // without a digit, hexadecimal of this length
constexpr std::string_view kCut = "...";

class Normaliser {
 public:
  explicit Normaliser(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_space(c)) {
        space();
      } else if (is_quote(c) && quoted()) {
        continue;
      } else if (is_word(c)) {
        word();
      } else {
        plain(c);
      }
    }
    while (out_.ends_with(' ')) out_.pop_back();
    return cut(std::move(out_));
  }

 private:
  void space() {
    if (!out_.empty() && out_.back() != ' ') out_ += ' ';
    ++at_;
  }

  /// An apostrophe inside a word or behind a mark opens nothing.
  bool quoted() {
    const char quote = text_[at_];
    if (at_ > 0 && (is_word(text_[at_ - 1]) || text_[at_ - 1] == kFolded)) return false;
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) return false;
    out_ += kFoldedQuote;
    at_ = end + 1;
    return true;
  }

  /// 550e8400-e29b-41d4-a716-446655440000
  [[nodiscard]] bool at_uuid() const {
    constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const std::string_view part = text_.substr(at_, kForm.size());
    const bool alike = std::ranges::equal(
        part, kForm, [](char c, char form) { return form == '-' ? c == '-' : is_hex(c); });
    const std::size_t end = at_ + kForm.size();
    return alike && (end == text_.size() || !is_word(text_[end]));
  }

  void word() {
    if (at_uuid()) {
      constexpr std::size_t kUuidSize = 36;
      at_ += kUuidSize;
      return fold();
    }
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (is_id(word)) return fold();
    for (const char c : word) {
      if (is_digit(c)) {
        fold();
      } else {
        out_ += c;
      }
    }
  }

  static bool is_id(std::string_view word) {
    const bool has_digit = std::ranges::any_of(word, is_digit);
    if (has_digit) return is_digit(word.front()) || word.size() >= kIdLength;
    return word.size() >= kHexIdLength && std::ranges::all_of(word, is_hex);
  }

  void plain(char c) {
    ++at_;
    if (c == kFolded) return fold();
    out_ += c;
  }

  /// One mark for "127.0.0.1:9903" and for an id with dashes: what joins two marks goes with them.
  void fold() {
    if (out_.ends_with(kFolded)) return;
    const std::size_t size = out_.size();
    if (size >= 2 && joins(out_.back()) && out_[size - 2] == kFolded) {
      out_.pop_back();
      return;
    }
    out_ += kFolded;
  }

  static std::string cut(std::string text) {
    if (text.size() <= kClassMessageMax) return text;
    std::size_t size = kClassMessageMax - kCut.size();
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    text.resize(size);
    while (text.ends_with(' ')) text.pop_back();
    return text.append(kCut);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

/// Stored. Never change: sagas that fail alike have the same id for ever.
CauseId cause_of(std::string_view definition, const FailureClass& failure) {
  std::string text;
  for (const std::string_view part :
       {definition, std::string_view(failure.step), std::string_view(failure.participant),
        name(failure.operation), name(failure.outcome), std::string_view(failure.code),
        std::string_view(failure.message)}) {
    text.append(part).push_back('\0');
  }
  const std::uint64_t hash = hash64(text);
  return {.value = hash == 0 ? 1 : hash};
}

const StepDefinition* planned(const Definition* definition, std::size_t step) {
  if (definition == nullptr || step >= definition->steps.size()) return nullptr;
  return &definition->steps[step];
}

const OperationPlan* plan_of(const StepDefinition& step, Operation operation) {
  switch (operation) {
    case Operation::action:
      return &step.action;
    case Operation::compensation:
      return step.compensation ? &*step.compensation : nullptr;
    case Operation::probe:
      return step.probe ? &*step.probe : nullptr;
  }
  return nullptr;
}

bool is_stuck(const OperationState& op) { return op.phase == Phase::stopped || op.overdue; }

/// A failed operation, and the operation's own words for it.
FailureClass of_operation(const StepDefinition* step, Operation operation, const Outcome& last) {
  FailureClass failure{.operation = operation,
                       .outcome = last.kind,
                       .code = last.code,
                       .message = normalised_message(last.message)};
  if (step == nullptr) return failure;
  failure.step = step->name;
  if (const OperationPlan* plan = plan_of(*step, operation)) {
    failure.participant = plan->method.participant;
  }
  return failure;
}

FailureClass of_builder(std::string step, std::string_view reason) {
  return {.step = std::move(step),
          .participant = {},
          .outcome = OutcomeKind::rejected,
          .code = "builder_failed",
          .message = normalised_message(reason)};
}

std::optional<FailureClass> stuck_leg(const StepDefinition* step, const LegState& leg) {
  if (is_stuck(leg.action)) return of_operation(step, Operation::action, leg.action.last);
  if (leg.undo && is_stuck(*leg.undo)) {
    return of_operation(step, Operation::compensation, leg.undo->last);
  }
  if (leg.probe && is_stuck(*leg.probe)) {
    return of_operation(step, Operation::probe, leg.probe->last);
  }
  return std::nullopt;
}

std::optional<FailureClass> stuck_class(const Definition* definition, const SagaState& state) {
  if (state.definition_missing) {
    return FailureClass{.outcome = OutcomeKind::not_executed,
                        .code = "definition_missing",
                        .message = "the definition is not registered here"};
  }
  for (std::size_t s = 0; s < state.steps.size(); ++s) {
    const StepDefinition* step = planned(definition, s);
    const StepState& held = state.steps[s];
    if (!held.stuck_reason.empty()) {
      return of_builder(step == nullptr ? "" : step->name, held.stuck_reason);
    }
    for (const LegState& leg : held.legs) {
      if (auto failure = stuck_leg(step, leg)) return failure;
    }
  }
  if (!state.output_stuck.empty()) return of_builder("output", state.output_stuck);
  return std::nullopt;
}

FailureClass turned_back_class(const Definition* definition, const Failure& why) {
  FailureClass failure{.step = why.leg.substr(0, why.leg.find('[')),
                       .participant = {},
                       .outcome = why.outcome,
                       .code = why.code,
                       .message = normalised_message(why.message)};
  if (definition == nullptr) return failure;
  if (const auto index = definition->step_index(failure.step)) {
    failure.participant = definition->steps[*index].action.method.participant;
  }
  return failure;
}

}  // namespace

std::string CauseId::text() const { return fmt::format("{:016x}", value); }

std::optional<CauseId> CauseId::parse(std::string_view text) {
  CauseId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || text.size() != kTextSize) return std::nullopt;
  return id;
}

std::string normalised_message(std::string_view message) { return Normaliser(message).run(); }

std::optional<FailureClass> failure_class(const Definition* definition, const SagaState& state) {
  if (state.status == SagaStatus::running || state.status == SagaStatus::completed) {
    return std::nullopt;
  }
  std::optional<FailureClass> failure;
  if (state.stuck > 0) failure = stuck_class(definition, state);
  if (!failure && state.failure) failure = turned_back_class(definition, *state.failure);
  if (failure) failure->cause = cause_of(state.definition, *failure);
  return failure;
}

}  // namespace skald
