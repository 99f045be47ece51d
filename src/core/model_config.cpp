#include "core/model_config.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "core/config_json.h"
#include "core/quantization_json.h"

namespace mien::core {
namespace {

using Json = nlohmann::json;

// Reads numbers with range checks; the first failure is kept and later reads do nothing.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  void read(const char* key, int& out, int low, int high) {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number_integer()) return fail(key, "is not a whole number");
    const auto number = value->get<std::int64_t>();
    if (number < low || number > high) {
      return fail(key, "is " + std::to_string(number) + ", outside " + std::to_string(low) + ".." +
                           std::to_string(high));
    }
    out = static_cast<int>(number);
  }

  void read(const char* key, double& out, double low, double high) {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_number()) return fail(key, "is not a number");
    const auto number = value->get<double>();
    if (!(number >= low && number <= high)) return fail(key, "is out of range");
    out = number;
  }

  void read(const char* key, bool& out) {
    const Json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean()) return fail(key, "is not true or false");
    out = value->get<bool>();
  }

  const Json* find(const char* key) const {
    if (error_ || !object_.is_object()) return nullptr;
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }

  void fail(const char* key, const std::string& what) {
    if (!error_)
      error_ = make_error(ErrorCode::kBadFormat, "'" + std::string(key) + "' " + what, "config");
  }

  Status status() const { return error_ ? Status(*error_) : Status(); }

 private:
  const Json& object_;
  std::optional<Error> error_;
};

// input_size is 112 in our files and [112, 112] in the official constructor.
void read_square(Reader& reader, const char* key, int& out) {
  const Json* value = reader.find(key);
  if (value != nullptr && value->is_array() && value->size() == 2) {
    if (!(*value)[0].is_number_integer() || (*value)[0] != (*value)[1]) {
      return reader.fail(key, "is not a square size");
    }
    const auto number = (*value)[0].get<std::int64_t>();
    if (number < 1 || number > 4096) return reader.fail(key, "is out of range");
    out = static_cast<int>(number);
    return;
  }
  reader.read(key, out, 1, 4096);
}

void read_stem(Reader& reader, std::vector<StemLayer>& stem) {
  const Json* value = reader.find("stem");
  if (value == nullptr) return;
  if (!value->is_array() || value->size() > 32) return reader.fail("stem", "is not a short list");
  stem.clear();
  for (const Json& item : *value) {
    const bool pair = item.is_array() && item.size() == 2 && item[0].is_number_integer() &&
                      item[1].is_number_integer();
    if (!pair) return reader.fail("stem", "must be a list of [channels, stride]");
    const auto channels = item[0].get<std::int64_t>();
    const auto stride = item[1].get<std::int64_t>();
    if (channels < 1 || channels > 4096 || stride < 1 || stride > 2) {
      return reader.fail("stem", "has a layer out of range");
    }
    stem.push_back({static_cast<int>(channels), static_cast<int>(stride)});
  }
}

Status read_s2d(const Json& json, S2DConfig& c) {
  Reader r(json);
  read_square(r, "img_size", c.img_size);
  read_square(r, "patch_size", c.patch_size);
  c.landmark_size = c.grid() * 8;  // its map must be the patch grid; 112 in the official code
  r.read("in_chans", c.in_chans, 1, 3);
  r.read("in_chans_l", c.in_chans_l, 1, 4096);
  r.read("embed_dim", c.embed_dim, 1, 4096);
  r.read("depth", c.depth, 1, 64);
  r.read("num_heads", c.num_heads, 1, 64);
  r.read("mlp_ratio", c.mlp_ratio, 0.1, 16.0);
  r.read("hidden_dim", c.hidden_dim, 1, 1024);
  r.read("adapter_scale", c.adapter_scale, 1e-3, 4.0);
  r.read("num_frames", c.num_frames, 1, 1024);
  r.read("num_classes", c.num_classes, 1, 1000);
  r.read("head_dropout_ratio", c.head_dropout_ratio, 0.0, 0.99);
  r.read("temporal", c.temporal);
  r.read("keeps_image_model", c.keeps_image_model);
  r.read("landmark_size", c.landmark_size, 8, 4096);
  r.read("with_landmark", c.with_landmark);
  read_stem(r, c.stem);
  if (const Json* type = r.find("prompt_type"); type != nullptr) {
    if (*type == "deep") {
      c.deep_prompt = true;
    } else if (*type == "shallow") {
      c.deep_prompt = false;
    } else {
      r.fail("prompt_type", "is neither deep nor shallow");
    }
  }
  if (const Json* adapters = r.find("num_tadapter"); adapters != nullptr && *adapters != 1) {
    r.fail("num_tadapter", "must be 1");
  }
  return r.status();
}

Json stem_json(const std::vector<StemLayer>& stem) {
  Json json = Json::array();
  for (const StemLayer& layer : stem) json.push_back({layer.channels, layer.stride});
  return json;
}

