#include "media/image.h"

#include <cstring>

#include "core/safetensors.h"
#include "support.h"

namespace mien::media::test {
namespace {

class ImageTest : public ScratchTest {};

Image from_tensor(const core::TensorView& t) {
  Image out = Image::black(static_cast<int>(t.shape[1]), static_cast<int>(t.shape[0]));
  std::memcpy(out.rgb.data(), t.bytes.data(), t.bytes.size());
  return out;
}

TEST(ResizeTest, EqualsPillowBitForBit) {
  const std::string folder = shared("reference/golden/preprocess/");
  if (!fs::exists(folder)) GTEST_SKIP() << "no shared/reference here";
  auto in = core::SafetensorsFile::open(folder + "inputs.safetensors");
  auto out = core::SafetensorsFile::open(folder + "outputs.safetensors");
  ASSERT_TRUE(in.ok() && out.ok());
  const std::pair<const char*, const char*> cases[] = {{"img0", "img0.pil_bilinear_32"},
                                                       {"img1", "img1.pil_bilinear_112"},
                                                       {"img2", "img2.pil_bilinear_64"},
                                                       {"img3", "img3.pil_bilinear_224"}};
  for (const auto& [source, target] : cases) {
    const Image image = from_tensor(*in->find(source));
    const Image expected = from_tensor(*out->find(target));
    const Result<Image> got = resize_bilinear(image, expected.width, expected.height);
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(got->rgb, expected.rgb) << target;
  }
}

TEST(ResizeTest, HandComputedAndRefused) {
  Image two = Image::black(2, 1);
  for (int c = 0; c < 3; ++c) two.rgb[c] = 0, two.rgb[3 + c] = 200;
  EXPECT_EQ(resize_bilinear(two, 1, 1)->rgb, (std::vector<std::uint8_t>{100, 100, 100}));
  // Enlarged, the outer quarters lie beyond the outer centres: 0, 50, 150, 200.
  EXPECT_EQ(pixel(*resize_bilinear(two, 4, 1), 1, 0)[0], 50);
  EXPECT_EQ(pixel(*resize_bilinear(two, 4, 1), 3, 0)[0], 200);
  EXPECT_EQ(resize_bilinear(two, 0, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(resize_bilinear(two, kMaxImageSide + 1, 1).error().code, ErrorCode::kLimit);
  EXPECT_EQ(resize_bilinear(Image{}, 1, 1).error().code, ErrorCode::kInvalidArgument);
}

TEST(ResizeTest, ReadsViewsWithAStride) {
  const Image whole = pattern(64, 48);
  const ImageView part = sub_view(whole, 10, 7, 30, 20);
  EXPECT_EQ(resize_bilinear(part, 9, 11)->rgb, resize_bilinear(copy_image(part), 9, 11)->rgb);
  EXPECT_TRUE(sub_view(whole, 100, 0, 5, 5).empty());
}

TEST_F(ImageTest, PngComesBackExactlyAndJpegNearly) {
  const Image image = pattern(37, 29);
  ASSERT_TRUE(write_png(path("a.png"), image).ok());
  ASSERT_TRUE(write_jpeg(path("a.jpg"), image, 95).ok());
  EXPECT_EQ(read_image(path("a.png"))->rgb, image.rgb);
  const Result<Image> jpeg = read_image(path("a.jpg"));
  ASSERT_TRUE(jpeg.ok());
  ASSERT_EQ(jpeg->width, 37);
  EXPECT_NEAR(pixel(*jpeg, 5, 5)[0], 230, 12);
  EXPECT_NEAR(pixel(*jpeg, 5, 5)[2], 20, 25);
}

TEST_F(ImageTest, ExifOrientationIsApplied) {
  const Image image = pattern(64, 32);  // red upper left, blue lower right
  const std::vector<std::uint8_t> plain = *encode_jpeg(image, 95);
  // Where red comes to lie, by orientation: the corner as (right, lower).
  const int red_at[9][2] = {{}, {0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}, {1, 0}, {1, 1}, {0, 1}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::vector<std::uint8_t> exif{
        0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,
        'M',  'M',  0, 42, 0,   0,   0,   8,   0, 1,
        1,    0x12, 0, 3,  0,   0,   0,   1,   0, static_cast<std::uint8_t>(orientation),
        0,    0,    0, 0,  0,   0};
    std::vector<std::uint8_t> bytes = plain;
    bytes.insert(bytes.begin() + 2, exif.begin(), exif.end());
    const Result<Image> got = decode_image(bytes);
    ASSERT_TRUE(got.ok()) << got.error().to_string();
    const bool turned = orientation >= 5;
    ASSERT_EQ(got->width, turned ? 32 : 64);
    const int x = red_at[orientation][0] != 0 ? got->width - 6 : 5;
    const int y = red_at[orientation][1] != 0 ? got->height - 6 : 5;
    EXPECT_GT(pixel(*got, x, y)[0], 180) << "orientation " << orientation;
    EXPECT_GT(pixel(*got, got->width - 1 - x, got->height - 1 - y)[2], 180) << orientation;
  }
}

TEST_F(ImageTest, DamageIsAnErrorNotAGreyPicture) {
  for (const bool png : {false, true}) {
    const Image image = pattern(200, 150);
    std::vector<std::uint8_t> bytes = png ? *encode_png(image) : *encode_jpeg(image, 90);
    bytes.resize(bytes.size() / 2);
    const Result<Image> cut = decode_image(bytes, "cut");
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().code, ErrorCode::kBadFormat);
    EXPECT_EQ(cut.error().context, "cut");
  }
  EXPECT_EQ(decode_image({}).error().code, ErrorCode::kBadFormat);
  const std::string text = "this is no picture at all";
  EXPECT_FALSE(
      decode_image({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}).ok());
  EXPECT_EQ(read_image(path("none.png")).error().code, ErrorCode::kNotFound);
}

TEST_F(ImageTest, HugeSizesAreRefusedBeforeDecoding) {
  const std::string ppm = "P6 30000 30000 255\n";
  const auto as_bytes = [](const std::string& s) {
    return std::span(reinterpret_cast<const std::uint8_t*>(s.data()), s.size());
  };
  EXPECT_EQ(decode_image(as_bytes(ppm)).error().code, ErrorCode::kLimit);
  EXPECT_EQ(decode_image(as_bytes("P6 0 5 255\n")).error().code, ErrorCode::kBadFormat);
  std::vector<std::uint8_t> png = *encode_png(pattern(16, 16));
  png[16] = png[20] = 0x00,
  png[17] = png[21] = 0x01;  // 65552 a side (the checksum is wrong as well)
  EXPECT_FALSE(decode_image(png).ok());
  EXPECT_FALSE(check_image_size(16384, 16384).ok());
  EXPECT_TRUE(check_image_size(16000, 16000).ok());
}

TEST(ImageFormatTest, GreyPictureOfTheDataSetBecomesRgb) {
  EXPECT_TRUE(has_image_extension("/x/y.JPEG"));
  EXPECT_FALSE(has_image_extension("/x/y.mp4"));
  std::vector<std::uint8_t> pgm{'P', '5', ' ', '2', ' ', '1', ' ', '2', '5', '5', '\n', 7, 250};
  const Result<Image> got = decode_image(pgm);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->rgb, (std::vector<std::uint8_t>{7, 7, 7, 250, 250, 250}));
}

}  // namespace
}  // namespace mien::media::test
