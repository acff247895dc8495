#!/usr/bin/env python3
"""Compares cinta with PyTorch, Keras, ONNX Runtime, Burn, Candle and RustyML in one run, and writes a Markdown table.

    python3 run.py --python PYTHON_WITH_TORCH --keras-python PYTHON_WITH_KERAS_AND_TENSORFLOW
                   [--threads 2 1] [--rounds 3] [--only cinta,torch,keras,onnxruntime,burn,candle,rustyml]
                   [--measurements "train lecture,forward lenet1"] [--native] [--builds]
                   [--output ../record/latest.md]

Needs cargo and Python 3.11; nothing but the standard library. `pip install torch onnxruntime onnx` and
`pip install keras tensorflow-cpu`, in an environment each if they do not agree, give the two Pythons.
A peer without its Python, or one that does not build or start, is noted and left out.

--threads       a table for each of these numbers of threads
--rounds        how often every measurement is repeated; the median counts
--only          the programs that take part; ratios need cinta
--measurements  a subset; all of them without it
--native        Burn and Candle compiled for this processor as well, as variants of their own
--builds        times what a user of cinta and the Rust peers waits for: a release build from nothing, and after an edit;
                that takes minutes
--output        where the table goes, besides standard output

A program runs in several variants where a setting matters, and its best one counts for every measurement by itself:
PyTorch in both memory layouts, with threads that spin while they wait (its default) and with threads that sleep;
Burn and Candle compiled for any x86-64 processor, where they choose instructions at run time, and with
`--native` for this one. Cinta has one variant, the default build.

Every variant is one process that stays alive. All are asked in turn, measurement by measurement and round by
round, so that a slow moment of the machine strikes them alike. Nothing else should run meanwhile.
"""

import argparse
import collections
import contextlib
import dataclasses
import datetime
import json
import math
import os
import pathlib
import platform
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
CASES = json.loads((HERE / "cases.json").read_text())
CONVOLUTIONS = {case["name"]: case for case in CASES["convolutions"]}
# Networks with shortcuts: their numbers are seconds a sample.
NETWORKS = ["resnet20", "mobilenet", "unet"]
MEASUREMENTS = [
    "train lecture", "predict lecture", "predict one", "train mnist", "train vgg",
    *[f"{kind} {name}" for name in NETWORKS for kind in ("train", "predict", "one")],
    *[f"{kind} {name}" for name in CONVOLUTIONS for kind in ("forward", "backward")],
    *[f"{kind} {case['name']}" for case in CASES["poolings"] for kind in ("pool", "pool_backward")],
    "gemm",
]
PEERS = ["torch", "keras", "onnxruntime", "burn", "candle", "rustyml"]
RUST_PEERS = ["burn", "candle", "rustyml"]
TIMEOUT = 300
# A variant that keeps dying is given up: each new start of a Python framework takes seconds.
STARTS = 4


def log(text):
    print(text, file=sys.stderr, flush=True)


# Programs


