// The second forward pass allocates nothing of ours. oneDNN itself builds a small table of
// arguments at every call of a primitive (a few dozen bytes per argument), which no user of its API
// can avoid; those are counted apart and must stay that small: no hidden workspace.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <string_view>

#include "engine/options.h"
#include "mien/recognizer.hpp"
#include "model_on_disk.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MIEN_COUNTS_ALLOCATIONS 0
#else
#define MIEN_COUNTS_ALLOCATIONS 1
#endif

namespace {

std::atomic<bool> counting{false};
std::atomic<std::size_t> ours{0};
std::atomic<std::size_t> theirs{0};
std::atomic<std::size_t> their_largest{0};
thread_local bool inside = false;

// Called by every allocation with the address it returns to.
[[maybe_unused]] void note(std::size_t bytes, void* caller) {
  if (!counting.load() || inside) return;
  inside = true;
  Dl_info info{};
  const bool known = dladdr(caller, &info) != 0 && info.dli_fname != nullptr;
  if (known && std::string_view(info.dli_fname).find("libdnnl") != std::string_view::npos) {
    theirs.fetch_add(1);
    if (bytes > their_largest.load()) their_largest.store(bytes);
  } else {
    ours.fetch_add(1);
  }
  inside = false;
}

}  // namespace

#if MIEN_COUNTS_ALLOCATIONS
extern "C" {
void* __libc_malloc(std::size_t);                 // NOLINT
void* __libc_memalign(std::size_t, std::size_t);  // NOLINT
void __libc_free(void*);                          // NOLINT

void* malloc(std::size_t bytes) {
  note(bytes, __builtin_return_address(0));
  return __libc_malloc(bytes);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
  note(bytes, __builtin_return_address(0));
  *out = __libc_memalign(alignment, bytes);
  return *out == nullptr ? 12 : 0;
}
}

void* operator new(std::size_t bytes) {
  note(bytes, __builtin_return_address(0));
  void* memory = __libc_malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  __libc_free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  __libc_free(memory);
}
#endif

namespace mien {
namespace {

// Where int8 is slow anyway, oneDNN's GEMM allocates for itself.
std::vector<Precision> precisions() {
  std::vector<Precision> all = {Precision::kF32, Precision::kBf16};
  if (engine::has_fast_int8()) all.push_back(Precision::kInt8);
  return all;
}

void expect_quiet(const std::function<Status()>& forward) {
  if (!MIEN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "a sanitizer owns the allocator";
  ASSERT_TRUE(forward().ok());
  ours = theirs = their_largest = 0;
  counting = true;
  const bool ok = forward().ok();
  counting = false;
  EXPECT_TRUE(ok);
  EXPECT_EQ(ours.load(), 0U);
  EXPECT_LE(their_largest.load(), 2048U);
  std::printf("oneDNN: %zu small allocations, the largest of %zu bytes\n", theirs.load(),
              their_largest.load());
}

TEST(Memory, TheCounterCounts) {
  if (!MIEN_COUNTS_ALLOCATIONS) GTEST_SKIP() << "a sanitizer owns the allocator";
  ours = 0;
  counting = true;
  auto* volatile leak = new int(3);
  void* volatile block = std::malloc(7);
  counting = false;
  delete leak;
  std::free(block);
  EXPECT_EQ(ours.load(), 2U);
}

TEST(Memory, VideoModel) {
  const testing::TempFolder folder;
  for (const Precision precision : precisions()) {
    const auto model = Recognizer::load(test::write_random(folder, test::small_config(true)),
                                        {.precision = precision, .threads = 2});
    ASSERT_TRUE(model.ok());
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const auto faces = test::random_pixels(4 * 48 * 48 * 3, 1);
    std::vector<float> logits(3);
    expect_quiet([&] { return session->logits(faces, 1, 4, logits); });
    std::vector<float> embeddings(4 * static_cast<std::size_t>(model->embedding_size()));
    expect_quiet([&] { return session->embed(faces, 4, embeddings); });
    expect_quiet([&] { return session->logits_of(embeddings, 1, 4, logits); });
  }
}

TEST(Memory, ImageModel) {
  const testing::TempFolder folder;
  const auto model = Recognizer::load(test::write_random(folder, test::small_config(false)));
  ASSERT_TRUE(model.ok());
  auto session = model->session();
  ASSERT_TRUE(session.ok());
  const auto faces = test::random_pixels(5 * 48 * 48 * 3, 1);
  std::vector<float> logits(3), features(5 * 32);
  expect_quiet([&] { return session->logits(faces, 1, 5, logits); });
  expect_quiet([&] { return session->embed(faces, 5, features); });
}

TEST(Memory, VideoMae) {
  const testing::TempFolder folder;
  for (const Precision precision : precisions()) {
    const auto model = Recognizer::load(test::write_random(folder, test::small_videomae_config()),
                                        {.precision = precision, .threads = 2});
    ASSERT_TRUE(model.ok());
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const auto faces = test::random_pixels(3 * 4 * 48 * 48 * 3, 1);
    std::vector<float> logits(3 * 3);
    expect_quiet([&] { return session->logits(faces, 3, 4, logits); });
  }
}

TEST(Memory, AdaTosk) {
  const testing::TempFolder folder;
  for (const Precision precision : precisions()) {
    const auto model = Recognizer::load(test::write_random(folder, test::small_adatosk_config()),
                                        {.precision = precision, .threads = 2});
    ASSERT_TRUE(model.ok());
    auto session = model->session();
    ASSERT_TRUE(session.ok());
    const auto faces = test::random_pixels(3 * 4 * 48 * 48 * 3, 1);
    std::vector<float> logits(3 * 3), mask(3 * 18);
    std::vector<std::uint8_t> kept(3 * 18);
    expect_quiet([&] { return session->logits(faces, 3, 4, logits); });
    // Nor when budgets take turns.
    expect_quiet([&]() -> Status {
      for (const double budget : {0.3, 1.0, 0.5, 0.8}) {
        MIEN_TRY(
            session->logits(faces, 3, 4, logits, {.budget = budget, .mask = mask, .kept = kept}));
      }
      return {};
    });
  }
}

TEST(Memory, LandmarkNet) {
  const testing::TempFolder folder;
  const auto net = LandmarkLocator::load(test::write_random(folder, test::landmark_config()));
  ASSERT_TRUE(net.ok());
  auto session = net->session();
  ASSERT_TRUE(session.ok());
  const auto crops = test::random_pixels(3 * 112 * 112 * 3, 1);
  std::vector<float> points(3 * 136);
  expect_quiet([&] { return session->locate(crops, 3, points); });
}

}  // namespace
}  // namespace mien
