#include "learn/job.h"

#include "learn/still_job.h"
#include "learn/train_config.h"
#ifdef MIEN_WITH_MEDIA
#include "learn/clip_job.h"
#endif

namespace mien::learn {

Result<std::unique_ptr<TrainingJob>> make_job(const TrainConfig& config) {
  if (!config.counts_clips()) return make_still_job(config);
#ifdef MIEN_WITH_MEDIA
  return make_clip_job(config);
#else
  return make_error(ErrorCode::kUnsupported, "this build has no video part (MIEN_MEDIA=OFF)");
#endif
}

}  // namespace mien::learn
