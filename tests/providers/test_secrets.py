"""Keys: what counts as one, what as none, and that none ever shows."""

import copy
import pickle
from pathlib import Path

import pytest

from providers.secrets import Key, read_key_file, referred_name, usable_key


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("${GROQ_API_KEY}", "GROQ_API_KEY"),
        ("$GROQ_API_KEY", "GROQ_API_KEY"),
        ("os.environ/GROQ_API_KEY", "GROQ_API_KEY"),
        ("${env.GROQ_API_KEY}", "GROQ_API_KEY"),
        (" ${A} ", "A"),
        ("sk-abc", None),
        ("", None),
        ("${}", None),
        ("${A}x", None),
        ("${A-b}", None),
        ("$1", None),
        ("$Ä", None),
    ],
)
def test_references(text: str, name: str | None) -> None:
    assert referred_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "sk-abc123",
        "test-key",
        "k1",
        "sk-ant-api03-REAL_key",
        "key-for-tests",
        "xai-0123",
        "mykey",
        "fake",
        "\ufeffk1\r\n",
        " k1\n",
    ],
)
def test_a_usable_key_is_taken_without_its_surroundings(text: str) -> None:
    key = usable_key(text)
    assert key is not None
    assert key.get_secret_value() == text.strip("\ufeff \r\n")


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "\n", "\ufeff\n", "...", "***", "-"),
        *("changeme", "change-me", "CHANGE_ME!", "please-change-me", "replace-me", "placeholder", "todo", "none"),
        *("sk-xxx", "sk-ant-xxx", "sk-or-v1-xxxxxxxx", "gsk_xxx", "xxxxxxxx", "XXX", "sk-xxxx-xxxx"),
        *("your-key-here", "your_api_key", "sk-your-key-here", "YOUR_OPENAI_API_KEY", "insert-your-key", "<your key>"),
        *("<OPENAI_API_KEY>", "{key}", "[key]", "sk-...", "sk-ant-…", "api-key", "my-secret-key"),
    ],
)
def test_a_placeholder_is_no_key(text: str) -> None:
    assert usable_key(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hunter2 hunter3", "white space inside"),
        ("hunter2\nhunter3", "white space inside"),
        ("hunter2\tx", "white space inside"),
        ("hunter2\x00", "control character"),
        ("hunter2\x7fx", "control character"),
        ("hunter2é", "outside ASCII"),
        ("hunter2\u200b", "outside ASCII"),
        ("hunter2" * 10_000, "longer than"),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        usable_key(text)
    assert "hunter2" not in str(raised.value)


def test_a_key_never_shows() -> None:
    key = Key("hunter2")
    for text in (repr(key), str(key), f"{key}", f"{key!s:>20}", repr([key])):
        assert "hunter2" not in text
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(Key("hunter2"), protocol)


@pytest.mark.parametrize("content", [b"k1", b"k1\n", b"k1\r\n", b"\xef\xbb\xbfk1\n", b"  k1  "])
def test_key_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    key = usable_key(read_key_file(tmp_path / "key"))
    assert key is not None
    assert key.get_secret_value() == "k1"


@pytest.mark.parametrize(
    ("content", "says"), [(b"x" * 102_400, "longer"), (b"a b\n", "white space"), (b"\xff\xfe", "not text")]
)
def test_key_file_that_holds_none(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        usable_key(read_key_file(tmp_path / "key"))


def test_key_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ValueError, match="cannot be read"):
            read_key_file(path)
