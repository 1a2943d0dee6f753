// The product service on its own: rows below --data, one port.
#include <array>

#include "participants/kit/flags.h"
#include "participants/product/handlers.h"

int main(int argc, char** argv) {
  const std::array services{skald::mall::product::service()};
  return skald::kit::run_services(argc, argv, "The mall's product service", services);
}
