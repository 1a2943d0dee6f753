#include "engine/filter/evaluate.h"

#include <algorithm>
#include <functional>

namespace skald::filter {
namespace {

Verdict verdict(bool holds) { return holds ? Verdict::yes : Verdict::no; }

template <class T>
bool compares(const Comparison& asked, const T& actual) {
  const auto same = [&actual](const Value& value) { return std::get<T>(value) == actual; };
  const T& first = std::get<T>(asked.values.front());
  switch (asked.compare) {
    case Compare::equal:
      return actual == first;
    case Compare::not_equal:
      return !(actual == first);
    case Compare::one_of:
      return std::ranges::any_of(asked.values, same);
    case Compare::greater:
      return actual > first;
    case Compare::at_least:
      return actual >= first;
    case Compare::less:
      return actual < first;
    case Compare::at_most:
      return actual <= first;
    case Compare::contains:
      return false;  // texts only
  }
  return false;
}

/// Of a value that the saga has not.
Verdict of_none(const Comparison& asked) { return verdict(asked.compare == Compare::not_equal); }

template <class T>
Verdict of(const Comparison& asked, const T& actual) {
  return verdict(compares(asked, actual));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool holds_text(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return !std::ranges::search(text, part, same).empty() || part.empty();
}

Verdict of_text(const Comparison& asked, const std::string& actual) {
  if (asked.compare != Compare::contains) return of(asked, actual);
  return verdict(holds_text(actual, std::get<std::string>(asked.values.front())));
}

/// A failure's message is normalised, and what it is compared with may be a message as it was
/// logged: then its numbers and ids are folded too. What is left of it must still say something.
class ErrorWords {
 public:
  explicit ErrorWords(const FailureClass& failure)
      : failure_(failure), whole_(normalised_message(failure.code) + ": " + failure.message) {}

  [[nodiscard]] bool is(const std::string& asked) const {
    if (asked.empty()) return failure_.code.empty() && failure_.message.empty();
    if (asked == failure_.code || asked == failure_.message) return true;
    const std::string folded = normalised_message(asked);
    return says_something(folded) && (folded == failure_.message || folded == whole_);
  }
  [[nodiscard]] bool hold(const std::string& asked) const {
    if (holds_text(failure_.code, asked) || holds_text(failure_.message, asked)) return true;
    const std::string folded = normalised_message(asked);
    return says_something(folded) && holds_text(whole_, folded);
  }

 private:
  static bool says_something(std::string_view folded) {
    constexpr auto kLettersMin = 3;
    const auto is_letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
    return std::ranges::count_if(folded, is_letter) >= kLettersMin;
  }

  const FailureClass& failure_;
  std::string whole_;
};

Verdict of_error(const Comparison& asked, const FailureClass& failure) {
  const ErrorWords words(failure);
  const auto is = [&words](const Value& value) { return words.is(std::get<std::string>(value)); };
  if (asked.compare == Compare::contains) {
    return verdict(words.hold(std::get<std::string>(asked.values.front())));
  }
  const bool any = std::ranges::any_of(asked.values, is);
  return verdict(asked.compare == Compare::not_equal ? !any : any);
}

/// Fields of a failure. Pre: what failed is known; null: nothing did.
Verdict of_failure(const Comparison& asked, const FailureClass* failure) {
  static const FailureClass kNone;
  const FailureClass& known = failure == nullptr ? kNone : *failure;
  const bool none = failure == nullptr;
  switch (asked.field) {
    case Field::step:
      return of_text(asked, known.step);
    case Field::participant:
      return of_text(asked, known.participant);
    case Field::code:
      return of_text(asked, known.code);
    case Field::error:
      return of_error(asked, known);
    case Field::operation:
      return none ? of_none(asked) : of(asked, known.operation);
    case Field::outcome:
      return none ? of_none(asked) : of(asked, known.outcome);
    case Field::cause:
      return none ? of_none(asked) : of(asked, known.cause);
    case Field::id:
    case Field::definition:
    case Field::version:
    case Field::status:
    case Field::waiting:
    case Field::business_key:
    case Field::idempotency_key:
    case Field::age:
    case Field::stuck_for:
    case Field::started:
    case Field::ended:
      break;
  }
  return Verdict::maybe;
}

/// Fields that only a whole saga has. Pre: it is known.
Verdict of_saga(const Comparison& asked, const Subject& subject) {
  const SagaSummary& saga = *subject.summary();
  switch (asked.field) {
    case Field::id:
      return of(asked, *subject.id());
    case Field::version:
      return of(asked, std::uint64_t{saga.version});
    case Field::waiting:
      return of(asked, saga.waiting);
    case Field::business_key:
      return of_text(asked, saga.business_key);
    case Field::idempotency_key:
      return of_text(asked, saga.idempotency_key);
    case Field::age:
      return of(asked, Millis{subject.now() - saga.started_at});
    case Field::stuck_for:
      if (saga.status != SagaStatus::stuck || !saga.failure) return of_none(asked);
      return of(asked, Millis{subject.now() - saga.since});
    case Field::started:
      return of(asked, saga.started_at);
    case Field::ended:
      return is_terminal(saga.status) ? of(asked, saga.ended_at) : of_none(asked);
    case Field::definition:
    case Field::status:
    case Field::step:
    case Field::participant:
    case Field::operation:
    case Field::outcome:
    case Field::code:
    case Field::error:
    case Field::cause:
      break;
  }
  return Verdict::maybe;
}

bool is_of_failure(Field field) {
  switch (field) {
    case Field::step:
    case Field::participant:
    case Field::operation:
    case Field::outcome:
    case Field::code:
    case Field::error:
    case Field::cause:
      return true;
    case Field::id:
    case Field::definition:
    case Field::version:
    case Field::status:
    case Field::waiting:
    case Field::business_key:
    case Field::idempotency_key:
    case Field::age:
    case Field::stuck_for:
    case Field::started:
    case Field::ended:
      return false;
  }
  return false;
}

Verdict judge(const Node& node, const Subject& subject);

struct Judge {
  const Subject& subject;

  Verdict operator()(const Comparison& asked) const {
    if (asked.field == Field::status) return of(asked, subject.status());
    if (asked.field == Field::definition) {
      return subject.definition() == nullptr ? Verdict::maybe
                                             : of_text(asked, *subject.definition());
    }
    if (is_of_failure(asked.field)) {
      return subject.knows_failure() ? of_failure(asked, subject.failure()) : Verdict::maybe;
    }
    if (asked.field == Field::stuck_for && subject.status() != SagaStatus::stuck) {
      return of_none(asked);
    }
    return subject.summary() == nullptr ? Verdict::maybe : of_saga(asked, subject);
  }
  Verdict operator()(const AllOf& all) const {
    Verdict least = Verdict::yes;
    for (const Node& term : all.terms) {
      least = std::min(least, judge(term, subject));
      if (least == Verdict::no) break;
    }
    return least;
  }
  Verdict operator()(const AnyOf& any) const {
    Verdict most = Verdict::no;
    for (const Node& term : any.terms) {
      most = std::max(most, judge(term, subject));
      if (most == Verdict::yes) break;
    }
    return most;
  }
  Verdict operator()(const Not& negated) const {
    switch (judge(negated.term.front(), subject)) {
      case Verdict::no:
        return Verdict::yes;
      case Verdict::maybe:
        return Verdict::maybe;
      case Verdict::yes:
        return Verdict::no;
    }
    return Verdict::maybe;
  }
};

Verdict judge(const Node& node, const Subject& subject) {
  return std::visit(Judge{subject}, node.body);
}

bool goes_forward(SagaStatus status) {
  return status == SagaStatus::running || status == SagaStatus::completed;
}

/// start > t is start >= t + 1 ms: instants are whole milliseconds. Where t is the last one there
/// is, t itself bounds as well: nothing passes.
void narrow_start(Compare compare, Instant start, Narrowing& to) {
  const auto from = [&to](Instant at) { to.started_from = std::max(to.started_from, at); };
  const auto until = [&to](Instant at) { to.started_until = std::min(to.started_until, at); };
  switch (compare) {
    case Compare::equal:
      from(start);
      until(start);
      return;
    case Compare::greater:
      return from(start == Instant::max() ? start : start + Millis{1});
    case Compare::at_least:
      return from(start);
    case Compare::less:
      return until(start == Instant::min() ? start : start - Millis{1});
    case Compare::at_most:
      return until(start);
    case Compare::not_equal:
    case Compare::one_of:
    case Compare::contains:
      return;
  }
}

/// age > d is started < now - d.
Compare mirrored(Compare compare) {
  switch (compare) {
    case Compare::greater:
      return Compare::less;
    case Compare::at_least:
      return Compare::at_most;
    case Compare::less:
      return Compare::greater;
    case Compare::at_most:
      return Compare::at_least;
    case Compare::equal:
    case Compare::not_equal:
    case Compare::one_of:
    case Compare::contains:
      break;
  }
  return compare;
}

void narrow(const Comparison& asked, Instant now, Narrowing& to) {
  const Value& first = asked.values.front();
  if (asked.field == Field::started) {
    narrow_start(asked.compare, std::get<Instant>(first), to);
  } else if (asked.field == Field::age) {
    narrow_start(mirrored(asked.compare), now - std::get<Millis>(first), to);
  } else if (asked.compare == Compare::equal && asked.field == Field::id) {
    to.id = std::get<SagaId>(first);
  } else if (asked.compare == Compare::equal && asked.field == Field::business_key) {
    // Sagas without a business key have no row to be found by.
    const auto& key = std::get<std::string>(first);
    if (!key.empty()) to.business_key = key;
  }
}

}  // namespace

Subject Subject::saga(const SagaId& id, const SagaSummary& summary, Instant now) {
  Subject subject;
  subject.status_ = summary.status;
  subject.definition_ = &summary.definition;
  subject.knows_failure_ = true;
  subject.failure_ = summary.failure ? &*summary.failure : nullptr;
  subject.id_ = &id;
  subject.summary_ = &summary;
  subject.now_ = now;
  return subject;
}

Subject Subject::group(SagaStatus status, const std::string* definition) {
  Subject subject;
  subject.status_ = status;
  subject.definition_ = definition;
  subject.knows_failure_ = goes_forward(status);
  return subject;
}

Subject Subject::cause(SagaStatus status, const std::string* definition,
                       const FailureClass* failure) {
  Subject subject = group(status, definition);
  subject.knows_failure_ = true;
  subject.failure_ = failure;
  return subject;
}

Verdict evaluate(const Filter& filter, const Subject& subject) {
  return filter.root ? judge(*filter.root, subject) : Verdict::yes;
}

Narrowing narrowing(const Filter& filter, Instant now) {
  Narrowing found;
  if (!filter.root) return found;
  if (const auto* one = std::get_if<Comparison>(&filter.root->body)) narrow(*one, now, found);
  if (const auto* all = std::get_if<AllOf>(&filter.root->body)) {
    for (const Node& term : all->terms) {
      if (const auto* one = std::get_if<Comparison>(&term.body)) narrow(*one, now, found);
    }
  }
  return found;
}

}  // namespace skald::filter
