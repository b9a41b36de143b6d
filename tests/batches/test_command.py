"""``python -m batches``, as a factory runs it: its output, its exit code. ``start`` makes it a process of its own, as
one test of each way out does; the others ``run`` the same command in this one.
"""

import io
import os
import re
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from click.testing import CliRunner
from PIL import Image

from batches import codes
from batches.__main__ import main
from batches.items import Kind

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
ORDER = ["--batch", "7", "--kind", "inner", "--first", "5", "--count", "3", "--base-url", "https://q.example.cn"]


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key.hex"
    path.write_text(KEY.hex() + "\n")
    return path


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: bytes
    stderr: bytes


def run(*arguments):
    result = CliRunner().invoke(main, [*map(str, arguments)], prog_name="python -m batches")
    return Done(result.exit_code, result.stdout_bytes, result.stderr_bytes)


def start(*arguments, encoding="utf-8"):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "batches", *map(str, arguments)],
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=120,
        check=False,
    )


def minted(serial, kind=Kind.INNER, batch=7):
    return codes.mint_one(KEY, batch, kind, serial)


def test_mint_prints_codes_a_line_each_and_nothing_else(key_file):
    done = start("mint", "--key-file", key_file, "--batch", 7, "--kind", "inner", "--first", 0, "--count", 3)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "".join(f"{minted(serial)}\n" for serial in range(3))


def test_mint_prints_more_than_one_chunk(key_file):
    done = run("mint", "--key-file", key_file, "--batch", 7, "--kind", "case", "--first", 9, "--count", 70_000)
    lines = done.stdout.decode().splitlines()
    assert len(set(lines)) == len(lines) == 70_000
    assert lines[-1] == minted(70_008, Kind.CASE)


@pytest.mark.parametrize("form", ["{}", "https://q.example.cn/{}", "HTTPS://Q.EXAMPLE.CN/01/06901234567892/21/{}"])
def test_verify_prints_batch_kind_and_serial(key_file, form):
    done = run("verify", "--key-file", key_file, form.format(minted(42, Kind.PALLET)))
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [b"7", b"pallet", b"42"], b"")
    typed = minted(42).lower().replace("1", "l").replace("0", "o")
    assert run("verify", "--key-file", key_file, f"{typed[:10]} {typed[10:]}").returncode == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("0" * 20, "does not match"),
        ("0" * 19, "this has 19"),
        ("U" * 20, "does not occur in codes"),
        ("", "this has 0"),
        (codes.mint_one(bytes(32), 7, 1, 1), "does not match"),
    ],
)
def test_verify_exits_1_and_says_why(key_file, code, reason):
    done = run("verify", "--key-file", key_file, code)
    assert (done.returncode, done.stdout) == (1, b"")
    assert reason in done.stderr.decode()
    assert re.search("[\u4e00-\u9fff]", done.stderr.decode())
    assert "输错" not in done.stderr.decode()


def test_verify_tells_a_typing_error_from_a_forgery_without_mending_it(key_file):
    code = minted(42)
    done = start("verify", "--key-file", key_file, code[:-2] + code[-1] + code[-2])
    assert done.returncode == 1
    assert "probably one mistyped character" in done.stderr.decode()
    assert code not in done.stderr.decode()


@pytest.mark.parametrize(
    "contents",
    [
        KEY.hex().upper().encode(),
        b" \n".join(re.findall(b".{16}", KEY.hex().encode())) + b"\r\n\r\n",
        b"\xef\xbb\xbf" + KEY.hex().encode(),
        KEY.hex().encode("utf-16"),
    ],
    ids=["upper", "blanks", "notepad", "powershell"],
)
def test_a_key_file_may_come_from_any_editor(tmp_path, contents):
    (tmp_path / "key.hex").write_bytes(contents)
    assert run("verify", "--key-file", tmp_path / "key.hex", minted(1)).returncode == 0


@pytest.mark.parametrize("contents", [None, b"", b"00" * 31, b"00" * 33, b"g0" * 32, b"\xff\xfe0", b"00" * 100_000])
def test_an_unusable_key_file_exits_3_and_is_never_quoted(tmp_path, contents):
    if contents is not None:
        (tmp_path / "key.hex").write_bytes(contents)
    done = (start if contents is None else run)("verify", "--key-file", tmp_path / "key.hex", minted(1))
    assert (done.returncode, done.stdout) == (3, b"")
    assert "密钥文件" in done.stderr.decode()
    assert b"00000000" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["mint", "--batch", 7, "--kind", "label"],
        ["mint", "--batch", 1 << 25, "--kind", "inner"],
        ["mint", "--batch", 7, "--kind", "inner", "--count", 0],
        ["mint", "--batch", 7, "--kind", "inner", "--first", -1],
        ["mint", "--batch", 7, "--kind", "inner", "--first", (1 << 25) - 1, "--count", 2],
        ["mint", "--kind", "inner"],
        ["sheet", *ORDER[:-1], "https://q.example.cn/path", "-o", "never.pdf"],
        ["sheet", *ORDER, "-o", "never.pdf", "--columns", 50],
        ["sheet", *ORDER, "-o", "never.pdf", "--product-name", "🍵"],
        ["sheet", *ORDER, "-o", "never.pdf", "--module-mm", 2],
        ["csv", *ORDER, "-o", "never.csv", "--digital-link"],
        ["pack", *ORDER, "--formats", "docx", "never"],
        ["dance"],
    ],
)
def test_wrong_usage_exits_2_and_writes_nothing(key_file, arguments):
    key = [] if arguments == ["dance"] else ["--key-file", key_file]
    done = (start if arguments == ["dance"] else run)(*arguments, *key)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr
    assert not list(ROOT.glob("never*"))


