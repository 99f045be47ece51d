// The same face in space: a head of round cross-sections with the relief of nose, brows, eyes,
// cheeks and mouth on it, and its projection to the picture. Face units as in media/face_model.h;
// z points to the viewer and is 0 about where the eyes are.
#pragma once

#include <array>
#include <vector>

#include "media/face_model.h"
#include "media/landmarks.h"

namespace mien::media {

struct Point3 {
  double x = 0;
  double y = 0;
  double z = 0;
};

// Rows of the rotation by a pose.
using Rotation = std::array<std::array<double, 3>, 3>;
Rotation rotation_of(const HeadPose& pose);
Point3 rotate(const Rotation& rotation, const Point3& v);

// Turns points of the head to their places in the picture: x, y in pixels of the frame, z in pixels
// towards the viewer. Far away compared with its size (no perspective within the face).
class Projection {
 public:
  explicit Projection(const HeadPose& pose);
  Point3 operator()(const Point3& p) const;
  const Rotation& rotation() const { return rotation_; }

 private:
  Rotation rotation_;
  double scale_, x_, y_;
};

// The surface of one face at one moment. A place on it is (angle, y): the angle around the head's
// upright axis in radians, 0 in front, +-pi/2 at the outline seen from the front.
class FaceSurface {
 public:
  FaceSurface(const FaceLook& look, const ActionUnits& units, const FaceShape& shape);

  double top() const { return top_; }        // y of the crown
  double bottom() const { return bottom_; }  // y of the chin
  // Half the width of the head at height y; 0 above the crown and below the chin.
  double half_width(double y) const;
  // Where the flat picture of the face (in which the parts are drawn) lies on the surface:
  // x = half_width sin(angle) in front, going on at the same pace behind the outline.
  double flat_x(double angle, double y) const;
  double angle_of(double flat_x, double y) const;

  // The point of the surface; `relief` false: without nose, brows and so on.
  Point3 at(double angle, double y, bool relief = true) const;
  // Height of the relief alone.
  double relief(double flat_x, double y) const;

 private:
  struct Bump {
    double x, y, wide, high, height;
  };

  void build_outline(const FaceLook& look, const FaceShape& shape);
  void build_profile(const ActionUnits& units, const FaceShape& shape);
  void build_bumps(const FaceLook& look, const ActionUnits& units, const FaceShape& shape);
  void both_sides(Bump left);
  double nose(double x, double y) const;
  double profile(double y) const;
  double from_table(const std::vector<double>& table, double y) const;

  double top_ = 0, bottom_ = 0;
  std::vector<double> widths_, profile_;  // over even steps of y from top to bottom
  std::vector<Bump> bumps_;
  double nose_top_ = 0, nose_tip_ = 0, nose_base_ = 0, nose_width_ = 1;
};

// The 68 points in pixels of the frame, quality 1. The points of the jaw on the side turned away
// from the viewer lie on the visible outline, as annotators and networks place them.
Landmarks face_landmarks(const FaceLook& look, const ActionUnits& units, const HeadPose& pose);

}  // namespace mien::media
