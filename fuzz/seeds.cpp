#include "fuzz/seeds.h"

#include <array>
#include <utility>

#include "core/safetensors.h"
#include "core/tensor.h"
#include "learn/data/clip_index.h"

namespace mien::fuzz {
namespace {

using core::DType;
using core::Tensor;
using core::TensorMap;

constexpr std::array kTypes = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64,
                               DType::kI32, DType::kI16, DType::kI8,  DType::kU8,   DType::kBool};

Bytes safetensors_of(const TensorMap& tensors, const core::SafetensorsMetadata& metadata) {
  auto bytes = core::serialize_safetensors(core::views_of(tensors), metadata);
  return bytes ? std::move(*bytes) : Bytes();
}

// A dictionary as a training loop saves it: nested, shared and strided storages, objects to ignore.
std::string training_pickle(bool legacy) {
  PickleBuilder b;
  b.op('}').op('(').text("model").ordered_dict().op('(');
  b.text("module.a").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1}, legacy);
  b.text("module.b").tensor("FloatStorage", "0", 6, 0, {3, 2}, {1, 3}, legacy);
  b.text("module.c").global("torch._utils", "_rebuild_parameter").op('(');
  b.tensor("HalfStorage", "1", 2, 1, {}, {}, legacy).op('\x88').ordered_dict().raw("tR");
  b.op('u').text("optimizer").op('}').text("state").op('}').integer(0).op(']');
  b.tensor("LongStorage", "2", 1, 0, {1}, {1}, legacy).raw("ass");
  b.text("args").global("argparse", "Namespace").raw(")\x81}").text("lr");
  b.raw(std::string("G\x3f\x50\x62\x4d\xd2\xf1\xa9\xfc", 9)).raw("sb");
  b.text("epoch").integer(12).text("big").integer(1LL << 40).text("none").op('N');
  return b.op('u').done();
}

// Protocol 4: short strings, MEMOIZE, STACK_GLOBAL, FRAME.
std::string protocol4_pickle() {
  const auto text = [](const std::string& value) {
    return "\x8c" + std::string(1, static_cast<char>(value.size())) + value + "\x94";
  };
  const std::string ordered = text("collections") + text("OrderedDict") + "\x93\x94";
  std::string body = ordered + ")R\x94(" + text("w") + text("torch._utils") +
                     text("_rebuild_tensor_v2") + "\x93\x94((" + text("storage") + text("torch") +
                     text("FloatStorage") + "\x93\x94" + text("0") + text("cpu") + "K\x02t\x94Q";
  body += std::string("K\0K\x02\x85\x94K\x01\x85\x94\x89h\x02)R\x94t\x94R\x94u", 21);
  return PickleBuilder(4).raw("\x95" + std::string("\xff\0\0\0\0\0\0\0", 8)).raw(body).done();
}

// Three frames behind the magic, in two clips, and a clip that is none.
Bytes clip_cache_of(learn::ClipStorage storage, int channels, bool soft_targets) {
  const auto magic = learn::clip_cache_magic();
  Bytes file(magic.begin(), magic.end());
  learn::ClipIndex index;
  index.fingerprint = 0x0123456789ABCDEF;
  index.side = 2;
  index.channels = channels;
  index.storage = storage;
  index.classes = {"anger", "fear"};
  for (const std::size_t frames : {std::size_t{2}, std::size_t{1}}) {
    learn::CachedClip clip;
    clip.id = "clip";
    clip.group = frames == 1 ? "actor" : "";
    clip.label = frames == 1 ? -1 : 1;
    if (soft_targets) clip.soft_target = {0.25F, 0.75F};
    clip.first_frame = index.frames.size();
    clip.frame_count = frames;
    index.clips.push_back(std::move(clip));
    for (std::size_t i = 0; i < frames; ++i) {
      const Bytes pixels(index.raw_size(), std::byte{7});
      index.frames.push_back(
          {file.size(), static_cast<std::uint32_t>(pixels.size()), learn::clip_crc(pixels)});
      file.insert(file.end(), pixels.begin(), pixels.end());
    }
  }
  index.problems.push_back({"lost", "folder/lost.mp4", "no face was found"});
  const Bytes tail = learn::clip_index_bytes(index, file.size());
  file.insert(file.end(), tail.begin(), tail.end());
  return file;
}

}  // namespace

std::vector<Bytes> safetensors_seeds() {
  TensorMap all;
  for (const DType dtype : kTypes) all[core::dtype_name(dtype)] = Tensor::zeros(dtype, {2, 3});
  all["scalar"] = Tensor::zeros(DType::kF32, {});
  all["empty"] = Tensor::zeros(DType::kF32, {0, 4});
  TensorMap one;
  one["w"] = Tensor::zeros(DType::kF32, {2});
  // Not ours: an odd header length, so that the data is not aligned.
  const std::string odd = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string foreign(1, static_cast<char>(odd.size()));
  foreign += std::string(7, '\0') + odd + "abcd";
  return {safetensors_of(all, {{"mien.format", "1"}, {"mien.config", "{}"}}),
          safetensors_of(one, {}), safetensors_of({}, {}), to_bytes(foreign)};
}

std::vector<Bytes> pth_seeds() {
  const std::vector<std::string> storages = {f32_ramp(6), "\x01\x3c\x02\x3c",
                                             std::string("\x07\0\0\0\0\0\0\0", 8)};
  const std::string training = training_pickle(false);
  PickleBuilder bare;
  bare.ordered_dict().op('(').text("w").tensor("FloatStorage", "0", 2, 0, {2}, {1}).op('u');
  return {
      make_zip_checkpoint(training, storages),
      make_zip_checkpoint(training, storages, true),
      make_zip_checkpoint(protocol4_pickle(), {f32_ramp(2)}),
      make_zip_checkpoint(bare.done(), {f32_ramp(2)}),
      make_zip({{"a/data.pkl", bare.done()}, {"a/byteorder", "little"}, {"a/data/0", f32_ramp(2)}}),
      make_legacy_checkpoint(training_pickle(true),
                             {{"0", 6, storages[0]}, {"1", 2, storages[1]}, {"2", 1, storages[2]}}),
      make_legacy_checkpoint(protocol4_pickle(), {{"0", 2, f32_ramp(2)}}),
  };
}

std::vector<Bytes> csv_seeds() {
  return {
      to_bytes("path,label\na.mp4,happy\n\nb.mp4,sad\n"),
      to_bytes("\xEF\xBB\xBFimage,\"a \"\"quoted\"\" name\",label\r\n"
               "\"x, y.png\",\"two\nlines\",\"\"\r\n"),
      to_bytes("epoch,loss\n1,0.5\n2,nan"),
  };
}

std::vector<Bytes> clip_cache_seeds() {
  return {clip_cache_of(learn::ClipStorage::kRaw, 3, true),
          clip_cache_of(learn::ClipStorage::kRaw, 1, false),
          clip_cache_of(learn::ClipStorage::kJpeg, 3, false)};
}

std::vector<Bytes> seeds_of(const std::string& format) {
  if (format == "safetensors") return safetensors_seeds();
  if (format == "pth") return pth_seeds();
  if (format == "csv") return csv_seeds();
  if (format == "clip_cache") return clip_cache_seeds();
  return {};
}

}  // namespace mien::fuzz