def test_a_folder_that_cannot_be_written_exits_4(key_file, tmp_path):
    done = start("txt", *ORDER, "--key-file", key_file, "-o", tmp_path / "missing" / "a.txt")
    assert done.returncode == 4
    assert "读写失败" in done.stderr.decode()


def test_sheet_draws_labels_that_decode(key_file, tmp_path):
    done = run("sheet", *ORDER, "--key-file", key_file, "-o", tmp_path / "a.pdf", "--product-name", "示例茶饮")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as document:
        picture = document[0].render(scale=200 / 72).to_pil()
    found = {each.text for each in zxingcpp.read_barcodes(picture)}
    assert found == {f"HTTPS://Q.EXAMPLE.CN/{minted(serial)}" for serial in (5, 6, 7)}


def test_png_draws_pictures_that_decode(key_file, tmp_path):
    done = run("png", *ORDER[:-1], "http://127.0.0.1:8000", "--key-file", key_file, "-o", tmp_path / "a.zip")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(archive.read("inner-00000006.png"))))
    assert found.text == f"HTTP://127.0.0.1:8000/{minted(6)}"


def test_csv_and_txt_write_files(key_file, tmp_path):
    both = [*ORDER[:3], "outer,inner", *ORDER[4:]]
    assert run("csv", *both, "--encoding", "utf-8", "--key-file", key_file, "-o", tmp_path / "a.csv").returncode == 0
    assert (tmp_path / "a.csv").read_bytes().startswith(b"serial,outer_code,")
    assert run("txt", *ORDER, "--key-file", key_file, "-o", tmp_path / "a.txt").returncode == 0
    assert len((tmp_path / "a.txt").read_bytes().splitlines()) == 3
    assert run("txt", *both, "--key-file", key_file, "-o", tmp_path / "b.txt").returncode == 2


def test_pack_makes_a_pack_that_check_passes_and_damage_fails(key_file, tmp_path):
    pack = tmp_path / "pack"
    made = start("pack", *ORDER, "--order-no", "订单-1", "--formats", "csv,txt", "--key-file", key_file, pack)
    assert (made.returncode, made.stdout, made.stderr) == (0, b"", b"")
    assert (
        run("pack", *ORDER, "--order-no", "订单-1", "--formats", "csv,txt", "--key-file", key_file, pack).returncode
        == 0
    )
    assert run("pack", *ORDER, "--order-no", "2", "--formats", "csv,txt", "--key-file", key_file, pack).returncode == 1
    checked = start("check", pack, "--key-file", key_file)
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert checked.stdout.split() == b"files 2 rows 6 codes verified 9".split()
    assert run("check", pack).returncode == 0
    text = next(pack.glob("*.txt"))
    text.write_bytes(text.read_bytes()[:-1])
    damaged = run("check", pack, "--key-file", key_file)
    assert damaged.returncode == 1
    assert b"changed" in damaged.stderr
    assert run("check", tmp_path).returncode == 1


@pytest.mark.skipif(os.name != "posix", reason="signals a process as a Linux terminal does")
def test_interrupting_exits_5(key_file):
    count = str(codes.MAX_BATCH_COUNT)  # far more than a pipe holds: it waits for a reader that never reads
    line = [sys.executable, "-m", "batches", "mint", "--key-file", key_file, "--batch", "7", "--kind", "inner"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a shell's background jobs are deaf to it
    with subprocess.Popen(
        [*line, "--count", count], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, preexec_fn=heard
    ) as started:
        assert started.stdout is not None
        assert started.stdout.read(21).decode().strip() == minted(0)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate()
    assert started.returncode == 5
    assert "已按要求停止" in said.decode()


def test_help_lists_commands_and_exit_codes_in_both_languages():
    done = run("--help")
    assert done.returncode == 0
    text = done.stdout.decode()
    for command in ("mint", "verify", "sheet", "csv", "txt", "png", "pack", "check"):
        assert re.search(rf"^  {command} ", text, re.MULTILINE)
    for number in range(6):
        assert re.search(rf"^ +{number}  .+ / .+", text, re.MULTILINE)


def test_a_console_without_chinese_characters_still_gets_an_answer(key_file):
    assert start("--help", encoding="cp1252").returncode == 0
