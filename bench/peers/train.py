#!/usr/bin/env python3
"""How many clips a second training takes in, end to end: `mien train` and a PyTorch loop in the
style of the official scripts, on the same model (VideoMAE), data, batch and augmentation.

Data: drawn faces (mien synth faces) as folders of JPEG pictures, as DFEW is distributed. Every
contender trains for a few epochs per round, rounds in turns; the first epoch of each warms up and
is left out. Figures are medians over the rest.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from peers import HERE, ROOT, cpu_facts, torch_environment

SIZES = {"videomae-tiny": {"width": 192, "depth": 12, "heads": 3, "side": 112},
         "videomae-small": {"width": 384, "depth": 12, "heads": 6, "side": 160}}

CONFIG = """[run]
name = "peers-train"
seed = 1
threads = {threads}
precision = "{precision}"
[model]
preset = "{preset}"
classes = "ferplus"
drop_path = 0.1
[[data.train]]
path = "{data}"
format = "manifest"
[[data.valid]]
path = "{valid}"
format = "manifest"
[video]
rate = {rate}
[train]
task = "video"
epochs = {epochs}
batch = {part}
accumulate = {parts}
lr = 1e-4
weight_decay = 0.05
smoothing = 0.1
[augment]
rand_ops = 0
crop_scale_low = {low}
crop_scale_high = {high}
crop_ratio = 1.0
flip = 0.5
erase = 0.0
"""


def make_data(arguments, folder, clips):
    """Clips as folders of pictures with a manifest.csv; made once."""
    if (folder / "manifest.csv").exists():
        return
    drawn = folder / "drawn"
    shutil.rmtree(folder, ignore_errors=True)
    drawn.mkdir(parents=True)
    subprocess.run([arguments.mien, "synth", "faces", "--out", drawn, "--clips", str(clips),
                    "--size", "160"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    with open(drawn / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = ["path,label"]
    for i, row in enumerate(rows):
        frames = folder / "clips" / f"{i:05d}"
        frames.mkdir(parents=True)
        subprocess.run(["ffmpeg", "-loglevel", "error", "-nostdin", "-i", drawn / row["path"],
                        "-q:v", "3", frames / "%05d.jpg"], check=True)
        lines.append(f"clips/{i:05d},{row['label']}")
    shutil.rmtree(drawn)
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")


def train_mien(arguments, settings, precision):
    """-> clips per second of every epoch but the first"""
    folder = pathlib.Path(arguments.cache) / "train"
    config = folder / "mien.toml"
    low, high = settings["crop_scale"]
    # The same batch, in parts that are computed at a time: the gradient of the same mean.
    parts = settings["threads"] if settings["batch"] % settings["threads"] == 0 else 1
    config.write_text(CONFIG.format(precision=precision, preset=arguments.preset,
                                    valid=folder / "valid", low=low, high=high, parts=parts,
                                    part=settings["batch"] // parts, **settings))
    shutil.rmtree(folder / "runs", ignore_errors=True)
    subprocess.run([arguments.mien, "train", config], check=True, cwd=folder,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(folder / "runs/peers-train/history.csv", newline="") as file:
        return [float(row["samples_per_s"]) for row in csv.DictReader(file)][1:]


def train_torch(arguments, settings, precision, environment):
    path = pathlib.Path(arguments.cache) / "train" / "settings.json"
    path.write_text(json.dumps(settings))
    done = subprocess.run([arguments.python, HERE / "train_torch.py", path, precision], check=True,
                          stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    return [float(line) for line in done.stdout.split()][1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--preset", default="videomae-tiny", choices=SIZES)
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="processes of PyTorch's DataLoader")
    parser.add_argument("--worker", default=str(ROOT / "build/bin/mien_peer_worker"))
    parser.add_argument("--mien", default=str(ROOT / "build/mien"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the one that has torch")
    parser.add_argument("--cache", default=str(ROOT / "cache/peers"))
    arguments = parser.parse_args()
    data = pathlib.Path(arguments.cache) / "train" / "data"
    make_data(arguments, data, arguments.clips)
    make_data(arguments, data.parent / "valid", 8)
    settings = {"data": str(data), "frames": 16, "rate": 2, "crop_scale": [0.8, 1.0],
                "drop_path": 0.1, "classes": 8, "epochs": arguments.epochs,
                "batch": arguments.batch, "threads": arguments.threads,
                "workers": arguments.workers, **SIZES[arguments.preset]}
    cpu = cpu_facts()
    environment = torch_environment(arguments.python, arguments.worker, cpu)
    speeds = {}
    for _ in range(arguments.rounds):
        for precision in ("f32", "bf16"):
            speeds.setdefault(("PyTorch", precision), []).extend(
                train_torch(arguments, settings, precision, environment))
            speeds.setdefault(("mien", precision), []).extend(
                train_mien(arguments, settings, precision))
    medians = {key: statistics.median(values) for key, values in speeds.items()}
    best = max(value for key, value in medians.items() if key[0] == "PyTorch")
    print(f"Training {arguments.preset}, batch {arguments.batch}, {arguments.clips} clips of 16 "
          f"frames, {cpu['model']} ({' '.join(cpu['flags'])}), {arguments.threads} threads.\n")
    print("| program | precision | clips/s | to the best PyTorch |\n|---|---|---:|---:|")
    for (name, precision), value in sorted(medians.items()):
        print(f"| {name} | {precision} | {value:.1f} | {value / best:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
