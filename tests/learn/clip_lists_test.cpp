// Annotation files of the DFER data sets: the published ones, and miniature copies of each layout.
#include "learn/data/clip_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/labels.h"
#include "core/temp_folder.h"

namespace mien::learn::clip_lists_test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A folder of frames as far as the lists care.
void make_frames(const fs::path& folder, const std::string& name = "1.jpg") {
  write_file(folder / name, "a picture");
}

std::string published(const std::string& name) {
  return std::string(MIEN_SHARED_DIR) + "/reference/golden/annotations/" + name;
}

std::string read_whole(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

ClipSource source_of(const std::string& path, const std::string& format,
                     const std::string& annotation = {}) {
  ClipSource source;
  source.path = path;
  source.format = format;
  source.annotation = annotation;
  return source;
}

std::string class_name(const ClipList& list, const ClipEntry& clip) {
  return list.classes.at(static_cast<std::size_t>(clip.label));
}

struct Published {
  const char* file;
  const char* format;
  const char* classes;  // of core/labels.h
  std::size_t count;
  const char* first_id;
  const char* first_class;
  const char* last_id;
  const char* last_class;
  const char* first_path;  // below the root; of mae-dfer lists the end of the path
};

const Published kPublished[] = {
    {"dfew_train_set_1.head20.csv", "dfew", "dfew", 19, "02522", "disgust", "02818", "fear",
     "Clip/clip_224x224_16f/02522"},
    {"dfew_test_set_1.head20.csv", "dfew-original", "dfew", 19, "00001", "sadness", "00025",
     "anger", "Clip/jpg_256/00001"},
    {"ferv39k_train.head20.csv", "ferv39k", "ferv39k", 19, "Crime/Angry/0063", "anger",
     "Interview/Sad/0287", "sadness", "2_ClipsforFaceCrop/Crime/Angry/0063"},
    {"ferv39k_test.head20.csv", "ferv39k", "ferv39k", 19, "Interview/Happy/0118", "happiness",
     "Business/Neutral/0076", "neutral", "2_ClipsforFaceCrop/Interview/Happy/0118"},
    {"mafw_single_set_1_train.head20.csv", "mafw", "mafw", 19, "03747", "anger", "04024", "anger",
     "frames_crop_align_224/03747"},
    {"mafw_single_set_1_test.head20.csv", "mafw", "mafw", 19, "00025", "anger", "00407", "anger",
     "frames_crop_align_224/00025"},
    {"mafw_single_set_1_train.head20.txt", "mafw", "mafw", 20, "03747", "anger", "04087", "anger",
     "frames_crop_align_224/03747"},
    {"mafw_single_with_caption_set_1_train.head20.txt", "mafw", "mafw", 20, "03747", "anger",
     "04087", "anger", "frames_crop_align_224/03747"},
    // The first lines of the compound list have single emotions only.
    {"mafw_compound_set_1_train.head20.txt", "mafw", "mafw", 20, "02820", "anger", "03309", "anger",
     "frames_crop_align_224/02820"},
    {"mae_dfer_format_dfew_split01_train.head20.csv", "mae-dfer-dfew", "dfew-mae-dfer", 20, "02522",
     "disgust", "02854", "disgust", "/DFEW/Clip/jpg_256/02522"},
    {"mae_dfer_format_ferv39k_train.head20.csv", "mae-dfer-ferv39k", "ferv39k-mae-dfer", 20,
     "Crime/Angry/0063", "anger", "Crisis/Neutral/0189", "neutral",
     "/FERV39k/2_ClipsforFaceCrop/Crime/Angry/0063"},
    {"mae_dfer_format_mafw_split01_train.head20.csv", "mae-dfer-mafw", "mafw-mae-dfer", 20, "03747",
     "anger", "04087", "anger", "/MAFW/data/frames/03747"}};

TEST(ClipLists, FormatsAreKnownByTheirNames) {
  const TempFolder root;
  const std::vector<std::string> formats = clip_formats();
  EXPECT_EQ(formats.size(), 10U);
  EXPECT_EQ(std::set<std::string>(formats.begin(), formats.end()).size(), formats.size());
  const auto unknown = read_clip_list(source_of(root.path(), "dfew2"));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(unknown.error().message.find("no format"), std::string::npos);
  for (const std::string& format : formats) {
    // An empty folder is no data set, but the name is one of a format.
    const auto list = read_clip_list(source_of(root.path(), format));
    ASSERT_FALSE(list.ok()) << format;
    EXPECT_EQ(list.error().message.find("no format"), std::string::npos) << format;
    EXPECT_NE(unknown.error().message.find(format), std::string::npos) << format;
  }
}

TEST(ClipLists, PublishedFilesGiveTheirEntries) {
  if (!fs::exists(published(""))) GTEST_SKIP() << "no reference data beside the repository";
  const TempFolder root;
  for (const Published& known : kPublished) {
    const auto list = read_clip_list(source_of(root.path(), known.format, published(known.file)));
    ASSERT_TRUE(list.ok()) << list.error().to_string();
    EXPECT_EQ(list->classes, core::find_label_set(known.classes).value().classes) << known.file;
    ASSERT_EQ(list->clips.size(), known.count) << known.file;
    const ClipEntry& first = list->clips.front();
    const ClipEntry& last = list->clips.back();
    EXPECT_EQ(first.id, known.first_id) << known.file;
    EXPECT_EQ(last.id, known.last_id) << known.file;
    EXPECT_EQ(class_name(*list, first), known.first_class) << known.file;
    EXPECT_EQ(class_name(*list, last), known.last_class) << known.file;
    EXPECT_EQ(first.end_s, -1.0);
    const std::string path = known.first_path;
    if (path.front() == '/') {
      EXPECT_TRUE(first.path.ends_with(path)) << first.path;
      EXPECT_TRUE(fs::path(first.path).is_absolute()) << first.path;
    } else {
      EXPECT_EQ(first.path, root.file(path)) << known.file;
    }
  }
}

// The same clips in the two conventions of FERV39k must mean the same expressions.
TEST(ClipLists, PublishedConventionsAgree) {
  if (!fs::exists(published(""))) GTEST_SKIP() << "no reference data beside the repository";
  const auto s2d =
      read_clip_list(source_of("nowhere", "ferv39k", published("ferv39k_train.head20.csv")));
  const auto mae = read_clip_list(source_of("nowhere", "mae-dfer-ferv39k",
                                            published("mae_dfer_format_ferv39k_train.head20.csv")));
  ASSERT_TRUE(s2d.ok() && mae.ok());
  for (std::size_t i = 0; i < s2d->clips.size(); ++i) {
    EXPECT_EQ(s2d->clips[i].id, mae->clips[i].id);
    EXPECT_EQ(class_name(*s2d, s2d->clips[i]), class_name(*mae, mae->clips[i]));
  }
}

// label_index.txt and id_to_calss.txt of the authors say what our orders of classes are.
TEST(ClipLists, PublishedClassIndicesAreOurs) {
  if (!fs::exists(published(""))) GTEST_SKIP() << "no reference data beside the repository";
  std::istringstream ferv39k(read_whole(published("ferv39k_label_index.txt")));
  std::string name;
  std::size_t index = 0;
  std::size_t count = 0;
  for (; ferv39k >> name >> index; ++count) {
    EXPECT_EQ(core::find_label_set("ferv39k").value().index_of(name), index) << name;
  }
  EXPECT_EQ(count, 7U);
  std::istringstream mafw(read_whole(published("mafw_id_to_class.txt")));
  char colon = 0;
  for (count = 0; mafw >> index >> colon >> name; ++count) {
    ASSERT_GE(name.size(), 3U);
    EXPECT_EQ(core::find_label_set("mafw").value().index_of(name.substr(1, name.find('\'', 1) - 1)),
              index)
        << name;
  }
  EXPECT_EQ(count, 11U);
}

TEST(ClipLists, DfewListsOfS2dAndOfTheAuthors) {
  const TempFolder root;
  const fs::path lists = root.file("EmoLabel_DataSplit");
  write_file(lists / "train(single-labeled)" / "train_set_2.csv",
             "video_name,label\n00010,0\n00002,6\n");
  write_file(lists / "test(single-labeled)" / "set_2.csv", "video_name,label\r\n7,7\r\n12,1\r\n");
  make_frames(root.file("Clip/clip_224x224_16f/00010"));
  make_frames(root.file("Clip/clip_224x224/00007"));
  write_file(root.file("Clip/clip_224x224/12.mp4"), "a video");
  ClipSource source = source_of(root.path(), "auto");
  source.fold = 2;
  const auto train = read_clip_list(source);
  ASSERT_TRUE(train.ok()) << train.error().to_string();
  ASSERT_EQ(train->clips.size(), 2U);
  EXPECT_EQ(train->clips[0].id, "00010");
  EXPECT_EQ(class_name(*train, train->clips[0]), "happiness");
  EXPECT_EQ(class_name(*train, train->clips[1]), "fear");
  EXPECT_EQ(train->clips[1].path, root.file("Clip/clip_224x224_16f/00002"));
  for (const char* split : {"test", "valid", "val"}) {
    source.format = "dfew-original";
    source.split = split;
    const auto test = read_clip_list(source);
    ASSERT_TRUE(test.ok()) << test.error().to_string();
    EXPECT_EQ(test->clips[0].id, "00007");
    EXPECT_EQ(class_name(*test, test->clips[0]), "fear");
    EXPECT_EQ(class_name(*test, test->clips[1]), "happiness");
    EXPECT_EQ(test->clips[0].path, root.file("Clip/clip_224x224/00007"));
    EXPECT_EQ(test->clips[1].path, root.file("Clip/clip_224x224/12.mp4"));
  }
  source.fold = 3;
  EXPECT_EQ(read_clip_list(source).error().code, ErrorCode::kNotFound);
  source.fold = 6;
  EXPECT_EQ(read_clip_list(source).error().code, ErrorCode::kInvalidArgument);
  source.fold = 2;
  source.split = "dev";
  EXPECT_EQ(read_clip_list(source).error().code, ErrorCode::kInvalidArgument);
}

// What a list of DFEW with these lines, in a file of this name, makes of its first label; the error
// where it is one.
std::string dfew_first(const std::string& name, const std::string& lines) {
  const TempFolder root;
  write_file(root.file(name), "video_name,label\n" + lines);
  const auto list = read_clip_list(source_of(root.path(), "dfew", root.file(name)));
  return list.ok() ? class_name(*list, list->clips[0]) : list.error().to_string();
}

TEST(ClipLists, DfewNumberingIsProvenOrNamed) {
  EXPECT_EQ(dfew_first("a.csv", "1,3\n2,0\n"), "anger");
  EXPECT_EQ(dfew_first("a.csv", "1,3\n2,7\n"), "neutral");
  EXPECT_EQ(dfew_first("train_set_1.csv", "1,3\n"), "anger");
  EXPECT_EQ(dfew_first("set_1.csv", "1,3\n"), "neutral");
  EXPECT_NE(dfew_first("a.csv", "1,3\n").find("count from 0 or 1"), std::string::npos);
  EXPECT_NE(dfew_first("a.csv", "1,0\n2,7\n").find("0 and 7"), std::string::npos);
  EXPECT_NE(dfew_first("a.csv", "1,0\n2,8\n").find("outside 0..6"), std::string::npos);
  EXPECT_NE(dfew_first("a.csv", "1,0\n2,-1\n").find("'-1'"), std::string::npos);
  EXPECT_NE(dfew_first("a.csv", "1,0\n2,1.5\n").find("'1.5'"), std::string::npos);
  EXPECT_NE(dfew_first("a.csv", "1,0\n2,99999999999\n").find("99999999999"), std::string::npos);
  EXPECT_NE(dfew_first("a.csv", "1,0\n../x,1\n").find("'../x' is not a number"), std::string::npos);
}

TEST(ClipLists, DuplicatesAndEmptyListsAreErrors) {
  // 00001 and 1 are the same clip.
  EXPECT_NE(dfew_first("a.csv", "00001,0\n1,2\n").find("'00001' is there twice"),
            std::string::npos);
  EXPECT_NE(dfew_first("a_test_set_1.csv", "").find("a_test_set_1.csv: lists no clips"),
            std::string::npos);
  const TempFolder root;
  write_file(root.file("set_1/train.txt"), "\r\n\r\n");
  const auto empty = read_clip_list(source_of(root.path(), "mafw"));
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().to_string().find("set_1/train.txt"), std::string::npos);
  write_file(root.file("set_1/train.txt"), "");
  EXPECT_EQ(read_clip_list(source_of(root.path(), "mafw")).error().code, ErrorCode::kBadFormat);
}