@dataclasses.dataclass
class Variant:
    """One program with one setting, as a process that is started when it is first asked."""

    peer: str
    label: str
    command: list
    environment: dict
    notes: list
    process: subprocess.Popen = None
    starts: int = 0
    refused: set = dataclasses.field(default_factory=set)

    def start(self):
        # Not a pipe: nobody reads it while the process runs, and a full pipe would stop it.
        self.errors = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                [str(word) for word in self.command], bufsize=0, cwd=HERE, env=os.environ | self.environment,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            )
            self.starts += 1
        except OSError:
            self.starts = STARTS
            raise

    def ask(self, measurement):
        """The seconds, or None if the program has nothing of that kind or failed."""
        if measurement in self.refused or (self.process is None and self.starts == STARTS):
            return None
        try:
            if self.process is None:
                self.start()
            # A process that has ended cannot be written to; why it has shows when it is read from.
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(f"{measurement}\n".encode())
            if not select.select([self.process.stdout], [], [], TIMEOUT)[0]:
                raise OSError(f"no answer within {TIMEOUT} s")
            answer = self.process.stdout.readline().decode().strip()
            if not answer:
                self.process.wait(10)
                raise OSError(self.last_error())
            if answer != "-":
                return float(answer)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            ending = "; given up" if self.starts == STARTS else ""
            self.notes.append(f"{self.peer} ({self.label}), {measurement}: {error}{ending}")
            log(self.notes[-1])
            self.stop(kill=True)
        self.refused.add(measurement)
        return None

    def last_error(self):
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with code {self.process.returncode}"

    def peak_memory(self):
        """The most memory that the process has had so far, in MB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1000

    def stop(self, kill=False):
        process, self.process = self.process, None
        if process is None:
            return
        if kill:
            process.kill()
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def cargo_build(arguments, directory, environment=None):
    command = ["cargo", "build", "--release", *arguments]
    log(" ".join(command))
    environment = os.environ | {"CARGO_TARGET_DIR": str(directory)} | (environment or {})
    return subprocess.run(command, cwd=HERE, env=environment).returncode == 0


def build(names, directory, notes, environment=None):
    """The programs that could be built, as paths by name."""
    features = [name for name in names if name != "cinta"]
    together = ["--features", ",".join(features), *[word for name in names for word in ("--bin", name)]]
    built = names
    if not cargo_build(together, directory, environment):
        # One that does not build must not keep the others from it.
        built = [
            name for name in names
            if cargo_build(["--bin", name, *(["--features", name] if name in features else [])], directory, environment)
        ]
        notes.extend(f"{name} does not build" for name in names if name not in built)
    return {name: directory / "release" / name for name in built}


def target_directory():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")).resolve()


def processor_level():
    """The level of x86-64 that `--native` builds for."""
    return "x86-64-v4" if "avx512f" in pathlib.Path("/proc/cpuinfo").read_text() else "x86-64-v3"


def programs(options, notes):
    """All programs that take part: the peer, a label, and a function from threads to command and environment."""
    found = []
    rust = [name for name in ["cinta", *RUST_PEERS] if name in options.only]
    kinds = [("default build", rust, target_directory(), {})]
    if options.native:
        names = [name for name in ("burn", "candle") if name in options.only]
        flags = {"RUSTFLAGS": f"-C target-cpu={processor_level()}"}
        kinds.append((f"built for {processor_level()}", names, target_directory() / "native", flags))
    for label, names, directory, environment in kinds:
        paths = build(names, directory, notes, environment) if names else {}
        for name, path in paths.items():
            found.append((name, label, lambda threads, path=path: ([path], {"RAYON_NUM_THREADS": str(threads)})))
    pythons = [("torch", options.python), ("keras", options.keras_python), ("onnxruntime", options.python)]
    for peer, python in pythons:
        if peer in options.only and python is None:
            notes.append(f"{peer}: no Python was given")
        elif peer == "keras" and peer in options.only:
            found.append((peer, "NHWC", lambda threads: ([options.keras_python, "keras_peer.py", threads], {})))
        elif peer == "onnxruntime" and peer in options.only:
            found.append((peer, "exported by PyTorch", lambda threads: ([options.python, "onnx_peer.py", threads], {})))
        elif peer in options.only:
            for layout in ("nchw", "channels_last"):
                for waiting in ({}, {"OMP_WAIT_POLICY": "passive"}):
                    found.append((
                        peer,
                        f"{layout}, {'sleeping' if waiting else 'spinning'}",
                        lambda threads, layout=layout, waiting=waiting: (
                            [options.python, "torch_peer.py", threads, layout],
                            {"OMP_NUM_THREADS": str(threads)} | waiting,
                        ),
                    ))
    return found


def start_variants(found, threads, notes):
    return [Variant(peer, label, *command(threads), notes) for peer, label, command in found]


# Measuring


def measure(variants, measurements, rounds):
    """The median seconds over the rounds, by measurement and then by peer and label."""
    times = {measurement: collections.defaultdict(list) for measurement in measurements}
    for number in range(rounds):
        for measurement in measurements:
            for variant in variants:
                seconds = variant.ask(measurement)
                if seconds is not None:
                    times[measurement][variant.peer, variant.label].append(seconds)
            log(f"round {number + 1}: {measurement}")
    return {
        measurement: {key: statistics.median(seconds) for key, seconds in by_variant.items()}
        for measurement, by_variant in times.items()
    }


def best(times):
    """The fastest variant of each peer, as pairs of seconds and label."""
    found = {}
    for (peer, label), seconds in times.items():
        if peer not in found or seconds < found[peer][0]:
            found[peer] = (seconds, label)
    return found


def memory(found, fastest, threads, notes):
    """The peak memory of a fresh process that trains the lecture's network, in MB, by peer."""
    peaks = {}
    for variant in start_variants(found, threads, notes):
        if fastest.get(variant.peer, (None, None))[1] == variant.label:
            if variant.ask("train lecture") is not None:
                peaks[variant.peer] = variant.peak_memory()
            variant.stop()
    return peaks


