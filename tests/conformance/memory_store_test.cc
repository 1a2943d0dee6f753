#include "engine/store/memory_store.h"

#include "tests/conformance/store_conformance.h"
#include "tests/conformance/store_list_conformance.h"
#include "tests/conformance/store_retention_conformance.h"
#include "tests/conformance/store_search_conformance.h"

namespace skald::conformance {
namespace {

struct InMemory {
  Store& store() { return store_; }

  MemoryStore store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreConformance, InMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreRetentionConformance, InMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreListConformance, InMemory);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreSearchConformance, InMemory);

}  // namespace
}  // namespace skald::conformance
