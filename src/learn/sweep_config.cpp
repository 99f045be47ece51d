#include "learn/sweep_config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include "core/files.h"
#include "learn/toml_section.h"

namespace mien::learn {
namespace {

constexpr std::size_t kMaxSeeds = 1000;
constexpr std::size_t kMaxRows = 1000;

Error bad(const std::string& what) {
  return make_error(ErrorCode::kInvalidArgument, what);
}

// The tables of a list [[name]]; none when it is absent.
Result<std::vector<const toml::table*>> tables_of(const toml::table& root, const char* name) {
  std::vector<const toml::table*> out;
  const toml::node* node = root.get(name);
  if (node == nullptr) return out;
  const toml::array* list = node->as_array();
  if (list == nullptr) return bad(std::string("'") + name + "' is not a list of tables");
  for (const toml::node& item : *list) {
    const toml::table* table = item.as_table();
    if (table == nullptr) return bad(std::string("'") + name + "' is not a list of tables");
    out.push_back(table);
  }
  if (out.size() > kMaxRows) return bad(std::string("'") + name + "' is too long");
  return out;
}

Status read_seeds(const toml::table& root, std::vector<std::int64_t>& out) {
  const toml::node* node = root.get("seeds");
  const toml::array* list = node == nullptr ? nullptr : node->as_array();
  if (list == nullptr || list->empty() || list->size() > kMaxSeeds) {
    return bad("'seeds' is not a list of seeds");
  }
  for (const toml::node& item : *list) {
    const auto seed = item.value<std::int64_t>();
    if (!seed || *seed < 0 || *seed > 1'000'000'000) return bad("a seed is not in 0..1e9");
    if (std::find(out.begin(), out.end(), *seed) != out.end()) {
      return bad("the seed " + std::to_string(*seed) + " stands twice");
    }
    out.push_back(*seed);
  }
  return {};
}

Status read_preparations(const toml::table& root, std::vector<SweepPreparation>& out) {
  MIEN_ASSIGN(const auto tables, tables_of(root, "prepare"));
  for (const toml::table* table : tables) {
    SweepPreparation preparation;
    Section s(table, "prepare");
    s.read("out", preparation.out);
    s.read_list("command", preparation.command);
    MIEN_TRY(s.finish());
    if (preparation.out.empty()) return bad("'prepare.out' is missing");
    if (preparation.command.empty()) return bad("'prepare.command' is missing");
    out.push_back(std::move(preparation));
  }
  return {};
}

Status read_evaluations(const toml::table& root, std::vector<SweepEvaluation>& out) {
  MIEN_ASSIGN(const auto tables, tables_of(root, "eval"));
  std::set<std::string> names;
  for (const toml::table* table : tables) {
    SweepEvaluation evaluation;
    evaluation.name = "test";
    Section s(table, "eval");
    s.read("name", evaluation.name);
    s.read_list("options", evaluation.options);
    MIEN_TRY(s.finish());
    if (evaluation.name.empty()) return bad("'eval.name' is empty");
    if (!names.insert(evaluation.name).second) {
      return bad("the evaluation '" + evaluation.name + "' stands twice");
    }
    out.push_back(std::move(evaluation));
  }
  return out.empty() ? Status(bad("no [[eval]]")) : Status();
}

// What the sweep itself gives to each training.
Status check_sets(const std::vector<std::string>& sets) {
  constexpr std::array<std::string_view, 3> kOurs = {"run.name", "run.seed", "output.model"};
  for (const std::string& assignment : sets) {
    const std::string key = assignment.substr(0, assignment.find('='));
    if (key.size() == assignment.size() || key.empty()) {
      return bad("'set' wants key=value, not '" + assignment + "'");
    }
    if (std::find(kOurs.begin(), kOurs.end(), key) != kOurs.end()) {
      return bad("'set' has " + key + ", which the sweep itself gives");
    }
  }
  return {};
}

Status check_row(const SweepRow& row, bool has_sets, const SweepConfig& config) {
  if (row.name.empty()) return bad("'row.name' is missing");
  const std::string who = "row '" + row.name + "' ";
  for (const SweepRow& other : config.rows) {
    if (other.name == row.name) return bad(who + "stands twice");
  }
  if (!row.model.empty() && has_sets) return bad(who + "trains nothing and has settings");
  if (row.model.empty() && row.base.empty()) return bad(who + "has neither a model nor a base");
  for (const std::string& name : row.evaluations) {
    const bool known = std::any_of(config.evaluations.begin(), config.evaluations.end(),
                                   [&](const SweepEvaluation& e) { return e.name == name; });
    if (!known) return bad(who + "names an evaluation that there is not: '" + name + "'");
  }
  return check_sets(row.sets);
}

Status read_rows(const toml::table& root, const std::string& base,
                 const std::vector<std::string>& sets, SweepConfig& config) {
  MIEN_ASSIGN(const auto tables, tables_of(root, "row"));
  for (const toml::table* table : tables) {
    SweepRow row;
    std::vector<std::string> own;
    Section s(table, "row");
    s.read("name", row.name);
    s.read("base", row.base);
    s.read("model", row.model);
    s.read_list("set", own);
    s.read_list("eval", row.evaluations);
    s.read_list("options", row.options);
    MIEN_TRY(s.finish());
    const bool has_sets = !own.empty() || !row.base.empty();
    if (row.model.empty()) {
      if (row.base.empty()) row.base = base;
      row.sets = sets;
      row.sets.insert(row.sets.end(), own.begin(), own.end());
    }
    MIEN_TRY(check_row(row, has_sets, config));
    config.rows.push_back(std::move(row));
  }
  return config.rows.empty() ? Status(bad("no [[row]]")) : Status();
}

Status read_all(const toml::table& root, SweepConfig& config) {
  std::string base;
  std::vector<std::string> sets;
  Section s(&root, "sweep");
  s.read("title", config.title);
  s.read("base", base);
  s.read("baseline", config.baseline);
  s.read("figure", config.figure);
  s.read_list("figures", config.figures);
  s.read_list("set", sets);
  for (const char* key : {"seeds", "prepare", "eval", "row"}) s.allow(key);
  MIEN_TRY(s.finish());
  MIEN_TRY(read_seeds(root, config.seeds));
  MIEN_TRY(read_preparations(root, config.preparations));
  MIEN_TRY(read_evaluations(root, config.evaluations));
  MIEN_TRY(read_rows(root, base, sets, config));
  const bool known = config.baseline.empty() ||
                     std::any_of(config.rows.begin(), config.rows.end(),
                                 [&](const SweepRow& row) { return row.name == config.baseline; });
  return known ? Status() : Status(bad("'baseline' names no row: '" + config.baseline + "'"));
}

}  // namespace

Result<SweepConfig> read_sweep_config(const std::string& path) {
  MIEN_ASSIGN(const std::string text, core::read_text_file(path, 1 << 20));
  try {
    const toml::table root = toml::parse(text, path);
    SweepConfig config;
    config.title = std::filesystem::path(path).stem().string();
    if (const Status status = read_all(root, config); !status.ok()) {
      return status.error().within(path);
    }
    return config;
  } catch (const toml::parse_error& e) {
    return make_error(
        ErrorCode::kBadFormat,
        "line " + std::to_string(e.source().begin.line) + ": " + std::string(e.description()),
        path);
  }
}

}  // namespace mien::learn
