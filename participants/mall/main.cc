// All five services in one program, each with its own rows and its own port; with --engine the
// order front too.
#include <CLI/CLI.hpp>
#include <array>

#include "participants/cart/handlers.h"
#include "participants/inventory/handlers.h"
#include "participants/kit/flags.h"
#include "participants/order/handlers.h"
#include "participants/order_front/serve.h"
#include "participants/product/handlers.h"
#include "participants/promotion/handlers.h"

int main(int argc, char** argv) {
  using namespace skald::mall;
  using skald::Logger;
  using skald::LogOptions;
  namespace kit = skald::kit;
  const auto orders = skald::mall::order::service();
  const std::array services{skald::mall::product::service(), skald::mall::inventory::service(),
                            skald::mall::cart::service(), skald::mall::promotion::service(),
                            orders};
  kit::ProgramOptions options;
  order_front::FrontFlags flags;
  flags.orders = "";
  CLI::App app{"The mall's five services; with --engine its order API too"};
  kit::add_program_flags(app, options);
  order_front::add_front_flags(app, flags);
  if (const auto usage = kit::parse_flags(app, argc, argv)) return *usage;
  if (flags.orders.empty()) {
    flags.orders = fmt::format("{}:{}", options.host, orders.port + options.port_shift);
  }

  const Logger log = Logger(LogOptions{}).named("mall");
  kit::Program program(options, log);
  if (!kit::open_all(program, services, log)) return kit::kExitFailed;
  std::unique_ptr<order_front::ServedFront> front;
  if (!flags.engine.empty()) {
    auto open = order_front::ServedFront::open(program, flags);
    if (!open) {
      log.error("cannot start service=order_front: {}", open.error().message);
      return kit::kExitFailed;
    }
    front = std::move(*open);
  }
  program.run();
  return 0;
}
