#include "pipeline/output_folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace mien::pipeline {
namespace {

namespace fs = std::filesystem;

class OutputFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            (std::string("output_folder_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  fs::path root_;
};

core::AtomicFile file_in(const OutputFolder& folder, const char* name, const std::string& text) {
  auto file = core::AtomicFile::create(folder.path_of(name));
  EXPECT_TRUE(file.ok());
  EXPECT_TRUE(file->write(text).ok());
  return std::move(*file);
}

TEST_F(OutputFolderTest, AbandonedLeavesNothing) {
  {
    auto folder = OutputFolder::create((root_ / "a" / "b" / "").string());
    ASSERT_TRUE(folder.ok()) << folder.error().to_string();
    EXPECT_TRUE(fs::is_directory(root_ / "a" / "b"));
    const core::AtomicFile file = file_in(*folder, "x.csv", "half");
    EXPECT_FALSE(fs::exists(root_ / "a" / "b" / "x.csv"));
  }
  EXPECT_FALSE(fs::exists(root_ / "a"));
}

TEST_F(OutputFolderTest, CommitShowsAllFilesAndKeepsTheFolder) {
  {
    auto folder = OutputFolder::create((root_ / "out").string());
    ASSERT_TRUE(folder.ok());
    core::AtomicFile one = file_in(*folder, "1", "one");
    core::AtomicFile two = file_in(*folder, "2", "two");
    ASSERT_TRUE(folder->commit({{"1", &one}, {"2", &two}}).ok());
  }
  EXPECT_TRUE(fs::exists(root_ / "out" / "1"));
  EXPECT_TRUE(fs::exists(root_ / "out" / "2"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "out"), fs::directory_iterator()), 2);
}

TEST_F(OutputFolderTest, OtherFilesOfTheFolderStay) {
  fs::create_directories(root_ / "out");
  std::ofstream(root_ / "out" / "mine.txt") << "keep";
  { ASSERT_TRUE(OutputFolder::create((root_ / "out").string()).ok()); }
  EXPECT_TRUE(fs::exists(root_ / "out" / "mine.txt"));
}

TEST_F(OutputFolderTest, AFailedCommitTakesBackWhatItGave) {
  auto folder = OutputFolder::create((root_ / "out").string());
  ASSERT_TRUE(folder.ok());
  core::AtomicFile one = file_in(*folder, "1", "one");
  core::AtomicFile two = file_in(*folder, "2", "two");
  fs::create_directory(root_ / "out" / "2");  // nothing can be renamed over a folder
  std::ofstream(root_ / "out" / "2" / "inside") << "x";
  EXPECT_FALSE(folder->commit({{"1", &one}, {"2", &two}}).ok());
  EXPECT_FALSE(fs::exists(root_ / "out" / "1"));
}

TEST_F(OutputFolderTest, AFileInTheWayIsAnErrorThatNamesIt) {
  std::ofstream(root_ / "file") << "x";
  const auto folder = OutputFolder::create((root_ / "file" / "deeper").string());
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().code, ErrorCode::kIo);
  EXPECT_NE(folder.error().to_string().find("file"), std::string::npos);
  EXPECT_FALSE(OutputFolder::create("").ok());
}

}  // namespace
}  // namespace mien::pipeline
