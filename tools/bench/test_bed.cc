#include "tools/bench/test_bed.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <iterator>

#include "engine/wire/connect.h"
#include "tools/bench/checks.h"

namespace skald::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr Millis kAskTimeout{60'000};
constexpr Seconds kReadyLimit{120};
constexpr Seconds kQuietLimit{3};
constexpr Millis kQuietWindow{50};
constexpr std::size_t kAnswerBytesMax = 256 << 20;  // the arrivals of millions of calls
constexpr Seconds kWatchEvery{0.05};
constexpr Seconds kAskEvery{0.005};
constexpr int kRestWindows = 20;      // quiet ones in a row
constexpr double kQuietShare = 0.05;  // of one core
constexpr std::uint64_t kNumbersPerSample = 10'000'000;
constexpr std::string_view kCommitterThread = "skald-commit";

/// A sample without labels of a Prometheus text.
std::uint64_t metric(std::string_view text, std::string_view name) {
  const std::string wanted = fmt::format("\n{} ", name);
  const std::size_t at = text.find(wanted);
  if (at == std::string_view::npos) return 0;
  double value = 0;
  std::from_chars(text.data() + at + wanted.size(), text.data() + text.size(), value);
  return static_cast<std::uint64_t>(value);
}

/// The sum over all labels.
std::uint64_t metric_sum(std::string_view text, std::string_view name) {
  const std::string wanted = fmt::format("\n{}{{", name);
  double sum = 0;
  for (std::size_t at = text.find(wanted); at != std::string_view::npos;
       at = text.find(wanted, at + 1)) {
    const std::size_t end = text.find("} ", at);
    if (end == std::string_view::npos) break;
    double value = 0;
    std::from_chars(text.data() + end + 2, text.data() + text.size(), value);
    sum += value;
  }
  return static_cast<std::uint64_t>(sum);
}

EngineFigures minus(const EngineFigures& a, const EngineFigures& b) {
  return {.commits = a.commits - b.commits,
          .transitions = a.transitions - b.transitions,
          .record_bytes = a.record_bytes - b.record_bytes,
          .queries = a.queries - b.queries,
          .calls = a.calls - b.calls,
          .completed = a.completed - b.completed};
}

}  // namespace

TestBed::TestBed(BedOptions options) : options_(std::move(options)) {
  run_ = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count() /
                                    1'000) ^
         static_cast<std::uint64_t>(::getpid());
  client_ = HttpClient::create(io_, {.response_limits = {.body_bytes_max = kAnswerBytesMax}});
}

TestBed::~TestBed() {
  client_.reset();
  engine_.reset();
  std::error_code left;  // as it is, then
  if (removes_store_) std::filesystem::remove_all(store_folder(), left);
}

HttpEndpoint TestBed::engine_endpoint() const {
  return {.host = "127.0.0.1", .ip = "127.0.0.1", .port = engine_->port()};
}

HttpEndpoint TestBed::mall_endpoint() const {
  return {.host = "127.0.0.1", .ip = "127.0.0.1", .port = mall_->port()};
}

std::uint64_t TestBed::take_numbers() { return numbers_ += kNumbersPerSample; }

Result<std::unique_ptr<TestBed>> TestBed::start(BedOptions options) {
  std::unique_ptr<TestBed> bed(new TestBed(std::move(options)));
  const BedOptions& o = bed->options_;
  auto mall = ChildProcess::start({o.mall}, o.folder + "/mall.log");
  if (!mall) return std::unexpected(mall.error());
  bed->mall_.emplace(std::move(*mall));
  if (auto started = bed->start_engine(); !started) return std::unexpected(started.error());
  return bed;
}