def inline_table(dependency):
    return "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in dependency.items()) + " }"


def build_times(only, notes):
    """What a user of each Rust framework waits for, in seconds: from nothing to the first line of output of its program of
    this comparison, in a release build with all it depends on, and again after an edit."""
    dependencies = tomllib.loads((HERE / "Cargo.toml").read_text())["dependencies"]
    frameworks = {
        "cinta": ["cinta"], "burn": ["burn"], "candle": ["candle-core", "candle-nn"], "rustyml": ["ndarray", "rustyml"],
    }
    times = {}
    for name, crates in frameworks.items():
        if name not in only:
            continue
        with tempfile.TemporaryDirectory() as directory:
            directory = pathlib.Path(directory)
            manifest = '[package]\nname = "peers"\nversion = "0.0.0"\nedition = "2024"\n\n[dependencies]\n'
            for crate in [*crates, "serde", "serde_json"]:
                dependency = dependencies[crate]
                dependency = {"version": dependency} if isinstance(dependency, str) else dict(dependency)
                dependency.pop("optional", None)
                if "path" in dependency:
                    dependency["path"] = str((HERE / dependency["path"]).resolve())
                manifest += f"{crate} = {inline_table(dependency)}\n"
            (directory / "Cargo.toml").write_text(manifest)
            program = directory / "src/main.rs"
            program.parent.mkdir()
            shutil.copy(HERE / "src/lib.rs", directory / "src/lib.rs")
            shutil.copy(HERE / f"src/bin/{name}.rs", program)
            shutil.copy(HERE / "cases.json", directory)
            # The same versions as in the comparison.
            shutil.copy(HERE / "Cargo.lock", directory)
            run = {"cwd": directory, "env": os.environ | {"CARGO_TARGET_DIR": str(directory / "target")}}
            subprocess.run(["cargo", "fetch", "--quiet"], **run)
            log(f"building {name} alone")
            waits = []
            for _ in range(2):
                start = time.perf_counter()
                command = ["cargo", "run", "--release", "--quiet"]
                answer = subprocess.run(command, input=b"forward lenet1\n", stdout=subprocess.PIPE, **run)
                if answer.returncode != 0 or not answer.stdout.strip():
                    break
                waits.append(time.perf_counter() - start)
                with program.open("a") as source:
                    source.write("\n// An edit.\n")
            if len(waits) == 2:
                times[name] = waits
            else:
                notes.append(f"{name} alone does not build")
    return times


# Writing


