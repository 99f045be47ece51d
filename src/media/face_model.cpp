#include "media/face_model.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

namespace mien::media {
namespace {

// The left half and the midline of the average neutral face; the right half is its mirror image.
// Averages over neutral frontal photographs, the mouth closed.
struct Rest {
  std::size_t point;
  double x, y;
};
constexpr std::array kRest = {
    Rest{0, -1.085, -0.05},   Rest{1, -1.07, 0.235},   Rest{2, -1.03, 0.52},
    Rest{3, -0.97, 0.80},     Rest{4, -0.875, 1.07},   Rest{5, -0.715, 1.30},
    Rest{6, -0.51, 1.475},    Rest{7, -0.27, 1.60},    Rest{8, 0, 1.645},
    Rest{17, -0.895, -0.24},  Rest{18, -0.755, -0.34}, Rest{19, -0.57, -0.36},
    Rest{20, -0.385, -0.33},  Rest{21, -0.21, -0.265}, Rest{27, 0, -0.025},
    Rest{28, 0, 0.16},        Rest{29, 0, 0.34},       Rest{30, 0, 0.525},
    Rest{31, -0.225, 0.685},  Rest{32, -0.12, 0.72},   Rest{33, 0, 0.745},
    Rest{36, -0.705, -0.005}, Rest{37, -0.57, -0.077}, Rest{38, -0.42, -0.075},
    Rest{39, -0.29, 0.028},   Rest{40, -0.43, 0.065},  Rest{41, -0.58, 0.062},
    Rest{48, -0.395, 1.04},   Rest{49, -0.25, 0.972},  Rest{50, -0.10, 0.928},
    Rest{51, 0, 0.952},       Rest{57, 0, 1.205},      Rest{58, -0.118, 1.192},
    Rest{59, -0.26, 1.135},   Rest{60, -0.34, 1.043},  Rest{61, -0.107, 1.040},
    Rest{62, 0, 1.046},       Rest{66, 0, 1.054},      Rest{67, -0.109, 1.048}};
constexpr double kMouthLine = 1.045;
constexpr double kEyeCentre = 0.5;

// How far a fully pulled unit moves a point of the left half. About 1.6 times what the averages of
// the posed and spontaneous expressions in photographs differ from the neutral one.
struct Move {
  std::size_t point;
  double dx, dy;
};
constexpr std::array kAu1 = {Move{18, 0, -0.02},    Move{19, 0, -0.06},  Move{20, 0.01, -0.14},
                             Move{21, 0.01, -0.18}, Move{37, 0, -0.005}, Move{38, 0, -0.01}};
constexpr std::array kAu2 = {Move{17, 0, -0.12}, Move{18, 0, -0.17}, Move{19, 0, -0.13},
                             Move{20, 0, -0.05}, Move{37, 0, -0.008}};
constexpr std::array kAu4 = {Move{17, 0.01, 0.02}, Move{18, 0.02, 0.05}, Move{19, 0.035, 0.09},
                             Move{20, 0.06, 0.13}, Move{21, 0.08, 0.15}, Move{37, 0, 0.012},
                             Move{38, 0, 0.018}};
constexpr std::array kAu5 = {Move{37, 0, -0.06}, Move{38, 0, -0.06}, Move{40, 0, 0.008},
                             Move{41, 0, 0.008}};
constexpr std::array kAu6 = {Move{17, 0, 0.03}, Move{18, 0, 0.015}, Move{36, 0.01, 0.01},
                             Move{40, 0, -0.025}, Move{41, 0, -0.035}};
constexpr std::array kAu7 = {Move{37, 0, 0.028}, Move{38, 0, 0.028}, Move{40, 0, -0.025},
                             Move{41, 0, -0.025}};
constexpr std::array kAu9 = {
    Move{17, 0, 0.03},     Move{18, 0, 0.05},   Move{19, 0.01, 0.07},   Move{20, 0.025, 0.09},
    Move{21, 0.035, 0.09}, Move{30, 0, -0.035}, Move{31, -0.03, -0.07}, Move{32, -0.01, -0.05},
    Move{33, 0, -0.05},    Move{37, 0, 0.02},   Move{38, 0, 0.022},     Move{40, 0, -0.022},
    Move{41, 0, -0.022},   Move{48, 0, -0.02},  Move{49, -0.01, -0.08}, Move{50, 0, -0.10},
    Move{51, 0, -0.10},    Move{60, 0, -0.02},  Move{61, 0, -0.06},     Move{62, 0, -0.06}};
constexpr std::array kAu12 = {
    Move{48, -0.16, -0.17},  Move{60, -0.155, -0.155}, Move{49, -0.11, -0.10},
    Move{50, -0.04, -0.05},  Move{51, 0, -0.035},      Move{57, 0, 0.005},
    Move{58, -0.06, -0.005}, Move{59, -0.13, -0.06},   Move{61, -0.05, -0.035},
    Move{62, 0, -0.025},     Move{66, 0, -0.015},      Move{67, -0.05, -0.025},
    Move{31, -0.035, -0.02}, Move{32, -0.01, -0.01},   Move{2, -0.015, 0},
    Move{3, -0.03, -0.01},   Move{4, -0.025, -0.01}};
constexpr std::array kAu15 = {Move{48, 0.01, 0.13}, Move{60, 0.01, 0.115}, Move{49, 0, 0.04},
                              Move{59, 0, 0.06},    Move{50, 0, -0.01},    Move{51, 0, -0.015},
                              Move{57, 0, -0.02},   Move{58, 0, -0.015},   Move{61, 0, -0.012},
                              Move{62, 0, -0.015},  Move{66, 0, -0.015},   Move{67, 0, -0.012}};
constexpr std::array kAu20 = {
    Move{48, -0.15, 0.035}, Move{60, -0.14, 0.03},  Move{49, -0.09, 0.025}, Move{59, -0.10, 0.0},
    Move{50, -0.03, 0.015}, Move{58, -0.04, -0.01}, Move{61, -0.04, 0},     Move{67, -0.04, 0},
    Move{3, -0.015, 0},     Move{4, -0.02, 0.01}};
constexpr std::array kAu23 = {Move{48, 0.05, 0},   Move{60, 0.045, 0},    Move{49, 0.02, 0.03},
                              Move{50, 0, 0.055},  Move{51, 0, 0.055},    Move{57, 0, -0.065},
                              Move{58, 0, -0.065}, Move{59, 0.02, -0.045}};
constexpr std::array kAu25 = {Move{50, 0, -0.02},  Move{51, 0, -0.02}, Move{61, 0, -0.04},
                              Move{62, 0, -0.045}, Move{66, 0, 0.06},  Move{67, 0, 0.055},
                              Move{57, 0, 0.05},   Move{58, 0, 0.048}, Move{59, 0, 0.025}};
constexpr std::array kAu26 = {
    Move{8, 0, 0.33},       Move{7, 0, 0.32},       Move{6, 0.005, 0.275}, Move{5, 0.012, 0.20},
    Move{4, 0.015, 0.10},   Move{3, 0.012, 0.05},   Move{2, 0.005, 0.015}, Move{57, 0, 0.30},
    Move{58, 0.005, 0.295}, Move{59, 0.03, 0.21},   Move{66, 0, 0.28},     Move{67, 0, 0.27},
    Move{48, 0.035, 0.085}, Move{60, 0.035, 0.085}, Move{49, 0.012, 0.02}, Move{61, 0.005, 0},
    Move{50, 0, 0}};

bool on_midline(std::size_t point) {
  return mirror_point(point) == point;
}

// Adds `left` times the moves to the left half and `right` times their mirror to the right one.
void pull(FaceShape& shape, std::span<const Move> moves, double left, double right) {
  for (const Move& move : moves) {
    Point2& near = shape[move.point];
    if (on_midline(move.point)) {
      near.y += move.dy * (left + right) / 2;
      continue;
    }
    near.x += move.dx * left;
    near.y += move.dy * left;
    Point2& far = shape[mirror_point(move.point)];
    far.x -= move.dx * right;
    far.y += move.dy * right;
  }
}

void pull(FaceShape& shape, std::span<const Move> moves, double amount) {
  pull(shape, moves, amount, amount);
}

// Against a raised inner brow AU4 still draws the brows together, but hardly lowers them.
void pull_brow_down(FaceShape& shape, const ActionUnits& units) {
  for (Move move : kAu4) {
    move.dy *= 1 - 0.65 * std::clamp(units.au1, 0.0, 1.0);
    pull(shape, {&move, 1}, units.au4);
  }
}

Point2 rest_of(const FaceLook& look, const Rest& rest) {
  Point2 p{rest.x, rest.y};
  if (rest.point <= 16) {
    const double low = std::clamp((p.y - 0.5) / 0.8, 0.0, 1.0);
    p.x *= look.face_width * (1 + (look.jaw_width - 1) * low);
    p.y = p.y < 0.9 ? p.y : 0.9 + (p.y - 0.9) * look.chin_length;
  } else if (rest.point <= 26) {
    p.x *= 0.5 + 0.5 * look.eye_spacing;
    p.y -= look.brow_height;
  } else if (rest.point <= 35) {
    p.x *= look.nose_width;
    p.y *= look.nose_length;
  } else if (rest.point <= 47) {
    p.x = -kEyeCentre * look.eye_spacing + (p.x + kEyeCentre) * look.eye_size;
    p.y *= look.eye_size;
  } else {
    p.x *= look.mouth_width;
    p.y = kMouthLine + (p.y - kMouthLine) * look.lip_thickness + 0.5 * (look.nose_length - 1);
  }
  return p;
}

// Moves `lower` down to at least `gap` below `upper`.
void keep_apart(Point2& upper, Point2& lower, double gap) {
  if (lower.y - upper.y >= gap) return;
  const double middle = (upper.y + lower.y) / 2;
  upper.y = middle - gap / 2;
  lower.y = middle + gap / 2;
}

// A lid that comes down meets the lower one a little above its rest.
void shut(Point2& upper, Point2& lower, double blink) {
  const double meet = lower.y - 0.008;
  upper.y += (meet - upper.y) * blink;
}

void settle(FaceShape& shape, double blink) {
  constexpr double kLeastLidGap = 0.006, kLeastLipGap = 0.006, kLeastLip = 0.03;
  for (const auto& [upper, lower] : {std::pair{37, 41}, {38, 40}, {43, 47}, {44, 46}}) {
    Point2& above = shape[static_cast<std::size_t>(upper)];
    Point2& below = shape[static_cast<std::size_t>(lower)];
    keep_apart(above, below, kLeastLidGap);
    shut(above, below, blink);
  }
  for (const auto& [upper, lower] : {std::pair{61, 67}, {62, 66}, {63, 65}}) {
    keep_apart(shape[static_cast<std::size_t>(upper)], shape[static_cast<std::size_t>(lower)],
               kLeastLipGap);
  }
  // The red of a lip keeps some height.
  for (const auto& [outer, inner] : {std::pair{50, 61}, {51, 62}, {52, 63}}) {
    Point2& edge = shape[static_cast<std::size_t>(outer)];
    edge.y = std::min(edge.y, shape[static_cast<std::size_t>(inner)].y - kLeastLip);
  }
  for (const auto& [outer, inner] : {std::pair{58, 67}, {57, 66}, {56, 65}}) {
    Point2& edge = shape[static_cast<std::size_t>(outer)];
    edge.y = std::max(edge.y, shape[static_cast<std::size_t>(inner)].y + kLeastLip);
  }
}

}  // namespace

std::size_t mirror_point(std::size_t point) {
  constexpr std::array<std::size_t, 51> kMirror = {
      26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33,
      32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52,
      51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65};
  if (point <= 16) return 16 - point;
  return point < 68 ? kMirror[point - 17] : point;
}

FaceShape face_shape(const FaceLook& look, const ActionUnits& units) {
  FaceShape shape;
  for (const Rest& rest : kRest) {
    const Point2 p = rest_of(look, rest);
    shape[rest.point] = p;
    if (!on_midline(rest.point)) shape[mirror_point(rest.point)] = {-p.x, p.y};
  }
  pull(shape, kAu1, units.au1);
  pull(shape, kAu2, units.au2);
  pull_brow_down(shape, units);
  pull(shape, kAu5, units.au5);
  pull(shape, kAu6, units.au6);
  pull(shape, kAu7, units.au7);
  pull(shape, kAu9, units.au9);
  pull(shape, kAu12, units.au12 * std::min(1.0, 1.0 - units.side),
       units.au12 * std::min(1.0, 1.0 + units.side));
  pull(shape, kAu15, units.au15);
  pull(shape, kAu20, units.au20);
  pull(shape, kAu23, units.au23);
  pull(shape, kAu25, units.au25);
  pull(shape, kAu26, units.au26);
  settle(shape, std::clamp(units.blink, 0.0, 1.0));
  return shape;
}

std::vector<Point2> smooth_curve(std::span<const Point2> points, int steps, bool closed) {
  std::vector<Point2> out;
  const std::size_t n = points.size();
  if (n < 3 || steps < 2) return {points.begin(), points.end()};
  const std::size_t pieces = closed ? n : n - 1;
  out.reserve(pieces * static_cast<std::size_t>(steps) + 1);
  auto at = [&](std::size_t i, int offset) {
    const auto count = static_cast<std::ptrdiff_t>(n);
    const std::ptrdiff_t k = static_cast<std::ptrdiff_t>(i) + offset;
    if (closed) return points[static_cast<std::size_t>((k + count) % count)];
    return points[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(k, 0, count - 1))];
  };
  for (std::size_t i = 0; i < pieces; ++i) {
    const Point2 a = at(i, -1), b = at(i, 0), c = at(i, 1), d = at(i, 2);
    for (int s = 0; s < steps; ++s) {
      const double t = static_cast<double>(s) / steps;
      auto mix = [t](double p0, double p1, double p2, double p3) {
        return 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t +
                      (3 * p1 - p0 - 3 * p2 + p3) * t * t * t);
      };
      out.push_back({mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)});
    }
  }
  if (!closed) out.push_back(points.back());
  return out;
}

