// A drawing of who felt what, when.
#pragma once

#include <string>

#include "report/time_strip.h"
#include "report/timeline.h"

namespace mien::report {

struct TimelineSvgOptions {
  std::string title{};     // usually the file's name; any bytes
  std::string subtitle{};  // e.g. the model's name; may be empty
  double start_s = 0;      // of the time axis
  double end_s = 0;        // of the time axis; extended where a face lasts longer
  std::string empty_note = "no face was found";  // shown when there is no track
  std::size_t max_tracks = 24;                   // the longest ones are drawn
  // A value to draw under each face, e.g. how much its moments counted; null: none.
  // Outlives the call.
  const TimeStrip* strip = nullptr;
  std::string strip_name{};  // one short word, beside each strip
  double strip_low = 0;      // the value of a strip's lower edge
  double strip_top = 1;      // and of its upper one, above strip_low
  double strip_line = 0;     // a value at which a line is drawn; 0: none
};

// A complete SVG 1.1 document (1000 wide, its height by the number of faces): one band per face in
// which the classes' probabilities are stacked over time, the strongest class written into it where
// there is room and repeated as a ribbon beneath it, under that the strip, if any (its height is
// the value, from strip_low to strip_top); a legend, a time axis; blank where the face was not
// seen. No scripts, no external references.
std::string timeline_svg(const Timeline& timeline, const TimelineSvgOptions& options);

}  // namespace mien::report
