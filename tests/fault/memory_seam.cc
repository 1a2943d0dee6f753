// memory_seam: loaded into the real skaldd by LD_PRELOAD, it counts what operator new is asked for
// and fails once, by std::bad_alloc, as where the machine has no memory left. The daemon knows
// nothing of it. SKALD_SEAM_MEMORY names a file of two numbers (64 bits, host order), shared with
// whoever drives: how many requests there were, and the number of the one that fails (0: none).
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

struct Shared {
  std::atomic<std::uint64_t> count;
  std::atomic<std::uint64_t> fails_at;
};

Shared* shared() {
  static Shared* const mapped = []() -> Shared* {
    const char* path = std::getenv("SKALD_SEAM_MEMORY");
    const int file = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return nullptr;
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<Shared*>(memory);
  }();
  return mapped;
}

bool fails() {
  Shared* const numbers = shared();
  return numbers != nullptr && ++numbers->count == numbers->fails_at;
}

void* allocated(std::size_t size, std::size_t alignment) {
  if (fails()) return nullptr;
  if (size == 0) size = 1;
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

constexpr std::size_t kPlain = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t size) { return or_throw(allocated(size, kPlain)); }
void* operator new[](std::size_t size) { return or_throw(allocated(size, kPlain)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocated(size, kPlain);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocated(size, kPlain);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return or_throw(allocated(size, static_cast<std::size_t>(alignment)));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return or_throw(allocated(size, static_cast<std::size_t>(alignment)));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
