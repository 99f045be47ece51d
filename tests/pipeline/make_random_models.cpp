// make_random_models FOLDER: writes s2d-random.safetensors, s2d-video-random.safetensors (in a
// folder of its own, video/) and landmark.safetensors.
#include <cstdio>
#include <filesystem>

#include "pipeline/random_models.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::filesystem::create_directories(folder + "/video");
  using namespace mien::testing;
  const mien::Status image =
      write_random_recognizer(folder + "/s2d-random.safetensors", {false, 192, 12, 1});
  const mien::Status video =
      write_random_recognizer(folder + "/video/s2d-video-random.safetensors", {true, 192, 12, 1});
  const mien::Status points = write_random_landmark_net(folder + "/landmark.safetensors");
  for (const mien::Status* status : {&image, &video, &points}) {
    if (!status->ok()) {
      std::fprintf(stderr, "%s\n", status->error().to_string().c_str());
      return 1;
    }
  }
  return 0;
}
