#include "media/face_mesh.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <opencv2/imgproc.hpp>

namespace mien::media {
namespace {

Point3 unit(const Point3& v) {
  const double length = std::max(std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z), 1e-9);
  return {v.x / length, v.y / length, v.z / length};
}

double to_fourteenth(double v) {
  const double square = v * v, fourth = square * square;
  return fourth * fourth * fourth * square;
}

// Columns of the flat picture as points of the surface, and the relief's height.
void lay_out(const FaceSurface& surface, double scale, cv::Mat& points, cv::Mat& relief) {
  for (int row = 0; row < points.rows; ++row) {
    const double y = kFlatTop + (row + 0.5) / scale;
    auto* out = points.ptr<cv::Vec3f>(row);
    auto* height = relief.ptr<float>(row);
    for (int column = 0; column < points.cols; ++column) {
      const double x = kFlatLeft + (column + 0.5) / scale;
      const double on_head = std::clamp(y, surface.top() + 0.01, surface.bottom() - 0.005);
      const double angle = surface.angle_of(x, on_head);
      const Point3 base = surface.at(angle, on_head, false);
      const double rise = surface.relief(x, y);
      height[column] = static_cast<float>(rise);
      out[column] = {static_cast<float>(base.x), static_cast<float>(y),
                     static_cast<float>(base.z + rise)};
    }
  }
}

// What the nose and the brows keep from the light, as a factor.
double cast_shadow(const FaceShape& shape, const Light& light, double x, double y) {
  auto spot = [&](double cx, double cy, double rx, double ry) {
    const double dx = (x - cx) / rx, dy = (y - cy) / ry;
    const double square = dx * dx + dy * dy;
    return square > 8 ? 0.0 : std::exp(-square);
  };
  const double side = light.x > 0 ? -1 : 1;  // the shadow falls on the other side
  const double lateral = std::min(1.0, std::abs(light.x) * 1.3) * light.contrast;
  double dark = 0.55 * lateral * spot(side * 0.24, shape[30].y - 0.08, 0.12, 0.28);
  dark += 0.45 * light.contrast * spot(side * 0.05, shape[33].y + 0.08, 0.20, 0.07);
  dark += 0.30 * light.contrast * spot(0, shape[57].y + 0.08, 0.20, 0.05);
  return 1 - std::min(dark, 0.6);
}

}  // namespace

void shade_face(cv::Mat& flat, const FaceTexture& texture, const FaceShape& shape,
                const FaceSurface& surface, const HeadPose& pose, const Light& light) {
  const double scale = texture.scale;
  // The surface is smooth: half the resolution, and a quarter of the work, is enough for it.
  const cv::Size half_size((flat.cols + 1) / 2, (flat.rows + 1) / 2);
  cv::Mat points(half_size, CV_32FC3), relief(half_size, CV_32FC1), around;
  lay_out(surface, scale / 2, points, relief);
  cv::resize(points, points, flat.size(), 0, 0, cv::INTER_LINEAR);
  cv::resize(relief, relief, flat.size(), 0, 0, cv::INTER_LINEAR);
  cv::GaussianBlur(relief, around, {0, 0}, 0.11 * scale, 0.11 * scale);
  const Rotation turn = rotation_of(pose);
  const Point3 from = unit({light.x, light.y, light.z});
  const Point3 half = unit({from.x, from.y, from.z + 1});  // between light and viewer
  const double ambient = 1 - 0.75 * light.contrast;
  for (int row = 0; row < flat.rows; ++row) {
    const int above = std::max(row - 1, 0), below = std::min(row + 1, flat.rows - 1);
    const double y = kFlatTop + (row + 0.5) / scale;
    auto* out = flat.ptr<std::uint8_t>(row);
    const auto* cover = texture.cover.ptr<float>(row);
    for (int column = 0; column < flat.cols; ++column, out += 3) {
      const int left = std::max(column - 1, 0), right = std::min(column + 1, flat.cols - 1);
      const cv::Vec3f across = points.at<cv::Vec3f>(row, right) - points.at<cv::Vec3f>(row, left);
      const cv::Vec3f down =
          points.at<cv::Vec3f>(below, column) - points.at<cv::Vec3f>(above, column);
      const cv::Vec3f normal = across.cross(down);  // x right, y down: towards the viewer is +z
      const Point3 n = rotate(turn, unit({normal[0], normal[1], normal[2]}));
      const double facing = n.x * from.x + n.y * from.y + n.z * from.z;
      const double lit = std::max((facing + 0.33) / 1.33, 0.0);
      const double hollow = std::clamp(1 - 2.6 * static_cast<double>(around.at<float>(row, column) -
                                                                     relief.at<float>(row, column)),
                                       0.62, 1.08);
      const double x = kFlatLeft + (column + 0.5) / scale;
      const double shade = light.brightness * (ambient + (1 - ambient) * 1.12 * lit) * hollow *
                           cast_shadow(shape, light, x, y);
      const double shine = std::max(n.x * half.x + n.y * half.y + n.z * half.z, 0.0);
      const double skin = 1 - static_cast<double>(cover[column]);
      const double gloss = 26 * light.contrast * to_fourteenth(shine) * skin;
      for (int c = 0; c < 3; ++c) {
        out[c] = static_cast<std::uint8_t>(std::clamp(out[c] * shade + gloss, 0.0, 255.0));
      }
    }
  }
}

