// Claims about definitions that arrive as data: what they become, and that every mistake is told.
#include "engine/wire/definition.h"

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "engine/core/facts.h"
#include "engine/wire/fixed_payload.h"
#include "engine/wire/json.h"
#include "engine/wire/participant_url.h"

namespace skald::wire {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kTransfer = R"({
  "name": "transfer",
  "deadline_ms": 60000,
  "steps": [
    {"name": "debit",
     "action": {"url": "http://127.0.0.1:9001/debit?ledger=main", "protocol": "http_json",
                "keys": "barrier", "timeout_ms": 1500, "headers": {"X-Ledger": "main"},
                "outcomes": {"503": "not_executed"},
                "retry": {"initial_ms": 50, "jitter": 0, "attempts_max": 3}},
     "payload": {"json": {"b": 2, "a": [1.5, "x", null, true]}},
     "compensation": {"url": "http://127.0.0.1:9001/undo", "protocol": "http_json",
                      "keys": "barrier"}},
    {"name": "confirm", "class": "pivot", "wait": {"signal": "confirmed", "timeout_ms": 5000,
                                                   "on_timeout": "reject"}},
    {"name": "credit", "class": "retriable", "after": {"steps": ["confirm"]},
     "action": {"participant": "bank", "path": "/bank.Bank/Credit"},
     "payload": {"raw": "CAE="}},
    {"name": "look", "kind": "query", "after": {"steps": []},
     "action": {"url": "http://LOCALHOST:80", "protocol": "connect_json"},
     "payload": {"text": "{\"big\": 9007199254740993}"}}
  ]})";

v1::Definition parsed(std::string_view json) {
  v1::Definition definition;
  const auto read = message_from_json(json, definition);
  EXPECT_TRUE(read.has_value()) << read.error().message;
  return definition;
}

DefinitionPtr transfer() {
  auto read = read_definition(parsed(kTransfer), {});
  EXPECT_TRUE(read.has_value()) << read.error().message;
  return read.value_or(nullptr);
}

Bytes request_of(const Definition& definition, std::string_view step) {
  const SagaState state;
  const auto legs = definition.steps[*definition.step_index(step)].legs(Facts(definition, state));
  return legs.value().at(0).request;
}