namespace {

constexpr int kSteps = 6;

// One smooth curve through `there`, then one through `back`: corners stay sharp.
std::vector<Point2> two_edges(const FaceShape& shape, std::span<const std::size_t> there,
                              std::span<const std::size_t> back) {
  std::vector<Point2> out;
  for (const auto& edge : {there, back}) {
    std::vector<Point2> points;
    for (const std::size_t i : edge) points.push_back(shape[i]);
    std::vector<Point2> curve = smooth_curve(points, kSteps, false);
    out.insert(out.end(), curve.begin(), curve.end() - 1);
  }
  return out;
}

std::vector<Point2> brow_outline(const FaceShape& shape, const FaceLook& look, bool left) {
  // From the outer end inwards: thin, then full.
  constexpr std::array<double, 5> kHalfHeight = {0.012, 0.03, 0.042, 0.05, 0.045};
  std::vector<Point2> upper, lower;
  for (std::size_t k = 0; k < kHalfHeight.size(); ++k) {
    const Point2 p = shape[left ? 17 + k : 26 - k];
    const double half = kHalfHeight[k] * look.brow_thickness;
    upper.push_back({p.x, p.y - half});
    lower.push_back({p.x, p.y + half});
  }
  std::vector<Point2> out = smooth_curve(upper, kSteps, false);
  const std::vector<Point2> back = smooth_curve(lower, kSteps, false);
  out.insert(out.end(), back.rbegin(), back.rend());
  return out;
}

}  // namespace

std::vector<Point2> part_outline(const FaceShape& shape, const FaceLook& look, FacePart part) {
  using Edge = std::initializer_list<std::size_t>;
  auto edges = [&shape](Edge there, Edge back) {
    return two_edges(shape, {there.begin(), there.size()}, {back.begin(), back.size()});
  };
  switch (part) {
    case FacePart::kLeftEye: return edges({36, 37, 38, 39}, {39, 40, 41, 36});
    case FacePart::kRightEye: return edges({42, 43, 44, 45}, {45, 46, 47, 42});
    case FacePart::kLeftBrow: return brow_outline(shape, look, true);
    case FacePart::kRightBrow: return brow_outline(shape, look, false);
    case FacePart::kUpperLip:
      return edges({48, 49, 50, 51, 52, 53, 54}, {54, 64, 63, 62, 61, 60, 48});
    case FacePart::kLowerLip:
      return edges({48, 60, 67, 66, 65, 64, 54}, {54, 55, 56, 57, 58, 59, 48});
    case FacePart::kMouthOpening: return edges({60, 61, 62, 63, 64}, {64, 65, 66, 67, 60});
  }
  return {};
}

}  // namespace mien::media
