// The promotion service on its own: rows below --data, one port.
#include <array>

#include "participants/kit/flags.h"
#include "participants/promotion/handlers.h"

int main(int argc, char** argv) {
  const std::array services{skald::mall::promotion::service()};
  return skald::kit::run_services(argc, argv, "The mall's promotion service", services);
}
