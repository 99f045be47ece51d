#include "report/timeline_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "report/metrics.h"
#include "report/palette.h"
#include "report/svg_canvas.h"
#include "report/text.h"

namespace mien::report {
namespace {

// Pixels of the drawing.
constexpr double kWidth = 1000;
constexpr double kLeft = 78;
constexpr double kRight = 24;
constexpr double kPlot = kWidth - kLeft - kRight;
constexpr double kBandGap = 16;
constexpr double kRibbon = 7;  // the strip of the strongest class
constexpr double kRibbonGap = 3;
constexpr double kStrip = 26;  // its bars
constexpr double kStripGap = 4;
constexpr const char* kStripFill = "#d9480f";
constexpr double kLegendRow = 22;
constexpr std::size_t kMaxTitle = 96;  // bytes

// Touching points of one track: what is drawn as one piece.
using Run = std::vector<TimelinePoint>;

std::vector<Run> split_at_gaps(const std::vector<TimelinePoint>& points) {
  std::vector<Run> runs;
  for (const TimelinePoint& point : points) {
    if (runs.empty() || !touches(runs.back().back(), point)) runs.emplace_back();
    runs.back().push_back(point);
  }
  return runs;
}

class Drawing {
 public:
  Drawing(const Timeline& timeline, const TimelineSvgOptions& options)
      : timeline_(timeline),
        options_(options),
        tracks_(timeline.longest_tracks(options.max_tracks)),
        colors_(class_colors(timeline.classes())) {
    start_ = options.start_s;
    end_ = options.end_s;
    for (const TimelineTrack& track : tracks_) {
      start_ = std::min(start_, track.points.front().start_s);
      end_ = std::max(end_, track.points.back().end_s);
    }
    if (!(end_ - start_ > 1e-3)) end_ = start_ + 1.0;
    band_ = tracks_.size() <= 2 ? 130 : tracks_.size() <= 6 ? 84 : 52;
  }

  std::string draw() {
    double y = title();
    y = legend(y);
    const double top = y + 4;
    y = top;
    for (const TimelineTrack& track : tracks_) {
      band(track, y);
      y += band_ + kRibbonGap + kRibbon;
      if (options_.strip != nullptr) {
        strip(track.id, y + kStripGap);
        y += kStripGap + kStrip;
      }
      y += kBandGap;
    }
    if (tracks_.empty()) {
      text(kLeft + kPlot / 2, y + 40, 15, "#666", options_.empty_note, "middle");
      y += 64 + kBandGap;
    }
    const double bottom = y - kBandGap + 4;
    grid(top, bottom);
    y = axis(bottom);
    if (timeline_.track_count() > tracks_.size()) {
      text(kLeft, y + 8, 12, "#666",
           "the " + std::to_string(tracks_.size()) + " longest of " +
               std::to_string(timeline_.track_count()) + " faces; all are in expressions.csv");
      y += 20;
    }
    return document(y + 10);
  }

 private:
  double x_of(double time_s) const { return kLeft + kPlot * (time_s - start_) / (end_ - start_); }

  void text(double x, double y, double size, std::string_view color, std::string_view words,
            std::string_view anchor = "start", std::string_view extra = {}) {
    canvas_.text(x, y, {.size = size, .color = color, .anchor = anchor, .extra = extra}, words);
  }

  void rectangle(double x, double y, double width, double height, const std::string& fill,
                 const std::string& tip = {}) {
    canvas_.rectangle(x, y, width, height, fill, tip);
  }

  double title() {
    text(kLeft, 32, 18, "#111", shorten(options_.title, kMaxTitle), "start",
         " font-weight=\"bold\"");
    if (options_.subtitle.empty()) return 44;
    text(kLeft, 51, 12, "#666", options_.subtitle);
    return 60;
  }

  double legend(double y) {
    double x = kLeft;
    y += 6;
    for (std::size_t i = 0; i < timeline_.classes().size(); ++i) {
      const std::string& name = timeline_.classes()[i];
      const double width = 18 + text_width(name, 13) + 18;
      if (x + width > kWidth - kRight && x > kLeft) {
        x = kLeft;
        y += kLegendRow;
      }
      rectangle(x, y, 13, 13, hex_color(colors_[i]));
      text(x + 18, y + 11, 13, "#222", name);
      x += width;
    }
    return y + kLegendRow;
  }

