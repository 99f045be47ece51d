// Labelled still faces drawn by the tests: ovals with eyes and a mouth that differs from class to
// class, as PNG files with a label file beside them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "media/image.h"

namespace mien::media::test {

// Grey, size x size. `bend` lifts (> 0) or drops the corners of the mouth, in pixels of 48.
inline Image drawn_face(int size, double bend, int variant) {
  Image out = Image::black(size, size);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const double u = (x + 0.5) / size * 48.0 - 24.0;
      const double v = (y + 0.5) / size * 48.0 - 24.0;
      int grey = 60 + 7 * (variant % 5);
      if (u * u / 400.0 + v * v / 520.0 < 1.0) grey = 170 + 5 * (variant % 7);
      for (const double eye : {-8.0, 8.0}) {
        if ((u - eye) * (u - eye) / 12.0 + (v + 6.0) * (v + 6.0) / 5.0 < 1.0) grey = 40;
      }
      const double mouth = 11.0 - bend * (u * u / 64.0 - 0.5);
      if (u > -8.0 && u < 8.0 && v > mouth - 1.5 && v < mouth + 1.5) grey = 70;
      std::uint8_t* p = out.row(y) + 3 * x;
      p[0] = p[1] = p[2] = static_cast<std::uint8_t>(grey);
    }
  }
  return out;
}

// `each` pictures of every class into `folder`, which is made: <class>_<n>.png, and labels.csv
// (image,label). False when something could not be written.
inline bool write_drawn_stills(const std::string& folder, int each,
                               const std::vector<std::string>& classes = {"neutral", "happiness",
                                                                          "sadness", "anger"}) {
  std::filesystem::create_directories(folder);
  std::ofstream labels(folder + "/labels.csv");
  labels << "image,label\n";
  for (std::size_t c = 0; c < classes.size(); ++c) {
    for (int n = 0; n < each; ++n) {
      const std::string name = classes[c] + "_" + std::to_string(n) + ".png";
      const double bend = static_cast<double>((c + 1) / 2) * (c % 2 == 1 ? 3.0 : -3.0);
      if (!write_png(folder + "/" + name, drawn_face(48, bend, n)).ok()) return false;
      labels << name << "," << classes[c] << "\n";
    }
  }
  labels.close();
  return labels.good();
}

}  // namespace mien::media::test