def gigaflop(measurement):
    """The floating-point operations of a convolution or matrix product in units of 10^9; gradients count twice."""
    kind, _, name = measurement.partition(" ")
    if kind == "gemm":
        return 2 * 1024**3 / 1e9
    if kind not in ("forward", "backward"):
        return None
    case = CONVOLUTIONS[name]
    side = (case["side"] + 2 * case["pad"] - case["k"]) // case["stride"] + 1
    once = 2 * case["n"] * side**2 * case["c_out"] * case["c_in"] // case["groups"] * case["k"] ** 2
    return once * (3 if kind == "backward" else 1) / 1e9


def digits(value):
    """Three significant digits, thousands apart."""
    decimals = max(2 - math.floor(math.log10(value)), 0)
    return f"{value:,.{decimals}f}".replace(",", " ")


def quantity(measurement, seconds):
    if seconds is None:
        return "-"
    kind, _, name = measurement.partition(" ")
    if kind == "train" or (kind == "predict" and name in NETWORKS):
        return digits(float(f"{1 / seconds:.3g}"))
    text = f"{digits(seconds * 1e3)} ms" if seconds >= 1e-3 else f"{digits(seconds * 1e6)} us"
    work = gigaflop(measurement)
    return f"{text} ({work / seconds:.0f})" if work else text


def title(measurement):
    kind, _, name = measurement.partition(" ")
    if name in NETWORKS and kind != "train":
        return f"prediction, {name}, samples/s" if kind == "predict" else f"one sample, {name}"
    texts = {
        "train": f"training, {name}, samples/s",
        "predict": "prediction of one sample" if name == "one" else "prediction of 7291 samples",
        "forward": f"{name}, forward",
        "backward": f"{name}, forward and gradients",
        "pool": f"{name}, forward",
        "pool_backward": f"{name}, forward and gradient",
        "gemm": "matrix product, 1024 x 1024 x 1024",
    }
    return texts.get(kind, measurement)


def table(rows):
    head, *body = rows
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *body])


def ratio(value):
    return "-" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def ratio_to(fastest, peer):
    """How many times faster than the peer cinta is."""
    if "cinta" not in fastest or peer not in fastest:
        return None
    return fastest[peer][0] / fastest["cinta"][0]


def comparison(results, peers):
    """The table of one thread count, the means of its ratios, and which variants were best."""
    rows = [["", "cinta", *peers, *[f"cinta : {peer}" for peer in peers]]]
    ratios, winners = collections.defaultdict(list), collections.defaultdict(collections.Counter)
    for measurement, times in results.items():
        fastest = best(times)
        seconds = [fastest.get(name, (None,))[0] for name in ["cinta", *peers]]
        against = {peer: ratio_to(fastest, peer) for peer in peers}
        rows.append([
            title(measurement),
            *[quantity(measurement, value) for value in seconds],
            *[ratio(against[peer]) for peer in peers],
        ])
        for peer, (_, label) in fastest.items():
            winners[peer][label] += 1
        if measurement.split()[0] in ("forward", "backward"):
            for peer, value in against.items():
                ratios[peer] += [value] if value else []
    means = [f"{peer} {ratio(statistics.geometric_mean(values))}" for peer, values in ratios.items() if values]
    lines = [table(rows)]
    if means:
        lines.append(f"Geometric mean of the ratios over the convolutions: {', '.join(means)}.")
    settings = {key for times in results.values() for key in times}
    for peer, counts in winners.items():
        if sum(name == peer for name, _ in settings) > 1:
            best_settings = "; ".join(f"{label} ({count}x)" for label, count in counts.most_common())
            lines.append(f"Best settings of {peer}: {best_settings}.")
    return "\n\n".join(lines)


