#include "participants/order_front/serve.h"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <random>
#include <utility>

#include "engine/net/http_client.h"

namespace skald::mall::order_front {
namespace {

/// 128 random bits as 32 hexadecimal digits.
std::string random_key() {
  std::random_device device;
  std::string key;
  for (int i = 0; i < 4; ++i) key += fmt::format("{:08x}", device());
  return key;
}

void run_later(boost::asio::io_context& io, Millis delay, std::move_only_function<void()> run) {
  if (delay <= Millis(0)) return boost::asio::post(io, std::move(run));
  auto timer = std::make_shared<boost::asio::steady_timer>(io, delay);
  timer->async_wait([timer, run = std::move(run)](boost::system::error_code error) mutable {
    if (!error) run();
  });
}

class OpenFront final : public ServedFront {
 public:
  OpenFront(kit::Program& program, FrontOptions options, std::unique_ptr<kit::RowStore> rows,
            HttpEndpoint engine, HttpEndpoint orders)
      : rows_(std::move(rows)), client_(HttpClient::create(program.io(), {})) {
    FrontPorts ports{.engine = upstream(std::move(engine)),
                     .orders = upstream(std::move(orders)),
                     .later = [&io = program.io()](
                                  Millis delay, auto run) { run_later(io, delay, std::move(run)); },
                     .new_key = random_key};
    front_ = std::make_unique<Front>(std::move(options), std::move(ports), *rows_, program.clock());
  }
  ~OpenFront() override {
    client_.reset();  // ends calls in flight while the front is still there to hear of it
    front_.reset();
  }

  [[nodiscard]] Front& front() { return *front_; }

 private:
  Upstream upstream(HttpEndpoint endpoint) {
    return [this, endpoint = std::move(endpoint)](HttpRequest request, Millis timeout, auto done) {
      client_->call(endpoint, std::move(request), timeout, std::move(done));
    };
  }

  std::unique_ptr<kit::RowStore> rows_;
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<Front> front_;
};

}  // namespace

void add_front_flags(CLI::App& app, FrontFlags& flags) {
  app.add_option("--engine", flags.engine, "HOST:PORT of skaldd, whose sagas make the orders");
  app.add_option("--orders", flags.orders, "HOST:PORT of the order service")->capture_default_str();
  app.add_option("--definition", flags.front.definition, "saga that creates an order")
      ->capture_default_str();
  app.add_option("--cancel-definition", flags.front.cancel_definition, "saga that cancels one")
      ->capture_default_str();
  app.add_option("--worker", flags.front.worker,
                 "of the order numbers: another one for each process that makes them")
      ->check(CLI::Range(0, kWorkerMax))
      ->capture_default_str();
  app.add_option("--patience-ms", flags.patience_ms, "how long a caller waits for the decision")
      ->check(CLI::Range(1u, 600'000u))
      ->capture_default_str();
}

Result<HttpEndpoint> parse_endpoint(std::string_view text) {
  std::string_view rest = text;
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  const auto colon = rest.rfind(':');
  std::uint16_t port = 0;
  const char* end = rest.data() + rest.size();
  if (colon != std::string_view::npos && colon > 0) {
    const auto [parsed, error] = std::from_chars(rest.data() + colon + 1, end, port);
    if (error != std::errc() || parsed != end) port = 0;
  }
  if (port == 0) return fail(Errc::invalid_argument, "{}: not HOST:PORT", text);
  const std::string host(rest.substr(0, colon));
  std::string ip = host == "localhost" ? "127.0.0.1" : host;
  if (ip.starts_with('[') && ip.ends_with(']')) ip = ip.substr(1, ip.size() - 2);
  boost::system::error_code error;
  (void)boost::asio::ip::make_address(ip, error);
  if (error) return fail(Errc::invalid_argument, "{}: not an IP address and port", text);
  return HttpEndpoint{.host = host, .ip = std::move(ip), .port = port};
}

Result<std::unique_ptr<ServedFront>> ServedFront::open(kit::Program& program,
                                                       const FrontFlags& flags) {
  auto engine = parse_endpoint(flags.engine);
  if (!engine) return std::unexpected(engine.error());
  auto orders = parse_endpoint(flags.orders);
  if (!orders) return std::unexpected(orders.error());
  auto rows = kit::open_rocks_rows(program.folder("order_front"));
  if (!rows) return std::unexpected(rows.error());
  FrontOptions options = flags.front;
  options.patience = Millis(flags.patience_ms);
  auto open = std::make_unique<OpenFront>(program, std::move(options), std::move(*rows),
                                          std::move(*engine), std::move(*orders));
  kit::Program::Guest guest{
      .name = "order_front",
      .port = kPort,
      .handler =
          [&front = open->front()](HttpRequest request, HttpResponder respond) {
            front.handle(std::move(request), std::move(respond));
          },
      .retire = [&front = open->front()] { front.retire(); },
      .refusal = refusal_reply};
  if (auto served = program.open(std::move(guest)); !served) {
    return std::unexpected(served.error());
  }
  return open;
}

}  // namespace skald::mall::order_front