namespace {

struct Vertex {
  float x, y, z;  // in the picture
  float u, v;     // column and row of the flat picture
};

// Where in the flat picture each pixel of the picture comes from, -1 for none.
class Rasteriser {
 public:
  explicit Rasteriser(cv::Size size)
      : u_(size, CV_32FC1, cv::Scalar(-1)),
        v_(size, CV_32FC1, cv::Scalar(-1)),
        z_(size, CV_32FC1, cv::Scalar(-std::numeric_limits<float>::max())) {}

  void triangle(const Vertex& a, const Vertex& b, const Vertex& c) {
    const float area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if (!(area > 1e-6F)) return;  // seen from behind
    const int left = std::max(static_cast<int>(std::floor(std::min({a.x, b.x, c.x}) - 0.5F)), 0);
    const int right = std::min(static_cast<int>(std::ceil(std::max({a.x, b.x, c.x}))), u_.cols - 1);
    const int top = std::max(static_cast<int>(std::floor(std::min({a.y, b.y, c.y}) - 0.5F)), 0);
    const int bottom =
        std::min(static_cast<int>(std::ceil(std::max({a.y, b.y, c.y}))), u_.rows - 1);
    constexpr float kEdge = -1e-4F;  // no seams between neighbours
    for (int y = top; y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const float px = static_cast<float>(x) + 0.5F, py = static_cast<float>(y) + 0.5F;
        const float wb = ((px - a.x) * (c.y - a.y) - (py - a.y) * (c.x - a.x)) / area;
        const float wc = ((b.x - a.x) * (py - a.y) - (b.y - a.y) * (px - a.x)) / area;
        const float wa = 1 - wb - wc;
        if (wa < kEdge || wb < kEdge || wc < kEdge) continue;
        const float z = wa * a.z + wb * b.z + wc * c.z;
        if (z <= z_.at<float>(y, x)) continue;
        z_.at<float>(y, x) = z;
        u_.at<float>(y, x) = wa * a.u + wb * b.u + wc * c.u;
        v_.at<float>(y, x) = wa * a.v + wb * b.v + wc * c.v;
      }
    }
  }

  const cv::Mat& u() const { return u_; }
  const cv::Mat& v() const { return v_; }

 private:
  cv::Mat u_, v_, z_;
};

constexpr int kColumns = 160, kRows = 150;
constexpr double kFarthest = std::numbers::pi;  // around the head: closed at the back

double lift_at(const FaceTexture& texture, double x, double y) {
  const int column = static_cast<int>((x - kFlatLeft) * texture.scale);
  const int row = static_cast<int>((y - kFlatTop) * texture.scale);
  return static_cast<double>(texture.lift.at<float>(std::clamp(row, 0, texture.lift.rows - 1),
                                                    std::clamp(column, 0, texture.lift.cols - 1)));
}

std::vector<Vertex> vertices(const FaceTexture& texture, const FaceSurface& surface,
                             const HeadPose& pose) {
  const double scale = texture.scale;
  const Projection project(pose);
  const double middle = (surface.top() + surface.bottom()) / 2;
  const double reach = (surface.bottom() - surface.top()) / 2;
  std::vector<Vertex> out;
  out.reserve((kRows + 1) * (kColumns + 1));
  for (int row = 0; row <= kRows; ++row) {
    // Denser towards crown and chin, where the outline turns.
    const double y = middle - reach * std::cos(std::numbers::pi * row / kRows);
    for (int column = 0; column <= kColumns; ++column) {
      const double angle = kFarthest * (2.0 * column / kColumns - 1);
      const double x = surface.flat_x(angle, y);
      Point3 p = surface.at(angle, y);
      // Hair stands off the head, sideways and up.
      const double hair = lift_at(texture, x, y);
      const double outwards = hair * std::min(1.0, surface.half_width(y) / 0.3);  // closed on top
      p.x += outwards * std::sin(angle);
      p.z += outwards * std::cos(angle);
      p.y -= hair * std::clamp((-0.6 - y) / 1.1, 0.0, 1.0);
      const Point3 seen = project(p);
      out.push_back({static_cast<float>(seen.x), static_cast<float>(seen.y),
                     static_cast<float>(seen.z), static_cast<float>((x - kFlatLeft) * scale),
                     static_cast<float>((y - kFlatTop) * scale)});
    }
  }
  return out;
}

}  // namespace

void draw_head(cv::Mat& picture, const cv::Mat& flat, const FaceTexture& texture,
               const FaceSurface& surface, const HeadPose& pose) {
  const std::vector<Vertex> mesh = vertices(texture, surface, pose);
  Rasteriser raster(picture.size());
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const auto at = static_cast<std::size_t>(row * (kColumns + 1) + column);
      const Vertex &a = mesh[at], &b = mesh[at + 1], &c = mesh[at + kColumns + 1],
                   &d = mesh[at + kColumns + 2];
      raster.triangle(a, b, d);
      raster.triangle(a, d, c);
    }
  }
  // OpenCV's pixel (0,0) has its centre at 0; ours covers 0..1.
  cv::Mat u = raster.u() - 0.5, v = raster.v() - 0.5, warped;
  cv::remap(flat, warped, u, v, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  const cv::Mat seen = raster.u() >= 0;
  warped.copyTo(picture, seen);
}

}  // namespace mien::media
