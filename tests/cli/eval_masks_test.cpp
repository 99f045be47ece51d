// mien eval with the soft mask of an AdaTosk model: budgets, the control that drops tokens at
// random, and masks against the truth of composed clips. The model's weights are random.
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/analyze_fixture.h"
#include "media/drawn_stills.h"
#include "pipeline/random_models.h"

namespace mien::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class EvalMasksTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    if (!std::filesystem::exists(std::string(MIEN_BINARY_DIR) + "/mien-train")) {
      GTEST_SKIP() << "mien-train is not part of this build";
    }
    ASSERT_TRUE(write_random_adatosk(path("adatosk.safetensors")).ok());
    ASSERT_TRUE(media::test::write_drawn_stills(path("stills"), 2));
    const Ran ran = mien({"synth", "moments", "--out", "data", "--images", "stills", "--labels",
                          "stills/labels.csv", "--frames", "16", "--size", "48", "--clips", "8",
                          "--seed", "5"});
    ASSERT_EQ(ran.exit_code, 0) << ran.text();
  }

  Ran eval(const std::vector<std::string>& more,
           const std::string& model = "adatosk.safetensors") const {
    std::vector<std::string> arguments = {"eval",     "--model", model,         "--data", "data",
                                          "--format", "clips",   "--precision", "f32"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return mien(arguments);
  }

  json report(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = more;
    arguments.emplace_back("--json");
    const Ran ran = eval(arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.text();
    return ran.exit_code == 0 ? json::parse(ran.out) : json();
  }

  // Clips of the manifest in which something arises.
  std::size_t moments() const {
    std::size_t count = 0;
    const auto rows = lines("data/manifest.csv");
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (rows[i].find(",neutral,") == std::string::npos) ++count;
    }
    return count;
  }

  // The first of them.
  std::string first_moment() const {
    const auto rows = lines("data/manifest.csv");
    for (std::size_t i = 1; i < rows.size(); ++i) {
      if (rows[i].find(",neutral,") == std::string::npos)
        return rows[i].substr(0, rows[i].find(','));
    }
    return "";
  }
};

TEST_F(EvalMasksTest, MasksAreMeasuredAgainstTheTruth) {
  ASSERT_GT(moments(), 0U);
  const Ran ran = eval({"--budget", "0.25", "--out", "out"});
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_THAT(ran.out, HasSubstr("mask against the truth of " + std::to_string(moments()) +
                                 " clips: rank correlation "));
  EXPECT_THAT(read("out/report.html"), HasSubstr("Soft mask"));
  const json engine = json::parse(read("out/report.json"));
  EXPECT_EQ(engine["n"], 8);
  EXPECT_EQ(engine["settings"]["budget"], "0.25");
  EXPECT_THAT(engine["repeat"].get<std::string>(), HasSubstr(" --budget 0.25 "));
  EXPECT_EQ(engine["mask"]["clips"], moments());
  const double rho = engine["mask"]["rank_correlation"].get<double>();
  EXPECT_GE(rho, -1.0);
  EXPECT_LE(rho, 1.0);
  // 98 of 392 tokens: the chance that 13 or more of a slot's 49 are among them, by exact integers.
  EXPECT_NEAR(engine["mask"]["apex_kept_random"].get<double>(), 0.456145, 1e-6);
  // The other implementation's masks are the same but for rounding.
  const json reference = report({"--budget", "0.25", "--reference"});
  EXPECT_EQ(reference["settings"]["computed by"], "LibTorch, f32");
  EXPECT_EQ(reference["war"], engine["war"]);
  EXPECT_NEAR(reference["mask"]["rank_correlation"].get<double>(), rho, 0.02);
  EXPECT_NEAR(reference["mask"]["apex_kept"].get<double>(),
              engine["mask"]["apex_kept"].get<double>(), 0.1);
}

TEST_F(EvalMasksTest, TheBudgetIsTheModelsUnlessGiven) {
  const json own = report({});
  EXPECT_EQ(own["settings"]["budget"], "0.4");
  EXPECT_THAT(own["repeat"].get<std::string>(), Not(HasSubstr("--budget")));
  EXPECT_EQ(report({"--budget", "0.4"})["mask"], own["mask"]);
  // With every token every frame is kept; how slots are ranked does not depend on the budget.
  const json all = report({"--budget", "1"});
  EXPECT_EQ(all["settings"]["budget"], "1");
  EXPECT_EQ(all["mask"]["apex_kept"], 1.0);
  EXPECT_EQ(all["mask"]["apex_kept_random"], 1.0);
  EXPECT_EQ(all["mask"]["rank_correlation"], own["mask"]["rank_correlation"]);
}

