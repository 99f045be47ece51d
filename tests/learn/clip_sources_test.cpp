// Clips told by file names and manifests, their folds, and the table of those that are missing.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/temp_folder.h"
#include "learn/data/clip_lists.h"

namespace mien::learn::clip_sources_test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

void write_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

ClipSource source_of(const std::string& path, const std::string& format, const std::string& split,
                     int fold = 1) {
  ClipSource source;
  source.path = path;
  source.format = format;
  source.split = split;
  source.fold = fold;
  return source;
}

std::vector<std::string> ids_of(const ClipList& list) {
  std::vector<std::string> ids;
  for (const ClipEntry& clip : list.clips) ids.push_back(clip.id);
  return ids;
}

std::set<std::string> groups_of(const ClipList& list) {
  std::set<std::string> groups;
  for (const ClipEntry& clip : list.clips) groups.insert(clip.group);
  return groups;
}

std::string two_digits(int number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

// Every actor's fold is where it tests; there it does not train, and elsewhere it does.
std::map<std::string, int> check_folds(const std::string& root, const std::string& format,
                                       std::size_t clips) {
  std::map<std::string, int> fold_of;
  std::size_t tested = 0;
  for (int fold = 1; fold <= 5; ++fold) {
    const auto train = read_clip_list(source_of(root, format, "train", fold));
    const auto test = read_clip_list(source_of(root, format, "test", fold));
    EXPECT_TRUE(train.ok() && test.ok()) << format << " fold " << fold;
    if (!train.ok() || !test.ok()) return fold_of;
    EXPECT_EQ(train->clips.size() + test->clips.size(), clips);
    tested += test->clips.size();
    const std::set<std::string> training = groups_of(*train);
    for (const std::string& actor : groups_of(*test)) {
      EXPECT_FALSE(training.contains(actor)) << actor;
      EXPECT_TRUE(fold_of.emplace(actor, fold).second) << actor << " tests twice";
    }
  }
  EXPECT_EQ(tested, clips);
  return fold_of;
}

TEST(ClipFolds, RavdessKeepsActorsApartAndSexesBalanced) {
  const TempFolder root;
  for (int actor = 1; actor <= 24; ++actor) {
    const std::string folder = "Actor_" + two_digits(actor) + "/";
    for (const char* emotion : {"01", "05", "08"}) {
      const std::string name = std::string("01-01-") + emotion + "-01-02-01-" + two_digits(actor);
      write_file(root.file(folder + name + ".mp4"), "a video");
    }
  }
  const std::map<std::string, int> fold_of = check_folds(root.path(), "auto", 72);
  EXPECT_EQ(fold_of.size(), 24U);
  std::map<int, int> women, men;
  for (const auto& [actor, fold] : fold_of) ++(std::stoi(actor) % 2 == 0 ? women : men)[fold];
  for (int fold = 1; fold <= 5; ++fold) {
    EXPECT_GE(women[fold], 2);
    EXPECT_GE(men[fold], 2);
    EXPECT_LE(women[fold] + men[fold], 5);
  }
  // The rule as documented.
  EXPECT_EQ(fold_of.at("02"), 1);
  EXPECT_EQ(fold_of.at("04"), 2);
  EXPECT_EQ(fold_of.at("12"), 1);
  EXPECT_EQ(fold_of.at("01"), 5);
  EXPECT_EQ(fold_of.at("03"), 4);
  EXPECT_EQ(fold_of.at("11"), 5);
  const auto all = read_clip_list(source_of(root.path(), "ravdess", "all"));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->clips.size(), 72U);
  EXPECT_EQ(all->classes.size(), 8U);
  const std::vector<std::string> ids = ids_of(*all);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(all->clips[0].id, "01-01-01-01-02-01-01");
  EXPECT_EQ(all->classes[static_cast<std::size_t>(all->clips[0].label)], "neutral");
  EXPECT_EQ(all->classes[static_cast<std::size_t>(all->clips.back().label)], "surprise");
}

