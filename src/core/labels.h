// The classes of the data sets and models, in their official orders, and how one order maps onto
// another. An index without its label set means nothing: FERV39k 0 is anger in the S2D lists and
// happiness in those of MAE-DFER.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mien/result.hpp"

namespace mien::core {

// The canonical spelling of an expression: lower-case nouns ("happiness", "sadness", "neutral",
// "anger", "surprise", "disgust", "fear", "contempt", "anxiety", "helplessness", "disappointment";
// "calm", which RAVDESS has beside neutral, stays what it is). Any case, surrounding blanks, and
// the usual other names ("Happy", "angry", "joy", "Surprised") are understood. Nothing for a word
// that is none of them.
std::optional<std::string> canonical_label(std::string_view name);

// The name that `canonical_label` gives, or the word itself in lower case: what a class of an
// unknown data set is called.
std::string label_or_itself(std::string_view name);

// An ordered set of classes.
struct LabelSet {
  std::string name;                  // as for find_label_set
  std::vector<std::string> classes;  // canonical, by index from 0
  int first_index = 0;               // the number of classes[0] in the data set's own files

  std::size_t size() const { return classes.size(); }

  // Index of a class by any of its spellings; nothing when it is not in the set.
  std::optional<std::size_t> index_of(std::string_view label) const;
};

// Known sets: "dfew", "ferv39k", "mafw" (orders of the S2D lists), "dfew-mae-dfer",
// "ferv39k-mae-dfer", "mafw-mae-dfer" (orders of the MAE-DFER, SVFAP and VideoMAE lists),
// "ferplus", "affectnet-7", "affectnet-8", "rafdb", "ravdess", "crema-d". Case, '_' and '-' do not
// matter ("RAF-DB", "AffectNet7"). Error kNotFound lists the known names.
Result<LabelSet> find_label_set(std::string_view name);

// Every name that find_label_set knows, in the order above.
std::vector<std::string> label_set_names();

// A set of one's own: canonical spellings where known, words as they are otherwise. Errors
// (kInvalidArgument): no class, an empty name, the same class twice.
Result<LabelSet> make_label_set(std::string name, const std::vector<std::string>& classes);

// How the classes of one set appear in another.
struct LabelMapping {
  std::vector<std::optional<std::size_t>> target_of;  // per source class
  std::vector<std::string> dropped;  // source classes that the target does not have
  std::vector<std::string> missing;  // target classes that no source class gives
  std::size_t target_size = 0;

  // Index in the target set, or nothing (dropped, or out of range).
  std::optional<std::size_t> map_index(std::size_t source) const;

  // Probabilities [source classes] -> [target classes]. What the dropped classes had is left out
  // and the rest scaled to sum to 1; all zeros when nothing is left. Missing classes get 0. Error
  // kInvalidArgument when the length is not the source's.
  Result<std::vector<float>> map_probabilities(std::span<const float> source) const;
};

LabelMapping map_labels(const LabelSet& source, const LabelSet& target);

}  // namespace mien::core
