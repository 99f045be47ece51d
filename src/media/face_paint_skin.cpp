// Lines and folds of the skin, and the beard.
#include <algorithm>
#include <cmath>

#include "media/face_paint.h"

namespace mien::media {
namespace {

constexpr int kSteps = 8;

std::vector<Point2> curve(std::initializer_list<Point2> points) {
  return smooth_curve({points.begin(), points.size()}, kSteps, false);
}

// A fold: a soft dark line with a lighter one beside it, where the skin bulges.
void fold(SoftPainter& painter, const std::vector<Point2>& line, double width, const Rgb& skin,
          double strength, Point2 bulge) {
  if (strength <= 0.01) return;
  std::vector<Point2> beside = line;
  for (Point2& p : beside) p.x += bulge.x, p.y += bulge.y;
  painter.stroke(beside, width * 1.6, scaled(skin, 1.14), 0.5 * strength, width * 0.7);
  painter.stroke(line, width, scaled(skin, 0.48), strength, width * 0.45);
}

void paint_forehead(SoftPainter& painter, const FaceLook& look, const ActionUnits& units,
                    const FaceShape& shape, const Rgb& skin) {
  const double brow = (shape[19].y + shape[24].y) / 2;
  const double middle = 0.05 + 0.16 * look.age + 0.75 * units.au1 - 0.1 * units.au4;
  const double sides = 0.04 + 0.14 * look.age + 0.75 * units.au2 - 0.1 * units.au4;
  for (int k = 0; k < 3; ++k) {
    const double y = brow - 0.20 - 0.14 * k;
    const double lift = 0.06 * (units.au2 - units.au1);
    const double faint = 1 - 0.22 * k;
    fold(painter, curve({{-0.30, y}, {-0.12, y - 0.015}, {0.12, y - 0.015}, {0.30, y}}), 0.022,
         skin, middle * faint, {0, 0.035});
    for (const double sign : {-1.0, 1.0}) {
      fold(painter,
           curve(
               {{sign * 0.24, y - 0.005}, {sign * 0.46, y - 0.03 - lift}, {sign * 0.70, y + 0.04}}),
           0.022, skin, sides * faint * 0.9, {0, 0.035});
    }
  }
  const double frown = 0.06 * look.age + 0.85 * units.au4 + 0.3 * units.au9;
  const double root = shape[27].y;
  for (const double sign : {-1.0, 1.0}) {
    fold(
        painter,
        curve(
            {{sign * 0.10, root - 0.36}, {sign * 0.075, root - 0.24}, {sign * 0.085, root - 0.10}}),
        0.026, skin, frown, {sign * 0.035, 0});
  }
  painter.ellipse({0, root - 0.18}, 0.10, 0.14, scaled(skin, 0.6), 0.45 * units.au4, 0.05);
}

void paint_cheeks(SoftPainter& painter, const FaceLook& look, const ActionUnits& units,
                  const FaceShape& shape, const Rgb& skin) {
  const Rgb blush = mix(skin, {200, 80, 70}, 0.30);
  for (const std::size_t left : {std::size_t{0}, std::size_t{1}}) {
    const bool is_left = left == 0;
    const double sign = is_left ? -1 : 1;
    const double smile = units.au12 * std::min(1.0, is_left ? 1 - units.side : 1 + units.side);
    const Point2 ala = shape[is_left ? 31 : 35], corner = shape[is_left ? 48 : 54];
    const Point2 outer = shape[is_left ? 36 : 45];
    painter.ellipse({sign * 0.66, 0.45 - 0.06 * smile}, 0.27, 0.18, blush, 0.35, 0.12);
    // From beside the ala around the corner of the mouth.
    const double out = 0.05 + 0.07 * smile;
    const double depth =
        0.10 + 0.22 * look.age + 0.65 * std::max(smile, 0.95 * units.au9) + 0.15 * units.au20;
    const Point2 start{ala.x + sign * 0.035, ala.y - 0.06 - 0.05 * units.au9};
    const Point2 beside{corner.x + sign * (0.06 + out), corner.y - 0.07};
    const Point2 between{(start.x + beside.x) / 2 + sign * 0.025, (start.y + beside.y) / 2 - 0.01};
    const Point2 below{corner.x + sign * (0.05 + out), corner.y + 0.04 + 0.05 * smile};
    fold(painter, curve({start, between, beside, below}), 0.034, skin, std::min(depth, 0.9),
         {sign * 0.05, -0.03});
    // Below the corner, when it is pulled down or the skin is old.
    fold(painter,
         curve({{corner.x + sign * 0.01, corner.y + 0.03},
                {corner.x + sign * 0.05, corner.y + 0.12},
                {corner.x + sign * 0.03, corner.y + 0.24}}),
         0.028, skin, 0.08 * look.age + 0.45 * units.au15, {sign * 0.045, 0});
    for (int k = -1; k <= 1; ++k) {  // crow's feet
      painter.stroke(curve({{outer.x + sign * 0.05, outer.y + 0.02 + 0.02 * k},
                            {outer.x + sign * 0.12, outer.y + 0.02 + 0.055 * k},
                            {outer.x + sign * 0.20, outer.y + 0.03 + 0.10 * k}}),
                     0.014, scaled(skin, 0.55), 0.12 * look.age + 0.55 * units.au6, 0.006);
    }
    // Across the side of the nose.
    for (int k = 0; k < 3; ++k) {
      const double y = 0.06 + 0.09 * k;
      painter.stroke(curve({{sign * 0.04, y}, {sign * 0.10, y - 0.05}, {sign * 0.15, y - 0.02}}),
                     0.018, scaled(skin, 0.5), 0.65 * units.au9, 0.008);
    }
  }
}

void paint_chin(SoftPainter& painter, const ActionUnits& units, const FaceShape& shape,
                const Rgb& skin) {
  const Point2 lip = shape[57];
  painter.stroke(curve({{-0.19, lip.y + 0.075}, {0, lip.y + 0.05}, {0.19, lip.y + 0.075}}), 0.05,
                 scaled(skin, 0.6), 0.45 + 0.2 * units.au15 + 0.2 * units.au23, 0.028);
  const Point2 top = shape[51];
  painter.stroke(curve({{-0.02, shape[33].y + 0.06},
                        {-0.025, (shape[33].y + top.y) / 2},
                        {-0.03, top.y - 0.03}}),
                 0.03, scaled(skin, 0.7), 0.3, 0.018);
  // Pressed lips wrinkle the skin around them.
  for (const double sign : {-1.0, 1.0}) {
    for (int k = 0; k < 2; ++k) {
      const double x = sign * (0.07 + 0.11 * k);
      painter.stroke(curve({{x, top.y - 0.03}, {x * 1.05, top.y - 0.09}, {x * 1.1, top.y - 0.14}}),
                     0.014, scaled(skin, 0.6), 0.45 * units.au23, 0.008);
    }
  }
}

}  // namespace

void paint_skin_lines(SoftPainter& painter, const FaceLook& look, const ActionUnits& units,
                      const FaceShape& shape) {
  const Rgb skin = skin_colour(look.skin_tone);
  paint_forehead(painter, look, units, shape, skin);
  paint_cheeks(painter, look, units, shape, skin);
  paint_chin(painter, units, shape, skin);
}

void paint_beard(SoftPainter& painter, const FaceLook& look, const FaceShape& shape) {
  if (look.beard <= 0) return;
  const Rgb colour = mix(skin_colour(look.skin_tone), look.hair_colour, 0.8);
  const double opacity = 0.9 * look.beard;
  std::vector<Point2> outline;
  for (std::size_t i = 1; i <= 15; ++i) {  // a little beyond the jaw, so that its edge is hair
    outline.push_back({shape[i].x * 1.12, shape[i].y + (i > 3 && i < 13 ? 0.12 : 0.0)});
  }
  const Point2 right = shape[54], left = shape[48];
  for (const Point2 p : {Point2{0.93, 0.40},
                         {0.80, 0.80},
                         {right.x + 0.14, right.y - 0.10},
                         {0.22, shape[33].y + 0.07},
                         {0, shape[33].y + 0.09},
                         {-0.22, shape[33].y + 0.07},
                         {left.x - 0.14, left.y - 0.10},
                         {-0.80, 0.80},
                         {-0.93, 0.40}}) {
    outline.push_back(p);
  }
  painter.fill(outline, colour, opacity, 0.045);
}

}  // namespace mien::media
