// Files of tables of experiments, and what is kept of their evaluations.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/files.h"
#include "core/temp_folder.h"
#include "learn/sweep_config.h"
#include "learn/sweep_record.h"
#include "learn/train_config.h"

namespace mien::learn::test {
namespace {

namespace fs = std::filesystem;
using mien::testing::TempFolder;

constexpr const char* kSweepHead = "base = \"a.toml\"\nseeds = [1, 2]\n";
constexpr const char* kSweepEval = "[[eval]]\noptions = [\"--data\", \"x\"]\n";
constexpr const char* kSweepRow = "[[row]]\nname = \"one\"\nset = [\"train.lr=1\"]\n";

TEST(SweepConfig, EveryCommittedSweepParsesAndSoDoItsTrainings) {
  const std::string root = MIEN_SOURCE_DIR;
  std::size_t trainings = 0;
  for (const auto& entry : fs::directory_iterator(root + "/configs/sweeps")) {
    const auto sweep = read_sweep_config(entry.path().string());
    ASSERT_TRUE(sweep.ok()) << sweep.error().to_string();
    for (const SweepRow& row : sweep->rows) {
      if (row.base.empty()) continue;
      std::vector<std::string> sets = row.sets;
      for (std::string& assignment : sets) {
        const std::string place = "{seed}";
        if (const auto at = assignment.find(place); at != std::string::npos) {
          assignment.replace(at, place.size(), "1");
        }
      }
      const auto config = read_train_config(root + "/" + row.base, sets);
      EXPECT_TRUE(config.ok()) << row.name << ": " << config.error().to_string();
      ++trainings;
    }
  }
  EXPECT_GT(trainings, 5U);
}

TEST(SweepConfig, RowsTakeTheSweepsSettingsFirst) {
  const TempFolder folder;
  std::ofstream(folder.file("s.toml"))
      << kSweepHead << "set = [\"train.epochs=1\"]\nbaseline = \"given\"\n"
      << kSweepEval << kSweepRow
      << "[[row]]\nname = \"given\"\nmodel = \"m-{seed}.safetensors\"\neval = [\"test\"]\n"
         "[[row]]\nname = \"other\"\nbase = \"b.toml\"\noptions = [\"--budget\", \"0.5\"]\n"
         "[[prepare]]\nout = \"x\"\ncommand = [\"synth\", \"faces\"]\n";
  const auto sweep = read_sweep_config(folder.file("s.toml"));
  ASSERT_TRUE(sweep.ok()) << sweep.error().to_string();
  EXPECT_EQ(sweep->title, "s");
  EXPECT_EQ(sweep->seeds, (std::vector<std::int64_t>{1, 2}));
  ASSERT_EQ(sweep->rows.size(), 3U);
  EXPECT_EQ(sweep->rows[0].base, "a.toml");
  EXPECT_EQ(sweep->rows[0].sets, (std::vector<std::string>{"train.epochs=1", "train.lr=1"}));
  EXPECT_EQ(sweep->rows[1].base, "");
  EXPECT_TRUE(sweep->rows[1].sets.empty());
  EXPECT_EQ(sweep->rows[2].base, "b.toml");
  EXPECT_EQ(sweep->rows[2].options.size(), 2U);
  EXPECT_EQ(sweep->preparations.at(0).command.size(), 2U);
}

TEST(SweepConfig, WhatIsWrongIsNamed) {
  const TempFolder folder;
  const auto message = [&](const std::string& text) {
    std::ofstream(folder.file("s.toml"), std::ios::trunc) << text;
    const auto sweep = read_sweep_config(folder.file("s.toml"));
    return sweep.ok() ? std::string("accepted") : sweep.error().to_string();
  };
  const std::string head = kSweepHead;
  const std::string eval = kSweepEval;
  const std::string row = kSweepRow;
  EXPECT_EQ(message(head + eval + row), "accepted");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {head + "seedz = 3\n" + eval + row, "seedz"},
      {"seeds = []\n" + eval + row, "'seeds'"},
      {"seeds = [1, 1]\n" + eval + row, "twice"},
      {"seeds = [-1]\n" + eval + row, "0..1e9"},
      {head + row, "[[eval]]"},
      {head + eval, "[[row]]"},
      {head + eval + row + row, "stands twice"},
      {head + eval + eval + row, "stands twice"},
      {"seeds = [1]\n" + eval + row, "neither a model nor a base"},
      {head + eval + row + "model = \"m\"\n", "has settings"},
      {head + eval + row + "eval = [\"no\"]\n", "evaluation that there is not"},
      {head + "baseline = \"two\"\n" + eval + row, "'two'"},
      {head + "set = [\"run.seed=3\"]\n" + eval + row, "run.seed"},
      {head + "set = [\"train.lr\"]\n" + eval + row, "key=value"},
      {head + eval + row + "[[prepare]]\nout = \"x\"\n", "prepare.command"},
      {head + "row = 3\n" + eval, "'row' is not a list"},
      {"seeds = [", "line 1"}};
  for (const auto& [text, named] : cases) {
    EXPECT_NE(message(text).find(named), std::string::npos) << message(text) << " for " << named;
  }
  EXPECT_FALSE(read_sweep_config(folder.file("none.toml")).ok());
}

TEST(SweepRecord, FiguresOfAnEvaluationsDocument) {
  const auto figures = sweep_figures(
      R"({"title": "x", "n": 4, "war": 0.5, "mask": {"rho": 0.25, "none": null, "deep": {"a": 1}},
          "protocol": {"folds": 5}, "ci": {"level": 0.95}, "folds": [{"fold": 1, "war": 0.1}],
          "budgets": [{"budget": 0.5, "war": 0.4}], "confusion": [[1, 2]],
          "parts": [{"name": "p", "seconds": 2.5}]})",
      "eval");
  ASSERT_TRUE(figures.ok()) << figures.error().to_string();
  const SweepFigures expected = {{"n", 4},
                                 {"war", 0.5},
                                 {"mask.rho", 0.25},
                                 {"mask.deep.a", 1},
                                 {"budgets[0.5].budget", 0.5},
                                 {"budgets[0.5].war", 0.4},
                                 {"parts[p].seconds", 2.5}};
  EXPECT_EQ(*figures, expected);
  for (const std::string& broken :
       {std::string("[1]"), std::string("{"), std::string(), std::string(100'000, '[')}) {
    EXPECT_FALSE(sweep_figures(broken, "eval").ok());
  }
}

TEST(SweepRecord, HoldsForItsSettingsOnly) {
  const TempFolder folder;
  const std::string path = folder.file("r.json");
  EXPECT_FALSE(read_sweep_record(path, "key").ok());
  ASSERT_TRUE(write_sweep_record(path, "key", 2.5, "{\"war\": 0.75}").ok());
  const auto record = read_sweep_record(path, "key");
  ASSERT_TRUE(record.ok()) << record.error().to_string();
  EXPECT_EQ(record->seconds, 2.5);
  EXPECT_EQ(record->figures, (SweepFigures{{"war", 0.75}}));
  EXPECT_EQ(read_sweep_record(path, "other").error().code, ErrorCode::kNotFound);
  // Half a file, as nobody of us leaves it.
  const std::string text = core::read_text_file(path).value();
  ASSERT_TRUE(core::write_file_atomically(path, text.substr(0, text.size() / 2)).ok());
  EXPECT_FALSE(read_sweep_record(path, "key").ok());
  EXPECT_FALSE(write_sweep_record(folder.file("no.json"), "key", 1.0, "WAR 75 %").ok());
  EXPECT_FALSE(fs::exists(folder.file("no.json")));
}

}  // namespace
}  // namespace mien::learn::test
