import errno

import pytest

from kerasdl._atomic_folder import claimed, empty_partial, new_folder
from kerasdl.artefacts import ERRORS, FILES, PICTURE, REPORT

EXPORTED = [*FILES.values(), "labels.txt", REPORT, PICTURE, ERRORS]
OF_FOLDERS = [
    "saved_model.partial",
    ".saved_model.lock",
    ".saved_model.replaced",
    "saved_model.partial/variables/variables_temp",
    "saved_model",
]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", EXPORTED)
def test_an_export_begins_anew_over_the_file_that_a_kill_left(
    name, tmp_path, left_by_a_kill
):
    out = tmp_path / "export"
    partial = empty_partial(out, EXPORTED)
    (partial / name).write_bytes(b"whole")
    left_by_a_kill(partial / name)
    assert names(empty_partial(out, EXPORTED)) == []
    left_by_a_kill(partial / "thesis.txt")
    with pytest.raises(ValueError, match="export.partial holds .*thesis.txt"):
        empty_partial(out, EXPORTED)


@pytest.mark.parametrize("name", OF_FOLDERS)
def test_an_export_begins_anew_over_the_folder_that_a_kill_left(name, tmp_path):
    (empty_partial(tmp_path / "export", EXPORTED) / name).mkdir(parents=True)
    assert names(empty_partial(tmp_path / "export", EXPORTED)) == []


def test_a_new_folder_appears_whole(tmp_path):
    (tmp_path / ".photos.partial").mkdir()  # of a killed process
    (tmp_path / ".photos.partial" / "half").write_text("")
    with new_folder(tmp_path / "photos") as beside:
        (beside / "a").write_text("")
        assert names(tmp_path) == [beside.name]
    assert names(tmp_path) == ["photos"] and names(tmp_path / "photos") == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("bad")])
def test_a_new_folder_that_fails_leaves_nothing(error, tmp_path):
    with pytest.raises(type(error)), new_folder(tmp_path / "photos") as beside:
        (beside / "a").write_text("")
        raise error
    assert names(tmp_path) == []


def test_a_new_folder_on_a_full_disk_names_where(tmp_path):
    message = f"no room in the folder '{tmp_path}'. Not written: photos"
    with pytest.raises(OSError, match=message), new_folder(tmp_path / "photos"):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")


def test_a_claim_names_its_argument(tmp_path):
    with claimed(tmp_path / "photos", "target"):
        with pytest.raises(ValueError, match="`directory` must not be in use by"):
            with claimed(tmp_path / "photos", "directory"):
                pass
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`target` must be in a folder that can be"):
        with claimed(tmp_path / "file" / "photos", "target"):
            pass
