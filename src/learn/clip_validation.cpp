#include "learn/clip_validation.h"

#include <algorithm>
#include <optional>

#include "learn/data/ordered_workers.h"
#include "report/metrics.h"

namespace mien::learn {
namespace {

// The mean loss of a net that learns without labels; the same draws every time.
Result<Figures> validate_loss(ClipNet& net, OrderedWorkers<ClipBatch>& workers,
                              std::int64_t batches, torch::Device device) {
  double loss = 0.0;
  double count = 0.0;
  for (std::int64_t i = 0; i < batches; ++i) {
    MIEN_ASSIGN(const ClipBatch clips, workers.next());
    const auto rows = static_cast<double>(clips.clips.size(0));
    const torch::Tensor own = net.own_loss({.clips = clips.clips.to(device),
                                            .target = clips.target.to(device),
                                            .seed = static_cast<std::uint64_t>(i)});
    loss += rows * own.item<double>();
    count += rows;
  }
  loss /= std::max(count, 1.0);
  return Figures{{"score", -loss}, {"loss", loss}, {"n", count}};
}

}  // namespace

Result<Figures> validate_clips(ClipNet& net, const ClipStore& store,
                               const ClipLoaderOptions& options, torch::Device device) {
  std::vector<std::size_t> labelled;
  for (std::size_t clip = 0; clip < store.size(); ++clip) {
    if (store.label(clip) >= 0 || !net.classifies()) labelled.push_back(clip);
  }
  const auto batch = static_cast<std::size_t>(std::max(options.batch, 1));
  const auto batches = static_cast<std::int64_t>((labelled.size() + batch - 1) / batch);
  const auto make = [&](std::int64_t index) {
    const std::size_t first = static_cast<std::size_t>(index) * batch;
    const std::span<const std::size_t> part(labelled.data() + first,
                                            std::min(batch, labelled.size() - first));
    return plain_clip_batch(store, part, options, {.rule = EvalView::Rule::kValidation});
  };
  OrderedWorkers<ClipBatch> workers(make, 0, batches, options.workers, options.prefetch);
  const torch::NoGradGuard no_grad;
  if (!net.classifies()) return validate_loss(net, workers, batches, device);
  report::ConfusionMatrix confusion(store.classes().size());
  double entropy = 0.0;
  std::optional<double> mask;
  for (std::int64_t i = 0; i < batches; ++i) {
    MIEN_ASSIGN(const ClipBatch clips, workers.next());
    const ClipNet::Output out = net.forward(clips.clips.to(device));
    const torch::Tensor log_p = torch::log_softmax(out.logits, 1).cpu().contiguous();
    if (out.mask.defined()) mask = mask.value_or(0.0) + out.mask.sum().item<double>();
    const torch::Tensor best = log_p.argmax(1);
    for (std::int64_t row = 0; row < best.size(0); ++row) {
      const auto truth = clips.label[row].item<std::int64_t>();
      MIEN_TRY(confusion.add(static_cast<std::size_t>(truth),
                             static_cast<std::size_t>(best[row].item<std::int64_t>())));
      entropy -= log_p[row][truth].item<double>();
    }
  }
  const auto count = static_cast<double>(std::max<std::size_t>(labelled.size(), 1));
  Figures figures = {{"war", confusion.war()},
                     {"uar", confusion.uar()},
                     {"macro_f1", confusion.macro_f1()},
                     {"cross_entropy", entropy / count},
                     {"n", static_cast<double>(labelled.size())}};
  if (mask) figures.emplace_back("mask_mean", *mask / count);
  return figures;
}

}  // namespace mien::learn