  // The lines between neighbouring classes run through the windows' middles and level out to the
  // beginning of the first and the end of the last window.
  void stack(const Run& run, double top) {
    std::vector<double> lower(run.size(), 0.0);
    for (std::size_t c = 0; c < colors_.size(); ++c) {
      std::vector<double> upper = lower;
      for (std::size_t i = 0; i < run.size(); ++i) {
        upper[i] += std::clamp(static_cast<double>(run[i].probabilities[c]), 0.0, 1.0);
      }
      const auto at = [&](double time_s, double level) {
        return px(x_of(time_s)) + " " + px(top + band_ * (1.0 - std::min(level, 1.0)));
      };
      std::string path = "M" + at(run.front().start_s, upper.front());
      for (std::size_t i = 0; i < run.size(); ++i) path += "L" + at(run[i].center_s, upper[i]);
      path += "L" + at(run.back().end_s, upper.back()) + "L" + at(run.back().end_s, lower.back());
      for (std::size_t i = run.size(); i-- > 0;) path += "L" + at(run[i].center_s, lower[i]);
      path += "L" + at(run.front().start_s, lower.front()) + "Z";
      canvas_.raw("<path d=\"" + path + "\" fill=\"" + hex_color(colors_[c]) +
                  "\" stroke=\"#fff\" stroke-width=\"0.6\"/>\n");
      lower = std::move(upper);
    }
  }

  // Where the same class stays the strongest: its ribbon, and its name when it fits.
  void strongest(const Run& run, double top) {
    for (std::size_t i = 0; i < run.size();) {
      const std::size_t best = argmax(run[i].probabilities);
      std::size_t j = i;
      double sum = 0;
      while (j < run.size() && argmax(run[j].probabilities) == best) {
        sum += static_cast<double>(run[j++].probabilities[best]);
      }
      const auto border = [&](std::size_t k) {  // halfway between the points k - 1 and k
        if (k == 0) return run.front().start_s;
        return k == run.size() ? run.back().end_s : 0.5 * (run[k - 1].center_s + run[k].center_s);
      };
      const double from = border(i);
      const double to = border(j);
      const double share = sum / static_cast<double>(j - i);
      const std::string& name = timeline_.classes()[best];
      rectangle(x_of(from), top + band_ + kRibbonGap, x_of(to) - x_of(from), kRibbon,
                hex_color(colors_[best]),
                name + " " + fixed(100 * share, 0) + " %, " + fixed(from, 2) + " to " +
                    fixed(to, 2) + " s");
      label(run, i, j, best, x_of(from), x_of(to), top);
      i = j;
    }
  }

  // Writes the name of class `c` over the points [first, last) at the place where its band is
  // thickest, if it fits there in both directions.
  void label(const Run& run, std::size_t first, std::size_t last, std::size_t c, double from,
             double to, double top) {
    const double size = band_ > 100 ? 15 : 12;
    const std::string& name = timeline_.classes()[c];
    const double width = text_width(name, size) + 10;
    if (to - from < width) return;
    double best_room = 0;
    double best_x = 0;
    double best_y = 0;
    const double center = 0.5 * (from + to);
    for (double x = from + width / 2; x <= to - width / 2 + 0.01; x += 4) {
      double low = 0;  // the band of c, as far as it is the same over the text's whole width
      double high = 1;
      for (std::size_t i = first; i < last; ++i) {
        const double at = x_of(run[i].center_s);
        if (std::abs(at - x) > width / 2 && last - first > 2) continue;
        double below = 0;
        for (std::size_t k = 0; k < c; ++k) below += static_cast<double>(run[i].probabilities[k]);
        low = std::max(low, below);
        high = std::min(high, below + static_cast<double>(run[i].probabilities[c]));
      }
      // Of equally good places the one nearest to the middle of the run.
      const double room = (high - low) * band_ - 0.08 * std::abs(x - center);
      if (room <= best_room) continue;
      best_room = room;
      best_x = x;
      best_y = top + band_ * (1 - 0.5 * (low + high));
    }
    if (best_room < size * 1.15) return;
    text(best_x, best_y + size * 0.35, size, is_light(colors_[c]) ? "#222" : "#fff", name,
         "middle");
  }

  void not_seen(double from, double to, double top) {
    constexpr double kSize = 12;
    const std::string_view words = "not seen";
    if (x_of(to) - x_of(from) < text_width(words, kSize) + 16) return;
    text(0.5 * (x_of(from) + x_of(to)), top + band_ / 2 + 4, kSize, "#999", words, "middle",
         " font-style=\"italic\"");
  }

  void band(const TimelineTrack& track, double top) {
    text(kLeft - 10, top + band_ / 2 + 4, 13, "#222", "face " + std::to_string(track.id), "end");
    rectangle(kLeft, top, kPlot, band_, "#fafafa");
    double seen_until = start_;
    for (const Run& run : split_at_gaps(track.points)) {
      not_seen(seen_until, run.front().start_s, top);
      seen_until = run.back().end_s;
      stack(run, top);
      strongest(run, top);
    }
    not_seen(seen_until, end_, top);
  }