TEST(ClipLists, Ferv39kListsOfS2dAndOfTheAuthors) {
  const TempFolder root;
  write_file(root.file("4_setups/All_scenes/train_All.csv"),
             "Crime/Angry/0063 Angry\r\nWar/Fear/0001 Fear\r\n");
  write_file(root.file("Annotation/test.csv"), "\xEF\xBB\xBFpath,id\r\nAction/Sad/0010,5\r\n");
  write_file(root.file("2_ClipsforFaceCrop/Crime/Angry/0063.mp4"), "a video");
  ClipSource source = source_of(root.path(), "auto");
  source.fold = 0;  // has none
  const auto train = read_clip_list(source);
  ASSERT_TRUE(train.ok()) << train.error().to_string();
  EXPECT_EQ(class_name(*train, train->clips[0]), "anger");
  EXPECT_EQ(train->clips[0].path, root.file("2_ClipsforFaceCrop/Crime/Angry/0063.mp4"));
  EXPECT_EQ(class_name(*train, train->clips[1]), "fear");
  source.split = "test";
  const auto test = read_clip_list(source);
  ASSERT_TRUE(test.ok()) << test.error().to_string();
  EXPECT_EQ(class_name(*test, test->clips[0]), "sadness");
}

TEST(ClipLists, MixedUpOrdersOfFerv39kAreFound) {
  const TempFolder root;
  // 3 is anger for MAE-DFER, happiness for S2D.
  write_file(root.file("mae.csv"), "/x/2_ClipsforFaceCrop/Crime/Angry/0063 3\n");
  write_file(root.file("s2d.csv"), "path,id\nCrime/Angry/0063,0\n");
  write_file(root.file("wrong_s2d.csv"), "path,id\nCrime/Angry/0063,3\n");
  write_file(root.file("wrong_mae.csv"), "/x/2_ClipsforFaceCrop/Crime/Angry/0063 0\n");
  const auto read = [&](const char* format, const char* file) {
    return read_clip_list(source_of(root.path(), format, root.file(file)));
  };
  EXPECT_TRUE(read("mae-dfer-ferv39k", "mae.csv").ok());
  EXPECT_TRUE(read("ferv39k", "s2d.csv").ok());
  EXPECT_NE(read("ferv39k", "wrong_s2d.csv").error().to_string().find("mae-dfer-ferv39k"),
            std::string::npos);
  EXPECT_NE(read("mae-dfer-ferv39k", "wrong_mae.csv").error().to_string().find("format ferv39k"),
            std::string::npos);
  for (const char* id : {"Crime/Angry", "../Angry/0063", "Crime/Bored/0063", "Crime/Angry/../x"}) {
    write_file(root.file("bad.csv"), "path,id\n" + std::string(id) + ",0\n");
    EXPECT_EQ(read("ferv39k", "bad.csv").error().code, ErrorCode::kBadFormat) << id;
  }
}