TEST(ReadDefinition, BecomesTheSameValueThatABuilderWouldMake) {
  const DefinitionPtr definition = transfer();
  ASSERT_NE(definition, nullptr);
  EXPECT_EQ(definition->version, 1u);
  EXPECT_EQ(definition->deadline, Millis{60'000});
  EXPECT_EQ(definition->order.pivot, 1);
  const StepDefinition& debit = definition->steps[0];
  EXPECT_EQ(debit.kind, StepKind::call);
  EXPECT_EQ(debit.call_class, CallClass::compensatable);
  EXPECT_EQ(debit.action.method.participant, "http://127.0.0.1:9001");
  EXPECT_EQ(debit.action.method.path, "/debit?ledger=main");
  EXPECT_EQ(debit.action.method.keys, KeysMode::barrier);
  EXPECT_EQ(debit.action.attempt_timeout, Millis{1'500});
  EXPECT_EQ(debit.action.retry,
            (RetryPolicy{.initial = Millis{50}, .jitter = 0.0, .attempts_max = 3}));
  EXPECT_THAT(debit.action.method.headers, ElementsAre(MethodHeader{"X-Ledger", "main"}));
  EXPECT_THAT(debit.action.method.outcomes,
              ElementsAre(OutcomeRule{"503", OutcomeKind::not_executed}));
  EXPECT_EQ(definition->steps[1].wait.on_timeout, OnTimeout::reject);
  EXPECT_EQ(definition->steps[2].action.method.participant, "bank");
  EXPECT_EQ(definition->steps[2].action.method.protocol, Protocol::connect_proto);
  EXPECT_EQ(definition->steps[3].action.method.participant, "http://localhost");
  EXPECT_TRUE(definition->steps[3].after->empty());
}

TEST(ReadDefinition, FixesRequestsWithKeysSortedAndTextUntouched) {
  const DefinitionPtr definition = transfer();
  EXPECT_EQ(request_of(*definition, "debit"), R"({"a":[1.5,"x",null,true],"b":2})");
  EXPECT_EQ(request_of(*definition, "credit"), "\x08\x01");
  EXPECT_EQ(request_of(*definition, "look"), R"({"big": 9007199254740993})");
  const SagaState state;
  const Bytes undo = *definition->steps[0].undo(Facts(*definition, state), "ignored", nullptr);
  EXPECT_EQ(undo, request_of(*definition, "debit"));
}

TEST(ReadDefinition, IsReadBackFromItsSource) {
  const DefinitionPtr definition = transfer();
  const auto again = definition_of_source(definition->source);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ((*again)->source, definition->source);
  EXPECT_EQ((*again)->order.topological, definition->order.topological);
  EXPECT_EQ(request_of(**again, "debit"), request_of(*definition, "debit"));
  EXPECT_EQ(definition_of_source("\xff\xff").error().code, Errc::data_loss);
}

TEST(ReadDefinition, HasOneSourceHoweverItsMapsWereFilled) {
  v1::Definition forward = parsed(kTransfer);
  v1::Definition backward = parsed(kTransfer);
  for (int i = 0; i < 20; ++i) {
    auto& ahead = *forward.mutable_steps(0)->mutable_action()->mutable_headers();
    auto& back = *backward.mutable_steps(0)->mutable_action()->mutable_headers();
    ahead["X-" + std::to_string(i)] = "v";
    back["X-" + std::to_string(19 - i)] = "v";
  }
  EXPECT_EQ((*read_definition(forward, {}))->source, (*read_definition(backward, {}))->source);
}

TEST(ReadDefinition, TellsEveryMistakeWithStepAndField) {
  struct Case {
    std::string told;
    std::function<void(v1::Definition&)> spoil;
  };
  constexpr int kBeyond = 99;  // an enumerator that no version knows
  const auto action = [](v1::Definition& d, int step = 0) {
    return d.mutable_steps(step)->mutable_action();
  };
  const std::vector<Case> cases = {
      {"step debit: action: url: must begin with http://",
       [&](auto& d) { action(d)->set_url("ftp://x/y"); }},
      {"step debit: compensation: url: must have no user information",
       [&](auto& d) { d.mutable_steps(0)->mutable_compensation()->set_url("http://u:p@h/"); }},
      {"step debit: action: url: give either url or participant",
       [&](auto& d) { action(d)->set_participant("bank"); }},
      {"step debit: action: url: is missing", [&](auto& d) { action(d)->clear_url(); }},
      {"step credit: action: participant: must be a configured name",
       [&](auto& d) { action(d, 2)->set_participant("http://10.0.0.1"); }},
      {"step credit: action: is missing", [](auto& d) { d.mutable_steps(2)->clear_action(); }},
      {"step debit: kind: data carries no functions",
       [](auto& d) { d.mutable_steps(0)->set_kind(v1::StepKind::compute); }},
      {"step debit: kind: 99",
       [](auto& d) { d.mutable_steps(0)->set_kind(v1::StepKind::Value{kBeyond}); }},
      {"step credit: class: 99",
       [](auto& d) { d.mutable_steps(2)->set_class_(v1::CallClass::Value{kBeyond}); }},
      {"step debit: action: protocol: 99",
       [&](auto& d) { action(d)->set_protocol(v1::Protocol::Value{kBeyond}); }},
      {"step debit: action: keys: 99",
       [&](auto& d) { action(d)->set_keys(v1::KeysMode::Value{kBeyond}); }},
      {"step debit: action: outcome 503: does not say",
       [&](auto& d) { (*action(d)->mutable_outcomes())["503"] = v1::OutcomeKind::unspecified; }},
      {"step debit: action: header Host: set by the engine",
       [&](auto& d) { (*action(d)->mutable_headers())["Host"] = "evil"; }},
      {"step debit: action: timeout must be", [&](auto& d) { action(d)->set_timeout_ms(0); }},
      {"step confirm: wait: on_timeout: 99",
       [](auto& d) {
         d.mutable_steps(1)->mutable_wait()->set_on_timeout(v1::OnTimeout::Value{kBeyond});
       }},
      {"step confirm: action: a wait has none",
       [&](auto& d) { d.mutable_steps(1)->mutable_action(); }},
      {"step confirm: timeout must be at most",
       [](auto& d) { d.mutable_steps(1)->mutable_wait()->set_timeout_ms(~0ULL); }},
      {"step look: wait: only a step of kind wait",
       [](auto& d) { d.mutable_steps(3)->mutable_wait(); }},
      {"step look: action: payload: not JSON: byte 1",
       [](auto& d) { d.mutable_steps(3)->mutable_payload()->set_text("{secret}"); }},
      {"step look: action: payload: a number beyond 2^53",
       [](auto& d) {
         d.mutable_steps(3)->mutable_payload()->mutable_json()->set_number_value(1e16);
       }},
      {"step credit: action: payload: connect_proto sends bytes",
       [&](auto& d) {
         d.mutable_steps(2)->mutable_payload()->set_text("{}");
         action(d, 2)->set_protocol(v1::Protocol::connect_proto);
       }},
      {"step look: compensation_payload: there is no compensation",
       [](auto& d) { d.mutable_steps(3)->mutable_compensation_payload(); }},
      {"step credit: after ghost: no step",
       [](auto& d) { d.mutable_steps(2)->mutable_after()->add_steps("ghost"); }},
      {"name Bad?Name: must be", [](auto& d) { d.set_name("Bad\nName"); }},
  };
  for (const Case& c : cases) {
    v1::Definition definition = parsed(kTransfer);
    c.spoil(definition);
    const auto read = read_definition(definition, {});
    ASSERT_FALSE(read.has_value()) << c.told;
    EXPECT_EQ(read.error().code, Errc::invalid_argument);
    EXPECT_THAT(read.error().message, AllOf(HasSubstr(c.told), Not(HasSubstr("secret"))));
  }
  v1::Definition all = parsed(kTransfer);
  all.mutable_steps(0)->mutable_action()->set_url("ftp://x/y");
  all.mutable_steps(0)->mutable_compensation()->clear_url();
  all.mutable_steps(1)->mutable_wait()->clear_timeout_ms();
  const auto read = read_definition(all, {});
  EXPECT_THAT(read.error().message,
              AllOf(HasSubstr("has 3 mistakes"), HasSubstr("step debit: action: url"),
                    HasSubstr("step debit: compensation: url: is missing"),
                    HasSubstr("step confirm: waits for a signal without a timeout")));
}

TEST(ReadDefinition, AsksTheRuleForEveryAddressAndSaysWhatItRefused) {
  std::vector<std::string> asked;
  const auto rule = [&](std::string_view url) -> Result<void> {
    asked.emplace_back(url);
    if (url.ends_with("/undo")) return fail(Errc::permission_denied, "not in participants.allow");
    return {};
  };
  const auto read = read_definition(parsed(kTransfer), rule);
  EXPECT_THAT(asked, ElementsAre("http://127.0.0.1:9001/debit?ledger=main",
                                 "http://127.0.0.1:9001/undo", "bank", "http://localhost/"));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::permission_denied);
  EXPECT_THAT(read.error().message,
              HasSubstr("step debit: compensation: url: not in participants.allow"));
}

TEST(ReadDefinition, RefusesAParticipantThatTheRuleDoesNotKnow) {
  const auto rule = [](std::string_view address) -> Result<void> {
    if (address == "bank") return fail(Errc::not_found, "bank is not configured here");
    return {};
  };
  const auto read = read_definition(parsed(kTransfer), rule);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::invalid_argument);
  EXPECT_THAT(read.error().message, HasSubstr("participant: bank is not configured here"));
}

TEST(ReadDefinition, BoundsItsSize) {
  v1::Definition definition = parsed(kTransfer);
  definition.mutable_steps(2)->mutable_payload()->set_raw(
      std::string(kInlineDefinitionBytesMax, 'x'));
  EXPECT_EQ(read_definition(definition, {}).error().code, Errc::resource_exhausted);
}

TEST(ReadDefinition, GivesAnErrorOrADefinitionForAnyBytes) {
  const google::protobuf::LogSilencer silence;  // it reports every string that is not UTF-8
  const std::string sound = parsed(kTransfer).SerializeAsString();
  EXPECT_TRUE(rc::check("any bytes", [&] {
    for (int round = 0; round < 50; ++round) {
      std::string bytes = sound;
      const int flips = *rc::gen::inRange(1, 6);
      for (int i = 0; i < flips; ++i) {
        const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
        if (*rc::gen::arbitrary<bool>()) {
          bytes[at] = *rc::gen::arbitrary<char>();
        } else {
          bytes.insert(at, 1, *rc::gen::arbitrary<char>());
        }
      }
      const auto read = definition_of_source(bytes);
      if (!read) {
        RC_ASSERT(!read.error().message.empty());
        continue;
      }
      RC_ASSERT(definition_of_source((*read)->source).has_value());
    }
  }));
}

TEST(ParseParticipantUrl, RefusesWhatTwoReadersCouldTakeDifferently) {
  for (const std::string bad : {"",
                                "http://",
                                "https://h/",
                                "HTTP://h/",
                                "//h/",
                                "http:/h",
                                "http:///p",
                                "http://h:0/",
                                "http://h:65536/",
                                "http://h:080/",
                                "http://h:/",
                                "http://h:80x/",
                                "http://u@h/",
                                "http://h/#f",
                                "http://h\\@evil/",
                                "http://h/\r\nHost: x",
                                "http://h /",
                                "http://h/\x80",
                                "http://[::1",
                                "http://[::1]x/",
                                "http://[g::1]/",
                                "http://h?q",
                                "http://a..b/",
                                "http://-h/",
                                "http://%68/"}) {
    EXPECT_FALSE(parse_participant_url(bad).has_value()) << bad;
  }
  EXPECT_FALSE(parse_participant_url(std::string_view("http://h\0/", 10)).has_value());
  EXPECT_FALSE(parse_participant_url("http://h/" + std::string(kParticipantUrlMax, 'p')));
}

TEST(ParseParticipantUrl, NormalizesTheOriginOnly) {
  const auto named = parse_participant_url("http://Inventory.Svc:80/A/b?C=d");
  ASSERT_TRUE(named.has_value());
  EXPECT_EQ(named->origin, "http://inventory.svc");
  EXPECT_EQ(named->path, "/A/b?C=d");
  EXPECT_EQ(parse_participant_url("http://[::1]:9903")->origin, "http://[::1]:9903");
  EXPECT_EQ(parse_participant_url("http://[::1]:9903")->path, "/");
}

TEST(CanonicalJson, WritesNumbersExactly) {
  google::protobuf::Value value;
  for (const auto& [number, text] : std::vector<std::pair<double, std::string>>{
           {0.1, "0.1"}, {-3.0, "-3"}, {9007199254740991.0, "9007199254740991"}, {1e-7, "1e-07"}}) {
    value.set_number_value(number);
    EXPECT_EQ(canonical_json(value), text);
  }
  for (const double bad : {9007199254740992.0, 1e300, std::nan(""), HUGE_VAL}) {
    value.set_number_value(bad);
    EXPECT_FALSE(canonical_json(value).has_value()) << bad;
  }
}

TEST(CanonicalJson, BoundsItsDepth) {
  google::protobuf::Value value;
  google::protobuf::Value* inner = &value;
  for (int i = 1; i < kJsonDepthMax; ++i) inner = inner->mutable_list_value()->add_values();
  inner->set_bool_value(true);
  EXPECT_TRUE(canonical_json(value).has_value());
  inner->mutable_list_value()->add_values()->set_bool_value(true);
  EXPECT_FALSE(canonical_json(value).has_value());
}

}  // namespace
}  // namespace skald::wire
