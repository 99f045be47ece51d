// The page and its companions in JSON and CSV: well-formed, complete, and without text that was not
// escaped, whatever the classes and files are called.
#include "report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "report/html_parts.h"
#include "report/xml_check.h"

namespace mien::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kHostile = {"<script>alert(1)</script>", "a&b\"c'd", "x\x01\xFFy"};

TEST(HtmlParts, Base64AndPictures) {
  const auto encode = [](const std::string& text) {
    return base64(std::vector<std::uint8_t>(text.begin(), text.end()));
  };
  // The test vectors of RFC 4648, section 10.
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::vector<std::uint8_t>{0xFB, 0xFF}), "+/8=");
  EXPECT_EQ(*picture_uri(std::vector<std::uint8_t>{0xFF, 0xD8, 0xFF}),
            "data:image/jpeg;base64,/9j/");
  EXPECT_EQ(picture_uri(std::vector<std::uint8_t>{'<', 's', 'v', 'g'}).error().code,
            ErrorCode::kBadFormat);
  EXPECT_EQ(escape_lines("a <b>\n--c"), "a &lt;b&gt;\n--c");
}

std::vector<std::uint8_t> fake_png(std::uint8_t number) {
  return {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', number};
}

// Three folds: in each 10 right clips and 9 wrong ones, the later the surer; 27 mistakes in all.
EvalReport example_report() {
  ScoreTable table;
  table.classes = kHostile;
  for (int fold = 1; fold <= 3; ++fold) {
    for (int i = 0; i < 19; ++i) {
      const float sure = 0.5F + 0.02F * static_cast<float>(i) + 0.001F * static_cast<float>(fold);
      std::vector<float> probabilities = {0.0F, 1.0F - sure, 0.0F};
      const int truth = i < 10 ? i % 3 : 1;
      probabilities[static_cast<std::size_t>(i < 10 ? truth : 0)] += sure;
      table.clips.push_back({"clip <" + std::to_string(i) + ">", fold, truth, probabilities, 4});
    }
  }
  const auto made = make_report(std::move(table), *find_protocol("ravdess", 3));
  EXPECT_TRUE(made.ok()) << made.error().to_string();
  EvalReport report = *made;
  report.title = "Report of <script>";
  report.dataset = "RAVDESS & friends";
  report.model = "s2d-\"base\"";
  for (std::size_t i = 0; i < report.mistakes.size(); ++i) {
    report.mistakes[i].strip = fake_png(static_cast<std::uint8_t>(i));
  }
  report.histories.push_back(
      {"fold 1", *parse_history("epoch,step,lr,loss,seconds,samples_per_s,war,uar\n"
                                "1,10,0.001,2.0,1,5,0.3,0.2\n2,20,0.0005,nan,2,5,0.4,0.3\n",
                                "history.csv")});
  report.settings = {{"views", "2 segments x 2 crops"}, {"<path>", "a\"b"}};
  report.repeat = "mien eval --data <dir> \\\n  --protocol ravdess";
  return report;
}

TEST(ReportHtml, IsOneSoundPage) {
  const auto page = report_html(example_report());
  ASSERT_TRUE(page.ok()) << page.error().to_string();
  EXPECT_EQ(XmlCheck::fault(*page), "");  // unique ids too
  EXPECT_THAT(*page, HasSubstr("<!DOCTYPE html>"));
  EXPECT_THAT(*page, Not(HasSubstr("<script")));
  EXPECT_THAT(*page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  // Nothing is fetched: no address but the name space of the drawings.
  EXPECT_EQ(count_of(*page, "http"), count_of(*page, "xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_EQ(count_of(*page, "src="), count_of(*page, "src=\"data:image/png;base64,"));
  EXPECT_THAT(*page, Not(HasSubstr("url(")));
  EXPECT_THAT(*page, Not(HasSubstr("@import")));
  // Confusion matrix, bars, reliability; loss, scores and learning rate.
  EXPECT_EQ(count_of(*page, "<svg"), 6U);
  EXPECT_EQ(count_of(*page, "role=\"img\""), 6U);
  EXPECT_EQ(count_of(*page, "<img "), count_of(*page, " alt=\""));
  EXPECT_THAT(*page, HasSubstr("mean of 3 folds"));
  EXPECT_THAT(*page, HasSubstr("mien eval --data &lt;dir&gt; \\\n  --protocol ravdess"));
  const std::string out = std::string(MIEN_BINARY_DIR) + "/html_test.html";
  EXPECT_TRUE(core::write_file_atomically(out, *page).ok());  // to look at
}

TEST(ReportHtml, ShowsTheTwentySurestMistakes) {
  const EvalReport report = example_report();
  ASSERT_EQ(report.mistakes.size(), 20U);
  EXPECT_EQ(report.mistakes[0].id, "clip <18>");
  EXPECT_EQ(report.mistakes[0].fold, 3);
  EXPECT_EQ(report.mistakes[0].truth, 1U);
  EXPECT_EQ(report.mistakes[0].predicted, 0U);
  EXPECT_NEAR(report.mistakes[0].confidence, 0.5 + 0.36 + 0.003, 1e-6);
  for (std::size_t i = 1; i < report.mistakes.size(); ++i) {
    EXPECT_GE(report.mistakes[i - 1].confidence, report.mistakes[i].confidence);
  }
  const auto page = report_html(report);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(count_of(*page, "<img "), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    const Mistake& mistake = report.mistakes[i];
    EXPECT_THAT(*page, HasSubstr(base64(fake_png(static_cast<std::uint8_t>(i)))));
    EXPECT_THAT(*page, HasSubstr("clip &lt;" + mistake.id.substr(6, 2) + "&gt;, fold " +
                                 std::to_string(mistake.fold)));
  }
}

TEST(ReportHtml, RefusesWhatIsNoPicture) {
  EvalReport report = example_report();
  report.mistakes[3].strip = {'<', 's', 'v', 'g', '>'};
  const auto page = report_html(report);
  ASSERT_FALSE(page.ok());
  EXPECT_THAT(page.error().to_string(), HasSubstr(report.mistakes[3].id));
  report.mistakes[3].strip.clear();
  EXPECT_THAT(*report_html(report), HasSubstr("(no picture)"));
}

TEST(ReportHtml, ManagesWithTheLeast) {
  const ScoreTable table = {.classes = {"a"}, .clips = {{"x", 1, 0, {1.0F}, 1}}};
  const auto report = make_report(table, *find_protocol("single"));
  ASSERT_TRUE(report.ok());
  const auto page = report_html(*report);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(XmlCheck::fault(*page), "");
  EXPECT_THAT(*page, Not(HasSubstr("mistakes-made")));
  EXPECT_THAT(*page, Not(HasSubstr("How to repeat")));
}

TEST(ReportHtml, SpeaksOfPicturesWhereTheyAreNoClips) {
  const ScoreTable table = {
      .classes = {"a", "b"},
      .clips = {{"x.png", 1, 0, {0.2F, 0.8F}, 1}, {"y.png", 1, 1, {0.2F, 0.8F}, 1}}};
  auto report = make_report(table, *find_protocol("single"));
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->mistakes.size(), 1U);
  report->mistakes[0].strip = fake_png(1);
  const auto clips = report_html(*report);
  ASSERT_TRUE(clips.ok());
  EXPECT_THAT(*clips, HasSubstr("alt=\"Clip x.png: is a, said b\""));
  EXPECT_THAT(*clips, HasSubstr("<dt>Clips</dt><dd>2</dd>"));
  EXPECT_THAT(report_json(*report), HasSubstr("bootstrap over clips, within"));
  report->item = "picture";
  const auto pictures = report_html(*report);
  ASSERT_TRUE(pictures.ok());
  EXPECT_EQ(XmlCheck::fault(*pictures), "");
  EXPECT_THAT(*pictures, HasSubstr("alt=\"Picture x.png: is a, said b\""));
  EXPECT_THAT(*pictures, HasSubstr("<dt>Pictures</dt><dd>2</dd>"));
  EXPECT_EQ(count_of(*pictures, "clip") + count_of(*pictures, "Clip"), 0U);
  EXPECT_THAT(report_json(*report), HasSubstr("bootstrap over pictures, within"));
}

TEST(ReportHtml, PartialResultsSaySo) {
  const ScoreTable table = {.classes = {"a", "b"},
                            .clips = {{"x", 2, 0, {0.9F, 0.1F}, 1}, {"y", 2, 1, {0.2F, 0.8F}, 1}}};
  EXPECT_FALSE(make_report(table, *find_protocol("dfew")).ok());
  const auto report = make_report(table, *find_protocol("dfew"), {.allow_partial = true});
  ASSERT_TRUE(report.ok());
  const auto page = report_html(*report);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(*page, HasSubstr("fold 2 of 5 alone (partial)"));
  EXPECT_THAT(*page, HasSubstr("the official test list 2341"));
}

TEST(ReportJson, HasTheContractsKeys) {
  const EvalReport report = example_report();
  const auto json = nlohmann::json::parse(report_json(report));
  EXPECT_EQ(json.at("n").get<int>(), 57);
  EXPECT_NEAR(json.at("war").get<double>(), 10.0 / 19, 1e-6);
  EXPECT_NEAR(json.at("uar").get<double>(), report.protocol.mean.uar, 1e-6);
  EXPECT_NEAR(json.at("macro_f1").get<double>(), report.protocol.mean.macro_f1, 1e-6);
  EXPECT_EQ(json.at("classes").size(), 3U);
  EXPECT_EQ(json.at("classes")[0].get<std::string>(), kHostile[0]);
  EXPECT_EQ(json.at("per_class")[0].at("support").get<int>(), 12);  // i = 0, 3, 6, 9 in each fold
  EXPECT_EQ(json.at("confusion")[1][0].get<int>(), 27);
  EXPECT_EQ(json.at("folds").size(), 3U);
  EXPECT_EQ(json.at("folds")[2].at("fold").get<int>(), 3);
  EXPECT_EQ(json.at("protocol").at("basis").get<std::string>(), "mean of 3 folds");
  EXPECT_NEAR(json.at("std").at("war").get<double>(), 0.0, 1e-6);
  EXPECT_LT(json.at("ci").at("war")[0].get<double>(), 10.0 / 19);
  EXPECT_GT(json.at("ci").at("war")[1].get<double>(), 10.0 / 19);
  EXPECT_NEAR(json.at("ece").get<double>(), report.calibration.ece, 1e-6);
  EXPECT_EQ(json.at("mistakes").size(), 20U);
  EXPECT_EQ(json.at("settings").at("<path>").get<std::string>(), "a\"b");
}

TEST(ReportCsv, OneRowPerClass) {
  const ScoreTable table = {.classes = {"a,b", "c"},
                            .clips = {{"x", 1, 0, {0.9F, 0.1F}, 1},
                                      {"y", 1, 0, {0.2F, 0.8F}, 1},
                                      {"z", 1, 1, {0.2F, 0.8F}, 1}}};
  const auto report = make_report(table, *find_protocol("single"));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report_csv(*report),
            "class,support,predicted,recall,precision,f1\n"
            "\"a,b\",2,1,0.500000,1.000000,0.666667\n"
            "c,1,2,1.000000,0.500000,0.666667\n");
}