Json s2d_json(const S2DConfig& c) {
  Json json = {{"img_size", c.img_size},
               {"patch_size", c.patch_size},
               {"in_chans", c.in_chans},
               {"in_chans_l", c.in_chans_l},
               {"embed_dim", c.embed_dim},
               {"depth", c.depth},
               {"num_heads", c.num_heads},
               {"mlp_ratio", c.mlp_ratio},
               {"hidden_dim", c.hidden_dim},
               {"adapter_scale", c.adapter_scale},
               {"num_frames", c.num_frames},
               {"num_classes", c.num_classes},
               {"prompt_type", c.deep_prompt ? "deep" : "shallow"},
               {"temporal", c.temporal},
               {"head_dropout_ratio", c.head_dropout_ratio},
               {"landmark_size", c.landmark_size},
               {"with_landmark", c.with_landmark}};
  if (c.keeps_image_model) json["keeps_image_model"] = true;
  if (!c.stem.empty()) json["stem"] = stem_json(c.stem);
  return json;
}

Status read_mobilefacenet(const Json& json, MobileFaceNetConfig& c) {
  Reader r(json);
  read_square(r, "input_size", c.input_size);
  r.read("embedding_size", c.embedding_size, 1, 4096);
  return r.status();
}

Status read_videomae(const Json& json, VideoMaeConfig& c) {
  Reader r(json);
  read_square(r, "img_size", c.img_size);
  read_square(r, "patch_size", c.patch_size);
  r.read("tubelet_size", c.tubelet_size, 1, 64);
  r.read("all_frames", c.num_frames, 1, 1024);  // the official constructor's name
  r.read("num_frames", c.num_frames, 1, 1024);
  r.read("in_chans", c.in_chans, 1, 3);
  r.read("embed_dim", c.embed_dim, 1, 4096);
  r.read("depth", c.depth, 1, 64);
  r.read("num_heads", c.num_heads, 1, 64);
  r.read("mlp_ratio", c.mlp_ratio, 0.1, 16.0);
  r.read("qkv_bias", c.qkv_bias);
  r.read("num_classes", c.num_classes, 1, 1000);
  r.read("use_mean_pooling", c.use_mean_pooling);
  r.read("init_values", c.init_values, 0.0, 10.0);
  r.read("use_learnable_pos_emb", c.use_learnable_pos_emb);
  if (r.find("qk_scale") != nullptr) r.fail("qk_scale", "must be head_dim^-0.5 (null)");
  return r.status();
}

Json videomae_json(const VideoMaeConfig& c) {
  return {{"img_size", c.img_size},
          {"patch_size", c.patch_size},
          {"tubelet_size", c.tubelet_size},
          {"num_frames", c.num_frames},
          {"in_chans", c.in_chans},
          {"embed_dim", c.embed_dim},
          {"depth", c.depth},
          {"num_heads", c.num_heads},
          {"mlp_ratio", c.mlp_ratio},
          {"qkv_bias", c.qkv_bias},
          {"num_classes", c.num_classes},
          {"use_mean_pooling", c.use_mean_pooling},
          {"init_values", c.init_values},
          {"use_learnable_pos_emb", c.use_learnable_pos_emb}};
}

Status read_adatosk(const Json& json, AdaToskConfig& c) {
  MIEN_TRY(read_videomae(json, c.vit));
  Reader r(json);
  read_stem(r, c.stem);
  r.read("slotwise", c.slotwise);
  r.read("gate", c.gate, 1, 64);
  r.read("budget", c.budget, 0.0, 1.0);
  r.read("agnostic", c.agnostic);
  r.read("semantic", c.semantic);
  r.read("agnostic_hidden", c.agnostic_hidden, 0, 4096);
  r.read("background", c.background, -1, 4096);
  r.read("decoder_dim", c.decoder_dim, 1, 4096);
  r.read("decoder_depth", c.decoder_depth, 1, 64);
  r.read("decoder_heads", c.decoder_heads, 1, 64);
  return r.status();
}

Json adatosk_json(const AdaToskConfig& c) {
  Json json = videomae_json(c.vit);
  if (!c.stem.empty()) json["stem"] = stem_json(c.stem);
  if (c.slotwise) json["slotwise"] = true;
  json["gate"] = c.gate;
  json["budget"] = c.budget;
  json["agnostic"] = c.agnostic;
  json["semantic"] = c.semantic;
  if (c.agnostic_hidden > 0) json["agnostic_hidden"] = c.agnostic_hidden;
  if (c.background >= 0) json["background"] = c.background;
  json["decoder_dim"] = c.decoder_dim;
  json["decoder_depth"] = c.decoder_depth;
  json["decoder_heads"] = c.decoder_heads;
  return json;
}

Json sizes_json(const ModelConfig& config) {
  switch (config.arch) {
    case Arch::kMobileFaceNet:
      return {{"input_size", config.mobilefacenet.input_size},
              {"embedding_size", config.mobilefacenet.embedding_size}};
    case Arch::kS2D: return s2d_json(config.s2d);
    case Arch::kVideoMae: return videomae_json(config.videomae);
    case Arch::kAdaTosk: return adatosk_json(config.adatosk);
  }
  return Json::object();
}

