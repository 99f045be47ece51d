#!/usr/bin/env python3
"""mien against PyTorch and ONNX Runtime: the same weights, the same clip, runs taken in turns.

Every contender is a process of its own that stays alive and answers lines on stdin: "logits" with
the numbers of its answer, "run" with the milliseconds of one forward pass. First all answers are
compared with those of ONNX Runtime; only then is anything timed, one run of each contender per
round, so that all see the machine in the same states. Medians and ratios go to stdout as a
Markdown table and to a JSON file.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Largest difference of a logit, in parts of the largest logit (at least 1). In bf16 AdaTosk may
# keep other tokens where two count nearly alike.
TOLERANCE = {"f32": 1e-4, "bf16": 5e-2, "int8": 1e-1, "adatosk bf16": 2e-1, "adatosk int8": 3e-1}

# Cores of OpenBLAS that use AVX-512.
AVX512_CORES = {"skylakex", "cooperlake", "sapphirerapids"}

PAUSE_S = 0.05  # after a run, so that its threads have gone to sleep


def cpu_facts():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    find = lambda key: (re.search(rf"^{key}\s*:\s*(.*)$", text, re.M) or [None, ""])[1]
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_bf16", "amx_int8")
    flags = set(find("flags").split())
    return {"model": find("model name"), "flags": [f for f in wanted if f in flags]}


def torch_environment(python, worker, cpu):
    """What PyTorch needs to run at its best, or at all, on this CPU."""
    # Its layers allocate their results anew: glibc would give large ones back to the system each
    # time, and where a hypervisor makes page faults dear that costs as much as the layers.
    extra = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 32)}
    if "avx512f" in cpu["flags"]:
        # OpenBLAS takes CPUs that it does not know for old ones.
        probe = subprocess.run(
            [python, "-c", "import torch; torch.ones(64, 64) @ torch.ones(64, 64)"],
            env={**os.environ, "OPENBLAS_VERBOSE": "2"}, capture_output=True, text=True)
        core = re.search(r"Core:\s*(\S+)", probe.stdout + probe.stderr)
        if core and core[1].lower() not in AVX512_CORES:
            extra["OPENBLAS_CORETYPE"] = "SKYLAKEX"
    said = subprocess.run([worker, "cpu"], capture_output=True, text=True, check=True).stdout
    if said.split() == ["amx_without_tiles", "1"]:
        extra["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE_BF16"
    return extra


class Contender:
    """A worker and what it has been timed at."""

    def __init__(self, model, name, precision, command, environment=None):
        self.model, self.name, self.precision = model, name, precision
        self.times = []
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1, env={**os.environ, **(environment or {})})
        self.version = self.read().partition("ready")[2].strip()

    def __str__(self):
        return f"{self.model} {self.name} {self.precision}"

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self} ended with code {self.process.wait()}")
        return line

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return [float(word) for word in self.read().split()]

    def run(self):
        (ms,) = self.ask("run")
        time.sleep(PAUSE_S)
        return ms

    def median(self):
        return statistics.median(self.times)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def make_files(arguments, preset):
    """-> model, clip, ONNX; made once per build folder."""
    folder = pathlib.Path(arguments.cache) / preset
    folder.mkdir(parents=True, exist_ok=True)
    model, clip, onnx = (folder / name
                         for name in ("model.safetensors", "clip.safetensors", "model.onnx"))
    subprocess.run([arguments.worker, "make", preset, model, clip], check=True)
    subprocess.run([arguments.mien, "export", model, onnx], check=True, stdout=subprocess.DEVNULL)
    return model, clip, onnx


def start(arguments, preset, cpu):
    model, clip, onnx = make_files(arguments, preset)
    threads = arguments.threads
    node_path = {"NODE_PATH": str(pathlib.Path(arguments.cache) / "node_modules")}
    one = lambda *rest: Contender(preset, *rest)
    # First the one that the others are compared with.
    started = [one("ONNX Runtime", "f32",
                   ["node", HERE / "worker_ort.cjs", onnx, clip, threads], node_path)]
    if preset.startswith("videomae"):
        for precision in ("f32", "bf16"):
            started.append(one("PyTorch", precision,
                               [arguments.python, HERE / "worker_torch.py", model, clip,
                                precision, threads],
                               torch_environment(arguments.python, arguments.worker, cpu)))
    for precision in arguments.precisions:
        started.append(one("mien", precision,
                           [arguments.worker, "serve", model, clip, precision, threads]))
    return started


def compare(contenders):
    """Differences to the first contender of the same model; ends the program at one too large."""
    rows, references = [], {}
    for c in contenders:
        logits = c.ask("logits")
        wanted = references.setdefault(c.model, logits)
        if len(logits) != len(wanted):
            sys.exit(f"{c}: {len(logits)} logits, expected {len(wanted)}")
        scale = max(1.0, max(abs(v) for v in wanted))
        largest = max(abs(a - b) for a, b in zip(logits, wanted)) / scale
        special = f"{c.model.partition('-')[0]} {c.precision}"
        allowed = TOLERANCE.get(special, TOLERANCE[c.precision])
        if not largest <= allowed:
            sys.exit(f"{c}: differs by {largest:.2e} of the largest logit, allowed {allowed:g}")
        rows.append({"contender": str(c), "difference": largest})
    return rows


def report(contenders, base):
    lines = ["| model | runs in | precision | median ms | clips/s | times faster than "
             f"{base.name} {base.precision} on {base.model} |", "|---|---|---|---|---|---|"]
    rows = []
    for c in contenders:
        ratio = base.median() / c.median()
        program = f"{c.name} {c.version}".strip()
        lines.append(f"| {c.model} | {program} | {c.precision} | {c.median():.1f} "
                     f"| {1e3 / c.median():.2f} | {ratio:.2f} |")
        rows.append({"model": c.model, "name": c.name, "version": c.version,
                     "precision": c.precision, "median_ms": c.median(), "times_ms": c.times,
                     "ratio": ratio})
    return lines, rows


def goals(contenders):
    """The ratios that the project asks for, where both sides were timed."""
    at = {(c.model, c.name, c.precision): c.median() for c in contenders}
    asked = [
        ("videomae-base", "mien", "f32", "videomae-base", "ONNX Runtime", "f32", 1.1),
        ("videomae-base", "mien", "f32", "videomae-base", "PyTorch", "f32", 2.5),
        ("videomae-base", "mien", "bf16", "videomae-base", "PyTorch", "bf16", 1.6),
        ("videomae-base", "mien", "int8", "videomae-base", "ONNX Runtime", "f32", 3.4),
        ("adatosk-base", "mien", "int8", "videomae-base", "ONNX Runtime", "f32", 6.0),
    ]
    rows = []
    for *keys, wanted in asked:
        ours, theirs = tuple(keys[:3]), tuple(keys[3:])
        if ours in at and theirs in at:
            rows.append({"ours": " ".join(ours), "theirs": " ".join(theirs), "wanted": wanted,
                         "ratio": at[theirs] / at[ours]})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--presets", nargs="+", default=["videomae-base", "adatosk-base"])
    parser.add_argument("--precisions", nargs="+", default=["f32", "bf16", "int8"], help="of mien",
                        choices=["f32", "bf16", "int8"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--worker", default=str(ROOT / "build/bin/mien_peer_worker"))
    parser.add_argument("--mien", default=str(ROOT / "build/mien"))
    parser.add_argument("--python", default="/usr/bin/python3", help="the one that has torch")
    parser.add_argument("--cache", default=str(ROOT / "cache/peers"))
    parser.add_argument("--out", default=str(ROOT / "cache/peers/peers.json"))
    arguments = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))[:arguments.threads]
    os.sched_setaffinity(0, cpus)  # the workers inherit it
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

    cpu = cpu_facts()
    contenders = [c for preset in arguments.presets for c in start(arguments, preset, cpu)]
    differences = compare(contenders)
    for c in contenders:
        c.run()
    for _ in range(arguments.rounds):
        for c in contenders:
            c.times.append(c.run())
    mien_version = subprocess.run([arguments.mien, "--version"], capture_output=True, text=True,
                                  check=True).stdout.strip()
    lines, rows = report(contenders, contenders[0])
    asked = goals(contenders)
    for c in contenders:
        c.close()

    print(f"{cpu['model']} ({' '.join(cpu['flags'])}), {arguments.threads} threads on CPUs {cpus}, "
          f"{platform.system()} {platform.release()}, {mien_version}, batch 1, medians of "
          f"{arguments.rounds} rounds in turns.\n")
    print("\n".join(lines))
    if asked:
        print("\n| mien | against | times faster | goal |\n|---|---|---|---|")
    for row in asked:
        print(f"| {row['ours']} | {row['theirs']} | {row['ratio']:.2f} | {row['wanted']} |")
    document = {"cpu": cpu, "cpus": cpus, "threads": arguments.threads, "mien": mien_version,
                "system": platform.platform(), "rounds": arguments.rounds,
                "differences": differences, "results": rows, "goals": asked}
    pathlib.Path(arguments.out).write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
