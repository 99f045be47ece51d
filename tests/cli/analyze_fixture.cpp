#include "cli/analyze_fixture.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "pipeline/random_models.h"

namespace mien::testing {

namespace fs = std::filesystem;

void CliTest::SetUp() {
  const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
  const fs::path base =
      fs::path(::testing::TempDir()) / (std::string("mien_") + info->test_suite_name() + "_" +
                                        info->name() + "_" + std::to_string(getpid()));
  folder_ = base / "work";
  models_ = base / "models";
  fs::remove_all(base);
  fs::create_directories(folder_);
  fs::create_directories(models_);
  ASSERT_TRUE(write_random_recognizer((models_ / "s2d-random.safetensors").string()).ok());
  ASSERT_TRUE(write_random_landmark_net((models_ / "landmark.safetensors").string()).ok());
}

void CliTest::TearDown() {
  fs::remove_all(folder_.parent_path());
}

Ran CliTest::mien(const std::vector<std::string>& arguments, RunOptions options) const {
  if (options.folder.empty()) options.folder = folder_.string();
  options.environment.insert(options.environment.begin(), "MIEN_MODELS=" + models_.string());
  return run_program(mien_program(), arguments, options);
}

void CliTest::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(folder_ / name, std::ios::binary) << bytes;
}

std::string CliTest::read(const std::string& name) const {
  std::ifstream file(folder_ / name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> CliTest::lines(const std::string& name) const {
  std::istringstream text(read(name));
  std::vector<std::string> out;
  for (std::string line; std::getline(text, line);) out.push_back(line);
  return out;
}

std::vector<std::string> CliTest::list(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder_ / name)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string CliTest::shared_video(const std::string& name) {
  return std::string(MIEN_SHARED_DIR) + "/data/video/" + name;
}

bool CliTest::has_shared_videos() {
  return fs::exists(shared_video("single_face.mp4"));
}

void expect_one_line_error(const Ran& ran, const std::string& named) {
  EXPECT_EQ(ran.exit_code, 1) << ran.text();
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.text();
  EXPECT_EQ(ran.err.rfind("mien: ", 0), 0U) << ran.text();
  EXPECT_NE(ran.err.find(named), std::string::npos) << ran.text();
}

}  // namespace mien::testing