Status read_sizes(const Json& json, ModelConfig& config) {
  switch (config.arch) {
    case Arch::kMobileFaceNet: return read_mobilefacenet(json, config.mobilefacenet);
    case Arch::kS2D: return read_s2d(json, config.s2d);
    case Arch::kVideoMae: return read_videomae(json, config.videomae);
    case Arch::kAdaTosk: return read_adatosk(json, config.adatosk);
  }
  return {};
}

template <std::size_t N>
void read_floats(const Json& json, const char* key, std::array<float, N>& out) {
  const auto it = json.find(key);
  if (it == json.end() || !it->is_array() || it->size() != N) return;
  for (std::size_t i = 0; i < N; ++i) {
    if ((*it)[i].is_number()) out[i] = (*it)[i].get<float>();
  }
}

Status read_common(const Json& json, ModelConfig& config) {
  if (const auto input = json.find("input"); input != json.end() && input->is_object()) {
    read_floats(*input, "mean", config.input.mean);
    read_floats(*input, "std", config.input.std);
    config.input.gray = input->value("gray", false);
  }
  if (const auto classes = json.find("classes"); classes != json.end() && classes->is_array()) {
    for (const Json& name : *classes) {
      if (!name.is_string())
        return make_error(ErrorCode::kBadFormat, "a class name is not text", "config");
      config.classes.push_back(name.get<std::string>());
    }
  }
  if (const auto points = json.find("face_template"); points != json.end() && points->is_array()) {
    for (const Json& value : *points) {
      if (!value.is_number())
        return make_error(ErrorCode::kBadFormat, "'face_template' has a non-number", "config");
      config.face_template.push_back(value.get<float>());
    }
  }
  if (const auto from = json.find("provenance"); from != json.end())
    config.provenance_json = from->dump();
  if (const auto q = json.find("quantization"); q != json.end() && !q->is_null()) {
    MIEN_ASSIGN(config.quantization, read_quantization(*q));
  }
  return {};
}

// "arch" of our own configs, else "model" of a golden config: "S2D landmark/mobilefacenet.py:
// MobileFaceNet", "S2D model_finetuning.py: VisionTransformer", "VideoMAE modeling_finetune.py:
// VisionTransformer". Their pre-training and local-global models have names alike and must not
// pass for these.
Result<Arch> read_arch(const Json& json) {
  const std::string name = json.value("arch", "");
  const std::string model = json.value("model", "");
  const auto says = [&](const char* word) { return model.find(word) != std::string::npos; };
  for (const Arch arch : {Arch::kMobileFaceNet, Arch::kS2D, Arch::kVideoMae, Arch::kAdaTosk}) {
    if (name == arch_name(arch)) return arch;
  }
  if (says("MobileFaceNet")) return Arch::kMobileFaceNet;
  const bool other = says("Pretrain") || says("MAE-DFER") || says("SVFAP");
  if (!other && says("VideoMAE")) return Arch::kVideoMae;
  if (!other && (says("S2D") || says("VisionTransformer"))) return Arch::kS2D;
  return make_error(ErrorCode::kUnsupported,
                    "the architecture is none of mobilefacenet, s2d, videomae, adatosk ('arch' or "
                    "'model')",
                    "config");
}

Result<ModelConfig> read_config(const Json& json) {
  if (!json.is_object()) return make_error(ErrorCode::kBadFormat, "is not a JSON object", "config");
  ModelConfig config;
  MIEN_ASSIGN(config.arch, read_arch(json));
  MIEN_TRY(read_common(json, config));
  const char* key = json.contains("constructor") ? "constructor" : arch_name(config.arch);
  const Json sizes = json.value(key, Json::object());
  MIEN_TRY(read_sizes(sizes, config));
  MIEN_TRY(validate(config));
  return config;
}

}  // namespace

const char* arch_name(Arch arch) {
  switch (arch) {
    case Arch::kMobileFaceNet: return "mobilefacenet";
    case Arch::kS2D: return "s2d";
    case Arch::kVideoMae: return "videomae";
    case Arch::kAdaTosk: return "adatosk";
  }
  return "";
}

Result<ModelConfig> parse_model_config(const std::string& text) {
  if (text.size() > (std::size_t{1} << 24)) {
    return make_error(ErrorCode::kLimit, "is larger than 16 MiB", "config");
  }
  MIEN_ASSIGN(const Json json, parse_json(text, "config"));
  try {
    return read_config(json);
  } catch (const Json::exception& e) {
    return make_error(ErrorCode::kBadFormat, e.what(), "config");
  }
}

std::string to_json(const ModelConfig& config) {
  Json json = {
      {"arch", arch_name(config.arch)},
      {"input",
       {{"mean", config.input.mean}, {"std", config.input.std}, {"gray", config.input.gray}}},
      {"classes", config.classes}};
  if (!config.face_template.empty()) json["face_template"] = config.face_template;
  json[arch_name(config.arch)] = sizes_json(config);
  if (!config.provenance_json.empty()) {
    json["provenance"] = Json::parse(config.provenance_json, nullptr, false);
  }
  if (config.quantization) json["quantization"] = quantization_json(*config.quantization);
  return json.dump();
}

}  // namespace mien::core