TEST_F(EvalMasksTest, TokensDroppedAtRandomAreTheControl) {
  const auto scores = [&](const std::string& out, std::vector<std::string> more) {
    more.emplace_back("--out");
    more.push_back(out);
    const Ran ran = eval(more);
    EXPECT_EQ(ran.exit_code, 0) << ran.text();
    return read(out + "/scores.csv");
  };
  const std::string random = scores("one", {"--budget", "0.1", "--drop", "random"});
  EXPECT_EQ(scores("two", {"--budget", "0.1", "--drop", "random"}), random);
  EXPECT_NE(scores("mask", {"--budget", "0.1", "--reference"}), random);
  const json said = json::parse(read("one/report.json"));
  EXPECT_THAT(said["settings"]["computed by"].get<std::string>(), HasSubstr("at random"));
  EXPECT_THAT(said["repeat"].get<std::string>(), HasSubstr(" --reference --budget 0.1 --drop "));
  // Whole slots are another choice, and as reproducible. Two of eight are a quarter.
  const std::string slots = scores("slots", {"--budget", "0.25", "--drop", "random-slots"});
  EXPECT_EQ(scores("slots2", {"--budget", "0.25", "--drop", "random-slots"}), slots);
  EXPECT_NE(scores("tokens", {"--budget", "0.25", "--drop", "random"}), slots);
  EXPECT_THAT(json::parse(read("slots/report.json"))["settings"]["computed by"].get<std::string>(),
              HasSubstr("slots dropped at random"));
  // Where nothing is dropped there is nothing to draw.
  EXPECT_EQ(scores("all", {"--budget", "1", "--drop", "random"}),
            scores("whole", {"--budget", "1", "--reference"}));
}

TEST_F(EvalMasksTest, TruthThatDoesNotFitIsNamed) {
  const std::string truth = read("data/truth.csv");
  const auto expect_named = [&](const std::string& changed, const std::string& named) {
    write("data/truth.csv", changed);
    const Ran ran = eval({});
    EXPECT_EQ(ran.exit_code, 1) << ran.text();
    EXPECT_THAT(ran.err, HasSubstr(named));
    EXPECT_THAT(ran.err, HasSubstr("truth.csv"));
  };
  const std::string header = truth.substr(0, truth.find('\n') + 1);
  expect_named(header, "no rows of clip");
  expect_named(header + "clips/00000,1,0.0,neutral,0,0.0\n", "frame 0 of the clip is next");
  // A clip with a moment loses the row of its last frame.
  const std::string row = "\n" + first_moment() + ",15,";
  const std::size_t at = truth.find(row);
  ASSERT_NE(at, std::string::npos);
  expect_named(truth.substr(0, at) + truth.substr(truth.find('\n', at + 1)),
               "has 16 frames, truth.csv says 15");
  // Without it there is nothing to measure the mask against.
  std::filesystem::remove(path("data/truth.csv"));
  EXPECT_FALSE(report({}).contains("mask"));
}

TEST_F(EvalMasksTest, OtherModelsHaveNoBudget) {
  const std::string other = (models_ / "s2d-random.safetensors").string();
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"--budget", "0.5"}, {"--drop", "random"}}) {
    const Ran ran = eval(more, other);
    EXPECT_EQ(ran.exit_code, 2) << ran.text();
    EXPECT_THAT(ran.err, HasSubstr("has no soft mask"));
  }
  for (const char* budget : {"0", "-1", "1.5", "nan", "half"}) {
    EXPECT_EQ(eval({"--budget", budget}).exit_code, 2) << budget;
  }
  EXPECT_EQ(eval({"--drop", "none"}).exit_code, 2);
  EXPECT_EQ(mien({"eval", "--model", "adatosk.safetensors", "--data", "data", "--format",
                  "manifest", "--budget", "0.5"})
                .exit_code,
            2);
  EXPECT_EQ(
      mien({"eval", "--scores", "one.csv", "--protocol", "single", "--budget", "0.5"}).exit_code,
      2);
  // Without asking for anything of a mask it is measured as before, and says nothing of one.
  const Ran ran = eval({"--json"}, other);
  ASSERT_EQ(ran.exit_code, 0) << ran.text();
  EXPECT_FALSE(json::parse(ran.out).contains("mask"));
  EXPECT_FALSE(json::parse(ran.out)["settings"].contains("budget"));
}

}  // namespace
}  // namespace mien::testing