TEST(ClipLists, MafwInEveryKindOfList) {
  const TempFolder root;
  const fs::path lists = root.file("Train & Test Set/single/no_caption");
  write_file(lists / "set_1/train.txt", "03747.mp4 anger\r\n00001.mp4 disappointment\r\n");
  write_file(lists / "set_1/test.csv", "video_name,labels\n00002,10\n");
  // Captions hold quotes and bytes that are no UTF-8.
  write_file(lists / "set_1/caption.txt", "00003.mp4\tneutral\t\xC4\xD0\xC8\xCB\tA \"man\r\n");
  write_file(lists / "set_1/compound.txt", "00003.mp4 anger\r\n00004.mp4 anger_disgust\r\n");
  write_file(root.file("data/clips/03747.mp4"), "a video");
  ClipSource source = source_of(root.path(), "auto");
  const auto train = read_clip_list(source);
  ASSERT_TRUE(train.ok()) << train.error().to_string();
  EXPECT_EQ(train->clips[0].id, "03747");
  EXPECT_EQ(train->clips[0].path, root.file("data/clips/03747.mp4"));
  EXPECT_EQ(train->clips[1].label, 3);
  EXPECT_EQ(class_name(*train, train->clips[1]), "disappointment");
  source.split = "test";
  EXPECT_EQ(class_name(read_clip_list(source).value(), read_clip_list(source).value().clips[0]),
            "surprise");
  source.annotation = (lists / "set_1/caption.txt").string();
  const auto captions = read_clip_list(source);
  ASSERT_TRUE(captions.ok()) << captions.error().to_string();
  EXPECT_EQ(class_name(*captions, captions->clips[0]), "neutral");
  source.annotation = (lists / "set_1/compound.txt").string();
  const auto compound = read_clip_list(source);
  ASSERT_FALSE(compound.ok());
  EXPECT_EQ(compound.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(compound.error().to_string().find("anger_disgust"), std::string::npos);
}

TEST(ClipLists, MaeDferListsOfAnotherMachine) {
  const TempFolder root;
  const std::string elsewhere = "/mien-no-such-folder/DFEW/";
  write_file(root.file("org/split02/train.csv"),
             elsewhere + "Clip/jpg 256/00001 6\n" + elsewhere + "Clip/jpg 256/00002 0\n");
  write_file(root.file("org/split02/test.csv"), elsewhere + "Clip/jpg 256/00003 1\n");
  ClipSource source = source_of(root.path(), "mae-dfer-dfew");
  source.fold = 2;
  const auto away = read_clip_list(source);
  ASSERT_TRUE(away.ok()) << away.error().to_string();
  EXPECT_EQ(away->clips[0].path, elsewhere + "Clip/jpg 256/00001");
  EXPECT_EQ(class_name(*away, away->clips[0]), "fear");
  // Only the second is here: it tells where the others would be.
  make_frames(root.file("Clip/jpg 256/00002"));
  const auto here = read_clip_list(source);
  ASSERT_TRUE(here.ok()) << here.error().to_string();
  EXPECT_EQ(here->clips[0].path, root.file("Clip/jpg 256/00001"));
  EXPECT_EQ(here->clips[1].path, root.file("Clip/jpg 256/00002"));
  // There is no val.csv: the papers validate on the test part.
  source.split = "valid";
  EXPECT_EQ(read_clip_list(source).value().clips[0].id, "00003");
  write_file(root.file("org/split02/val.csv"), "/x/00004 2\n");
  EXPECT_EQ(read_clip_list(source).value().clips[0].id, "00004");
}

TEST(ClipLists, TheOrderOfMafwFollowsTheFormat) {
  const TempFolder root;
  write_file(root.file("list.csv"), "/x/00001 1\n");
  const auto mae = read_clip_list(source_of(root.path(), "mae-dfer-mafw", root.file("list.csv")));
  const auto s2d = read_clip_list(source_of(root.path(), "mafw", root.file("list.csv")));
  ASSERT_TRUE(mae.ok());
  EXPECT_EQ(class_name(*mae, mae->clips[0]), "disgust");
  EXPECT_FALSE(s2d.ok());  // an absolute folder is no id
  write_file(root.file("list.csv"), "/x/00001\n");
  const auto unlabelled =
      read_clip_list(source_of(root.path(), "mae-dfer-mafw", root.file("list.csv")));
  ASSERT_FALSE(unlabelled.ok());
  EXPECT_NE(unlabelled.error().to_string().find("line 1"), std::string::npos);
}

TEST(ClipLists, UnknownFoldersAndFormatsAreNamed) {
  const TempFolder root;
  const auto unknown = read_clip_list(source_of(root.path(), "auto"));
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().to_string().find("mae-dfer-mafw"), std::string::npos);
  EXPECT_EQ(read_clip_list(source_of(root.file("no"), "auto")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_clip_list(source_of(root.path(), "sfew")).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_clip_list(source_of(root.path(), "dfew", root.file("no.csv"))).error().code,
            ErrorCode::kNotFound);
}

}  // namespace
}  // namespace mien::learn::clip_lists_test
