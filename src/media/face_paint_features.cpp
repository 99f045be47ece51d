// Brows, eyes, nose and mouth.
#include <algorithm>
#include <cmath>

#include "media/face_paint.h"

namespace mien::media {
namespace {

constexpr int kSteps = 8;
constexpr Rgb kBlack{14, 9, 8};

std::vector<Point2> curve(std::initializer_list<Point2> points) {
  return smooth_curve({points.begin(), points.size()}, kSteps, false);
}

std::vector<Point2> shifted(std::vector<Point2> line, double dx, double dy) {
  for (Point2& p : line) p.x += dx, p.y += dy;
  return line;
}

struct Eye {
  bool left;
  Point2 outer, inner, upper_outer, upper_inner, lower_outer, lower_inner;
  double sign() const { return left ? -1.0 : 1.0; }
  std::vector<Point2> upper_lid() const { return curve({outer, upper_outer, upper_inner, inner}); }
  std::vector<Point2> lower_lid() const { return curve({outer, lower_outer, lower_inner, inner}); }
  Point2 centre() const { return {(outer.x + inner.x) / 2, (outer.y + inner.y) / 2 - 0.012}; }
  double opening() const {
    return (lower_outer.y + lower_inner.y - upper_outer.y - upper_inner.y) / 2;
  }
};

Eye eye_of(const FaceShape& s, bool left) {
  if (left) return {true, s[36], s[39], s[37], s[38], s[41], s[40]};
  return {false, s[45], s[42], s[44], s[43], s[46], s[47]};
}

void paint_socket(SoftPainter& painter, const Eye& eye, const FaceLook& look, const Rgb& skin) {
  const Point2 c = eye.centre();
  painter.ellipse({c.x, c.y - 0.02}, 0.29, 0.16, scaled(skin, 0.52), 0.55, 0.07);
  painter.ellipse({c.x - eye.sign() * 0.22, c.y - 0.03}, 0.10, 0.14, scaled(skin, 0.5), 0.45, 0.05);
  // The fold above the lid stays where the lid goes when it opens.
  const double above = 0.035 + 0.25 * std::max(0.0, 0.14 - eye.opening());
  painter.stroke(shifted(eye.upper_lid(), 0, -above), 0.028, scaled(skin, 0.42), 0.65, 0.012);
  painter.stroke(shifted(eye.lower_lid(), 0, 0.075), 0.03, scaled(skin, 0.6),
                 0.25 + 0.35 * look.age, 0.016);
}

void paint_ball(SoftPainter& painter, const Eye& eye, const FaceLook& look,
                const std::vector<Point2>& outline, Point2 gaze) {
  const Point2 c = eye.centre();
  painter.fill(outline, {205, 198, 192}, 1, 0.004);
  painter.clip(outline);
  const double size = look.eye_size;
  painter.ellipse({c.x - eye.sign() * 0.19 * size, c.y + 0.02}, 0.035, 0.03, {196, 130, 120}, 0.8,
                  0.012);
  const Point2 iris{c.x + 0.055 * gaze.x, c.y + 0.008 + 0.03 * gaze.y};
  const double radius = 0.098 * size;
  painter.ellipse(iris, radius, radius, scaled(look.eye_colour, 0.45), 1, 0.006);
  painter.ellipse(iris, radius * 0.82, radius * 0.82, look.eye_colour, 1, 0.012);
  painter.ellipse(iris, radius * 0.45, radius * 0.45, kBlack, 1, 0.005);
  painter.stroke(shifted(eye.upper_lid(), 0, 0.012), 0.06, kBlack, 0.5, 0.02);
  painter.ellipse({iris.x + 0.03, iris.y - 0.035}, 0.017, 0.017, {250, 250, 250}, 0.95, 0.004);
  painter.clip_off();
}

void paint_nostril(SoftPainter& painter, Point2 at, double wide, const Rgb& skin) {
  painter.ellipse(at, 0.058 * wide, 0.027, scaled(skin, 0.20), 0.9, 0.012);
}

// The teeth that the open mouth shows: the upper row hangs from its place, the lower one only shows
// in a wide mouth.
void paint_teeth(SoftPainter& painter, const FaceShape& s, double open) {
  const std::vector<Point2> upper = curve({s[60], s[61], s[62], s[63], s[64]});
  const double height = std::min(0.09, 0.62 * open);
  std::vector<Point2> row = shifted(upper, 0, -0.01);
  // Their edges follow the corners of a smile up, but not those of a dropped jaw down.
  const double follow = std::min((s[60].y + s[64].y) / 2 - s[62].y, 0.0) - 0.3 * height;
  for (std::size_t k = upper.size(); k-- > 0;) {
    const double share = upper[k].x / std::max(std::abs(s[60].x), 1e-6);
    const double edge = s[62].y + height + follow * share * share;
    row.push_back({upper[k].x * 0.93, std::max(edge, upper[k].y - 0.01)});
  }
  const Rgb white{226, 219, 206};
  painter.fill(row, white, std::min(1.0, open / 0.03), 0.008);
  for (int k = -4; k <= 4; ++k) {
    const double x = 0.072 * k;
    const double y = s[62].y + (std::abs(k) > 2 ? -0.01 : 0.0);
    painter.stroke({{x, y}, {x, y + height}}, 0.008, scaled(white, 0.6), 0.45, 0.003);
  }
  const double below = std::max(0.0, open - 0.20);
  if (below > 0) {
    const std::vector<Point2> lower = curve({s[67], s[66], s[65]});
    painter.stroke(shifted(lower, 0, -0.012), 0.04, scaled(white, 0.7), std::min(0.6, below * 6),
                   0.014);
  }
}

}  // namespace

void paint_brows(SoftPainter& painter, const FaceLook& look, const FaceShape& shape) {
  const Rgb skin = skin_colour(look.skin_tone);
  const Rgb colour = mix(scaled(look.hair_colour, 0.8), scaled(skin, 0.3), 0.35);
  for (const bool left : {true, false}) {
    painter.fill(part_outline(shape, look, left ? FacePart::kLeftBrow : FacePart::kRightBrow),
                 colour, 0.9, 0.014);
    // Single hairs, leaning outwards and up.
    for (std::size_t k = 0; k < 4; ++k) {
      const Point2 a = shape[left ? 17 + k : 26 - k], b = shape[left ? 18 + k : 25 - k];
      for (int h = 0; h < 3; ++h) {
        const double part = (h + 0.5) / 3;
        const Point2 root{a.x + (b.x - a.x) * part,
                          a.y + (b.y - a.y) * part + (k == 0 ? 0.015 : 0.035)};
        const double lean = (left ? -0.05 : 0.05) * (k == 0 ? 0.5 : 1.0);
        painter.stroke(
            {root, {root.x + lean, root.y - (k == 0 ? 0.045 : 0.08) * look.brow_thickness}}, 0.01,
            scaled(colour, 0.6), 0.5, 0.004);
      }
    }
  }
}

void paint_eyes(SoftPainter& painter, const FaceLook& look, const FaceShape& shape, Point2 gaze) {
  const Rgb skin = skin_colour(look.skin_tone);
  for (const bool left : {true, false}) {
    const Eye eye = eye_of(shape, left);
    const auto outline = part_outline(shape, look, left ? FacePart::kLeftEye : FacePart::kRightEye);
    paint_socket(painter, eye, look, skin);
    if (eye.opening() > 0.02) paint_ball(painter, eye, look, outline, gaze);
    painter.stroke(eye.upper_lid(), 0.034, kBlack, 0.85, 0.008);
    const Point2 tip{eye.outer.x + eye.sign() * 0.045, eye.outer.y - 0.012};
    painter.stroke({eye.outer, tip}, 0.022, kBlack, 0.6, 0.008);
    painter.stroke(eye.lower_lid(), 0.014, scaled(skin, 0.35), 0.7, 0.006);
  }
}

void paint_nose(SoftPainter& painter, const FaceLook& look, const FaceShape& shape) {
  const Rgb skin = skin_colour(look.skin_tone);
  const double base = shape[33].y;
  painter.ellipse({0, base + 0.05}, 0.20 * look.nose_width, 0.05, scaled(skin, 0.55), 0.5, 0.03);
  for (const bool left : {true, false}) {
    const double sign = left ? -1 : 1;
    const Point2 ala = shape[left ? 31 : 35], inner = shape[left ? 32 : 34];
    // The side of the bridge, from the brow down.
    painter.stroke(curve({{sign * 0.13, shape[27].y - 0.12},
                          {sign * 0.115, 0.10},
                          {sign * 0.14 * look.nose_width, 0.36},
                          {ala.x * 0.8, ala.y - 0.13}}),
                   0.05, scaled(skin, 0.62), 0.28, 0.03);
    painter.stroke(curve({{ala.x - sign * 0.035, ala.y - 0.13},
                          {ala.x + sign * 0.02, ala.y - 0.04},
                          {ala.x - sign * 0.015, ala.y + 0.025}}),
                   0.026, scaled(skin, 0.48), 0.6, 0.012);
    paint_nostril(painter, {inner.x * 0.92, (inner.y + base) / 2 - 0.025}, look.nose_width, skin);
  }
}

void paint_mouth(SoftPainter& painter, const FaceLook& look, const FaceShape& s) {
  const Rgb skin = skin_colour(look.skin_tone);
  const Rgb lip = mix(scaled(skin, 0.80), {150, 44, 50}, 0.38);
  const double open = s[66].y - s[62].y;
  painter.fill(part_outline(s, look, FacePart::kUpperLip), scaled(lip, 0.82), 0.92, 0.010);
  painter.fill(part_outline(s, look, FacePart::kLowerLip), lip, 0.9, 0.012);
  const std::vector<Point2> lower = curve({s[59], s[58], s[57], s[56], s[55]});
  painter.stroke(shifted(lower, 0, -0.06), 0.04, scaled(lip, 1.25), 0.4, 0.02);
  if (open > 0.015) {
    const auto inside = part_outline(s, look, FacePart::kMouthOpening);
    painter.fill(inside, {38, 12, 14}, 1, 0.004);
    painter.clip(inside);
    if (open > 0.10) {
      painter.ellipse({0, s[66].y - 0.01}, 0.20 * look.mouth_width, 0.30 * open + 0.02,
                      {142, 66, 66}, 0.8, 0.025);
    }
    paint_teeth(painter, s, open);
    painter.clip_off();
    painter.stroke(curve({s[60], s[61], s[62], s[63], s[64]}), 0.014, scaled(lip, 0.4), 0.7, 0.006);
  } else {
    std::vector<Point2> middle;
    for (std::size_t k = 0; k < 5; ++k) {
      const Point2 up = s[60 + k], low = k % 4 == 0 ? up : s[68 - k];
      middle.push_back({up.x, (up.y + low.y) / 2});
    }
    painter.stroke(smooth_curve(middle, kSteps, false), 0.026, scaled(skin, 0.22), 0.9, 0.008);
  }
  for (const std::size_t corner : {std::size_t{48}, std::size_t{54}}) {
    painter.ellipse({s[corner].x * 0.97, s[corner].y}, 0.03, 0.024, scaled(skin, 0.28), 0.75,
                    0.012);
  }
}

}  // namespace mien::media
