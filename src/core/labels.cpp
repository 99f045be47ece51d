#include "core/labels.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mien::core {
namespace {

struct Synonym {
  std::string_view word;
  std::string_view canonical;
};

// Spellings met in the lists, folder names and papers of the data sets.
constexpr std::array kSynonyms = {
    Synonym{"happiness", "happiness"},
    Synonym{"happy", "happiness"},
    Synonym{"joy", "happiness"},
    Synonym{"smile", "happiness"},
    Synonym{"happines", "happiness"},
    Synonym{"sadness", "sadness"},
    Synonym{"sad", "sadness"},
    Synonym{"neutral", "neutral"},
    Synonym{"neutrality", "neutral"},
    Synonym{"anger", "anger"},
    Synonym{"angry", "anger"},
    Synonym{"surprise", "surprise"},
    Synonym{"surprised", "surprise"},
    Synonym{"disgust", "disgust"},
    Synonym{"disgusted", "disgust"},
    Synonym{"fear", "fear"},
    Synonym{"fearful", "fear"},
    Synonym{"afraid", "fear"},
    Synonym{"contempt", "contempt"},
    Synonym{"contemptuous", "contempt"},
    Synonym{"anxiety", "anxiety"},
    Synonym{"anxious", "anxiety"},
    Synonym{"helplessness", "helplessness"},
    Synonym{"helpless", "helplessness"},
    Synonym{"disappointment", "disappointment"},
    Synonym{"disappointed", "disappointment"},
    Synonym{"calm", "calm"},
};

// The orders of the official files; NOTES section 6 of the reference data has the two conventions
// of FERV39k and MAFW. RAF-DB's and DFEW's own files count from 1; S2D's DFEW lists from 0.
// RAVDESS: the third number of a file's name, from 01 (Livingstone and Russo, PLoS ONE 2018;
// zenodo.org/record/1188976, "File naming convention"). CREMA-D (Cao et al., IEEE TAFFC 2014) has
// no numbers; the order is that of its codes, ANG, DIS, FEA, HAP, NEU, SAD.
std::vector<LabelSet> known_sets() {
  const std::vector<std::string> dfew = {"happiness", "sadness", "neutral", "anger",
                                         "surprise",  "disgust", "fear"};
  const std::vector<std::string> affectnet8 = {"neutral", "happiness", "sadness", "surprise",
                                               "fear",    "disgust",   "anger",   "contempt"};
  return {
      {"dfew", dfew},
      {"ferv39k", {"anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"}},
      {"mafw",
       {"anger", "anxiety", "contempt", "disappointment", "disgust", "fear", "happiness",
        "helplessness", "neutral", "sadness", "surprise"}},
      {"dfew-mae-dfer", dfew},
      {"ferv39k-mae-dfer", dfew},
      {"mafw-mae-dfer",
       {"anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise", "contempt",
        "anxiety", "helplessness", "disappointment"}},
      {"ferplus",
       {"neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"}},
      {"affectnet-7", {affectnet8.begin(), affectnet8.end() - 1}},
      {"affectnet-8", affectnet8},
      {"rafdb", {"surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"}, 1},
      {"ravdess",
       {"neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"},
       1},
      {"crema-d", {"anger", "disgust", "fear", "happiness", "neutral", "sadness"}},
  };
}

// Lower case without surrounding blanks. ASCII only: other letters stay as they are.
std::string lowered(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// "RAF-DB" and "raf_db" are "rafdb".
std::string set_key(std::string_view name) {
  std::string key = lowered(name);
  std::erase_if(key, [](char c) { return c == '-' || c == '_' || c == ' '; });
  return key;
}

}  // namespace

std::optional<std::string> canonical_label(std::string_view name) {
  const std::string word = lowered(name);
  for (const Synonym& synonym : kSynonyms) {
    if (word == synonym.word) return std::string(synonym.canonical);
  }
  return std::nullopt;
}

std::string label_or_itself(std::string_view name) {
  if (std::optional<std::string> known = canonical_label(name)) return *std::move(known);
  return lowered(name);
}

std::optional<std::size_t> LabelSet::index_of(std::string_view label) const {
  const std::string wanted = label_or_itself(label);
  const auto at = std::find(classes.begin(), classes.end(), wanted);
  if (at == classes.end()) return std::nullopt;
  return static_cast<std::size_t>(at - classes.begin());
}

Result<LabelSet> find_label_set(std::string_view name) {
  const std::string key = set_key(name);
  std::string known;
  for (LabelSet& set : known_sets()) {
    if (set_key(set.name) == key) return std::move(set);
    known += (known.empty() ? "" : ", ") + set.name;
  }
  return make_error(ErrorCode::kNotFound,
                    "no label set '" + std::string(name) + "'; there are " + known);
}

std::vector<std::string> label_set_names() {
  std::vector<std::string> names;
  for (LabelSet& set : known_sets()) names.push_back(std::move(set.name));
  return names;
}

Result<LabelSet> make_label_set(std::string name, const std::vector<std::string>& classes) {
  LabelSet set;
  set.name = std::move(name);
  for (const std::string& word : classes) {
    std::string label = label_or_itself(word);
    if (label.empty()) {
      return make_error(ErrorCode::kInvalidArgument, "a class has an empty name", set.name);
    }
    if (std::find(set.classes.begin(), set.classes.end(), label) != set.classes.end()) {
      return make_error(ErrorCode::kInvalidArgument, "class '" + label + "' appears twice",
                        set.name);
    }
    set.classes.push_back(std::move(label));
  }
  if (set.classes.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "has no classes", set.name);
  }
  return set;
}

std::optional<std::size_t> LabelMapping::map_index(std::size_t source) const {
  return source < target_of.size() ? target_of[source] : std::nullopt;
}

Result<std::vector<float>> LabelMapping::map_probabilities(std::span<const float> source) const {
  if (source.size() != target_of.size()) {
    return make_error(ErrorCode::kInvalidArgument,
                      std::to_string(source.size()) + " probabilities for " +
                          std::to_string(target_of.size()) + " classes");
  }
  std::vector<float> out(target_size, 0.0F);
  double kept = 0.0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!target_of[i]) continue;
    out[*target_of[i]] += source[i];
    kept += static_cast<double>(source[i]);
  }
  if (!(kept > 0.0)) return std::vector<float>(target_size, 0.0F);
  // Nothing dropped: leave the numbers exactly as they are.
  if (dropped.empty()) return out;
  for (float& value : out) value = static_cast<float>(static_cast<double>(value) / kept);
  return out;
}

LabelMapping map_labels(const LabelSet& source, const LabelSet& target) {
  LabelMapping mapping;
  mapping.target_size = target.size();
  std::vector<bool> given(target.size(), false);
  for (const std::string& label : source.classes) {
    const std::optional<std::size_t> index = target.index_of(label);
    mapping.target_of.push_back(index);
    if (index) {
      given[*index] = true;
    } else {
      mapping.dropped.push_back(label);
    }
  }
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (!given[i]) mapping.missing.push_back(target.classes[i]);
  }
  return mapping;
}

}  // namespace mien::core
