"""Annotation pickles: what Python 2 and 3 wrote is read, what a pickle could run is refused and does not run."""

import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from hand_pose_training.datasets.restricted_pickle import load_pickle
from hand_pose_training.datasets.sample import DatasetError

WHERE = "X dataset (https://example.org)"
# As Python 2 with an old NumPy writes {'a': array([1., 2., 3.])}.
PYTHON2 = (
    b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    b"(K\x01K\x03\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x18"
    + struct.pack("<3d", 1, 2, 3)
    + b"tbs."
)


def read(path: Path, content: bytes):
    path.write_bytes(content)
    return load_pickle(path, WHERE)


def test_a_file_of_python_2(tmp_path: Path):
    np.testing.assert_array_equal(read(tmp_path / "a.pkl", PYTHON2)["a"], [1.0, 2.0, 3.0])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_annotations_hold_comes_back(tmp_path: Path, protocol: int):
    content = {
        "f8": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big": np.array([1, 2, 300], ">i4"),
        "bool": np.array([True, False]),
        "text": np.array(["one", "three"]),
        "empty": np.zeros((0, 3)),
        "scalar": np.float32(2.5),
        "object": OrderedDict(name="021_bleach_cleanser", ids=[1, 2.5, None, True, b"ab"]),
        7: (np.int64(3), "x"),
    }
    back = read(tmp_path / "a.pkl", pickle.dumps(content, protocol))
    assert list(back) == list(content)
    for name in ("f8", "fortran", "big", "bool", "text", "empty"):
        np.testing.assert_array_equal(back[name], content[name])
        assert back[name].dtype == content[name].dtype and type(back[name]) is np.ndarray
    assert back["scalar"] == np.float32(2.5) and back["object"] == dict(content["object"]) and back[7] == (3, "x")


class Runs:
    """Pickles as a call."""

    def __init__(self, call, *args) -> None:
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize(
    "attack",
    [
        lambda p: pickle.dumps(Runs(Path.touch, p)),
        lambda p: pickle.dumps({"xyz": [Runs(exec, f"open({str(p)!r}, 'w')")]}),
        lambda p: f"cos\nsystem\n(S'touch {p}'\ntR.".encode(),
        lambda p: f"cnumpy\nload\n(S'{p}'\ntR.".encode(),
        # A dotted name walks through attributes of a known one.
        lambda p: b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.",
        lambda p: pickle.dumps(np.array([Runs(Path.touch, p)], dtype=object)),
        lambda p: pickle.dumps(np.array([None, "x"], dtype=object)),
        lambda p: pickle.dumps(np.zeros(2, dtype=[("a", "f8")])),
    ],
)
def test_a_malicious_pickle_is_refused_and_runs_nothing(tmp_path: Path, attack):
    victim = tmp_path / "touched"
    with pytest.raises(DatasetError, match=r"nothing in it was run.*https://example.org"):
        read(tmp_path / "a.pkl", attack(victim))
    assert not victim.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        PYTHON2[:-20],
        # An array of more numbers than its bytes, and one that is never filled.
        PYTHON2.replace(b"K\x01K\x03\x85", b"K\x01K\x7f\x85"),
        b"cnumpy.core.multiarray\n_reconstruct\n(tR.",
        PYTHON2.replace(b"U\x18" + struct.pack("<3d", 1, 2, 3), b"J\xff\xff\xff\x7f"),  # 2 GB of zeros, if taken as a size
        # A state for a call itself.
        b"cnumpy\ndtype\n}b.",
        b"\x80\x02cnumpy\ndtype\nN}U\x04nameU\x03xyzs\x86b.",
    ],
)
def test_a_corrupt_pickle_names_the_file(tmp_path: Path, content: bytes):
    with pytest.raises(DatasetError, match=r"a\.pkl"):
        read(tmp_path / "a.pkl", content)


def test_a_missing_file_says_where_to_get_it(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"nowhere\.pkl.*example\.org"):
        load_pickle(tmp_path / "nowhere.pkl", WHERE)
