// `mien bench` and `mien export`, as their users run them.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/analyze_fixture.h"

namespace mien::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class BenchTest : public CliTest {
 protected:
  // What `mien bench <arguments> --json` printed; null after a failure.
  json bench(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--seconds", "0.1", "--threads", "1", "--json"});
    const Ran ran = mien(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.text();
    return json::parse(ran.out, nullptr, false);
  }

  static void expect_sane(const json& report) {
    ASSERT_TRUE(report.is_object()) << report;
    for (const char* key :
         {"median_ms", "p10_ms", "p90_ms", "clips_per_s", "gmacs", "gops", "peak_gops", "share"}) {
      ASSERT_TRUE(report.contains(key) && report[key].is_number()) << key;
      EXPECT_GT(report[key].get<double>(), 0.0) << key;
    }
    const auto number = [&](const char* key) { return report[key].get<double>(); };
    EXPECT_LE(number("p10_ms"), number("median_ms"));
    EXPECT_LE(number("median_ms"), number("p90_ms"));
    EXPECT_NEAR(number("clips_per_s") * number("median_ms"), 1e3, 5.0);
    EXPECT_NEAR(number("share"), number("gops") / number("peak_gops"), 1e-3);
    EXPECT_NEAR(number("gops") / (2.0 * number("gmacs") * number("clips_per_s")), 1.0, 1e-2);
    EXPECT_GE(report["runs"].get<int>(), 3);
    EXPECT_EQ(report["threads"].get<int>(), 1);
    EXPECT_LT(number("share"), 2.0) << "faster than oneDNN's own product";
  }
};

TEST_F(BenchTest, MeasuresPresetsAndFiles) {
  for (const char* preset : {"s2d-tiny", "adatosk-tiny", "landmark"}) {
    const json report = bench({preset, "--precision", "f32"});
    expect_sane(report);
    EXPECT_EQ(report["model"].get<std::string>(), preset);
    EXPECT_EQ(report["precision"].get<std::string>(), "f32");
  }
  const std::string file = (models_ / "s2d-random.safetensors").string();
  expect_sane(bench({file, "--precision", "bf16"}));
}

TEST_F(BenchTest, ASmallerBudgetComputesLess) {
  const json all = bench({"adatosk-tiny", "--budget", "1"});
  const json some = bench({"adatosk-tiny", "--budget", "0.2"});
  expect_sane(all);
  expect_sane(some);
  EXPECT_LT(some["gmacs"].get<double>(), all["gmacs"].get<double>());
  EXPECT_EQ(some["budget"].get<double>(), 0.2);
}

TEST_F(BenchTest, FailuresAreOneLine) {
  expect_one_line_error(mien({"bench", "s2d-huge"}), "s2d-huge");
  write("note.safetensors", "this is no model at all");
  expect_one_line_error(mien({"bench", "note.safetensors"}), "note.safetensors");
  expect_one_line_error(mien({"bench", "landmark", "--budget", "0.5"}), "budget");
  EXPECT_EQ(mien({"bench"}).exit_code, 2);
  EXPECT_EQ(mien({"bench", "s2d-tiny", "--budget", "2"}).exit_code, 2);
  EXPECT_EQ(mien({"bench", "s2d-tiny", "--precision", "f8"}).exit_code, 2);
}

TEST_F(BenchTest, ExportWritesOneFile) {
  const Ran help = mien({"--help"});
  if (help.out.find("export") == std::string::npos) GTEST_SKIP() << "built without ONNX";
  const std::string file = (models_ / "s2d-random.safetensors").string();
  const Ran ran = mien({"export", file, "model.onnx"});
  EXPECT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("model.onnx: s2d, opset 17"));
  EXPECT_EQ(list(""), (std::vector<std::string>{"model.onnx"}));
  EXPECT_GT(std::filesystem::file_size(path("model.onnx")), 10000U);
}

TEST_F(BenchTest, ExportLeavesNothingAfterAFailure) {
  const Ran help = mien({"--help"});
  if (help.out.find("export") == std::string::npos) GTEST_SKIP() << "built without ONNX";
  const std::string file = (models_ / "s2d-random.safetensors").string();
  expect_one_line_error(mien({"export", "missing.safetensors", "a.onnx"}), "missing.safetensors");
  expect_one_line_error(mien({"export", file, "a.onnx", "--budget", "0.5"}), "no soft mask");
  expect_one_line_error(mien({"export", file, "no/folder/a.onnx"}), "no/folder/a.onnx");
  EXPECT_TRUE(list("").empty());
}

}  // namespace
}  // namespace mien::testing
