// The inventory service on its own: rows below --data, one port.
#include <array>

#include "participants/inventory/handlers.h"
#include "participants/kit/flags.h"

int main(int argc, char** argv) {
  const std::array services{skald::mall::inventory::service()};
  return skald::kit::run_services(argc, argv, "The mall's inventory service", services);
}
