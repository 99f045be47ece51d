// What the media tests share: a scratch directory, pictures with a known pattern, the ffmpeg
// program.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "media/video_reader.h"
#include "media/video_writer.h"

namespace mien::media::test {

namespace fs = std::filesystem;

// A directory of its own for every test, removed at the end.
class ScratchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    dir_ = fs::temp_directory_path() / ("mien_media_" + std::string(info->test_suite_name()) + "_" +
                                        info->name() + "_" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  std::string path(const std::string& name) const { return (dir_ / name).string(); }
  bool any_file_left(const std::string& but) const {
    for (const auto& entry : fs::directory_iterator(dir_)) {
      if (entry.path().filename() != but) return true;
    }
    return false;
  }
  fs::path dir_;
};

inline std::string shared(const std::string& name) {
  return std::string(MIEN_SHARED_DIR) + "/" + name;
}

// Runs ffmpeg quietly; false when the program is missing or fails.
inline bool ffmpeg(const std::string& arguments) {
  const std::string command = "ffmpeg -nostdin -v quiet -y " + arguments + " >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

inline std::vector<char> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// Keeps the first part of a file.
inline void cut_file(const std::string& from, const std::string& to, double share) {
  std::vector<char> bytes = read_bytes(from);
  bytes.resize(static_cast<std::size_t>(static_cast<double>(bytes.size()) * share));
  write_bytes(to, bytes);
}

// Grey texture with a red quarter at the upper left, blue at the lower right; `shift` moves the
// texture.
inline Image pattern(int width, int height, int shift = 0) {
  Image out = Image::black(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* p = out.row(y) + x * 3;
      const auto grey = static_cast<std::uint8_t>(60 + (x * 5 + y * 3 + shift * 7) % 90);
      p[0] = p[1] = p[2] = grey;
      if (x < width / 2 && y < height / 2) p[0] = 230, p[1] = p[2] = 20;
      if (x >= width / 2 && y >= height / 2) p[2] = 230, p[0] = p[1] = 20;
    }
  }
  return out;
}

inline std::vector<int> pixel(const Image& image, int x, int y) {
  const std::uint8_t* p = image.view().row(y) + x * 3;
  return {p[0], p[1], p[2]};
}

// A video of our own writer: `count` frames at the given times.
inline Status make_video(const std::string& path, const std::vector<double>& times, int width = 160,
                         int height = 120) {
  MIEN_ASSIGN(VideoWriter writer, VideoWriter::open(path, width, height));
  for (std::size_t i = 0; i < times.size(); ++i) {
    MIEN_TRY(writer.write(pattern(width, height, static_cast<int>(i)), times[i]));
  }
  return writer.finish();
}

inline std::vector<double> even_times(int count, double fps) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(i / fps);
  return out;
}

struct ReadAll {
  std::vector<double> times;
  std::optional<Error> error;
  Image first;
};

inline ReadAll read_all(FrameSource& source) {
  ReadAll out;
  for (;;) {
    Result<std::optional<Frame>> frame = source.next();
    if (!frame.ok()) {
      out.error = frame.error();
      return out;
    }
    if (!*frame) return out;
    if (out.times.empty()) out.first = (*frame)->rgb;
    EXPECT_EQ((*frame)->index, static_cast<std::int64_t>(out.times.size()));
    out.times.push_back((*frame)->time_s);
  }
}

}  // namespace mien::media::test
