// A parametric face in the plane: 68 points and closed outlines of the parts, moved by the action
// units of FACS (Ekman and Friesen, 1978).
//
// Face units: 1 is the distance between the pupils of the average face (about 63 mm); the origin
// lies midway between the eyes, x to the right of the picture, y down. "Left" is the picture's left
// throughout.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace mien::media {

struct Point2 {
  double x = 0;
  double y = 0;
};

// How far each action unit is pulled, 0 (rest) .. 1 (as far as it goes).
struct ActionUnits {
  double au1 = 0;    // inner brow raiser
  double au2 = 0;    // outer brow raiser
  double au4 = 0;    // brow lowerer
  double au5 = 0;    // upper lid raiser
  double au6 = 0;    // cheek raiser
  double au7 = 0;    // lid tightener
  double au9 = 0;    // nose wrinkler
  double au12 = 0;   // lip corner puller
  double au15 = 0;   // lip corner depressor
  double au20 = 0;   // lip stretcher
  double au23 = 0;   // lip tightener
  double au25 = 0;   // lips part
  double au26 = 0;   // jaw drop
  double blink = 0;  // AU45, 1: eyes shut
  double side = 0;   // where AU12 acts: -1 the left corner alone, 0 both, 1 the right one alone
};

struct ActionUnitField {
  int number;  // in FACS
  double ActionUnits::*value;
};

// The thirteen units by rising number, for loops over them.
inline constexpr std::array<ActionUnitField, 13> kActionUnits = {{{1, &ActionUnits::au1},
                                                                  {2, &ActionUnits::au2},
                                                                  {4, &ActionUnits::au4},
                                                                  {5, &ActionUnits::au5},
                                                                  {6, &ActionUnits::au6},
                                                                  {7, &ActionUnits::au7},
                                                                  {9, &ActionUnits::au9},
                                                                  {12, &ActionUnits::au12},
                                                                  {15, &ActionUnits::au15},
                                                                  {20, &ActionUnits::au20},
                                                                  {23, &ActionUnits::au23},
                                                                  {25, &ActionUnits::au25},
                                                                  {26, &ActionUnits::au26}}};

enum class HairStyle { kBald, kShort, kFringe, kLong };

// Who is drawn. Factors are relative to the average face.
struct FaceLook {
  double skin_tone = 0.3;  // 0 very light .. 1 very dark
  double face_width = 1.0;
  double jaw_width = 1.0;    // of the lower jaw alone: below 1 pointed, above 1 square
  double chin_length = 1.0;  // below the mouth
  double eye_size = 1.0;
  double eye_spacing = 1.0;
  double brow_height = 0.0;  // face units, positive is higher
  double brow_thickness = 1.0;
  double nose_length = 1.0;
  double nose_width = 1.0;
  double mouth_width = 1.0;
  double lip_thickness = 1.0;
  double age = 0.3;                               // 0 smooth .. 1 lined
  std::array<double, 3> eye_colour{92, 64, 42};   // RGB, 0..255
  std::array<double, 3> hair_colour{48, 34, 26};  // also of brows and beard
  HairStyle hair = HairStyle::kShort;
  double beard = 0.0;    // 0 none, 0.3 stubble, 1 full
  bool glasses = false;  // thin dark frames
};

// How the head stands. Rotations are about the head's middle, yaw first, then pitch, then roll.
struct HeadPose {
  double yaw = 0;     // degrees, positive turns the face to the picture's right
  double pitch = 0;   // degrees, positive looks up
  double roll = 0;    // degrees, positive tilts the head clockwise
  double scale = 50;  // pixels per face unit
  double x = 128;     // where the head's middle (about the bridge of the nose's lower half) lies,
  double y = 128;     // in pixels of the frame
  double gaze_x = 0;  // of the eyes in the head, -1 (left) .. 1
  double gaze_y = 0;  // -1 (up) .. 1
};

// The 68 points of the usual order (media/landmarks.h), seen from the front.
using FaceShape = std::array<Point2, 68>;

// The points of a face that pulls those action units. Lids and lips never cross, whatever is
// combined. Mirror-symmetric as long as `side` is 0.
FaceShape face_shape(const FaceLook& look, const ActionUnits& units);

// The point on the other side of the face: 0 <-> 16, 36 <-> 45, 48 <-> 54, ...
std::size_t mirror_point(std::size_t point);

// A curve through all `points` (Catmull and Rom), `steps` pieces between neighbours.
std::vector<Point2> smooth_curve(std::span<const Point2> points, int steps, bool closed);

enum class FacePart {
  kLeftEye,
  kRightEye,
  kLeftBrow,
  kRightBrow,
  kUpperLip,
  kLowerLip,
  kMouthOpening
};

// The closed outline of a part. An eye's is what the lids leave open; the mouth's what lies between
// the lips, nearly without area when they are closed.
std::vector<Point2> part_outline(const FaceShape& shape, const FaceLook& look, FacePart part);

}  // namespace mien::media
