// The order front on its own: tickets below --data, port 8807.
#include <CLI/CLI.hpp>

#include "participants/kit/flags.h"
#include "participants/order_front/serve.h"

int main(int argc, char** argv) {
  using namespace skald::mall;
  using skald::Logger;
  using skald::LogOptions;
  namespace kit = skald::kit;
  kit::ProgramOptions options;
  order_front::FrontFlags flags;
  flags.engine = "127.0.0.1:7900";
  CLI::App app{"The mall's order API"};
  kit::add_program_flags(app, options);
  order_front::add_front_flags(app, flags);
  // Two processes with one number would make one order number twice.
  app.get_option("--worker")->required();
  if (const auto usage = kit::parse_flags(app, argc, argv)) return *usage;

  const Logger log = Logger(LogOptions{}).named("order_front");
  kit::Program program(options, log);
  const auto front = order_front::ServedFront::open(program, flags);
  if (!front) {
    log.error("cannot start: {}", front.error().message);
    return kit::kExitFailed;
  }
  program.run();
  return 0;
}