  // One shape per stretch without a gap, so that long videos stay small.
  void strip(int id, double top) {
    const double bottom = top + kStrip;
    text(kLeft - 10, bottom - 7, 11, "#666", options_.strip_name, "end");
    const std::vector<StripCell> cells = options_.strip->cells(id);
    // Long steps may begin before the axis and end behind it.
    const auto at = [&](double time_s) { return x_of(std::clamp(time_s, start_, end_)); };
    for (std::size_t i = 0; i < cells.size();) {
      std::string path = "M" + px(at(cells[i].start_s)) + " " + px(bottom);
      const std::size_t first = i;
      double sum = 0;
      do {
        const double height = strip_height(cells[i].value);
        sum += cells[i].value;
        path += "V" + px(bottom - kStrip * height) + "H" + px(at(cells[i].end_s));
        ++i;
      } while (i < cells.size() && cells[i].start_s <= cells[i - 1].end_s + 1e-6);
      const double from = cells[first].start_s;
      const double to = cells[i - 1].end_s;
      rectangle(at(from), top, at(to) - at(from), kStrip, "#f1f1f1");
      path += "V" + px(bottom) + "Z";
      canvas_.raw("<path class=\"strip\" d=\"" + path + "\" fill=\"" + kStripFill +
                  "\"><title>mean " + fixed(sum / static_cast<double>(i - first), 2) + ", " +
                  fixed(from, 2) + " to " + fixed(to, 2) + " s</title></path>\n");
      strip_line(at(from), at(to), bottom);
    }
  }

  // 0..1 of the strip's height.
  double strip_height(double value) const {
    const double range = options_.strip_top - options_.strip_low;
    return std::clamp((value - options_.strip_low) / range, 0.0, 1.0);
  }

  void strip_line(double from, double to, double bottom) {
    if (!(options_.strip_line > 0)) return;
    const double y = bottom - kStrip * strip_height(options_.strip_line);
    canvas_.line(from, y, to, y, "class=\"strip-line\" stroke=\"#444\" stroke-width=\"0.8\"");
  }

  // The step of the axis: 1, 2 or 5 times a power of ten below a minute, else of the clock.
  double tick_step() const {
    constexpr std::array<double, 20> kSteps = {0.05, 0.1,  0.2,  0.5,  1,     2,    5,
                                               10,   15,   30,   60,   120,   300,  600,
                                               900,  1800, 3600, 7200, 14400, 28800};
    for (const double step : kSteps) {
      if ((end_ - start_) / step <= 12) return step;
    }
    return std::ceil((end_ - start_) / 12 / 86400) * 86400;
  }

  std::string tick_label(double time_s, double step) const {
    if (end_ < 120) return compact(time_s, step < 0.1 ? 2 : 1) + " s";
    const auto whole = static_cast<std::int64_t>(std::llround(time_s));
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    const std::string tail = two(whole / 60 % 60) + ":" + two(whole % 60);
    if (end_ >= 3600) return std::to_string(whole / 3600) + ":" + tail;
    return std::to_string(whole / 60) + ":" + two(whole % 60);
  }

  template <typename Each>
  void ticks(Each each) const {
    const double step = tick_step();
    const double first = std::ceil((start_ - 1e-9) / step);
    for (double n = first; n * step <= end_ + 1e-9; ++n) each(n * step, step);
  }

  void grid(double top, double bottom) {
    ticks([&](double time_s, double) {
      canvas_.line(x_of(time_s), top - 4, x_of(time_s), bottom + 5,
                   "stroke=\"#000\" stroke-opacity=\"0.13\" stroke-width=\"1\"");
    });
  }

  double axis(double y) {
    canvas_.line(kLeft, y, kLeft + kPlot, y, "stroke=\"#444\" stroke-width=\"1\"");
    ticks([&](double time_s, double step) {
      text(x_of(time_s), y + 20, 12, "#444", tick_label(time_s, step), "middle");
    });
    return y + 28;
  }

  std::string document(double height) const {
    return canvas_.document(
        {.width = kWidth, .height = height, .title = options_.title + ": expressions over time"});
  }

  const Timeline& timeline_;
  const TimelineSvgOptions& options_;
  std::vector<TimelineTrack> tracks_;
  std::vector<Rgb> colors_;
  double start_ = 0;
  double end_ = 1;
  double band_ = 84;
  SvgCanvas canvas_;
};

}  // namespace

std::string timeline_svg(const Timeline& timeline, const TimelineSvgOptions& options) {
  return Drawing(timeline, options).draw();
}

}  // namespace mien::report
