"""VideoMAE's fine-tuned ViT in plain PyTorch, as a worker of peers.py (see there).

    python3 worker_torch.py MODEL.safetensors CLIP.safetensors f32|bf16 THREADS

The modules are those of the official modeling_finetune.py in inference: every layer is one call of
torch.nn.functional. bf16 casts weights and activations (no autocast: it would cast the weights
again in each pass).
"""

import json
import math
import struct
import sys
import time

import numpy
import torch
import torch.nn.functional as F

KINDS = {"F32": numpy.float32, "F16": numpy.float16, "F64": numpy.float64, "U8": numpy.uint8}


def read_safetensors(path):
    """-> (tensors by name, metadata)"""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], KINDS[entry["dtype"]])
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors, metadata


def sincos_positions(tokens, width):
    columns = numpy.arange(width)
    angles = numpy.arange(tokens)[:, None] / 10000 ** (2 * (columns // 2) / width)
    table = numpy.where(columns % 2 == 0, numpy.sin(angles), numpy.cos(angles))
    return torch.from_numpy(table.astype(numpy.float32))[None]


class VideoMae:
    def __init__(self, weights, config, dtype):
        sizes = config["videomae"]
        self.depth = sizes["depth"]
        self.heads = sizes["num_heads"]
        self.dtype = dtype
        width = sizes["embed_dim"]
        self.w = {name: tensor.float() for name, tensor in weights.items()}
        for i in range(self.depth):
            name = f"blocks.{i}.attn."
            bias = None
            if name + "q_bias" in self.w:
                q, v = self.w[name + "q_bias"], self.w[name + "v_bias"]
                bias = torch.cat([q, torch.zeros_like(q), v])
            self.w[name + "qkv.bias"] = bias
        patch = self.w["patch_embed.proj.weight"].shape[2:]
        frames, side = sizes["num_frames"], sizes["img_size"]
        tokens = (frames // patch[0]) * (side // patch[1]) * (side // patch[2])
        self.w["positions"] = sincos_positions(tokens, width)
        self.stride = tuple(patch)
        self.w = {k: None if v is None else v.to(dtype) for k, v in self.w.items()}

    def linear(self, name, x):
        return F.linear(x, self.w[name + ".weight"], self.w.get(name + ".bias"))

    def norm(self, name, x):
        weight = self.w[name + ".weight"]
        return F.layer_norm(x, weight.shape, weight, self.w[name + ".bias"], 1e-6)

    def block(self, name, x):
        n, tokens, width = x.shape
        qkv = self.linear(name + "attn.qkv", self.norm(name + "norm1", x))
        q, k, v = qkv.reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = (q * (1.0 / math.sqrt(width // self.heads))) @ k.transpose(-2, -1)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, tokens, width)
        x = x + self.linear(name + "attn.proj", mixed)
        hidden = F.gelu(self.linear(name + "mlp.fc1", self.norm(name + "norm2", x)))
        return x + self.linear(name + "mlp.fc2", hidden)

    def __call__(self, clip):
        weight = self.w["patch_embed.proj.weight"]
        x = F.conv3d(clip.to(self.dtype), weight, self.w["patch_embed.proj.bias"], self.stride)
        x = x.flatten(2).transpose(1, 2) + self.w["positions"]
        for i in range(self.depth):
            x = self.block(f"blocks.{i}.", x)
        return self.linear("head", self.norm("fc_norm", x.mean(1))).float()


def main(model, clip, precision, threads):
    torch.set_num_threads(int(threads))
    torch.set_grad_enabled(False)
    weights, metadata = read_safetensors(model)
    config = json.loads(metadata["mien.config"])
    if config["arch"] != "videomae":
        sys.exit(f"{model} is {config['arch']}, not videomae")
    net = VideoMae(weights, config, {"f32": torch.float32, "bf16": torch.bfloat16}[precision])
    x = read_safetensors(clip)[0]["x"]
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        logits = net(x)
        ms = 1e3 * (time.perf_counter() - begin)
        if line.strip() == "run":
            print(ms, flush=True)
        else:
            print(*logits.flatten().tolist(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