TEST(ClipFolds, CremaDKeepsActorsApart) {
  const TempFolder root;
  for (int actor = 1001; actor <= 1091; ++actor) {
    write_file(root.file("VideoFlash/" + std::to_string(actor) + "_DFA_ANG_XX.flv"), "a video");
    write_file(root.file("VideoFlash/" + std::to_string(actor) + "_IEO_SAD_HI.flv"), "a video");
  }
  const std::map<std::string, int> fold_of = check_folds(root.path(), "auto", 182);
  EXPECT_EQ(fold_of.size(), 91U);
  EXPECT_EQ(fold_of.at("1001"), 1);
  EXPECT_EQ(fold_of.at("1005"), 5);
  EXPECT_EQ(fold_of.at("1006"), 1);
  const auto all = read_clip_list(source_of(root.path(), "crema-d", "all"));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->clips[0].group, "1001");
  EXPECT_EQ(all->classes[static_cast<std::size_t>(all->clips[0].label)], "anger");
  EXPECT_EQ(all->classes[static_cast<std::size_t>(all->clips[1].label)], "sadness");
}

// An incomplete copy has the same folds.
TEST(ClipFolds, DoNotDependOnWhoElseIsThere) {
  const TempFolder root;
  write_file(root.file("1007_DFA_ANG_XX.mp4"), "a video");
  write_file(root.file("1008_DFA_ANG_XX.mp4"), "a video");
  EXPECT_EQ(ids_of(read_clip_list(source_of(root.path(), "crema-d", "test", 2)).value()),
            std::vector<std::string>{"1007_DFA_ANG_XX"});
  const auto nobody = read_clip_list(source_of(root.path(), "crema-d", "test", 1));
  ASSERT_FALSE(nobody.ok());
  EXPECT_NE(nobody.error().to_string().find("test part of fold 1"), std::string::npos);
  EXPECT_EQ(read_clip_list(source_of(root.path(), "crema-d", "test", 6)).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(ClipNames, RavdessTakesEachPerformanceOnce) {
  const TempFolder root;
  write_file(root.file("a/01-01-06-01-02-01-12.mp4"), "with sound");
  write_file(root.file("b/02-01-06-01-02-01-12.mp4"), "without");
  write_file(root.file("a/01-02-06-01-02-01-12.mp4"), "a song");
  write_file(root.file("a/03-01-06-01-02-01-12.wav"), "only sound");
  write_file(root.file("a/holiday.mp4"), "another video");
  // A folder of frames, not looked into.
  write_file(root.file("c/02-01-03-02-01-01-11/02-01-04-01-01-01-11.mp4"), "inside");
  const auto list = read_clip_list(source_of(root.path(), "ravdess", "all"));
  ASSERT_TRUE(list.ok()) << list.error().to_string();
  EXPECT_EQ(ids_of(*list),
            (std::vector<std::string>{"02-01-03-02-01-01-11", "02-01-06-01-02-01-12"}));
  EXPECT_EQ(list->clips[0].path, root.file("c/02-01-03-02-01-01-11"));
  EXPECT_EQ(list->classes[static_cast<std::size_t>(list->clips[1].label)], "fear");
  EXPECT_EQ(list->clips[1].group, "12");
  write_file(root.file("d/02-01-06-01-02-01-12.avi"), "again");
  const auto twice = read_clip_list(source_of(root.path(), "ravdess", "all"));
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("b/02-01-06-01-02-01-12.mp4"), std::string::npos);
  EXPECT_NE(twice.error().message.find("d/02-01-06-01-02-01-12.avi"), std::string::npos);
}

TEST(ClipNames, ImpossibleNumbersAreErrors) {
  for (const char* name :
       {"02-01-09-01-02-01-12.mp4", "02-01-06-01-02-01-25.mp4", "02-01-00-01-02-01-12.mp4"}) {
    const TempFolder root;
    write_file(root.file(name), "a video");
    const auto list = read_clip_list(source_of(root.path(), "ravdess", "all"));
    ASSERT_FALSE(list.ok()) << name;
    EXPECT_EQ(list.error().code, ErrorCode::kBadFormat) << name;
    EXPECT_NE(list.error().to_string().find("no possible"), std::string::npos) << name;
  }
  for (const char* name : {"1001_DFA_JOY_XX.mp4", "1000_DFA_ANG_XX.mp4", "1092_DFA_ANG_XX.mp4",
                           "1001_DFA_ANG_ZZ.mp4"}) {
    const TempFolder root;
    write_file(root.file(name), "a video");
    EXPECT_EQ(read_clip_list(source_of(root.path(), "crema-d", "all")).error().code,
              ErrorCode::kBadFormat)
        << name;
  }
  const TempFolder root;
  write_file(root.file("1040_ITH_SAD_X.mp4"), "the odd name of the data set");
  EXPECT_TRUE(read_clip_list(source_of(root.path(), "crema-d", "all")).ok());
  EXPECT_EQ(read_clip_list(source_of(root.path(), "ravdess", "all")).error().code,
            ErrorCode::kNotFound);
}

TEST(ClipManifest, NamesTimesGroupsAndSplits) {
  const TempFolder root;
  write_file(root.file("manifest.csv"),
             "\xEF\xBB\xBFpath,label,start_s,end_s,group,split\r\n"
             "a.mp4,Happy,,,ann,train\r\n"
             "a.mp4,sad,1.5,2.25,ann,train\r\n"
             "\"b, c.mp4\",joy,2,,bob,test\r\n");
  const auto train = read_clip_list(source_of(root.path(), "auto", "train"));
  ASSERT_TRUE(train.ok()) << train.error().to_string();
  EXPECT_EQ(train->classes, (std::vector<std::string>{"happiness", "sadness"}));
  EXPECT_EQ(ids_of(*train), (std::vector<std::string>{"a.mp4", "a.mp4@1.5-2.25"}));
  EXPECT_EQ(train->clips[1].path, root.file("a.mp4"));
  EXPECT_EQ(train->clips[0].end_s, -1.0);
  EXPECT_EQ(train->clips[1].start_s, 1.5);
  EXPECT_EQ(train->clips[1].end_s, 2.25);
  EXPECT_EQ(train->clips[1].label, 1);
  EXPECT_EQ(train->clips[1].group, "ann");
  for (const char* split : {"test", "valid"}) {
    // The file itself may be named too.
    const auto test = read_clip_list(source_of(root.file("manifest.csv"), "auto", split));
    ASSERT_TRUE(test.ok()) << test.error().to_string();
    ASSERT_EQ(test->clips.size(), 1U);
    EXPECT_EQ(test->clips[0].path, root.file("b, c.mp4"));
    EXPECT_EQ(test->clips[0].label, 0);
    EXPECT_EQ(test->clips[0].end_s, -1.0);
  }
  EXPECT_EQ(read_clip_list(source_of(root.path(), "auto", "all")).value().clips.size(), 3U);
  // A file for the split goes before the common one.
  write_file(root.file("manifest_test.csv"), "path,label\nd,sad\n");
  EXPECT_EQ(ids_of(read_clip_list(source_of(root.path(), "auto", "test")).value()),
            std::vector<std::string>{"d"});
}

TEST(ClipManifest, NumbersAreIndices) {
  const TempFolder root;
  write_file(root.file("manifest.csv"), "path,label\na,2\nb,0\n");
  const auto bare = read_clip_list(source_of(root.path(), "manifest", "train"));
  ASSERT_TRUE(bare.ok()) << bare.error().to_string();
  EXPECT_EQ(bare->classes, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(bare->clips[0].label, 2);
  write_file(root.file("classes.txt"), "Sad\r\nAngry\r\nCurious\r\n");
  const auto named = read_clip_list(source_of(root.path(), "manifest", "train"));
  ASSERT_TRUE(named.ok()) << named.error().to_string();
  EXPECT_EQ(named->classes, (std::vector<std::string>{"sadness", "anger", "curious"}));
  EXPECT_EQ(named->clips[0].label, 2);
  write_file(root.file("manifest.csv"), "path,label\na,anger\nb,2\n");
  EXPECT_EQ(read_clip_list(source_of(root.path(), "manifest", "train")).value().clips[0].label, 1);
}

TEST(ClipManifest, BadRowsAreErrors) {
  const char* const kBad[] = {"path\na\n",
                              "path,label\n",
                              "path,label\na,\n",
                              "path,label\n,sad\n",
                              "path,label\na,sad\na,happy\n",
                              "path,label\na,sad\nb,3\n",
                              "path,label\na,5000000\n",
                              "path,label,start_s\na,sad,-1\n",
                              "path,label,start_s\na,sad,nan\n",
                              "path,label,start_s,end_s\na,sad,2,1\n",
                              "path,label,start_s,end_s\na,sad,0,0\n",
                              "path,label,end_s\na,sad,soon\n",
                              "path,label,split\na,sad,test\n",
                              "path,label\na,sad,1\n",
                              ""};
  for (const char* text : kBad) {
    const TempFolder root;
    write_file(root.file("manifest.csv"), text);
    const auto list = read_clip_list(source_of(root.path(), "manifest", "train"));
    ASSERT_FALSE(list.ok()) << text;
    EXPECT_NE(list.error().to_string().find("manifest.csv"), std::string::npos) << text;
  }
}

TEST(ClipManifest, ErrorsNameLineAndColumn) {
  const TempFolder root;
  const auto fault = [&](const std::string& text) {
    write_file(root.file("manifest.csv"), text);
    const auto list = read_clip_list(source_of(root.path(), "manifest", "train"));
    return list.ok() ? std::string() : list.error().to_string();
  };
  const std::string file = root.file("manifest.csv");
  EXPECT_EQ(fault("path,label,end_s\na,sad,\nb,sad,soon\n"),
            file + ": line 3, column 'end_s': 'soon' is not a number");
  EXPECT_EQ(fault("path,label,start_s,end_s\na,sad,2,1\n"),
            file + ": line 2: the clip ends at 1 s, not after its start");
  EXPECT_EQ(fault("path,note\na,sad\n"), file + ": has no column 'label'");
  EXPECT_EQ(fault("path,label,split,split\na,sad,train,test\n"),
            file + ": column 'split' appears twice");
  write_file(root.file("classes.txt"), "sad\nhappy\n");
  EXPECT_EQ(fault("path,label\na,2\n"),
            file + ": line 2, column 'label': label '2' is outside 0..1");
}

TEST(ClipProblems, UnusableClipsAreTakenOutAndListed) {
  const TempFolder root;
  write_file(root.file("manifest.csv"),
             "path,label\nfine,sad\ngone,sad\nfine.mp4,sad\nempty.mp4,sad\nbare,sad\n"
             "pointer.flv,sad\nnotes.txt,sad\nhollow,sad\n");
  write_file(root.file("fine/00001.jpg"), "a picture");
  write_file(root.file("fine.mp4"), "a video");
  write_file(root.file("empty.mp4"), "");
  write_file(root.file("bare/readme.txt"), "no picture");
  write_file(root.file("bare/._1.jpg"), "left by another system");
  write_file(root.file("pointer.flv"), "version https://git-lfs.github.com/spec/v1\noid sha256:0");
  write_file(root.file("notes.txt"), "text");
  write_file(root.file("hollow/1.png"), "");
  auto list = read_clip_list(source_of(root.path(), "auto", "train"));
  ASSERT_TRUE(list.ok()) << list.error().to_string();
  const ClipCheck check = check_clips(*list);
  EXPECT_EQ(check.usable, 2U);
  EXPECT_EQ(ids_of(*list), (std::vector<std::string>{"fine", "fine.mp4"}));
  const std::vector<std::string> expected = {
      "no such file or folder",
      "an empty file",
      "a folder without pictures",
      "a Git LFS pointer, not the file itself (git lfs pull)",
      "neither a video nor a picture by its name",
      "1.png: an empty file"};
  ASSERT_EQ(check.missing.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(check.missing[i].reason, expected[i]) << check.missing[i].id;
  }
  EXPECT_EQ(check.missing[0].id, "gone");
  EXPECT_EQ(check.missing[0].path, root.file("gone"));
}

TEST(ClipProblems, TheTableIsShortAndAligned) {
  ClipCheck check;
  EXPECT_EQ(problem_table(check, 5), "");
  check.usable = 7;
  check.missing = {{"a", "data/a", "gone"}, {"b\nc", "data/b", "an empty file"}, {"d", "e", "f"}};
  EXPECT_EQ(problem_table(check, 2),
            "3 of 10 clips cannot be used:\n"
            "  clip  reason         path\n"
            "  a     gone           data/a\n"
            "  b?c   an empty file  data/b\n"
            "  and 1 more\n"
            "going on with 7\n");
  EXPECT_EQ(problem_table(check, 0),
            "3 of 10 clips cannot be used:\n  and 3 more\ngoing on with 7\n");
  const std::string whole = problem_table(check, 100);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 6);
}

}  // namespace
}  // namespace mien::learn::clip_sources_test