TEST(WriteReport, FourFiles) {
  const std::string folder = std::string(MIEN_BINARY_DIR) + "/html_test_report";
  EvalReport report = example_report();
  report.scores.classes = {"a", "b", "c"};  // a CSV cannot give back bytes that are no UTF-8
  ASSERT_TRUE(write_report(folder, report).ok());
  for (const char* name : {"report.html", "report.json", "report.csv", "scores.csv"}) {
    const auto text = core::read_text_file(folder + "/" + name);
    ASSERT_TRUE(text.ok()) << name;
    EXPECT_FALSE(text->empty()) << name;
  }
  // Every figure can be computed again from the scores.
  const auto again = read_scores(folder + "/scores.csv");
  ASSERT_TRUE(again.ok()) << again.error().to_string();
  const auto made = make_report(*again, *find_protocol("ravdess", 3));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->protocol.mean.macro_f1, report.protocol.mean.macro_f1);
  EXPECT_EQ(made->intervals.uar.low, report.intervals.uar.low);
  EXPECT_EQ(made->calibration.ece, report.calibration.ece);
}

// Older runs call the column of the speed pictures_per_s.
TEST(TrainingHistory, PanelsOfTheTrainersFile) {
  for (const char* speed : {"samples_per_s", "pictures_per_s"}) {
    const auto history = parse_history(
        "epoch,step,lr,loss,seconds," + std::string(speed) +
            ",war,uar,cross_entropy,n\n"
            "1,10,0.001,2.0,1,5,0.5,0.25,1.9,100\n2,20,0.0005,1.5,2,5,0.75,,1.7,100\n",
        "h.csv");
    ASSERT_TRUE(history.ok()) << history.error().to_string();
    const auto panels = history_panels(*history);
    ASSERT_EQ(panels.size(), 3U);
    ASSERT_EQ(panels[0].curves.size(), 2U);
    EXPECT_EQ(panels[0].curves[1].name, "cross_entropy");
    ASSERT_EQ(panels[1].curves.size(), 2U);
    EXPECT_DOUBLE_EQ(panels[1].curves[0].points[1].second, 75.0);
    EXPECT_TRUE(std::isnan(panels[1].curves[1].points[1].second));
    EXPECT_DOUBLE_EQ(panels[2].curves[0].points[1].first, 2.0);
    EXPECT_TRUE(panels[2].from_zero);
  }
}

TEST(TrainingHistory, RefusesWhatIsNone) {
  const auto message = [](const char* text) {
    const auto history = parse_history(text, "h.csv");
    return history.ok() ? std::string() : history.error().to_string();
  };
  EXPECT_THAT(message(""), HasSubstr("h.csv: is empty"));
  EXPECT_THAT(message("epoch,step\n1,2\n"), HasSubstr("no column 'loss'"));
  EXPECT_THAT(message("epoch,loss,loss\n"), HasSubstr("'loss' appears twice"));
  EXPECT_THAT(message("epoch,loss\n1\n"), HasSubstr("line 2: 1 field, the header has 2"));
  EXPECT_THAT(message("epoch,loss\n1,much\n"),
              HasSubstr("h.csv: line 2, column 'loss': 'much' is not a number"));
  EXPECT_EQ(message("epoch,loss\n1,nan\n2,inf\n"), "");
}

}  // namespace
}  // namespace mien::report
