#include "core/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "core/temp_folder.h"

namespace mien::core {
namespace {

using ::mien::testing::TempFolder;
using ::testing::HasSubstr;

TEST(ReadFile, GivesBackWhatWasWritten) {
  const TempFolder folder;
  std::string text(100'000, 'x');
  text[70'000] = '\0';
  ASSERT_TRUE(write_file_atomically(folder.file("a"), text));
  EXPECT_EQ(read_text_file(folder.file("a")).value(), text);
  EXPECT_EQ(read_file(folder.file("a")).value().size(), text.size());
  EXPECT_EQ(folder.count(), 1U);
}

TEST(ReadFile, NamesTheFileAndTheReason) {
  const TempFolder folder;
  const auto absent = read_file(folder.file("absent"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(absent.error().to_string(), HasSubstr("absent"));
  EXPECT_THAT(absent.error().to_string(), HasSubstr("No such file"));

  const auto is_folder = read_file(folder.path());
  ASSERT_FALSE(is_folder);
  EXPECT_EQ(is_folder.error().code, ErrorCode::kIo);
  EXPECT_THAT(is_folder.error().to_string(), HasSubstr("directory"));
}

TEST(ReadFile, KeepsToTheLimit) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("a"), std::string(11, 'x')));
  EXPECT_TRUE(read_file(folder.file("a"), 11));
  const auto too_long = read_file(folder.file("a"), 10);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, ErrorCode::kLimit);
}

TEST(ReadFile, DoesNotWaitForAPipe) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  const auto result = read_file(folder.file("pipe"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
  EXPECT_FALSE(MappedFile::open(folder.file("pipe")));
}

TEST(AtomicFile, ShowsNothingBeforeCommit) {
  const TempFolder folder;
  const std::string path = folder.file("a");
  ASSERT_TRUE(write_file_atomically(path, std::string("old")));
  {
    auto file = AtomicFile::create(path).value();
    ASSERT_TRUE(file.write(std::string("new, unfinished")));
    EXPECT_EQ(read_text_file(path).value(), "old");
    EXPECT_EQ(folder.count(), 2U);
  }
  EXPECT_EQ(read_text_file(path).value(), "old");
  EXPECT_EQ(folder.count(), 1U);

  auto file = AtomicFile::create(path).value();
  ASSERT_TRUE(file.write(std::string("ne")));
  AtomicFile moved = std::move(file);
  ASSERT_TRUE(moved.write(std::string("w")));
  ASSERT_TRUE(moved.commit());
  EXPECT_EQ(read_text_file(path).value(), "new");
  EXPECT_EQ(folder.count(), 1U);
  EXPECT_FALSE(moved.write(std::string("more")));
  EXPECT_FALSE(moved.commit());
}

TEST(AtomicFile, SaysWhyItCannotWrite) {
  const TempFolder folder;
  const auto no_folder = write_file_atomically(folder.file("no/such/folder"), std::string("x"));
  ASSERT_FALSE(no_folder);
  EXPECT_THAT(no_folder.error().to_string(), HasSubstr("no/such/folder"));
  const auto onto_folder = AtomicFile::create(folder.path());
  ASSERT_FALSE(onto_folder);
  EXPECT_EQ(onto_folder.error().code, ErrorCode::kIo);
  EXPECT_EQ(folder.count(), 0U);
}

// What a killed process leaves behind: files of AtomicFile's names without a writer.
TEST(AtomicFile, StaleTemporariesAreRemovedAndNoOthers) {
  const TempFolder folder;
  const std::string path = folder.file("a.bin");
  ASSERT_TRUE(write_file_atomically(path, std::string("whole")));
  for (const char* stale : {"a.bin.tmp-1-0", "a.bin.tmp-4194304-17"}) {
    ASSERT_TRUE(write_file_atomically(folder.file(stale), std::string("half")));
  }
  const std::vector<std::string> others = {"b.bin.tmp-1-0",  "a.bin.tmp-1-0.old", "a.bin.tmp-1-",
                                           "a.bin.tmp--1-0", "a.bin.tmp-x-0",     "a.bin.tmp-10",
                                           "aa.bin.tmp-1-0", "a.bin.tmp"};
  for (const std::string& other : others) {
    ASSERT_TRUE(write_file_atomically(folder.file(other), std::string("not ours")));
  }
  ASSERT_EQ(::mkdir(folder.file("a.bin.tmp-2-2").c_str(), 0700), 0);
  auto writer = AtomicFile::create(path).value();  // of another thread or process, as it were
  ASSERT_TRUE(writer.write(std::string("new")));

  EXPECT_EQ(remove_stale_temporaries(path), 2U);
  EXPECT_EQ(folder.count(), 1 + others.size() + 1 + 1);
  for (const std::string& other : others) EXPECT_TRUE(read_file(folder.file(other))) << other;
  EXPECT_EQ(remove_stale_temporaries(path), 0U);
  EXPECT_EQ(read_text_file(path).value(), "whole");
  ASSERT_TRUE(writer.commit());
  EXPECT_EQ(read_text_file(path).value(), "new");
  EXPECT_EQ(remove_stale_temporaries(folder.file("no/such/folder")), 0U);
}

TEST(MappedFile, ShowsTheBytesAndSurvivesMoves) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("a"), std::string("hello")));
  auto mapped = MappedFile::open(folder.file("a")).value();
  const std::byte* before = mapped.bytes().data();
  const MappedFile moved = std::move(mapped);
  EXPECT_EQ(moved.bytes().data(), before);
  EXPECT_EQ(moved.bytes().size(), 5U);
  EXPECT_EQ(moved.bytes()[4], std::byte{'o'});
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const TempFolder folder;
  ASSERT_TRUE(write_file_atomically(folder.file("a"), std::string()));
  EXPECT_TRUE(MappedFile::open(folder.file("a")).value().bytes().empty());
}

}  // namespace
}  // namespace mien::core
