#include "participants/kit/program.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <utility>
#include <vector>

namespace skald::kit {
namespace {

constexpr std::string_view kSeededRow = "m/seeded";  // Stored. Never another kind of row.
constexpr std::size_t kSweepRowsMax = 1'000;         // legs looked at in one transaction
constexpr std::chrono::hours kSweepEvery{1};

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) {
    return fail(Errc::invalid_argument, "seed file={} cannot be read", path);
  }
  return content.str();
}

/// One service with its rows and its port. Declared in the order in which things may be used: the
/// host goes first, and finishes what it has accepted while server and rows are still there.
struct OpenService {
  std::unique_ptr<RowStore> rows;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Host> host;
};

struct OpenGuest {
  std::unique_ptr<HttpServer> server;
  std::function<void()> retire;
};

}  // namespace

struct Program::Parts {
  Parts(ProgramOptions given, Logger logger)
      : options(std::move(given)),
        log(std::move(logger)),
        signals(io, SIGTERM, SIGINT),
        sweep_timer(io) {}

  Result<std::unique_ptr<HttpServer>> listen(std::string_view name, std::uint16_t port,
                                             HttpHandler handler, HttpRefusal refusal = nullptr);
  void drain();
  void sweep_all();
  void sweep(OpenService& service, std::string after);

  const ProgramOptions options;
  const Logger log;
  const SystemClock clock{};
  boost::asio::io_context io{1};
  boost::asio::signal_set signals;
  boost::asio::steady_timer sweep_timer;
  std::vector<std::unique_ptr<OpenService>> services;
  std::vector<OpenGuest> guests;
  std::size_t draining = 0;
};

Program::Program(ProgramOptions options, Logger log)
    : parts_(std::make_unique<Parts>(std::move(options), std::move(log))) {}

Program::~Program() = default;

boost::asio::io_context& Program::io() { return parts_->io; }
const Clock& Program::clock() const { return parts_->clock; }
const ProgramOptions& Program::options() const { return parts_->options; }

std::string Program::folder(std::string_view name) const {
  const auto path = std::filesystem::path(parts_->options.data) / name;
  std::error_code ignored;  // whoever opens the folder reports what is wrong with it
  std::filesystem::create_directories(path, ignored);
  return path;
}

Result<std::unique_ptr<HttpServer>> Program::Parts::listen(std::string_view name,
                                                           std::uint16_t port, HttpHandler handler,
                                                           HttpRefusal refusal) {
  HttpServerOptions server{.address = options.host};
  server.refusal = std::move(refusal);
  server.port =
      options.port != 0 ? options.port : static_cast<std::uint16_t>(port + options.port_shift);
  auto listening = HttpServer::listen(io, server, std::move(handler));
  if (listening) {
    log.info("listening service={} address={}:{}", name, options.host, (*listening)->port());
  }
  return listening;
}

Result<void> Program::open(const Service& service) {
  auto open = std::make_unique<OpenService>();
  auto rows = open_rocks_rows(folder(service.name));
  if (!rows) return std::unexpected(rows.error());
  open->rows = std::move(*rows);
  open->host =
      std::make_unique<Host>(*open->rows, parts_->clock, HostOptions{.keys = parts_->options.keys});
  service.install(*open->host);
  if (!parts_->options.seed.empty()) {
    const auto json = read_file(parts_->options.seed);
    if (!json) return std::unexpected(json.error());
    if (auto seeded = seed_once(open->host->runner(), service, *json); !seeded) return seeded;
  }
  auto handler = [host = open->host.get()](HttpRequest request, HttpResponder respond) {
    host->handle(std::move(request), std::move(respond));
  };
  auto server = parts_->listen(service.name, service.port, std::move(handler));
  if (!server) return std::unexpected(server.error());
  open->server = std::move(*server);
  parts_->services.push_back(std::move(open));
  return {};
}

Result<void> Program::open(Guest guest) {
  auto server =
      parts_->listen(guest.name, guest.port, std::move(guest.handler), std::move(guest.refusal));
  if (!server) return std::unexpected(server.error());
  parts_->guests.push_back({std::move(*server), std::move(guest.retire)});
  return {};
}

void Program::run() {
  parts_->signals.async_wait([parts = parts_.get()](boost::system::error_code error, int) {
    if (!error) parts->drain();
  });
  parts_->sweep_all();
  parts_->io.run();
  parts_->log.info("drained");
}

void Program::Parts::drain() {
  log.info("draining grace_ms={}", options.drain_grace.count());
  sweep_timer.cancel();
  draining = services.size() + guests.size();
  // done() may come from any thread; the count is the io thread's.
  const auto drained = [this] {
    boost::asio::post(io, [this] {
      if (--draining == 0) io.stop();
    });
  };
  for (auto& service : services) {
    service->host->retire();
    service->server->drain(options.drain_grace, drained);
  }
  for (auto& guest : guests) {
    guest.retire();
    guest.server->drain(options.drain_grace, drained);
  }
}

void Program::Parts::sweep_all() {
  for (auto& service : services) sweep(*service, "");
  sweep_timer.expires_after(kSweepEvery);
  sweep_timer.async_wait([this](boost::system::error_code error) {
    if (!error) sweep_all();
  });
}

void Program::Parts::sweep(OpenService& service, std::string after) {
  auto next = std::make_shared<std::optional<std::string>>();
  const Millis lifetime = options.key_lifetime;
  auto work = [next, after = std::move(after), lifetime](Txn& txn) {
    *next = forget_legs(txn, txn.now() - lifetime, after, kSweepRowsMax);
  };
  auto done = [this, next, &service](Result<void> kept) {
    if (!kept || !*next) return;
    boost::asio::post(io, [this, next, &service] { sweep(service, **next); });
  };
  service.host->runner().submit(std::move(work), std::move(done));
}

Result<void> seed_once(TxnRunner& runner, const Service& service, const std::string& json) {
  std::promise<Result<void>> promise;
  Result<void> seeded;
  auto work = [&](Txn& txn) {
    if (txn.get(kSeededRow)) return;
    seeded = service.seed(txn, json);
    if (!seeded) return txn.discard();
    txn.put(std::string(kSeededRow), "1");
  };
  auto done = [&](Result<void> kept) { promise.set_value(kept ? seeded : kept); };
  runner.submit(std::move(work), std::move(done));
  return promise.get_future().get();
}

}  // namespace skald::kit
