// The rarer picture formats, each against colours that are known.
#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "media/image.h"

namespace mien::media::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Four by two pixels in pairs: red, blue; green, white.
const Bytes kPairs{255, 0,   0,  255, 0,   0,  0,   0,   255, 0,   0,   255,
                   10,  200, 30, 10,  200, 30, 255, 255, 255, 255, 255, 255};

Bytes text_and(const std::string& text, const Bytes& behind) {
  Bytes out(text.begin(), text.end());
  out.insert(out.end(), behind.begin(), behind.end());
  return out;
}

void append_little(Bytes& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// An uncompressed bitmap of 24 bits; rows of four pixels need no padding. `top_down`: its height is
// negative.
Bytes bitmap(bool top_down) {
  Bytes out{'B', 'M'};
  append_little(out, 54 + 24, 4);
  append_little(out, 0, 4);
  append_little(out, 54, 4);  // where the pixels begin
  append_little(out, 40, 4);
  append_little(out, 4, 4);
  append_little(out, top_down ? static_cast<std::uint32_t>(-2) : 2U, 4);
  append_little(out, 1, 2);
  append_little(out, 24, 2);
  for (int i = 0; i < 6; ++i) append_little(out, 0, 4);
  for (std::size_t row = 0; row < 2; ++row) {
    const std::size_t from = top_down ? row : 1 - row;
    for (std::size_t x = 0; x < 4; ++x) {
      for (std::size_t c = 0; c < 3; ++c) out.push_back(kPairs[(from * 4 + x) * 3 + 2 - c]);
    }
  }
  return out;
}

const Bytes kLosslessWebp{0x52, 0x49, 0x46, 0x46, 0x32, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50,
                          0x56, 0x50, 0x38, 0x4c, 0x26, 0x00, 0x00, 0x00, 0x2f, 0x03, 0x40, 0x00,
                          0x00, 0x1f, 0x20, 0x10, 0x48, 0xf2, 0x37, 0x9b, 0x6a, 0x0d, 0x21, 0x41,
                          0x42, 0xf7, 0xff, 0x5e, 0x05, 0xb2, 0xc9, 0x22, 0xc9, 0x9f, 0xf2, 0xf3,
                          0x1f, 0xe8, 0x8c, 0x1a, 0x5e, 0xf0, 0x1a, 0xd1, 0xff, 0x10};

const Bytes kLossyWebp{
    0x52, 0x49, 0x46, 0x46, 0x76, 0x00, 0x00, 0x00, 0x57, 0x45, 0x42, 0x50, 0x56, 0x50, 0x38, 0x20,
    0x6a, 0x00, 0x00, 0x00, 0x70, 0x03, 0x00, 0x9d, 0x01, 0x2a, 0x04, 0x00, 0x02, 0x00, 0x00, 0x80,
    0x08, 0x25, 0xa8, 0x02, 0x74, 0xb7, 0x00, 0xa3, 0x01, 0x54, 0x01, 0xfc, 0x03, 0x28, 0x03, 0xf4,
    0x00, 0x73, 0x80, 0x19, 0x95, 0x62, 0x42, 0x00, 0x00, 0xfe, 0xf9, 0x09, 0xff, 0xdf, 0xff, 0xff,
    0x8f, 0x1f, 0xff, 0xdd, 0x61, 0xeb, 0x71, 0xff, 0xe4, 0x90, 0x7f, 0xf9, 0xef, 0xfc, 0xdc, 0x6d,
    0x77, 0xff, 0x6b, 0x94, 0x5b, 0xbf, 0x02, 0x73, 0x76, 0x1b, 0xff, 0xd9, 0x50, 0xfa, 0x60, 0xe7,
    0xea, 0x67, 0xff, 0xd5, 0x13, 0x7f, 0xec, 0xa8, 0x7d, 0x30, 0x73, 0xf5, 0x33, 0xff, 0xd5, 0x13,
    0x65, 0x3d, 0xb2, 0x53, 0xd5, 0x13, 0x1d, 0x31, 0x79, 0x79, 0xae, 0x00, 0x00, 0x00};

TEST(PictureFormats, LosslessOnesComeOutExactly) {
  const std::string ascii =
      "P3 # colours as words\n4 2\n255\n255 0 0 255 0 0 0 0 255 0 0 255\n"
      "10 200 30 10 200 30 255 255 255 255 255 255\n";
  const std::pair<const char*, Bytes> cases[] = {
      {"bmp", bitmap(false)},
      {"bmp, top down", bitmap(true)},
      {"ppm", text_and("P6\n# made\n4 2\n255\n", kPairs)},
      {"ascii ppm", text_and(ascii, {})},
      {"webp", kLosslessWebp}};
  for (const auto& [name, bytes] : cases) {
    const Result<Image> got = decode_image(bytes, name);
    ASSERT_TRUE(got.ok()) << got.error().to_string();
    EXPECT_EQ(got->width, 4) << name;
    EXPECT_EQ(got->rgb, kPairs) << name;
  }
}

TEST(PictureFormats, GreyKeepsAllItsValues) {
  Bytes values(256);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i);
  const Result<Image> got = decode_image(text_and("P5 16 16 255\n", values));
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(got->rgb[i * 3 + 1], values[i]);
}

TEST(PictureFormats, LossyWebpComesOutNearly) {
  const Result<Image> got = decode_image(kLossyWebp);
  ASSERT_TRUE(got.ok()) << got.error().to_string();
  ASSERT_EQ(got->rgb.size(), kPairs.size());
  // Colours of such small pairs bleed, brightness does not: white, and the order of the others.
  EXPECT_GT(got->rgb[21], 230);
  EXPECT_GT(got->rgb[22], 230);
  EXPECT_GT(got->rgb[0], got->rgb[2]);
  EXPECT_LT(got->rgb[6], got->rgb[8]);
}

TEST(PictureFormats, InksOfPrintersBecomeLight) {
  // 255 is no ink: white, pure cyan, black by the black ink, half of all light.
  const std::uint8_t inks[4][4] = {
      {255, 255, 255, 255}, {0, 255, 255, 255}, {255, 255, 255, 0}, {255, 255, 255, 128}};
  const std::uint8_t light[4][3] = {{255, 255, 255}, {0, 255, 255}, {0, 0, 0}, {128, 128, 128}};
  for (int i = 0; i < 4; ++i) {
    Bytes pixels;
    for (int p = 0; p < 64; ++p) pixels.insert(pixels.end(), inks[i], inks[i] + 4);
    const std::unique_ptr<void, int (*)(void*)> handle(tjInitCompress(), tjDestroy);
    Bytes jpeg(tjBufSize(8, 8, TJSAMP_444));
    unsigned char* target = jpeg.data();
    unsigned long size = jpeg.size();
    ASSERT_EQ(tjCompress2(handle.get(), pixels.data(), 8, 0, 8, TJPF_CMYK, &target, &size,
                          TJSAMP_444, 100, TJFLAG_NOREALLOC),
              0);
    jpeg.resize(size);
    const Result<Image> got = decode_image(jpeg);
    ASSERT_TRUE(got.ok()) << got.error().to_string();
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(got->rgb[c], light[i][c], 3) << i;
  }
}

TEST(PictureFormats, DamageIsAnError) {
  for (Bytes whole : {bitmap(false), text_and("P6 4 2 255\n", kPairs), kLosslessWebp, kLossyWebp}) {
    whole.resize(whole.size() * 2 / 3);
    const Result<Image> cut = decode_image(whole, "cut");
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().code, ErrorCode::kBadFormat) << cut.error().to_string();
  }
}

}  // namespace
}  // namespace mien::media::test
