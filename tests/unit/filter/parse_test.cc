// From text to tree and back; what is wrong is said with its column.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/filter/fields.h"
#include "engine/filter/filter.h"

namespace skald::filter {
namespace {

Filter parsed(std::string_view text) {
  auto filter = parse(text);
  EXPECT_TRUE(filter.has_value()) << (filter ? "" : filter.error().message);
  return filter ? *filter : Filter{};
}

std::string canonical(std::string_view text) { return print(parsed(text)); }

std::string complaint_of(std::string_view text) {
  const auto filter = parse(text);
  if (filter) return "accepted: " + print(*filter);
  EXPECT_EQ(filter.error().code, Errc::invalid_argument);
  return filter.error().message;
}

TEST(Parse, ReadsTheExampleThatOperatorsAreShown) {
  const std::string text =
      "definition = create_order and status in (stuck, compensating) and step = deduct_stock and "
      "error ~ \"timeout\" and age > 10m and business_key = \"u-42\"";
  const Filter filter = parsed(text);
  const auto& all = std::get<AllOf>(filter.root->body);
  ASSERT_EQ(all.terms.size(), 6U);
  EXPECT_EQ(std::get<Comparison>(all.terms[1].body),
            (Comparison{.field = Field::status,
                        .compare = Compare::one_of,
                        .values = {SagaStatus::stuck, SagaStatus::compensating}}));
  EXPECT_EQ(
      std::get<Comparison>(all.terms[4].body),
      (Comparison{.field = Field::age, .compare = Compare::greater, .values = {Millis{600'000}}}));
  EXPECT_EQ(print(filter),
            "definition = create_order and status in (stuck, compensating) and step = deduct_stock "
            "and error ~ timeout and age > 10m and business_key = u-42");
}

TEST(Parse, NothingIsTheEmptyFilter) {
  EXPECT_EQ(parsed(""), Filter{});
  EXPECT_EQ(parsed(" \t\n"), Filter{});
  EXPECT_EQ(print(Filter{}), "");
}

TEST(Parse, AndBindsTighterThanOrAndNotTighterThanBoth) {
  EXPECT_EQ(parsed("step = a or step = b and step = c"),
            parsed("step = a or (step = b and step = c)"));
  EXPECT_EQ(parsed("not step = a and step = b"), parsed("(not step = a) and step = b"));
  EXPECT_EQ(canonical("(step = a or step = b) and step = c"),
            "(step = a or step = b) and step = c");
  EXPECT_EQ(canonical("not (step = a or step = b)"), "not (step = a or step = b)");
  EXPECT_EQ(canonical("((step = a))"), "step = a");
}

TEST(Parse, TakesSpellingsThatPeopleTry) {
  EXPECT_EQ(canonical("status==stuck AND NOT waiting=true"),
            "status = stuck and not waiting = true");
  EXPECT_EQ(canonical("status not in (stuck)"), "not status in (stuck)");
  EXPECT_EQ(canonical("code = 'it\\'s \"x\"'"), "code = \"it's \\\"x\\\"\"");
  EXPECT_EQ(canonical("age >= 90m"), "age >= 90m");
  EXPECT_EQ(canonical("age >= 1h30m"), "age >= 90m");
  EXPECT_EQ(canonical("age < 1w"), "age < 7d");
  EXPECT_EQ(canonical("age < 0s"), "age < 0d");
  EXPECT_EQ(canonical("started > 2026-11-22"), "started > 2026-11-22T00:00:00Z");
  EXPECT_EQ(canonical("started > 2026-11-22T12:45"), "started > 2026-11-22T12:45:00Z");
  EXPECT_EQ(canonical("ended <= 2026-11-22T12:45:03.120Z"), "ended <= 2026-11-22T12:45:03.120Z");
  EXPECT_EQ(canonical("code = \"and\""), "code = \"and\"");
}

TEST(Complaint, NamesTheColumnAndMarksIt) {
  EXPECT_EQ(complaint_of("status = stuk and age > 10m"),
            "filter: column 10: there is no status \"stuk\"; did you mean stuck? It is one of "
            "running, compensating, paused, stuck, completed, compensated, abandoned\n"
            "  status = stuk and age > 10m\n"
            "           ^");
  EXPECT_EQ(complaint_of("defnition = a"),
            "filter: column 1: there is no field \"defnition\"; did you mean definition?\n"
            "  defnition = a\n"
            "  ^");
}

TEST(Complaint, CountsCharactersAndShowsOnlyTheNeighbourhood) {
  const std::string text = "code = \"äöüäöü\" and code = \"" + std::string(60, 'x') +
                           "\" stepp = a " + "and code = \"" + std::string(60, 'y') + "\"";
  EXPECT_EQ(complaint_of(text),
            "filter: column 91: `and` or `or` is missing before this\n"
            "  ..." +
                std::string(38, 'x') + "\" stepp = a and code = \"" + std::string(8, 'y') +
                "...\n  " + std::string(43, ' ') + "^");
}

TEST(Complaint, SaysWhatWouldBeRight) {
  const auto says = [](std::string_view text, std::string_view part) {
    const std::string told = complaint_of(text);
    EXPECT_NE(told.find(part), std::string::npos) << told;
  };
  says("status", "column 7: a comparison of `status` is missing: = != in");
  says("status > stuck", "column 8: `>` is not for `status`; it takes = != in");
  says("age ~ 10m", "column 5: `~` is not for `age`; it takes = != > >= < <=");
  says("age > ten", "column 7: \"ten\" is not a duration: write 30s, 10m, 2h or 3d");
  says("age > 99999999d", "is not a duration");
  says("started > yesterday", "is not a time in UTC");
  says("started > 2026-02-30", "is not a time in UTC");
  says("cause = 12", "is not a cause: 16 hexadecimal digits");
  says("id = 12", "is not a saga's id");
  says("version = x", "is not a number");
  says("waiting = yes", "\"yes\" is neither true nor false");
  says("outcome = refused", "it is one of succeeded, rejected, not_executed, unknown, pending");
  says("status = ", "column 10: a value for `status` is missing here");
  says("status in stuck", "column 11: `(` is missing: write in (one, other)");
  says("status in (stuck", "column 17: `,` or `)` is missing here");
  says("(status = stuck", "column 16: `)`, `and` or `or` is missing here");
  says("status = stuck)", "column 15: this parenthesis closes nothing");
  says("status = stuck age > 1m", "column 16: `and` or `or` is missing before this");
  says("status = stuck and", "column 19: a field is missing here: one of id, definition");
  says("code = \"x", "column 8: this quote is not closed");
  says("code = \"\\x\"", "column 9: a backslash is written");
  says("code = a && step = b", "column 10: \"&\" is not known; write `and`");
  says("code = a || step = b", "write `or`");
  says("!waiting", "write `not`");
  says("code not = a", "column 10: `in` is missing after `not`");
  says("code = a; step = b", "column 9: \";\" is not known here");
}

TEST(Parse, IsBounded) {
  std::string terms = "step = a";
  for (std::size_t i = 1; i < kFilterTermsMax; ++i) terms += " or step = a";
  EXPECT_TRUE(parse(terms).has_value());
  EXPECT_NE(complaint_of(terms + " or step = a").find("more than 64 comparisons"),
            std::string::npos);
  const std::string open(kFilterDepthMax, '(');
  const std::string close(kFilterDepthMax, ')');
  EXPECT_TRUE(parse(open + "step = a" + close).has_value());
  EXPECT_NE(complaint_of("(" + open + "step = a" + close + ")").find("more than 16 levels"),
            std::string::npos);
  std::string values = "version in (0";
  for (std::size_t i = 1; i < kFilterValuesMax; ++i) values += ",0";
  EXPECT_TRUE(parse(values + ")").has_value());
  EXPECT_NE(complaint_of(values + ",0)").find("more than 256 values"), std::string::npos);
  EXPECT_NE(complaint_of("code = " + std::string(kFilterBytesMax, 'x')).find("at most 4096"),
            std::string::npos);
}

// A batch keeps the canonical text of its filter and reads that again.
TEST(Parse, TakesNothingWhoseCanonicalTextItWouldRefuse) {
  const std::string doubled = "code = \"" + std::string(kFilterBytesMax / 2, '\n') + "\"";
  EXPECT_NE(complaint_of(doubled).find("4105 bytes when written out"), std::string::npos);
  std::string nested = "step not in (a)";
  for (std::size_t i = 1; i < kFilterDepthMax; ++i) {
    nested = "(" + nested + (i % 2 == 0 ? " and step = b)" : " or step = b)");
  }
  EXPECT_EQ(parsed(canonical(nested)), parsed(nested));
  EXPECT_NE(complaint_of("(" + nested + " or step = b) and step = b").find("more than 16 levels"),
            std::string::npos);
}

// --- Any filter is what its text says ---

std::string any_text() {
  const auto size = *rc::gen::inRange(0, 12);
  return *rc::gen::container<std::string>(
      static_cast<std::size_t>(size),
      rc::gen::oneOf(rc::gen::inRange<char>('a', 'd'), rc::gen::element('"', '\\', ' ', '\n', '#'),
                     rc::gen::arbitrary<char>()));
}

Value any_value(ValueKind kind) {
  switch (kind) {
    case ValueKind::text:
      return any_text();
    case ValueKind::number:
      return *rc::gen::arbitrary<std::uint64_t>();
    case ValueKind::flag:
      return *rc::gen::arbitrary<bool>();
    case ValueKind::status:
      return static_cast<SagaStatus>(*rc::gen::inRange(1, int{kSagaStatusCount} + 1));
    case ValueKind::operation:
      return static_cast<Operation>(*rc::gen::inRange(1, 4));
    case ValueKind::outcome:
      return static_cast<OutcomeKind>(*rc::gen::inRange(1, 6));
    case ValueKind::cause:
      return CauseId{.value = *rc::gen::arbitrary<std::uint64_t>()};
    case ValueKind::saga_id:
      return SagaId{.placement = *rc::gen::arbitrary<std::uint64_t>(),
                    .serial = *rc::gen::arbitrary<std::uint64_t>()};
    case ValueKind::duration:
      return Millis{*rc::gen::inRange<std::int64_t>(0, 3'650LL * 86'400'000) /
                    *rc::gen::element<std::int64_t>(1, 1'000, 86'400'000)};
    case ValueKind::time:
      return from_unix_ms(*rc::gen::inRange<std::int64_t>(0, 253'402'300'799'999));
  }
  return std::string();
}

Node any_comparison() {
  const auto rules = field_rules();
  const FieldRule& rule = rules[*rc::gen::inRange<std::size_t>(0, rules.size())];
  Comparison made{.field = rule.field, .values = {}};
  do {
    made.compare = static_cast<Compare>(*rc::gen::inRange(1, 9));
  } while (!allows(rule.kind, made.compare));
  const int values = made.compare == Compare::one_of ? *rc::gen::inRange(1, 4) : 1;
  for (int i = 0; i < values; ++i) made.values.push_back(any_value(rule.kind));
  return Node{std::move(made)};
}

Node any_node(int depth) {
  const int shape = depth == 0 ? 0 : *rc::gen::inRange(0, 4);
  if (shape == 0) return any_comparison();
  if (shape == 1) return Node{Not{{any_node(depth - 1)}}};
  std::vector<Node> terms;
  for (int i = *rc::gen::inRange(2, 4); i > 0; --i) terms.push_back(any_node(depth - 1));
  if (shape == 2) return Node{AllOf{std::move(terms)}};
  return Node{AnyOf{std::move(terms)}};
}

TEST(Print, IsReadBackAsTheSameFilter) {
  EXPECT_TRUE(rc::check("parse(print(filter)) == filter", [] {
    const Filter filter{.root = any_node(3)};
    const std::string text = print(filter);
    const auto again = parse(text);
    if (!again) RC_FAIL(text + "\n" + again.error().message);
    RC_ASSERT(*again == filter);
    RC_ASSERT(print(*again) == text);
  }));
}

TEST(Parse, NeverCrashesWhateverTheText) {
  EXPECT_TRUE(rc::check("any text is read or refused", [] {
    std::string text;
    for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
      text +=
          *rc::gen::element<std::string>("status", "age", "=", "in", "(", ")", " ", "not", "and",
                                         "or", "stuck", "10m", "\"", ",", "~", "\\", "é");
    }
    const auto filter = parse(text);
    if (filter) {
      RC_ASSERT(parse(print(*filter)).has_value());
    } else {
      RC_ASSERT(filter.error().message.starts_with("filter: column "));
    }
  }));
}

TEST(Both, JoinsTermsWithoutNesting) {
  EXPECT_EQ(print(both(parsed("step = a and step = b"), parsed("step = c"))),
            "step = a and step = b and step = c");
  EXPECT_EQ(print(both(parsed("step = a or step = b"), parsed("step = c"))),
            "(step = a or step = b) and step = c");
  EXPECT_EQ(both(Filter{}, parsed("step = a")), parsed("step = a"));
  EXPECT_EQ(both(parsed("step = a"), Filter{}), parsed("step = a"));
}

TEST(Mentions, LooksIntoEveryPart) {
  const Filter filter = parsed("age > 1m and not (step = a or status = stuck)");
  EXPECT_TRUE(mentions(filter, Field::status));
  EXPECT_TRUE(mentions(filter, Field::age));
  EXPECT_FALSE(mentions(filter, Field::code));
  EXPECT_FALSE(mentions(Filter{}, Field::code));
}

}  // namespace
}  // namespace skald::filter
