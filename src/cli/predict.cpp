// `mien predict`: the faces of still pictures, one row each.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/analyze_options.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "report/csv_writer.h"
#include "report/json_writer.h"

namespace mien::cli {
namespace {

struct PredictOptions {
  std::vector<std::string> images;
  AnalyzerOptions analyzer;
  std::string precision = "auto";
  bool json = false;
};

// Rows on stdout as they come.
class Rows {
 public:
  Rows(const std::vector<std::string>& classes, bool json) : classes_(classes), json_(json) {
    if (json_) {
      writer_.begin_array();
    } else {
      std::vector<std::string> columns = {"image", "x", "y", "w", "h", "score", "label"};
      columns.insert(columns.end(), classes.begin(), classes.end());
      print(report::csv_header(columns));
    }
  }

  void add(const std::string& image, const StillFace& face) {
    const std::string& label = classes_[static_cast<std::size_t>(face.label)];
    if (json_) {
      writer_.begin_object().key("image").string(image);
      writer_.key("x").number(face.x, 1).key("y").number(face.y, 1);
      writer_.key("w").number(face.w, 1).key("h").number(face.h, 1);
      writer_.key("score").number(face.score, 3).key("label").string(label);
      writer_.key("probabilities").begin_object(report::JsonWriter::Layout::kInline);
      for (std::size_t i = 0; i < classes_.size(); ++i) {
        writer_.key(classes_[i]).number(face.probabilities[i], 5);
      }
      writer_.end_object().end_object();
      print(writer_.take());
      return;
    }
    report::CsvRow row;
    row.text(image).number(face.x, 1).number(face.y, 1).number(face.w, 1).number(face.h, 1);
    row.number(face.score, 3).text(label);
    for (const float p : face.probabilities) row.number(p, 5);
    print(row.line());
  }

  void end() {
    if (json_) print(writer_.end_array().take());
    std::fflush(stdout);
  }

 private:
  static void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

  const std::vector<std::string>& classes_;
  bool json_;
  report::JsonWriter writer_;
};

int run(PredictOptions options) {
  const auto precision = parse_precision(options.precision);
  if (!precision.ok()) return wrong_usage(precision.error().to_string());
  options.analyzer.precision = *precision;
  options.analyzer.stills = true;
  catch_interrupts();
  const auto analyzer = Analyzer::load(options.analyzer);
  if (!analyzer.ok()) return failed(analyzer.error());

  Rows rows(analyzer->classes(), options.json);
  int exit_code = kExitDone;
  for (const std::string& image : options.images) {
    if (interrupted()) {
      exit_code = failed(make_error(ErrorCode::kCancelled, "stopped", image));
      break;
    }
    const auto faces = analyzer->predict(image);
    if (!faces.ok()) {
      exit_code = failed(faces.error());
      continue;
    }
    if (faces->empty()) print_line(make_error({}, "no face was found", image).to_string());
    for (const StillFace& face : *faces) rows.add(image, face);
  }
  rows.end();
  return exit_code;
}

}  // namespace

void add_predict(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("predict", "the faces of still pictures, one row each");
  const auto options = std::make_shared<PredictOptions>();
  command->add_option("IMAGE", options->images, "pictures")->required();
  declare_networks(*command, options->analyzer, options->precision);
  command->add_flag("--json", options->json, "print a JSON list instead of CSV");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace mien::cli
