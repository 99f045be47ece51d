"""VideoMAE fine-tuned as the official scripts do it, in plain PyTorch; run by train.py.

    python3 train_torch.py SETTINGS.json f32|bf16

Modules, losses, optimizer and data set are those of the official run_class_finetuning.py in small:
a DataLoader with worker processes reads a clip's pictures with PIL, crops, flips and normalises
them; the step is autocast (bf16) or plain f32. Prints the clips per second of every epoch.
"""

import json
import pathlib
import random
import sys
import time

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

from worker_torch import sincos_positions


class Clips(torch.utils.data.Dataset):
    """-> [3, frames, side, side] normalised, label"""

    def __init__(self, settings):
        folder = pathlib.Path(settings["data"])
        lines = (folder / "manifest.csv").read_text().splitlines()[1:]
        names = sorted({line.split(",")[1] for line in lines})
        self.items = [(folder / line.split(",")[0], names.index(line.split(",")[1]))
                      for line in lines]
        self.frames, self.rate = settings["frames"], settings["rate"]
        self.side, self.scale = settings["side"], settings["crop_scale"]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        folder, label = self.items[index]
        paths = sorted(folder.glob("*.jpg"))
        span = (self.frames - 1) * self.rate + 1
        first = random.randint(0, max(0, len(paths) - span))
        picked = [paths[min(first + i * self.rate, len(paths) - 1)] for i in range(self.frames)]
        box, flip, clip = None, random.random() < 0.5, []
        for path in picked:
            picture = Image.open(path).convert("RGB")
            if box is None:
                edge = (random.uniform(*self.scale) * picture.width * picture.height) ** 0.5
                x = random.uniform(0, picture.width - edge)
                y = random.uniform(0, picture.height - edge)
                box = (x, y, x + edge, y + edge)
            small = picture.resize((self.side, self.side), Image.BICUBIC, box)
            clip.append(numpy.asarray(small))
        x = torch.from_numpy(numpy.stack(clip)).permute(3, 0, 1, 2).float().div_(255)
        mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1, 1)
        x = (x - mean) / std
        return (x.flip(-1) if flip else x), label


class Block(nn.Module):
    def __init__(self, width, heads, drop_path):
        super().__init__()
        self.heads, self.drop_path = heads, drop_path
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def dropped(self, x):
        if not self.training or self.drop_path == 0:
            return x
        keep = 1 - self.drop_path
        return x * torch.empty(len(x), 1, 1).bernoulli_(keep).div_(keep)

    def attention(self, x):
        n, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = (q * (width // self.heads) ** -0.5) @ k.transpose(-2, -1)
        return self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, tokens, width))

    def forward(self, x):
        x = x + self.dropped(self.attention(self.norm1(x)))
        return x + self.dropped(self.fc2(F.gelu(self.fc1(self.norm2(x)))))


class VideoMae(nn.Module):
    def __init__(self, s):
        super().__init__()
        cube = (2, 16, 16)
        self.patches = nn.Conv3d(3, s["width"], cube, cube)
        tokens = s["frames"] // 2 * (s["side"] // 16) ** 2
        self.register_buffer("positions", sincos_positions(tokens, s["width"]))
        self.blocks = nn.ModuleList([Block(s["width"], s["heads"], s["drop_path"] * i / (s["depth"] - 1))
                                     for i in range(s["depth"])])
        self.fc_norm = nn.LayerNorm(s["width"], 1e-6)
        self.head = nn.Linear(s["width"], s["classes"])

    def forward(self, clips):
        x = self.patches(clips).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.fc_norm(x.mean(1)))


def main(path, precision):
    s = json.loads(pathlib.Path(path).read_text())
    torch.set_num_threads(s["threads"])
    torch.manual_seed(1)
    net = VideoMae(s).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4, weight_decay=0.05)
    loader = torch.utils.data.DataLoader(Clips(s), batch_size=s["batch"], shuffle=True,
                                         drop_last=True, num_workers=s["workers"],
                                         persistent_workers=s["workers"] > 0)
    for _ in range(s["epochs"]):
        begin, clips = time.perf_counter(), 0
        for x, label in loader:
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits = net(x)
            loss = F.cross_entropy(logits.float(), label, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            clips += len(x)
            loss.item()
        print(clips / (time.perf_counter() - begin), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