Result<void> TestBed::start_engine(const std::vector<std::string>& more) {
  std::vector<std::string> argv{options_.engine, "--data", options_.folder + "/store", "--listen",
                                "127.0.0.1:0"};
  for (const char* name : {"cart", "product", "promotion", "inventory", "order"}) {
    argv.emplace_back("--participant");
    argv.push_back(fmt::format("{}=http://127.0.0.1:{}", name, mall_->port()));
  }
  argv.emplace_back("--participants-pipeline-max");
  argv.push_back(fmt::to_string(options_.pipeline_max));
  argv.insert(argv.end(), more.begin(), more.end());
  argv.insert(argv.end(), options_.engine_flags.begin(), options_.engine_flags.end());
  auto engine = ChildProcess::start(argv, options_.folder + "/skaldd.log");
  if (!engine) return std::unexpected(engine.error());
  engine_.emplace(std::move(*engine));
  return {};
}

Result<std::string> TestBed::ask(const HttpEndpoint& endpoint, std::string_view target,
                                 std::string body) {
  HttpRequest request{.method = "GET", .target = std::string(target), .headers = {}, .body = {}};
  if (!body.empty()) {
    request = wire::connect_request(target, wire::ConnectCodec::proto, std::move(body));
  }
  std::optional<Exchange> answer;
  client_->call(endpoint, std::move(request), kAskTimeout,
                [&answer](Exchange exchange) { answer = std::move(exchange); });
  static_cast<void>(run_until(io_, [&] { return answer.has_value(); }, kReadyLimit));
  if (!answer || answer->end != ExchangeEnd::answered) {
    return fail(Errc::unavailable, "{} is not answered: {}", target,
                answer ? answer->detail : "no answer");
  }
  if (answer->response.status != 200) {
    return fail(Errc::unavailable, "{} answers {}: {}", target, answer->response.status,
                answer->response.body);
  }
  return std::move(answer->response.body);
}

Result<EngineFigures> TestBed::engine_figures() {
  const auto text = ask(engine_endpoint(), "/metrics");
  if (!text) return std::unexpected(text.error());
  return EngineFigures{.commits = metric(*text, "skald_commits_total"),
                       .transitions = metric(*text, "skald_transitions_total"),
                       .record_bytes = metric(*text, "skald_commit_record_bytes_total"),
                       .queries = metric(*text, "skald_queries_total"),
                       .calls = metric(*text, "skald_calls_total"),
                       .completed = metric(*text, R"(skald_sagas{status="completed"})"),
                       .in_memory = metric(*text, "skald_sagas_in_memory"),
                       .calls_out = metric_sum(*text, "skald_participant_in_flight"),
                       .calls_wait = metric_sum(*text, "skald_participant_queued")};
}

Result<MallFigures> TestBed::mall_figures() {
  const auto text = ask(mall_endpoint(), "/figures");
  if (!text) return std::unexpected(text.error());
  return parse_figures(*text);
}

Result<std::unique_ptr<TestBed>> TestBed::beside(std::string_view name,
                                                 std::vector<std::string> more_flags) {
  auto bed = in_folder(fmt::format("{}/{}", options_.folder, name), std::move(more_flags));
  if (bed) (*bed)->removes_store_ = true;
  return bed;
}

Result<std::unique_ptr<TestBed>> TestBed::in_folder(std::string folder,
                                                    std::vector<std::string> more_flags) {
  BedOptions options = options_;
  options.folder = std::move(folder);
  std::filesystem::create_directories(options.folder);
  std::ranges::move(more_flags, std::back_inserter(options.engine_flags));
  return start(std::move(options));
}

void TestBed::pass(Seconds time) {
  const auto end = SteadyClock::now() + time;
  static_cast<void>(run_until(io_, [&] { return SteadyClock::now() >= end; }, time * 2));
}

double TestBed::seconds_until(std::string_view target, SteadyClock::time_point begin) {
  while (SteadyClock::now() - begin < kReadyLimit) {
    if (ask(engine_endpoint(), target)) break;
    pass(kAskEvery);  // it needs the processor more than we do
  }
  return Seconds(SteadyClock::now() - begin).count();
}

