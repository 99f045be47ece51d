// What a model said about every clip of a test: the views of a clip averaged to one answer, and the
// table of the answers as a file, from which every figure of a report can be computed again.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mien/result.hpp"
#include "report/metrics.h"

namespace mien::report {

// The answer to one clip.
struct ClipScore {
  std::string id{};                    // of the clip, unique within its fold
  int fold = 1;                        // whose test set it is from; 1 where there is one split
  int truth = 0;                       // index of the true class
  std::vector<float> probabilities{};  // [classes], the mean of the views' softmax; sums to 1
  int views = 0;                       // how many views were averaged
};

struct ScoreTable {
  std::vector<std::string> classes{};  // names by index, all different
  std::vector<ClipScore> clips{};
};

// Probabilities of the logits (computed in double). Empty for none.
std::vector<float> softmax(std::span<const float> logits);

// Gathers the views of clips and averages them by the test protocol of S2D, VideoMAE and MAE-DFER:
// softmax per view, mean per clip, each (segment, crop) of a clip once; what comes again (a sampler
// of several processes pads with repeats) is passed over. The means do not depend on the order in
// which views come. One thread.
class ViewScores {
 public:
  struct View {
    std::string id{};
    int fold = 1;
    int truth = 0;
    int segment = 0;  // temporal
    int crop = 0;     // spatial
  };

  explicit ViewScores(std::size_t classes) : classes_(classes) {}

  // `logits` [classes]. True when the view is counted, false when it was here before. Errors
  // kInvalidArgument (context: the clip): another number of logits, one that is not finite, a truth
  // that is no class, or another truth than with the clip's earlier views.
  Result<bool> add(const View& view, std::span<const float> logits);

  std::size_t clip_count() const { return clips_.size(); }

  // One row per clip, in the order in which the clips came first.
  std::vector<ClipScore> scores() const;

 private:
  struct Clip {
    std::string id;
    int fold;
    int truth;
    std::map<std::pair<int, int>, std::vector<float>> views;  // (segment, crop): probabilities
  };

  std::size_t classes_;
  std::vector<Clip> clips_;
  std::map<std::pair<int, std::string>, std::size_t> index_;  // (fold, id): place in clips_
};

// Whether a table holds what the types' comments promise: at least one class, names that differ and
// are not empty; per clip an id, fold >= 1, views >= 1, a truth among the classes, as many
// probabilities as classes, each of 0..1, summing to 1 within 0.001; no clip twice in a fold. Error
// kBadFormat that names the first clip that is wrong.
Status check_scores(const ScoreTable& table);

// Counts (truth, answer) of the clips. Error kInvalidArgument when a clip does not fit `classes`.
Result<ConfusionMatrix> confusion_of(std::span<const ClipScore> clips, std::size_t classes);

// The table as CSV: id,fold,truth,predicted,confidence,views and one column per class. `truth` and
// `predicted` are class names, `confidence` is the answer's probability. Probabilities are written
// so that reading gives the same bits. Error as for check_scores.
Result<std::string> scores_csv(const ScoreTable& table);

// Reads what scores_csv wrote and believes nothing: besides check_scores, `predicted` and
// `confidence` must be what the probabilities say. Errors of core/csv.h (context: `context`).
Result<ScoreTable> parse_scores_csv(std::string_view text, const std::string& context);

// The same to and from files; errors of core/files.h as well (kLimit from core::kMaxCsvBytes on).
Status write_scores(const std::string& path, const ScoreTable& table);
Result<ScoreTable> read_scores(const std::string& path);

}  // namespace mien::report
