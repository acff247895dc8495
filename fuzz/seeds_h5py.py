"""More seeds, written by h5py: the golden files of Keras again, in the newest format of HDF5, which Keras never
asks for. Groups of more than eight links or attributes lie in fractal heaps and B-trees there.

    pip install h5py
    python seeds_h5py.py
"""

from pathlib import Path

import h5py
import numpy

HERE = Path(__file__).parent


def rewrite(source, target, prefix=b""):
    with h5py.File(source, "r") as old, h5py.File(target, "w", libver="latest") as new:
        for name, value in old.attrs.items():
            new.attrs[name] = value
        for name in old:
            old.copy(name, new)
        for i in range(12):
            new.attrs[f"more_{i}"] = i
            new.create_group(f"more_{i}")
        more = new["more_0"]
        more.create_dataset("chunks", data=numpy.arange(40.0), chunks=(8,), compression="gzip", shuffle=True)
        more.create_dataset("growing", data=numpy.arange(40.0), chunks=(8,), maxshape=(None,))
        more["link"] = h5py.SoftLink("/more_1")
    target.write_bytes(prefix + target.read_bytes())


golden = HERE / "../tests/golden/keras"
rewrite(golden / "bars_2_2_4.h5", HERE / "corpus/h5/latest")
rewrite(golden / "bars.weights.h5", HERE / "corpus/weights/latest", b"\x02")