Result<EngineFigures> TestBed::watch(const std::function<bool(const EngineFigures&)>& done,
                                     Seconds limit) {
  const auto until = SteadyClock::now() + limit;
  for (;;) {
    auto figures = engine_figures();
    if (!figures || done(*figures)) return figures;
    if (SteadyClock::now() >= until) {
      return fail(Errc::deadline_exceeded,
                  "after {} s: {} completed, {} in memory, {} calls out, {} waiting to be sent",
                  limit.count(), figures->completed, figures->in_memory, figures->calls_out,
                  figures->calls_wait);
    }
    pass(kWatchEvery);
  }
}

void TestBed::wait_for_quiet() { wait_for_windows(1, kQuietLimit); }

void TestBed::wait_for_rest(Seconds limit) { wait_for_windows(kRestWindows, limit); }

void TestBed::wait_for_windows(int quiet, Seconds limit) {
  const auto until = SteadyClock::now() + limit;
  double last = use_of(engine_->pid()).cpu_s;
  int in_a_row = 0;
  while (SteadyClock::now() < until && in_a_row < quiet) {
    pass(kQuietWindow);
    const double now = use_of(engine_->pid()).cpu_s;
    in_a_row = now - last < kQuietShare * Seconds(kQuietWindow).count() ? in_a_row + 1 : 0;
    last = now;
  }
}

Result<Sample> TestBed::measure(Subject& subject, const LoadPlan& chosen) {
  wait_for_quiet();
  LoadPlan plan = chosen;
  plan.first_number = take_numbers();
  const auto mall_before = mall_figures();
  const auto engine_before = engine_figures();
  if (!mall_before) return std::unexpected(mall_before.error());
  if (!engine_before) return std::unexpected(engine_before.error());
  const ProcessUse engine_use = use_of(engine_->pid());
  const ProcessUse mall_use = use_of(mall_->pid());
  const ProcessUse own_use = use_of(::getpid());
  const double committer = thread_cpu_s(engine_->pid(), kCommitterThread);
  const auto disk = disk_use(options_.folder);
  const auto begin = SteadyClock::now();

  auto load = run_load(io_, *subject.taker, plan);
  if (!load) return std::unexpected(load.error());

  Sample sample{.load = std::move(*load)};
  sample.wall_s = Seconds(SteadyClock::now() - begin).count();
  const ProcessUse engine_use_after = use_of(engine_->pid());
  sample.engine_cpu_s = engine_use_after.cpu_s - engine_use.cpu_s;
  sample.written_bytes = engine_use_after.written_bytes - engine_use.written_bytes;
  sample.mall_cpu_s = use_of(mall_->pid()).cpu_s - mall_use.cpu_s;
  sample.client_cpu_s = use_of(::getpid()).cpu_s - own_use.cpu_s;
  sample.committer_cpu_s = thread_cpu_s(engine_->pid(), kCommitterThread) - committer;
  sample.resident = resident_bytes(engine_->pid());
  if (const auto after = disk_use(options_.folder); after && disk) {
    sample.disk = DiskUse{.written_bytes = after->written_bytes - disk->written_bytes,
                          .flushes = after->flushes - disk->flushes};
  }
  wait_for_quiet();  // the figures of an idle shard are those of its last work
  const auto engine_after = engine_figures();
  const auto mall_after = mall_figures();
  if (!engine_after) return std::unexpected(engine_after.error());
  if (!mall_after) return std::unexpected(mall_after.error());
  sample.engine = minus(*engine_after, *engine_before);
  sample.mall_calls = mall_after->calls - mall_before->calls;
  if (auto sound = check_orders(subject, sample); !sound) return std::unexpected(sound.error());
  if (auto sound =
          check_rest(subject, plan, sample, {.before = *mall_before, .after = *mall_after});
      !sound) {
    return std::unexpected(sound.error());
  }
  if (auto sound = check_syncs(subject, plan, sample); !sound) {
    return std::unexpected(sound.error());
  }
  return sample;
}

}  // namespace skald::bench
