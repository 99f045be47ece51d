#include "report/score_join.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace mien::report {
namespace {

using ClipKey = std::pair<int, std::string_view>;

ClipKey key_of(const ClipScore& clip) {
  return {clip.fold, clip.id};
}

std::string name_of_clip(const ClipScore& clip) {
  return "clip '" + clip.id + "' of fold " + std::to_string(clip.fold);
}

Error refuse(const std::string& what, const std::string& table) {
  return make_error(ErrorCode::kInvalidArgument, what, table);
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Status check_parts(std::span<const NamedScores> parts) {
  if (parts.empty()) return refuse("there are no scores to put together", "");
  const NamedScores& first = parts.front();
  for (const NamedScores& part : parts) {
    if (const Status sound = check_scores(part.table); !sound) {
      return sound.error().within(part.name);
    }
    if (part.table.classes != first.table.classes) {
      return refuse("its classes (" + list_of(part.table.classes) + ") are not those of " +
                        first.name + " (" + list_of(first.table.classes) + ")",
                    part.name);
    }
  }
  return {};
}

void sort_by_fold(std::vector<ClipScore>& clips) {
  std::stable_sort(clips.begin(), clips.end(),
                   [](const ClipScore& a, const ClipScore& b) { return a.fold < b.fold; });
}

// The tables in which each fold is, in their order.
using Holders = std::map<int, std::vector<const NamedScores*>>;

Holders holders_of_folds(std::span<const NamedScores> parts) {
  Holders holders;
  for (const NamedScores& part : parts) {
    for (const ClipScore& clip : part.table.clips) {
      std::vector<const NamedScores*>& tables = holders[clip.fold];
      if (tables.empty() || tables.back() != &part) tables.push_back(&part);
    }
  }
  return holders;
}

// Every fold by the same number of models, or the folds' figures could not be compared.
Status check_holders(const Holders& holders) {
  if (holders.empty()) return refuse("the scores have no clips", "");
  const auto& [first_fold, first_tables] = *holders.begin();
  for (const auto& [fold, tables] : holders) {
    if (tables.size() == first_tables.size()) continue;
    return refuse("fold " + std::to_string(first_fold) + " was scored " +
                      std::to_string(first_tables.size()) + " times, fold " + std::to_string(fold) +
                      " " + std::to_string(tables.size()) + " times",
                  tables.front()->name);
  }
  if (first_tables.size() < 2) {
    return refuse("no clip was scored twice: there is nothing to average",
                  first_tables.front()->name);
  }
  return {};
}

// What the tables say about one clip, added up.
struct ClipSum {
  ClipScore clip{};            // as in the first table that has it
  std::vector<double> sums{};  // of the probabilities
  std::size_t tables = 0;
  const NamedScores* from = nullptr;  // the first table
};

Status add_clip(const NamedScores& part, const ClipScore& clip, ClipSum& sum) {
  if (sum.tables == 0) {
    sum.clip = clip;
    sum.clip.views = 0;
    sum.sums.assign(clip.probabilities.size(), 0.0);
    sum.from = &part;
  }
  if (clip.truth != sum.clip.truth) {
    const auto class_of = [&](int index) {
      return part.table.classes[static_cast<std::size_t>(index)];
    };
    return refuse(name_of_clip(clip) + " is " + class_of(clip.truth) + " here, " +
                      class_of(sum.clip.truth) + " in " + sum.from->name,
                  part.name);
  }
  for (std::size_t i = 0; i < sum.sums.size(); ++i) {
    sum.sums[i] += static_cast<double>(clip.probabilities[i]);
  }
  sum.clip.views += clip.views;
  ++sum.tables;
  return {};
}

// A clip that some of its fold's tables lack: says which one, for whoever has to look for it.
Error lacking(const ClipSum& sum, const std::vector<const NamedScores*>& tables) {
  const auto lacks = [&](const NamedScores* table) {
    return std::none_of(table->table.clips.begin(), table->table.clips.end(),
                        [&](const ClipScore& clip) { return key_of(clip) == key_of(sum.clip); });
  };
  const auto at = std::find_if(tables.begin(), tables.end(), lacks);
  return refuse("lacks " + name_of_clip(sum.clip) + ", which is in " + sum.from->name,
                at == tables.end() ? "" : (*at)->name);
}

}  // namespace

Result<ScoreTable> join_scores(std::span<const NamedScores> parts) {
  MIEN_TRY(check_parts(parts));
  ScoreTable joined;
  joined.classes = parts.front().table.classes;
  std::map<ClipKey, const NamedScores*> owners;
  for (const NamedScores& part : parts) {
    for (const ClipScore& clip : part.table.clips) {
      const auto [owner, fresh] = owners.emplace(key_of(clip), &part);
      if (!fresh) {
        return refuse(name_of_clip(clip) + " is in " + owner->second->name +
                          " too: scores of the same clips can be averaged, not joined",
                      part.name);
      }
      joined.clips.push_back(clip);
    }
  }
  sort_by_fold(joined.clips);
  return joined;
}

Result<ScoreTable> average_scores(std::span<const NamedScores> parts) {
  MIEN_TRY(check_parts(parts));
  const Holders holders = holders_of_folds(parts);
  MIEN_TRY(check_holders(holders));
  std::vector<ClipSum> sums;
  std::map<ClipKey, std::size_t> places;  // in `sums`
  for (const NamedScores& part : parts) {
    for (const ClipScore& clip : part.table.clips) {
      const auto [place, fresh] = places.emplace(key_of(clip), sums.size());
      if (fresh) sums.emplace_back();
      MIEN_TRY(add_clip(part, clip, sums[place->second]));
    }
  }
  ScoreTable averaged;
  averaged.classes = parts.front().table.classes;
  for (ClipSum& sum : sums) {
    const std::vector<const NamedScores*>& tables = holders.at(sum.clip.fold);
    if (sum.tables != tables.size()) return lacking(sum, tables);
    for (std::size_t i = 0; i < sum.sums.size(); ++i) {
      sum.clip.probabilities[i] = static_cast<float>(sum.sums[i] / static_cast<double>(sum.tables));
    }
    averaged.clips.push_back(std::move(sum.clip));
  }
  sort_by_fold(averaged.clips);
  return averaged;
}

}  // namespace mien::report
