// The cart service on its own: rows below --data, one port.
#include <array>

#include "participants/cart/handlers.h"
#include "participants/kit/flags.h"

int main(int argc, char** argv) {
  const std::array services{skald::mall::cart::service()};
  return skald::kit::run_services(argc, argv, "The mall's cart service", services);
}
