#include "cli/eval_sheet.h"

#include <algorithm>
#include <cmath>

#include "learn/data/eval_set.h"
#include "media/draw.h"
#include "media/image.h"

namespace mien::cli {
namespace {

constexpr int kColumns = 8;
constexpr std::size_t kMostTiles = 40;
constexpr int kTile = 168;   // pixels a side of a picture
constexpr int kGap = 6;      // between tiles
constexpr int kLine = 15;    // pixels per caption line
constexpr int kLetters = 8;  // height of a capital
constexpr media::Color kInk{235, 235, 235};
constexpr media::Color kFound{255, 70, 60};

std::vector<SheetTile> choose(std::vector<SheetTile> tiles, SheetOrder order) {
  if (order == SheetOrder::kWorst) {
    std::stable_sort(tiles.begin(), tiles.end(),
                     [](const SheetTile& a, const SheetTile& b) { return a.badness > b.badness; });
    tiles.resize(std::min(tiles.size(), kMostTiles));
    return tiles;
  }
  if (tiles.size() <= kMostTiles) return tiles;
  std::vector<SheetTile> chosen;
  for (std::size_t i = 0; i < kMostTiles; ++i) {
    chosen.push_back(std::move(tiles[i * tiles.size() / kMostTiles]));
  }
  return chosen;
}

void draw_tile(media::Image& sheet, int left, int top, const learn::StillSet& set,
               const SheetTile& tile) {
  const auto crop = learn::crop_rgb(set, set.stills[tile.still], tile.frame, kTile);
  for (int y = 0; y < kTile; ++y) {
    std::copy_n(crop.begin() + static_cast<std::ptrdiff_t>(y) * kTile * 3, kTile * 3,
                sheet.row(top + y) + static_cast<std::ptrdiff_t>(left) * 3);
  }
  const auto pixel = [](float fraction) {
    return static_cast<int>(std::lround(fraction * static_cast<float>(kTile)));
  };
  for (std::size_t i = 0; i + 1 < tile.points.size(); i += 2) {
    media::draw_disc(sheet, left + pixel(tile.points[i]), top + pixel(tile.points[i + 1]), 1,
                     kFound);
  }
  int base = top + kTile + kLine - 3;
  for (const std::string& caption : tile.captions) {
    media::draw_text(sheet, left, base, caption, kLetters, kInk);
    base += kLine;
  }
}

}  // namespace

Status write_sheet(const std::string& path, const learn::StillSet& set,
                   std::vector<SheetTile> tiles, SheetOrder order) {
  const std::vector<SheetTile> chosen = choose(std::move(tiles), order);
  std::size_t lines = 0;
  for (const SheetTile& tile : chosen) lines = std::max(lines, tile.captions.size());
  const int row_height = kTile + static_cast<int>(lines) * kLine + kGap;
  const int rows = std::max(1, (static_cast<int>(chosen.size()) + kColumns - 1) / kColumns);
  media::Image sheet =
      media::Image::black(kColumns * (kTile + kGap) + kGap, rows * row_height + kGap);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const int column = static_cast<int>(i) % kColumns;
    const int row = static_cast<int>(i) / kColumns;
    draw_tile(sheet, kGap + column * (kTile + kGap), kGap + row * row_height, set, chosen[i]);
  }
  return media::write_png(path, sheet);
}

}  // namespace mien::cli