def output_of(command):
    try:
        return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions(options):
    packages = tomllib.loads((HERE / "Cargo.lock").read_text())["package"]
    crates = {package["name"]: package["version"] for package in packages}
    names = {"cinta": "cinta", "burn": "burn", "candle": "candle-core", "rustyml": "rustyml"}
    found = [f"{name} {crates.get(crate, 'unknown')}" for name, crate in names.items() if name in options.only]
    wanted = [
        ("torch", options.python, ["torch"]),
        ("keras", options.keras_python, ["keras", "tensorflow_cpu", "tensorflow"]),
        ("onnxruntime", options.python, ["onnxruntime"]),
    ]
    for peer, python, distributions in wanted:
        for distribution in distributions if peer in options.only and python else []:
            script = f"from importlib.metadata import version; print(version('{distribution}'))"
            version = output_of([python, "-c", script])
            if version != "unknown":
                found.append(f"{distribution} {version}")
    return ", ".join(found)


def header(options, found):
    processor = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    now = datetime.datetime.now(datetime.UTC)
    commit = output_of(["git", "rev-parse", "--short", "HEAD"])
    lines = [
        f"- {now:%Y-%m-%d %H:%M} UTC, commit {commit}",
        f"- {processor[1] if processor else platform.machine()}, {os.cpu_count()} cores",
        f"- {output_of(['rustc', '--version'])}",
        f"- {versions(options)}",
    ]
    for peer, _, command in found:
        if peer == "cinta":
            lines.append(f"- instruction set of cinta: {output_of([*command(1)[0], 'instruction-set'])}")
    return "\n".join(lines)


def report(options):
    notes = []
    found = programs(options, notes)
    peers = [peer for peer in PEERS if peer in options.only]
    parts = [
        "# cinta and its peers",
        header(options, found),
        f"Medians over {options.rounds} round{'s' if options.rounds > 1 else ''}, the best setting of each peer. "
        "The number in parentheses is GFLOP/s, where forward and gradients together count three times the forward "
        "operations. A ratio above 1 means that cinta is faster. Candle's SGD has no momentum; RustyML applies the L2 "
        "penalty as weight decay.",
    ]
    fastest = {}
    for threads in options.threads:
        variants = start_variants(found, threads, notes)
        try:
            results = measure(variants, options.measurements, options.rounds)
        finally:
            for variant in variants:
                variant.stop()
        parts += [f"## {threads} thread{'s' if threads > 1 else ''}", comparison(results, peers)]
        fastest = fastest or best(results.get("train lecture", {}))
    if fastest:
        peaks = memory(found, fastest, options.threads[0], notes)
        rows = [[name, f"{peak:.0f} MB"] for name, peak in peaks.items()]
        parts.append(f"## Peak memory of training the lecture's network, threads: {options.threads[0]}")
        parts.append(table([["", "whole process"], *rows]))
    if options.builds:
        rows = [[name, *(f"{wait:.1f} s" for wait in waits)] for name, waits in build_times(options.only, notes).items()]
        heading = "## What a user waits for: a release build with all dependencies, to the first line of output"
        parts += [heading, table([["", "from nothing", "after an edit"], *rows])]
    if notes:
        parts += ["## Notes", "\n".join(f"- {note}" for note in dict.fromkeys(notes))]
    return "\n\n".join(parts) + "\n"


def main():
    def words(text):
        return [word.strip() for word in text.split(",") if word.strip()]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="a Python with torch")
    parser.add_argument("--keras-python", help="a Python with keras and tensorflow")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=words, default=["cinta", *PEERS])
    parser.add_argument("--measurements", type=words, default=MEASUREMENTS)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--builds", action="store_true")
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    # The programs run in this file's folder, so relative paths would lead elsewhere.
    for name in ("python", "keras_python"):
        if path := getattr(options, name):
            setattr(options, name, os.path.abspath(shutil.which(path) or path))
    if unknown := set(options.only) - {"cinta", *PEERS}:
        parser.error(f"unknown programs: {', '.join(sorted(unknown))}")
    if unknown := set(options.measurements) - set(MEASUREMENTS):
        parser.error(f"unknown measurements: {', '.join(sorted(unknown))}")
    text = report(options)
    print(text, end="")
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)


if __name__ == "__main__":
    main()
