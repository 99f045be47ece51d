#include "media/archive.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "media/image.h"
#include "support.h"

namespace mien::media::test {
namespace {

class ArchiveTest : public ScratchTest {
 protected:
  // One ustar entry with its data, by hand.
  static void add(std::vector<char>& tar, const std::string& name, const std::string& data) {
    std::array<char, 512> header{};
    std::snprintf(header.data(), 100, "%s", name.c_str());
    std::snprintf(header.data() + 100, 8, "%07o", 0644);
    std::snprintf(header.data() + 124, 12, "%011zo", data.size());
    std::snprintf(header.data() + 136, 12, "%011o", 0);
    std::memset(header.data() + 148, ' ', 8);
    header[156] = '0';
    std::memcpy(header.data() + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    std::snprintf(header.data() + 148, 8, "%06o", sum);
    tar.insert(tar.end(), header.begin(), header.end());
    tar.insert(tar.end(), data.begin(), data.end());
    tar.resize((tar.size() + 511) / 512 * 512);
  }
};

TEST_F(ArchiveTest, GivesEveryEntryAndRefusesLargeOnes) {
  std::vector<char> tar;
  add(tar, "a.txt", "hello");
  add(tar, "b/c.bin", std::string(5000, 'x'));
  tar.resize(tar.size() + 1024);
  write_bytes(path("t.tar"), tar);
  Result<ArchiveReader> reader = ArchiveReader::open(path("t.tar"));
  ASSERT_TRUE(reader.ok()) << reader.error().to_string();
  Result<std::optional<ArchiveEntry>> entry = reader->next();
  ASSERT_TRUE(entry.ok() && *entry);
  EXPECT_EQ((*entry)->name, "a.txt");
  EXPECT_EQ(std::string((*entry)->bytes.begin(), (*entry)->bytes.end()), "hello");
  entry = reader->next();
  ASSERT_TRUE(entry.ok() && *entry);
  EXPECT_EQ((*entry)->bytes.size(), 5000U);
  entry = reader->next();
  ASSERT_TRUE(entry.ok());
  EXPECT_FALSE(*entry);

  Result<ArchiveReader> small = ArchiveReader::open(path("t.tar"), {.max_entry_bytes = 1000});
  ASSERT_TRUE(small.ok());
  EXPECT_TRUE(small->next().ok());
  const auto refused = small->next();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);

  cut_file(path("t.tar"), path("cut.tar"), 0.5);
  Result<ArchiveReader> cut = ArchiveReader::open(path("cut.tar"));
  ASSERT_TRUE(cut.ok());
  EXPECT_TRUE(cut->next().ok());
  EXPECT_FALSE(cut->next().ok());
}

TEST_F(ArchiveTest, OtherFilesAreErrors) {
  EXPECT_EQ(ArchiveReader::open(path("none.tar")).error().code, ErrorCode::kNotFound);
  write_bytes(path("text.tar"), std::vector<char>(2000, 'q'));
  EXPECT_EQ(ArchiveReader::open(path("text.tar")).error().code, ErrorCode::kBadFormat);
  EXPECT_FALSE(ArchiveReader::open(dir_.string()).ok());
}

TEST_F(ArchiveTest, GzipAndPlainTextReadAlike) {
  const std::string text = "a,b\n1,2\n";
  write_bytes(path("x.csv"), {text.begin(), text.end()});
  EXPECT_EQ(*read_maybe_gzip(path("x.csv")), text);
  if (std::system(("gzip -k " + path("x.csv")).c_str()) != 0) GTEST_SKIP() << "no gzip program";
  EXPECT_EQ(*read_maybe_gzip(path("x.csv.gz")), text);
  EXPECT_EQ(read_maybe_gzip(path("x.csv.gz"), 4).error().code, ErrorCode::kLimit);
  cut_file(path("x.csv.gz"), path("cut.gz"), 0.6);
  EXPECT_FALSE(read_maybe_gzip(path("cut.gz")).ok());
}

TEST(DataSetTest, StillsOfTheDataSetsDecode) {
  const std::string file = shared("data/ferplus/valid.tar");
  if (!fs::exists(file)) GTEST_SKIP() << "no shared/data here";
  Result<ArchiveReader> reader = ArchiveReader::open(file);
  ASSERT_TRUE(reader.ok());
  int count = 0;
  for (;; ++count) {
    auto entry = reader->next();
    ASSERT_TRUE(entry.ok());
    if (!*entry) break;
    if (count % 50 != 0) continue;
    const Result<Image> image = decode_image((*entry)->bytes, (*entry)->name);
    ASSERT_TRUE(image.ok()) << image.error().to_string();
    ASSERT_EQ(image->width, 48);
    EXPECT_EQ(pixel(*image, 9, 9)[0], pixel(*image, 9, 9)[2]);  // grey
  }
  EXPECT_EQ(count, 3579);
  const Result<std::string> table = read_maybe_gzip(shared("data/ferplus/valid_landmarks.csv.gz"));
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->rfind("image,spread,x0,y0", 0), 0U);
}

}  // namespace
}  // namespace mien::media::test
